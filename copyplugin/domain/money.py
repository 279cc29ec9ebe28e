"""Numbers with a unit: what a Decimal or an int means, and how it is rounded.

Money is in the settle currency (USDT) unless a name says otherwise. What is stored is a multiple
of `MONEY_STEP`; what is computed on the way may be finer and is rounded once, at its end, by a
function whose name says the direction.
"""

from decimal import ROUND_DOWN, Context, Decimal, Inexact, InvalidOperation, Overflow
from fractions import Fraction
from typing import NewType

Price = NewType("Price", Decimal)
"""Settle currency for one unit of the base asset."""

Money = NewType("Money", Decimal)
"""An amount of the settle currency; negative where a name says so."""

Ratio = NewType("Ratio", Decimal)
"""A pure number: 0.1 is ten percent, 20 is twenty-fold leverage."""

Contracts = NewType("Contracts", int)
"""A number of contracts, never negative; its side is told apart."""

MONEY_STEP = Decimal("0.00000001")
_PLACES = 8
_DIGITS_WHOLE_MAX = 40
ZERO_MONEY = Money(Decimal(0))
NO_CONTRACTS = Contracts(0)

# Sixty digits hold every product of a price, a face value and a number of contracts that exists; a
# result that would need more is an error, never a rounding.
_EXACT = Context(prec=60, traps=[Inexact, InvalidOperation, Overflow])


def product(*factors: Decimal | int) -> Decimal:
    """Return the exact product.

    The default context of `decimal` rounds a product to 28 digits without a word. Raises
    `decimal.Inexact` if sixty digits are not enough.
    """
    result: Decimal | int = 1
    for factor in factors:
        result = _EXACT.multiply(result, factor)
    return Decimal(result)


def total(*terms: Decimal) -> Decimal:
    """Return the exact sum; raises `decimal.Inexact` if sixty digits are not enough."""
    result = Decimal(0)
    for term in terms:
        result = _EXACT.add(result, term)
    return result


def money_total(*terms: Money) -> Money:
    """Return the exact sum of amounts."""
    return Money(total(*terms))


def floor_to_step(value: Decimal, step: Decimal) -> Decimal:
    """Return the largest multiple of step that does not exceed value, which is not negative."""
    assert value >= 0
    return _steps(Fraction(value) // Fraction(_positive(step)), step)


def ceil_to_step(value: Decimal, step: Decimal) -> Decimal:
    """Return the smallest multiple of step that is not below value, which is not negative."""
    assert value >= 0
    return _steps(-(-Fraction(value) // Fraction(_positive(step))), step)


def truncate_money(value: Decimal, places: int) -> Money:
    """Drop the digits beyond that many decimal places: toward zero, whatever the sign."""
    assert 0 <= places <= -int(MONEY_STEP.as_tuple().exponent)
    return Money(value.quantize(Decimal(1).scaleb(-places), ROUND_DOWN, _WIDE))


def money_floor(value: Fraction) -> Money:
    """Round down (toward minus infinity) to what can be stored: a credit, in the payer's favour."""
    return Money(_steps(value // Fraction(MONEY_STEP), MONEY_STEP))


def money_ceil(value: Fraction) -> Money:
    """Round up (toward plus infinity) to what can be stored: a requirement or a charge."""
    return Money(_steps(-(-value // Fraction(MONEY_STEP)), MONEY_STEP))


def money_of_steps(steps: int) -> Money:
    """Return the amount that is so many `MONEY_STEP`."""
    return Money(_EXACT.scaleb(steps, -_PLACES))


def steps_of(value: Decimal) -> int | None:
    """Return how many `MONEY_STEP` the amount is; None where it is no whole number of them."""
    if value.adjusted() > _DIGITS_WHOLE_MAX:  # beyond what the quick way below counts exactly
        quotient = Fraction(value) / Fraction(MONEY_STEP)
        return int(quotient) if quotient.denominator == 1 else None
    try:
        steps = _EXACT.scaleb(value, _PLACES)
        whole = int(steps)
    except (Inexact, ValueError, OverflowError):  # too fine; no number; infinite
        return None
    return whole if whole == steps else None


def is_storable(value: Decimal) -> bool:
    """Return whether the amount is a whole number of `MONEY_STEP`."""
    return steps_of(value) is not None


_WIDE = Context(prec=60, traps=[InvalidOperation, Overflow])


def _positive(step: Decimal) -> Decimal:
    assert step > 0
    return step


def _steps(count: int, step: Decimal) -> Decimal:
    return product(count, step)
