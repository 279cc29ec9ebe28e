"""Index from several sources, mark price, impact price: the formulas, in whole ticks and rates."""

from collections import deque

from simexchange.core.book import BookSide
from simexchange.core.types import RATE_SCALE, SECOND_US

OUTLIER_PERCENT = 5
SAMPLE_US = SECOND_US


def index_from(prices: tuple[int, ...], weights: tuple[int, ...]) -> int:
    """Return the index of several sources, rounded to the nearest tick, halves up.

    The weighted mean; a source more than 5 % from the median is left out; when more than one is,
    the median itself is the index. After the index rules of Binance and Bybit.
    """
    ordered = sorted(prices)
    middle = len(ordered) // 2
    doubled = ordered[middle] + ordered[-middle - 1]  # twice the median
    kept = [
        (price, weight)
        for price, weight in zip(prices, weights, strict=True)
        if abs(2 * price - doubled) * 100 <= OUTLIER_PERCENT * doubled
    ]
    total = sum(weight for _, weight in kept)
    if len(prices) - len(kept) > 1 or total == 0:
        return (doubled + 1) // 2
    return (2 * sum(price * weight for price, weight in kept) + total) // (2 * total)


def median_of_three(a: int, b: int, c: int) -> int:
    return max(min(a, b), min(max(a, b), c))


class BasisAverage:
    """Moving average of mid price less index; at most one sample a second, over a window."""

    __slots__ = ("_samples", "_sum", "_window_us")

    def __init__(self, window_us: int) -> None:
        self._window_us = window_us
        self._samples: deque[tuple[int, int]] = deque()  # (second, bid + ask - 2 × index)
        self._sum = 0

    def add(self, at: int, doubled_basis: int) -> None:
        """Take a sample; the latest one in a second counts for it."""
        second = at // SAMPLE_US
        samples = self._samples
        if samples and samples[-1][0] == second:
            self._sum -= samples.pop()[1]
        samples.append((second, doubled_basis))
        self._sum += doubled_basis

    def value(self, at: int) -> int:
        """Return the average in ticks, rounded down; 0 without samples in the window."""
        samples = self._samples
        oldest = (at - self._window_us) // SAMPLE_US
        while samples and samples[0][0] <= oldest:
            self._sum -= samples.popleft()[1]
        return self._sum // (2 * len(samples)) if samples else 0


def impact_premium(bids: BookSide, asks: BookSide, index: int, notional: int, value: int) -> int:
    """Return the premium of the book over ``index`` as a rate, toward zero.

    ``(max(0, impact bid − index) − max(0, index − impact ask)) / index``, where an impact price is
    the average price of trading ``notional`` money into the book; ``value`` is the money of one
    contract and one tick. A side that is too thin adds nothing.
    """
    bid = _impact_price(bids, notional, value)
    ask = _impact_price(asks, notional, value)
    over = max(0, bid[0] - index * bid[1]) * RATE_SCALE // (index * bid[1]) if bid else 0
    under = max(0, index * ask[1] - ask[0]) * RATE_SCALE // (index * ask[1]) if ask else 0
    return over - under


def _impact_price(side: BookSide, notional: int, value: int) -> tuple[int, int] | None:
    """Return the impact price as a fraction (money left out), or None when the side is too thin."""
    # in contract-ticks: notional / value; contracts of the last level are taken in part
    wanted, spent, contracts = notional // value, 0, 0
    for level in side.levels_from_best():
        worth = level.contracts * level.price
        if spent + worth >= wanted:
            # price = wanted / (contracts + (wanted − spent) / level price)
            return wanted * level.price, contracts * level.price + wanted - spent
        spent += worth
        contracts += level.contracts
    return None


def funding_rate(
    premium: int, interest: int, clamp: int, cap: int, interval_us: int, base_us: int
) -> int:
    """Return the funding rate of one interval, toward zero.

    ``(premium + clamp(interest − premium, ±clamp)) × interval / base``, within ±``cap``; premium,
    interest and clamp are for the base interval of eight hours. After Binance's formula of 2025.
    """
    rate = premium + max(-clamp, min(clamp, interest - premium))
    scaled = abs(rate) * interval_us // base_us
    return max(-cap, min(cap, scaled if rate >= 0 else -scaled))
