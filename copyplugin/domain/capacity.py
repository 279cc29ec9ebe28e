"""How much copying a market bears: what is offered near the price, and what one order asks of it.

Followers' orders come to the same book within a second. Beyond what rests there inside the price
bound (C8) they would be skipped, each follower's money waiting for opens that never come; and a
close, which no bound holds back, would pay for the missing depth.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Price, Ratio, money_floor

SAMPLE_RANK = Fraction(1, 4)
"""Of many samples the one that a quarter of them is below: what can be counted on."""


Levels = Sequence[tuple[Price, Contracts]]
"""One side of a book, from the best price outwards."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Depth:
    """What a taker could buy and sell at once within a bound of the best price, in USDT."""

    buy: Money
    sell: Money

    @property
    def both_ways(self) -> Money:
        """Return what can be opened and closed again."""
        return min(self.buy, self.sell)


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What one opening order of a leader asked of the market, in USDT.

    `followers` is the value of what his followers wanted for it together, `copy_amount` the sum of
    their copy amounts.
    """

    symbol: Symbol
    leader: Money
    followers: Money
    copy_amount: Money


def depth_within(bids: Levels, asks: Levels, instrument: Instrument, bound: Ratio) -> Depth:
    """Return the value of the levels whose price is within the bound of the best of its side.

    `bound` is a ratio of that best price, ends included. Each
    sum is rounded down to what can be stored.
    """
    highest = Fraction(asks[0][0]) * (1 + Fraction(bound)) if asks else 0
    lowest = Fraction(bids[0][0]) * (1 - Fraction(bound)) if bids else 0
    return Depth(
        buy=_value_of((level for level in asks if level[0] <= highest), instrument),
        sell=_value_of((level for level in bids if level[0] >= lowest), instrument),
    )


def usual_depth(samples: Sequence[Depth]) -> Money | None:
    """Return what can be counted on both ways: the lower quartile; None without samples."""
    if not samples:
        return None
    ranked = sorted(sample.both_ways for sample in samples)
    return ranked[int(len(ranked) * SAMPLE_RANK)]


def borne(load: Load, depth: Money, *, usable: Ratio) -> Money | None:
    """Return how much copy amount the market bears when such an order comes again.

    The leader's order and those of all his followers must fit into the usable part of the depth:
    (depth × usable − leader) ÷ (followers ÷ copy amount), rounded down, at least 0. None where no
    follower wanted anything: nothing is known then.
    """
    if load.followers <= 0 or load.copy_amount <= 0:
        return None
    free = Fraction(depth) * Fraction(usable) - Fraction(load.leader)
    amount = money_floor(free * Fraction(load.copy_amount) / Fraction(load.followers))
    return max(ZERO_MONEY, amount)


def room_left(capacity: Money, placed: Money) -> Money:
    """Return how much copy amount fits beside what is placed already, at least 0."""
    return max(ZERO_MONEY, Money(capacity - placed))


def _value_of(levels: Iterable[tuple[Price, Contracts]], instrument: Instrument) -> Money:
    values = (Fraction(instrument.notional(count, price)) for price, count in levels)
    return money_floor(sum(values, Fraction(0)))
