"""How well a leader is copied (N1, S11): figures over the receipts of his followers' orders.

A receipt is what became of one leader order for one follower: copied whole, in part, or not.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from copyplugin.domain.fill import OrderSide
from copyplugin.domain.money import Contracts, Price
from copyplugin.domain.statistics import ratio_of

T = TypeVar("T", timedelta, Fraction)


class Standing(StrEnum):
    """What a follower is told became of one leader order."""

    COPIED = "copied"  # an order of his filled it whole
    IN_PART = "in_part"  # a part was left out, with its reason
    SKIPPED = "skipped"  # nothing of it was copied, with its reason
    WITH_ANOTHER = "with_another"  # an order for another one of the leader's brought it about
    NOTHING_TO_DO = "nothing_to_do"  # the follower's part of it came to no contract
    UNDER_WAY = "under_way"


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of one leader order for one follower."""

    increases: bool  # it opens or adds; else it reduces or closes
    wanted: Contracts
    is_done: bool  # its own order filled whole, or one that came after it brought what it wanted
    was_skipped: bool  # a part of it at least
    delay: timedelta | None  # from the leader's fill to the venue's acknowledgement of ours
    slippage: Fraction | None  # of the leader's price; positive where ours was worse

    @property
    def is_copied(self) -> bool:
        """Return whether all that was wanted was carried out and nothing was left out."""
        return self.is_done and not self.was_skipped and self.wanted > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyQuality:
    """Over `receipts` orders of followers; None where there was none of the kind."""

    receipts: int
    copied: int
    exits: int
    exits_copied: int
    delay_p50: timedelta | None
    delay_p95: timedelta | None
    delay_p99: timedelta | None
    slippage_p50: Fraction | None
    slippage_p95: Fraction | None

    @property
    def success_rate(self) -> Fraction | None:
        return ratio_of(self.copied, self.receipts)

    @property
    def exit_success_rate(self) -> Fraction | None:
        return ratio_of(self.exits_copied, self.exits)


def copy_quality(outcomes: Iterable[Outcome]) -> CopyQuality:
    """Return the figures; what asked for nothing and left nothing out has no receipt."""
    counted = [outcome for outcome in outcomes if outcome.wanted or outcome.was_skipped]
    exits = [outcome for outcome in counted if not outcome.increases]
    delays = sorted(outcome.delay for outcome in counted if outcome.delay is not None)
    slippages = sorted(outcome.slippage for outcome in counted if outcome.slippage is not None)
    return CopyQuality(
        receipts=len(counted),
        copied=sum(outcome.is_copied for outcome in counted),
        exits=len(exits),
        exits_copied=sum(outcome.is_copied for outcome in exits),
        delay_p50=_of_any(delays, 50),
        delay_p95=_of_any(delays, 95),
        delay_p99=_of_any(delays, 99),
        slippage_p50=_of_any(slippages, 50),
        slippage_p95=_of_any(slippages, 95),
    )


def slippage(order_side: OrderSide, *, ours: Price | Fraction, theirs: Price) -> Fraction:
    """Return how much worse our price was, as a part of theirs; negative where it was better."""
    worse = Fraction(ours) - Fraction(theirs)
    return (worse if order_side is OrderSide.BUY else -worse) / Fraction(theirs)


def quantile(ordered: Sequence[T], percent: int) -> T:
    """Return the smallest value that so many percent of the sample, not empty, do not exceed."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _of_any(ordered: Sequence[T], percent: int) -> T | None:
    return quantile(ordered, percent) if ordered else None
