"""A leader's record as the value of one unit of his account, and the risk it shows (S11).

The value of a unit starts at 1 and moves with his result alone: money brought in buys units,
money taken out sells them, so neither changes what one is worth. Open losses are in it. These are
figures to judge by, not money: they are kept to `UNIT_STEP` and rounded half even.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from itertools import pairwise

from copyplugin.domain.money import Money, Ratio, total

UNIT_STEP = Decimal("0.000000000001")
FIRST_UNIT_VALUE = Ratio(Decimal(1))
DAYS_A_YEAR = 365  # these markets never close
RETURNS_MIN = 2  # of fewer there is no spread

_FIGURES = Context(prec=40, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitValue:
    """The value of a unit, its highest so far, and the deepest fall from a highest one.

    `drawdown_max` is a part of the highest value: 0.25 where a quarter of it was lost.
    """

    value: Ratio
    peak: Ratio
    drawdown_max: Ratio

    def after(self, *, equity_before: Money, equity: Money, flow: Money) -> "UnitValue":
        """Return the state one point later.

        `flow` is the money brought in since the point before (taken out where negative), and
        counts as having come at this point, so that what it bought is not exposed before. An
        account that owed more than it had is worth nothing; a unit that is worth nothing stays so.
        """
        if equity_before <= 0:
            return self  # nothing was at risk
        own = max(total(equity, -flow), Decimal(0))
        return self._at(_to_step(Fraction(self.value) * Fraction(own) / Fraction(equity_before)))

    def _at(self, value: Ratio) -> "UnitValue":
        peak = max(self.peak, value)
        fall = _to_step(1 - Fraction(value) / Fraction(peak))
        return UnitValue(value=value, peak=peak, drawdown_max=max(self.drawdown_max, fall))


FIRST = UnitValue(value=FIRST_UNIT_VALUE, peak=FIRST_UNIT_VALUE, drawdown_max=Ratio(Decimal(0)))


@dataclass(frozen=True, kw_only=True, slots=True)
class EquityFlow:
    """One point of an account's record: what it is worth, and what was brought in since."""

    equity: Money
    flow: Money


def unit_values(points: Iterable[EquityFlow]) -> list[UnitValue]:
    """Return the unit value at each point, from the first one on; the slow form of `after`."""
    values: list[UnitValue] = []
    before: EquityFlow | None = None
    for point in points:
        if before is None:
            values.append(FIRST)
        else:
            values.append(
                values[-1].after(equity_before=before.equity, equity=point.equity, flow=point.flow)
            )
        before = point
    return values


def daily_returns(closes: Sequence[Ratio]) -> list[Fraction]:
    """Return the returns between the unit values at the ends of successive days.

    A day after the unit was worth nothing has no return.
    """
    return [
        Fraction(after) / Fraction(before) - 1 for before, after in pairwise(closes) if before != 0
    ]


def daily_volatility(returns: Sequence[Fraction]) -> Decimal | None:
    """Return the sample standard deviation (n − 1) of daily returns; None of fewer than two."""
    if len(returns) < RETURNS_MIN:
        return None
    mean = sum(returns, Fraction(0)) / len(returns)
    spread = sum(((each - mean) ** 2 for each in returns), Fraction(0)) / (len(returns) - 1)
    return _root(spread)


def sharpe_ratio(returns: Sequence[Fraction]) -> Decimal | None:
    """Return mean / standard deviation of daily returns × √365, with nothing for idle money.

    None where there is no spread: of fewer than two returns, or of equal ones.
    """
    spread = daily_volatility(returns)
    if not spread:
        return None
    mean = sum(returns, Fraction(0)) / len(returns)
    yearly = _FIGURES.multiply(_decimal(mean), _FIGURES.sqrt(Decimal(DAYS_A_YEAR)))
    return _FIGURES.divide(yearly, spread)


def _root(value: Fraction) -> Decimal:
    return _FIGURES.sqrt(_decimal(value))


def _decimal(value: Fraction) -> Decimal:
    return _FIGURES.divide(Decimal(value.numerator), Decimal(value.denominator))


def _to_step(value: Fraction) -> Ratio:
    return Ratio(round(value / Fraction(UNIT_STEP)) * UNIT_STEP)
