"""Whether a leader has changed what backs an open position, and what his followers' would be (C14).

Extra margin is what an isolated position holds beyond entry cost / leverage. Adding contracts
leaves it as it is, taking some away takes its part along; whatever else moves it is the leader.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum, auto
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


def kept_extra(wanted: Money, before: Contracts, now: Contracts) -> Money:
    """Return what is left of a wish for extra margin where contracts were taken away since.

    As of margin that is there already: what is added changes nothing. Rounded up.
    """
    return wanted if now >= before else money_ceil(Fraction(wanted) * now / before)


class AttemptOutcome(Enum):
    """What a position says of a change of its margin that was never answered."""

    MADE = auto()
    NOT_MADE = auto()
    UNCLEAR = auto()  # something else has changed it too


def outcome_of(before: Backing, asked: Money, now: Backing) -> AttemptOutcome:
    """Return what became of `asked`, added to (positive) or taken from what was there before."""
    assert abs(asked) >= NOTICED_FROM, "it cannot be told from rounding"
    if replace(now, margin=before.margin) != before:
        return AttemptOutcome.UNCLEAR
    moved = Fraction(now.margin) - Fraction(before.margin)
    near = Fraction(NOTICED_FROM) / 2
    if abs(moved - Fraction(asked)) < near:
        return AttemptOutcome.MADE
    return AttemptOutcome.NOT_MADE if abs(moved) < near else AttemptOutcome.UNCLEAR
