# ruff: noqa: PLR0913 - a formula takes one argument for each of its symbols
"""The insurance fund: what it takes from a liquidation, what it pays, and when it is not enough."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from simexchange.rules.exact import (
    Number,
    ceil_to_step,
    decimal_from,
    exact,
    floor_to_step,
    not_negative,
    positive,
)
from simexchange.rules.ruleset import RuleSet, Surplus, UnknownRule
from simexchange.rules.rulesets import BYBIT, DYDX


def insurance_fund_delta(
    *,
    proceeds: Number,
    bankruptcy_quote: Number,
    maximum_fee_rate: Number | None = None,
    unit: Number | None = 1,
    rules: RuleSet = DYDX,
) -> Decimal:
    """Return what the fund receives from one liquidation fill; below 0: what it pays.

    Δ = proceeds - bankruptcy quote. Δ ≤ 0: the fund pays it. Δ > 0: under a rule set whose surplus
    stays with the user, min(maximum fee rate × |proceeds|, Δ); otherwise all of Δ.
    - `proceeds`: quote currency the fill brought in; below 0 for a buy that closes a short.
    - `bankruptcy_quote`: `cross_bankruptcy_quote` of the same quantity, with the same sign.
    - `maximum_fee_rate`: a ratio; rounded down to `unit` in the user's favour (None: unrounded).
    Source: dYdX v4, GetLiquidationInsuranceFundDelta; Binance and Bybit insurance fund pages.
    """
    received = exact(proceeds, "proceeds")
    delta = received - exact(bankruptcy_quote, "bankruptcy quote")
    if rules.surplus is None:
        raise UnknownRule(rules, "who keeps the surplus of a liquidation")
    if delta <= 0 or rules.surplus is Surplus.FUND:
        return decimal_from(delta)
    rate = maximum_fee_rate if maximum_fee_rate is not None else rules.maximum_liquidation_fee_rate
    if rate is None:
        raise UnknownRule(rules, "the maximum liquidation fee")
    fee = not_negative(rate, "maximum fee rate") * abs(received)
    return decimal_from(min(Fraction(fee if unit is None else floor_to_step(fee, unit)), delta))


@dataclass(frozen=True, slots=True, kw_only=True)
class FundOutcome:
    """The fund after one liquidation, and the loss that it could not cover (at least 0)."""

    balance: Decimal
    uncovered_loss: Decimal


def insurance_fund_after(*, balance: Number, delta: Number) -> FundOutcome:
    """Return the fund after a delta; what it cannot cover is left for auto-deleveraging. Exact."""
    before = not_negative(balance, "balance of the insurance fund")
    after = before + exact(delta, "delta")
    return FundOutcome(
        balance=decimal_from(max(Fraction(0), after)),
        uncovered_loss=decimal_from(max(Fraction(0), -after)),
    )


# Of the room left between margin and shortage, the part that Drift lets a fee take.
ROOM_FOR_FEE = Fraction(95, 100)


def liquidation_fee_rate(
    *,
    margin_shortage: Number,
    oracle_price: Number,
    quantity: Number,
    margin_ratio: Number,
    liquidator_fee_rate: Number,
    maximum_fee_rate: Number,
    quote_price: Number = 1,
) -> Decimal:
    """Return the insurance fee rate that cannot itself bankrupt the account; exact, at least 0.

    min(maximum, 0.95 × (margin ratio - liquidator fee - shortage ÷ notional)), floored at 0; the
    notional is oracle price × quote price × quantity. Source: Drift v2, math/liquidation.rs.
    """
    value = positive(oracle_price, "oracle price") * positive(quote_price, "quote price")
    value *= positive(quantity, "quantity")
    room = not_negative(margin_ratio, "margin ratio")
    room -= not_negative(liquidator_fee_rate, "liquidator fee rate")
    room -= not_negative(margin_shortage, "margin shortage") / value
    limit = not_negative(maximum_fee_rate, "maximum fee rate")
    return decimal_from(max(Fraction(0), min(limit, ROOM_FOR_FEE * room)))


def liquidation_fee(
    *, quantity: Number, price: Number, fee_rate: Number, unit: Number | None = None
) -> Decimal:
    """Return the fee on what a liquidation closed, in settle currency.

    Notional × rate, rounded up to `unit`, if given. What stays open pays nothing.
    Source: Binance, liquidation pages.
    """
    value = not_negative(quantity, "quantity") * positive(price, "price")
    fee = value * not_negative(fee_rate, "fee rate")
    return decimal_from(fee) if unit is None else ceil_to_step(fee, unit)


def socialised_loss_per_unit(
    *,
    loss: Number,
    long_quantity: Number,
    short_quantity: Number,
    unit: Number | None = Decimal("0.000001"),
) -> Decimal:
    """Return what each unit of open position pays of a loss that nothing else covered.

    loss ÷ (|longs| + |shorts|), in quote per base, rounded up to `unit` so that the loss is covered
    in full; applied through the cumulative funding of both sides. Only positions pay: a user
    without one never does. ValueError when there is no open position to pay.
    Source: Drift v2, calculate_funding_rate_deltas_to_resolve_bankruptcy.
    """
    open_quantity = abs(exact(long_quantity, "long quantity"))
    open_quantity += abs(exact(short_quantity, "short quantity"))
    if open_quantity == 0:
        raise ValueError("a loss cannot be shared while no position is open")
    each = abs(exact(loss, "loss")) / open_quantity
    return decimal_from(each) if unit is None else ceil_to_step(each, unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolAdl:
    """Whether the state of an insurance pool calls for auto-deleveraging."""

    pnl_ratio: Decimal | None  # None: no loss of the symbol was given
    triggered: bool
    stopped: bool  # a running one ends; between the two ratios it goes on
    amount: Decimal  # loss beyond the threshold, in settle currency: what must be closed out


def insurance_pool_adl(
    *,
    balance: Number,
    maximum_balance: Number | None = None,
    symbol_pnl_change: Number | None = None,
    threshold: Number | None = None,
    stop: Number | None = None,
    effective_above: Number = 0,
    rules: RuleSet = BYBIT,
) -> PoolAdl:
    """Return whether a symbol's loss, or an empty pool, triggers auto-deleveraging.

    Triggered when the balance is 0 or below, or when it is above `effective_above` and the symbol's
    loss of 8 hours ÷ the pool's highest balance of 8 hours has reached `threshold` (-0.3; exactly
    -0.3 triggers). A running one stops when the ratio is above `stop` (-0.25) and the balance above
    0. `amount`: the loss beyond threshold × highest balance.

    `symbol_pnl_change`: the symbol's profit now less its highest of the 8 hours; at most 0 when it
    lost. Threshold and stop from the rule set where not given; a rule set without a drawdown rule
    only knows the empty pool. The page's rule says "<" but its example fires at exactly -30 %; the
    example is followed. Source: Bybit API, "Get ADL Alert".
    """
    left = exact(balance, "balance")
    if maximum_balance is None or symbol_pnl_change is None:
        return PoolAdl(pnl_ratio=None, triggered=left <= 0, stopped=left > 0, amount=Decimal(0))
    most = positive(maximum_balance, "maximum balance")
    change = exact(symbol_pnl_change, "symbol pnl change")
    ratio = change / most
    limit = threshold if threshold is not None else rules.adl_drawdown
    resume = stop if stop is not None else rules.adl_drawdown_stop
    drawdown = limit is not None and ratio <= _loss_ratio(limit, "threshold")
    drawdown = drawdown and left > exact(effective_above, "effective above")
    calm = ratio > (Fraction(-1) if resume is None else _loss_ratio(resume, "stop"))
    excess = Fraction(0) if limit is None else -change + most * exact(limit, "threshold")
    return PoolAdl(
        pnl_ratio=decimal_from(ratio),
        triggered=left <= 0 or drawdown,
        stopped=left > 0 and calm and not drawdown,
        amount=decimal_from(max(Fraction(0), excess)),
    )


def _loss_ratio(value: Number, name: str) -> Fraction:
    ratio = exact(value, name)
    if not -1 <= ratio <= 0:
        raise ValueError(f"{name} is a loss ratio between -1 and 0, not {value}")
    return ratio
