"""When funding is due, and the index that adds it up without a loop."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from simexchange.rules.exact import Number, decimal_from, exact, truncate_to_step
from simexchange.rules.funding import funding_payment
from simexchange.rules.ruleset import RuleSet
from simexchange.rules.rulesets import OURS
from simexchange.rules.side import PositionSide

SECONDS_PER_HOUR = 3600
FUNDING_RATE_SECONDS = 28800  # dYdX quotes its rates for 8 hours


def funding_boundaries(
    *,
    opened_at: int,
    closed_at: int,
    interval_hours: int | None = None,
    grace_seconds: int | None = None,
    rules: RuleSet = OURS,
) -> tuple[int, ...]:
    """Return the funding instants that a position pays or receives at, rising.

    Instants are whole seconds since midnight UTC of any day (or since 1970), and boundaries are the
    multiples of the interval. Both ends count: a position held at the boundary takes part, so one
    opened or closed exactly then does too. With a grace period g a position opened up to g seconds
    after a boundary still takes part; at g seconds it no longer does. Ours has none.
    Interval and grace from the rule set where not given. Source of the 15 s at Binance: freqtrade.
    """
    hours = interval_hours if interval_hours is not None else rules.funding_interval_hours
    if hours is None or hours <= 0:
        raise ValueError("give the funding interval in whole hours, above zero")
    grace = rules.funding_grace_seconds if grace_seconds is None else grace_seconds
    if grace < 0:
        raise ValueError(f"grace seconds must not be below zero, but are {grace}")
    if closed_at < opened_at:
        raise ValueError("a position cannot be closed before it is opened")
    step = hours * SECONDS_PER_HOUR
    # Opened at t takes part at boundary b when t ≤ b, or t < b + grace.
    earliest = opened_at - max(grace - 1, 0)
    first = -(-earliest // step) * step
    return tuple(range(first, closed_at + 1, step))


def funding_total(
    *,
    side: PositionSide | str,
    quantity: Number,
    marks_and_rates: Sequence[tuple[Number, Number]],
) -> Decimal:
    """Return what a linear position receives over several fundings: below 0, it pays. Exact.

    `marks_and_rates`: (mark price, funding rate) at each boundary it was held at.
    """
    total = Fraction(0)
    for mark_price, rate in marks_and_rates:
        payment = funding_payment(
            side=side, quantity=quantity, mark_price=mark_price, funding_rate=rate
        )
        total += Fraction(payment)
    return decimal_from(total)


def funding_index_delta(
    *,
    rate_ppm: Number,
    seconds: Number,
    price: Number,
    exponent: int,
    atomic_resolution: int,
) -> int:
    """Return how far the funding index moves, in millionths of a quote quantum per base quantum.

    trunc(seconds × rate for 8 h in ppm × price × 10^(exponent + atomic resolution + 6) ÷ 28 800),
    toward 0. `price` × 10^exponent is the price in USD; a base quantum is 10^atomic resolution.
    Source: dYdX v4, x/perpetuals/funding GetFundingIndexDelta.
    """
    scale = Fraction(10) ** (exponent + atomic_resolution + 6)
    moved = exact(seconds, "seconds") * exact(rate_ppm, "rate") * exact(price, "price") * scale
    return int(truncate_to_step(moved / FUNDING_RATE_SECONDS, 1))


def funding_settlement(
    *, funding_index: Number, position_index: Number, quantity: Number
) -> Decimal:
    """Return what a position receives since its index was last settled: -(index - its index) × q.

    Equals the sum of the payments of all fundings in between, whatever their number. `quantity` is
    signed (below 0: short); the unit is index unit × quantity unit; exact.
    Source: dYdX v4, x/perpetuals/lib GetSettlementPpm.
    """
    moved = exact(funding_index, "funding index") - exact(position_index, "index of the position")
    return decimal_from(-moved * exact(quantity, "quantity"))
