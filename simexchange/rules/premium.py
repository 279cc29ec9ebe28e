"""The premium of the perpetual over its index, measured in the order book."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from simexchange.rules.exact import Number, decimal_from, exact, positive, truncate_to_step
from simexchange.rules.ruleset import PremiumWeights, RuleSet, UnknownRule
from simexchange.rules.rulesets import OURS

BookLevel = tuple[Number, Number]  # price, quantity


def impact_price(*, levels: Sequence[BookLevel], impact_notional: Number) -> Decimal | None:
    """Return the average price of trading a notional into one side of the book; None if too thin.

    impact notional ÷ base quantity filled, walking the levels from the best. `levels`: (price, base
    quantity), best first: falling bids or rising asks. Exact. Source: dYdX v4,
    memclob GetImpactPriceSubticks; BitMEX, Gate and Bybit funding pages describe the same.
    """
    wanted = positive(impact_notional, "impact notional")
    left, base = wanted, Fraction(0)
    for level_price, level_quantity in levels:
        price = positive(level_price, "price of a level")
        quantity = positive(level_quantity, "quantity of a level")
        if price * quantity >= left:
            return decimal_from(wanted / (base + left / price))
        base += quantity
        left -= price * quantity
    return None


def premium_index(
    *,
    impact_bid: Number | None,
    impact_ask: Number | None,
    index_price: Number,
    unit: Number | None = None,
) -> Decimal:
    """Return the premium as a ratio of the index: above 0 where the perpetual is dearer.

    (max(0, impact bid - index) - max(0, index - impact ask)) ÷ index. None for a side too thin to
    fill the impact notional: that side counts nothing. Truncated toward 0 to `unit` (dYdX: parts
    per million, 0.000001), else exact. Source: BitMEX, Bybit, Gate funding pages; dYdX v4.
    """
    index = positive(index_price, "index price")
    above, below = Fraction(0), Fraction(0)
    if impact_bid is not None:
        above = max(above, positive(impact_bid, "impact bid") - index)
    if impact_ask is not None:
        below = max(below, index - positive(impact_ask, "impact ask"))
    premium = (above - below) / index
    return decimal_from(premium) if unit is None else truncate_to_step(premium, unit)


def premium_index_of_book(
    *,
    bids: Sequence[BookLevel],
    asks: Sequence[BookLevel],
    index_price: Number,
    impact_notional: Number,
    unit: Number | None = None,
) -> Decimal:
    """Return `premium_index` with both impact prices taken from the book; levels best first."""
    return premium_index(
        impact_bid=impact_price(levels=bids, impact_notional=impact_notional),
        impact_ask=impact_price(levels=asks, impact_notional=impact_notional),
        index_price=index_price,
        unit=unit,
    )


def premium_average(
    *, samples: Sequence[Number], unit: Number | None = None, rules: RuleSet = OURS
) -> Decimal:
    """Return the average premium of an interval, from its samples in order of time.

    - `PremiumWeights.EQUAL` (ours, dYdX): ΣP ÷ n.
    - `PremiumWeights.RISING` (Binance, Bybit): (1·P₁ + 2·P₂ + … + n·Pₙ) ÷ (1 + 2 + … + n), so that
      what is nearest to the payment counts most; of a part of an interval the samples so far.
    In the unit of the samples; truncated toward 0 to `unit`, if given, else exact. No sample: 0.
    Source: Binance and Bybit "Introduction to Funding Rate"; dYdX v4, x/perpetuals.
    """
    if rules.premium_weights is None:
        raise UnknownRule(rules, "how premium samples are averaged")
    rising = rules.premium_weights is PremiumWeights.RISING
    weights = [place if rising else 1 for place in range(1, len(samples) + 1)]
    values = [exact(sample, "premium sample") for sample in samples]
    total = sum((w * p for w, p in zip(weights, values, strict=True)), Fraction(0))
    average = total / (sum(weights) or 1)
    return decimal_from(average) if unit is None else truncate_to_step(average, unit)
