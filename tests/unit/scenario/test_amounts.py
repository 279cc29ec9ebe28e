"""Amounts as people write them: exact, or refused with what to write instead."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simexchange.core.instrument import Instrument
from simexchange.scenario.amounts import (
    DAY_US,
    contracts_from_base,
    decimal_of,
    duration_text,
    duration_us,
    fraction_text,
    moment_text,
    moment_us,
    money_of,
    money_text,
    price_of,
    rate_of,
    rate_text,
    whole_of,
)
from simexchange.scenario.expected import expected_number

BTC = Instrument(
    symbol="BTCUSDT", base="BTC", tick_size=Decimal("0.1"), contract_size=Decimal("0.001")
)
HOUR_US = 3_600_000_000


@given(st.integers(-(10**20), 10**20))
def test_money_written_out_reads_back_to_the_last_unit(units):
    assert money_of(money_text(units)) == units


@given(st.integers(-(10**12), 10**12))
def test_a_rate_written_out_reads_back_to_the_last_unit(units):
    assert rate_of(rate_text(units)) == units


@given(st.integers(0, 10**15))
def test_a_duration_written_out_reads_back(microseconds):
    assert duration_us(duration_text(microseconds)) == microseconds


@given(st.integers(0, 4 * 10**15))
def test_a_moment_written_out_reads_back(at):
    assert moment_us(moment_text(at), 0) == at


@given(st.integers(0, 4 * 10**15), st.integers(0, 23), st.integers(0, 59))
def test_a_time_of_the_day_is_the_next_one_within_a_day(now, hour, minute):
    at = moment_us(f"{hour:02}:{minute:02}", now)

    assert now <= at < now + DAY_US
    assert at % DAY_US == (hour * 60 + minute) * 60_000_000


@pytest.mark.parametrize(
    ("written", "microseconds"),
    [("30s", 30_000_000), ("1h 30m", HOUR_US * 3 // 2), ("500ms", 500_000), ("1.5s", 1_500_000)],
)
def test_durations_are_written_with_their_unit(written, microseconds):
    assert duration_us(written) == microseconds


@pytest.mark.parametrize(
    ("read", "written", "sentence"),
    [
        (decimal_of, "1,000", "without commas"),
        (decimal_of, "1e3", "without commas or exponent"),
        (decimal_of, "NaN", "plain number"),
        (decimal_of, Decimal("Infinity"), "finite"),
        (decimal_of, 0.1, 'write "0.1"'),
        (decimal_of, True, "not a bool"),
        (money_of, "0.123456789", "at most 8 decimals, 0.123456789 has more; use 0.12345678"),
        (rate_of, "0.05", "written in percent: 0.05%"),
        (rate_of, "0.0000001%", "at most 6 decimals"),
        (duration_us, "30", "a duration is written 30s"),
        (duration_us, "", "a duration is missing"),
        (duration_us, "0.5us", "not a whole number of microseconds"),
        (lambda text: whole_of(text, "contracts"), "2.5", "use 2 or 3"),
        (lambda text: moment_us(text, 0), "25:00", "not a time of the day"),
        (lambda text: moment_us(text, 0), "tomorrow", "a time is written 10:00:00"),
        (lambda text: price_of(text, BTC), "65000.05", "use 65000.0 or 65000.1"),
        (lambda text: price_of(text, BTC), "0", "must be above 0"),
        (lambda text: contracts_from_base(text, BTC), "0.0035", "use 0.003 or 0.004"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_write_instead(read, written, sentence):
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the sentence is compared below
        read(written)

    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(13, 2), "6.5"),
        (Fraction(-1, 8), "-0.125"),
        (Fraction(195001, 3), "65000.33333333…"),
        (Fraction(-1, 3), "-0.33333333…"),
        (Fraction(100), "100"),
    ],
)
def test_a_number_is_shown_exactly_or_says_that_it_goes_on(value, text):
    assert fraction_text(value) == text


@pytest.mark.parametrize(
    ("written", "admitted", "refused"),
    [
        ("65000", [65000], [Fraction("64999.9"), Fraction("65000.00000001")]),
        ("65000 within 0.5", [Fraction("64999.5"), Fraction("65000.5")], [Fraction("65000.6")]),
        ("at least 3", [3, 4], [2]),
        ("at most 3", [3, 2], [4]),
        ("more than 3", [Fraction("3.1")], [3, 2]),
        ("less than 3", [2], [3, 4]),
    ],
)
def test_an_expected_number_is_exact_unless_a_tolerance_is_asked_for(written, admitted, refused):
    expected = expected_number(written, "contracts")

    assert all(expected.admits(value) for value in admitted)
    assert not any(expected.admits(value) for value in refused)


def test_a_negative_tolerance_is_refused():
    with pytest.raises(ValueError, match="not negative"):
        expected_number("3 within -1", "contracts")
