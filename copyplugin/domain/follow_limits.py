"""What a follower allows a follow to lose, and what happens where it does (P5).

Two values of a follow count. Its own value is what the follower would have: the equity of the
sub-account less leader shares that are booked and still lie in it. Its trading value adds the
shares that were booked, so that paying one is no loss of trading.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, is_storable, total


class LimitHit(StrEnum):
    MAX_LOSS = "max_loss"  # the follow ends, everything closes
    TRAILING_STOP = "trailing_stop"  # the same
    MAX_DAY_LOSS = "max_day_loss"  # everything closes, nothing new is opened until the next day
    LOSING_RUN = "losing_run"  # nothing new is opened until the next day

    @property
    def ends_follow(self) -> bool:
        return self in {LimitHit.MAX_LOSS, LimitHit.TRAILING_STOP}

    @property
    def closes(self) -> bool:
        return self is not LimitHit.LOSING_RUN


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowLimits:
    """None: no such limit. Money is a loss in the settle currency, the stop a part of the peak."""

    max_loss: Money | None = None
    max_day_loss: Money | None = None
    trailing_stop: Ratio | None = None
    losing_positions: int | None = None

    @property
    def needs_value(self) -> bool:
        return (self.max_loss, self.max_day_loss, self.trailing_stop) != (None, None, None)

    def fault(self, copy_amount: Money) -> str | None:
        """Return the sentence that says which limit to change."""
        for name, money in (("loss", self.max_loss), ("loss of a day", self.max_day_loss)):
            if money is not None and not (0 < money <= copy_amount and is_storable(money)):
                return (
                    f"The largest {name} must be more than 0 and at most the copy amount, "
                    f"{copy_amount.normalize():f} USDT."
                )
        if self.trailing_stop is not None and not 0 < self.trailing_stop < 1:
            return "The trailing stop must be more than 0 % and less than 100 %."
        if self.losing_positions is not None and self.losing_positions < 1:
            return "The number of losing positions must be at least 1."
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowValues:
    """`peak` is the highest trading value so far, `day_start` the one the day began with."""

    copy_amount: Money
    own: Money
    trading: Money
    peak: Money
    day_start: Money


def limit_hit(limits: FollowLimits, values: FollowValues) -> LimitHit | None:
    """Return the gravest limit that is reached; equal is reached."""
    if limits.max_loss is not None:
        loss = total(values.copy_amount, -values.own)
        if loss >= limits.max_loss:
            return LimitHit.MAX_LOSS
    if limits.trailing_stop is not None:
        floor = Fraction(values.peak) * (1 - Fraction(limits.trailing_stop))
        if values.trading <= floor:
            return LimitHit.TRAILING_STOP
    if limits.max_day_loss is not None:
        loss = total(values.day_start, -values.trading)
        if loss >= limits.max_day_loss:
            return LimitHit.MAX_DAY_LOSS
    return None


def is_losing_run(limits: FollowLimits, results: Sequence[Money]) -> bool:
    """Return whether the latest results, newest first, are as many losses as are allowed."""
    most = limits.losing_positions
    if most is None or len(results) < most:
        return False
    return all(result < ZERO_MONEY for result in results[:most])
