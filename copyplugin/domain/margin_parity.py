"""Whether a leader has changed what backs an open position, and what his followers' would be (C14).

Extra margin is what an isolated position holds beyond entry cost / leverage. Adding contracts
leaves it as it is, taking some away takes its part along; whatever else moves it is the leader.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from copyplugin.domain.fill import MarginMode
from copyplugin.domain.money import Contracts, Money, Ratio, money_ceil

NOTICED_FROM = Money(Decimal("0.01"))
"""Less than this is rounding, and worth no word and no transfer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Backing:
    """What backs one open position. `entry_cost` is Σ price × contracts × contract size."""

    contracts: Contracts
    entry_cost: Money
    margin: Money
    leverage: Ratio
    margin_mode: MarginMode

    def __post_init__(self) -> None:
        assert self.contracts > 0
        assert self.leverage > 0

    @property
    def extra(self) -> Fraction:
        """Return the margin beyond entry cost / leverage; negative where there is less."""
        return Fraction(self.margin) - Fraction(self.entry_cost) / Fraction(self.leverage)


def has_changed(before: Backing, after: Backing) -> bool:
    """Return whether leverage, margin mode or margin was changed beside what trading changes."""
    if (before.leverage, before.margin_mode) != (after.leverage, after.margin_mode):
        return True
    if after.margin_mode is not MarginMode.ISOLATED:
        return False
    kept = min(Fraction(1), Fraction(after.contracts, before.contracts))
    return abs(after.extra - before.extra * kept) >= NOTICED_FROM


def extra_for(leader: Backing, contracts: Contracts) -> Money:
    """Return the extra margin that so many contracts would have as the leader's have.

    Rounded up: rather more margin than less.
    """
    return money_ceil(leader.extra * contracts / leader.contracts)


def missing_extra(wanted: Money, held: Backing) -> Money:
    """Return what is to be added (positive) or taken out, rounded up; 0 where it is near enough."""
    missing = Fraction(wanted) - held.extra
    return money_ceil(missing) if abs(missing) >= NOTICED_FROM else Money(Decimal(0))
