"""A number that is expected: exactly, with a tolerance where one is asked for, or a bound."""

import re
from dataclasses import dataclass
from fractions import Fraction

from simexchange.scenario.amounts import Number, decimal_of, rate_of

_WITHIN = re.compile(r"(\S+)\s+within\s+(\S+)")
_BOUND = re.compile(r"(at least|at most|more than|less than)\s+(\S+)")


@dataclass(frozen=True, slots=True)
class Expected:
    """Bounds of a number; None where there is none. ``text`` is how it was written."""

    text: str
    low: Fraction | None
    high: Fraction | None
    is_open: bool = False  # the bounds themselves do not belong to it

    @property
    def exact(self) -> Fraction | None:
        """The one number that is meant, when it is one."""
        return self.low if self.low == self.high else None

    def admits(self, value: Fraction | int) -> bool:
        if self.low is not None and (value < self.low or (self.is_open and value == self.low)):
            return False
        return not (
            self.high is not None and (value > self.high or (self.is_open and value == self.high))
        )


def expected_number(written: Number, what: str, *, is_rate: bool = False) -> Expected:
    """Return what ``65000``, ``65000 within 0.5`` or ``at least 65000`` asks for.

    Rates are written in percent and compared in percent of one: ``0.05%`` is 0.0005.
    """
    text = str(written).strip()
    within, bound = _WITHIN.fullmatch(text), _BOUND.fullmatch(text)

    def number(part: Number) -> Fraction:
        if is_rate:
            return Fraction(rate_of(str(part), what), 10**8)
        return Fraction(decimal_of(part, what))

    if within is not None:
        middle, tolerance = number(within.group(1)), number(within.group(2))
        if tolerance < 0:
            raise ValueError(f"{what}: a tolerance is not negative")
        return Expected(text, middle - tolerance, middle + tolerance)
    if bound is not None:
        limit, is_low = number(bound.group(2)), bound.group(1) in {"at least", "more than"}
        is_open = bound.group(1) in {"more than", "less than"}
        return Expected(text, limit if is_low else None, None if is_low else limit, is_open)
    exact = number(written)
    return Expected(text, exact, exact)
