"""The judge of the worked examples lets nothing pass that is further off than its tolerance."""

from decimal import Decimal
from fractions import Fraction

import pytest

from tests.conformance.worked_adapter import agrees, last_digit_of, tolerance_of

CENT = Fraction(1, 100)


@pytest.mark.parametrize(
    ("value", "printed", "tolerance"),
    [
        (Decimal("1.23"), "1.23", Fraction(0)),
        (Decimal("1.24"), "1.23", CENT),
        (Fraction(1, 3), "0.33", CENT),
        (None, "none", Fraction(0)),
        ("NEW", "NEW", Fraction(0)),
        (True, True, Fraction(0)),
        ([Decimal(1), Decimal(2)], ["1", 2], Fraction(0)),
        ({"a": Decimal(1), "b": Decimal(2)}, {"a": "1"}, Fraction(0)),
    ],
)
def test_what_lies_within_the_tolerance_agrees(value, printed, tolerance):
    assert agrees(value, printed, tolerance)


@pytest.mark.parametrize(
    ("value", "printed", "tolerance"),
    [
        (Decimal("1.2300001"), "1.23", Fraction(0)),
        (Decimal("1.2401"), "1.23", CENT),
        (None, "1.23", CENT),
        (Decimal(0), "none", Fraction(0)),
        ("FILLED", "NEW", Fraction(0)),
        (False, True, Fraction(0)),
        ([Decimal(1)], ["1", 2], CENT),
        ({"a": Decimal(1)}, {"a": "1", "b": "2"}, CENT),
    ],
)
def test_what_lies_outside_the_tolerance_does_not(value, printed, tolerance):
    assert not agrees(value, printed, tolerance)


def test_a_tolerance_is_a_number_a_fraction_or_the_word_exact():
    assert tolerance_of({"tolerance": "exact"}) == 0
    assert tolerance_of({"tolerance": "5e-9"}) == Fraction(5, 10**9)
    assert tolerance_of({"tolerance": "1/40"}) == Fraction(1, 40)


def test_only_a_long_expansion_is_allowed_a_last_digit():
    assert last_digit_of("11.891089108910891089") == Fraction(1, 10**18)
    assert last_digit_of({"im": "463.64392425"}) == 0
