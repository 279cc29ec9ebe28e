"""Numbers of the rules: exact fractions inside, decimals at the door, rounding named by direction.

Every public rule takes `Number` and answers `Decimal`. Inside it computes with `Fraction`, so that
no division rounds before the rule's own rounding does. A float is refused: it has already lost
the digits that the rule would need.
"""

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from fractions import Fraction

Number = int | str | Decimal | Fraction

# A quotient without an end is cut here: far below any tick, far above what a reader looks at.
QUOTIENT_DIGITS = 40


def exact(value: Number, name: str = "the value") -> Fraction:
    """Return the value as a fraction, digit for digit.

    Raises ValueError for a float, a boolean, NaN, an infinity or text that is no number.
    """
    return _fraction(value, name)


def positive(value: Number, name: str) -> Fraction:
    """Return the value as a fraction; ValueError unless it is above zero."""
    number = exact(value, name)
    if number <= 0:
        raise ValueError(f"{name} must be above zero, not {value}")
    return number


def not_negative(value: Number, name: str) -> Fraction:
    """Return the value as a fraction; ValueError if it is below zero."""
    number = exact(value, name)
    if number < 0:
        raise ValueError(f"{name} must not be below zero, but is {value}")
    return number


def ratio_below_one(value: Number, name: str) -> Fraction:
    """Return the value as a fraction; ValueError unless 0 ≤ value < 1 (0.005 means 0.5 %)."""
    number = not_negative(value, name)
    if number >= 1:
        raise ValueError(f"{name} is a ratio and must be below 1 (write 0.5 % as 0.005): {value}")
    return number


def decimal_from(value: Fraction) -> Decimal:
    """Return the fraction as a decimal.

    Exact when its decimal expansion ends; otherwise rounded half even to QUOTIENT_DIGITS
    significant digits. Where the last digit matters, round the fraction to a step instead.
    """
    numerator, denominator = value.numerator, value.denominator
    twos, rest = _power_of(2, denominator)
    fives, rest = _power_of(5, rest)
    if rest == 1:
        places = max(twos, fives)
        return Decimal(f"{numerator * 10**places // denominator}E-{places}")
    with localcontext() as context:
        context.prec = QUOTIENT_DIGITS
        context.rounding = ROUND_HALF_EVEN
        return Decimal(numerator) / Decimal(denominator)


def floor_to_step(value: Number, step: Number) -> Decimal:
    """Return the largest multiple of step that is not above the value."""
    unit = positive(step, "step")
    return decimal_from(exact(value) // unit * unit)


def ceil_to_step(value: Number, step: Number) -> Decimal:
    """Return the smallest multiple of step that is not below the value."""
    unit = positive(step, "step")
    return decimal_from(-(-exact(value) // unit) * unit)


def truncate_to_step(value: Number, step: Number) -> Decimal:
    """Return the nearest multiple of step on the zero side of the value."""
    return floor_to_step(value, step) if exact(value) >= 0 else ceil_to_step(value, step)


def half_up_to_step(value: Number, step: Number) -> Decimal:
    """Return the nearest multiple of step; a value halfway goes away from zero."""
    number, unit = exact(value), positive(step, "step")
    steps = (abs(number) / unit + Fraction(1, 2)) // 1
    return decimal_from(steps * unit if number >= 0 else -steps * unit)


def _fraction(value: object, name: str) -> Fraction:
    if isinstance(value, str):
        value = _decimal_of_text(value, name)
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, Fraction)):
        raise ValueError(  # noqa: TRY004 - one kind of refusal for whatever a caller typed
            f"{name} must be an int, a Decimal, a Fraction or a decimal text, not "
            f"{type(value).__name__} {value!r}; a float has already lost digits"
        )
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{name} must be a finite number, not {value}")
    return Fraction(value)


def _decimal_of_text(text: str, name: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{name} must be a decimal number, not {text!r}") from None


def _power_of(prime: int, number: int) -> tuple[int, int]:
    """Return how often the prime divides the number, and what is left of it."""
    power = 0
    while number % prime == 0:
        number //= prime
        power += 1
    return power, number
