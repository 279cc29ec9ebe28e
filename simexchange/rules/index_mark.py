"""Index price from several markets, and the mark price that margin and liquidation use."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from simexchange.rules.exact import Number, decimal_from, exact, not_negative, positive
from simexchange.rules.ruleset import RuleSet, UnknownRule
from simexchange.rules.rulesets import OURS

SECONDS_OF_FUNDING = 28800


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceSource:
    """One spot market in the index: its price, its weight, and how old the price is."""

    price: Number
    weight: Number = 1
    age_seconds: Number = 0


def median(values: Sequence[Number]) -> Decimal:
    """Return the middle value, or the mean of the two middle values; exact."""
    ordered = sorted(exact(value) for value in values)
    if not ordered:
        raise ValueError("a median needs at least one value")
    half = len(ordered) // 2
    if len(ordered) % 2:
        return decimal_from(ordered[half])
    return decimal_from((ordered[half - 1] + ordered[half]) / 2)


def index_price(
    *,
    sources: Sequence[PriceSource],
    outlier_ratio: Number | None = None,
    stale_after_seconds: Number | None = None,
    rules: RuleSet = OURS,
) -> Decimal:
    """Return the index price: the weighted mean of its markets, guarded against a bad one.

    A price older than `stale_after_seconds` is left out. One source further than `outlier_ratio`
    (0.05) from the median counts nothing; two or more: the median of all is the index. Exact.
    ValueError when no source is left. Source: Binance, "Price Index".
    """
    ratio = outlier_ratio if outlier_ratio is not None else rules.index_outlier_ratio
    if ratio is None:
        raise UnknownRule(rules, "the distance at which an index source is an outlier")
    limit = not_negative(ratio, "outlier ratio")
    fresh = [source for source in sources if not _is_stale(source, stale_after_seconds)]
    if not fresh:
        raise ValueError("no index source has a fresh price")
    prices = [positive(source.price, "price of a source") for source in fresh]
    middle = Fraction(median(prices))
    near = [abs(price - middle) <= limit * middle for price in prices]
    if near.count(False) > 1:
        return decimal_from(middle)
    kept = [pair for pair, is_near in zip(fresh, near, strict=True) if is_near]
    weight = sum((not_negative(source.weight, "weight") for source in kept), Fraction(0))
    if weight == 0:
        raise ValueError("the weights of the usable index sources add up to zero")
    total = sum((exact(source.price) * exact(source.weight) for source in kept), Fraction(0))
    return decimal_from(total / weight)


def funding_basis_price(
    *,
    index_price: Number,
    last_funding_rate: Number,
    seconds_to_funding: Number,
    interval_seconds: Number = SECONDS_OF_FUNDING,
) -> Decimal:
    """Return price 1 of the mark: index × (1 + last rate × time to the next funding ÷ interval).

    Exact. Source: Binance "Mark Price and Price Index", Bybit "Mark Price".
    """
    left = not_negative(seconds_to_funding, "seconds to funding")
    interval = positive(interval_seconds, "interval seconds")
    if left > interval:
        raise ValueError("the next funding cannot be further away than one interval")
    rate = exact(last_funding_rate, "last funding rate")
    return decimal_from(positive(index_price, "index price") * (1 + rate * left / interval))


def moving_basis_price(*, index_price: Number, basis_samples: Sequence[Number]) -> Decimal:
    """Return price 2 of the mark: index + mean of (bid + ask)/2 - index over the window.

    `basis_samples`: those differences, one per sample of the rule set's window (`window_samples`);
    none: the index. Exact. Source: Binance "Mark Price and Price Index", Bybit "Mark Price".
    """
    index = positive(index_price, "index price")
    if not basis_samples:
        return decimal_from(index)
    total = sum((exact(sample, "basis sample") for sample in basis_samples), Fraction(0))
    return decimal_from(index + total / len(basis_samples))


def window_samples(rules: RuleSet = OURS) -> int:
    """Return how many basis samples the rule set's mark window holds."""
    if rules.mark_window_seconds is None or rules.mark_sample_seconds is None:
        raise UnknownRule(rules, "the window of the mark price")
    return rules.mark_window_seconds // rules.mark_sample_seconds


def mark_price(*, price_1: Number, price_2: Number, last_price: Number) -> Decimal:
    """Return the mark price: the median of price 1, price 2 and the last price; exact.

    Source: Binance "Mark Price and Price Index", Bybit "Mark Price".
    """
    return median(
        [
            positive(price_1, "price 1"),
            positive(price_2, "price 2"),
            positive(last_price, "last price"),
        ]
    )


def protected_mark_price(
    *, last_price: Number, lower_limit: Number, upper_limit: Number
) -> Decimal:
    """Return the mark price while every index source is bad: the last price, held in its limits."""
    lower, upper = positive(lower_limit, "lower limit"), positive(upper_limit, "upper limit")
    if lower > upper:
        raise ValueError("the lower limit of the mark price must not be above the upper limit")
    return decimal_from(max(lower, min(upper, positive(last_price, "last price"))))


def _is_stale(source: PriceSource, stale_after_seconds: Number | None) -> bool:
    if stale_after_seconds is None:
        return False
    age = not_negative(source.age_seconds, "age of a source")
    return age > not_negative(stale_after_seconds, "stale after seconds")
