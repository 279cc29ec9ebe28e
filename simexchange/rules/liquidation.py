# ruff: noqa: PLR0913 - a formula takes one argument for each of its symbols
"""How a liquidation proceeds: how much is closed in one step, and at which limit price."""

from decimal import Decimal
from fractions import Fraction

from simexchange.rules.bankruptcy import CrossAccount
from simexchange.rules.exact import (
    Number,
    ceil_to_step,
    decimal_from,
    exact,
    floor_to_step,
    not_negative,
    positive,
    ratio_below_one,
)
from simexchange.rules.ruleset import LiquidationStep, RuleSet, UnknownRule
from simexchange.rules.rulesets import OURS
from simexchange.rules.tiers import TierTable


def liquidation_order_price(
    *,
    position_quantity: Number,
    position_net_notional: Number,
    position_maintenance_margin: Number,
    account: CrossAccount,
    bankruptcy_adjustment: Number,
    spread_to_maintenance_margin: Number,
) -> Decimal:
    """Return the limit price of a liquidation order, in quote per unit of quantity, exact.

    (N - A × spread × MM) ÷ q, A = clamp(adjustment × (1 - TNC ÷ TMMR), 0, 1): the price leaves the
    oracle price as the account nears bankruptcy, and is spread × MM away from it there. Quantity
    and notional N are signed (below 0: short). Source: dYdX v4, GetFillablePrice.
    """
    quantity = exact(position_quantity, "position quantity")
    value = exact(position_net_notional, "position net notional")
    if quantity == 0 or (quantity > 0) != (value > 0):
        raise ValueError("position quantity and net notional must both be above or below zero")
    rating = positive(bankruptcy_adjustment, "bankruptcy adjustment") * (
        1 - exact(account.net_collateral) / positive(account.maintenance_margin, "account's margin")
    )
    held = max(Fraction(0), min(Fraction(1), rating))
    spread = not_negative(spread_to_maintenance_margin, "spread to maintenance margin")
    margin = not_negative(position_maintenance_margin, "maintenance margin of the position")
    return decimal_from((value - held * spread * margin) / quantity)


def partial_liquidation_quantity(
    *,
    margin_shortage: Number,
    oracle_price: Number,
    margin_ratio: Number,
    liquidator_fee_rate: Number = 0,
    insurance_fee_rate: Number = 0,
    quote_price: Number = 1,
    unit: Number | None = None,
) -> Decimal | None:
    """Return the smallest base quantity whose closing restores the margin, in base currency.

    shortage ÷ (oracle × quote price × (margin ratio - liquidator fee) - oracle × quote price ×
    insurance fee). None where the fees eat all that a close releases: then all must go. Rounded up
    to `unit`, if given. The shortage is in USD, the oracle price in quote, the quote price in USD.
    Source: Drift v2, calculate_base_asset_amount_to_cover_margin_shortage.
    """
    price = positive(oracle_price, "oracle price") * positive(quote_price, "quote price")
    released = positive(margin_ratio, "margin ratio")
    released -= not_negative(liquidator_fee_rate, "liquidator fee rate")
    released -= not_negative(insurance_fee_rate, "insurance fee rate")
    if released <= 0:
        return None
    quantity = not_negative(margin_shortage, "margin shortage") / (price * released)
    return decimal_from(quantity) if unit is None else ceil_to_step(quantity, unit)


def liquidation_step_quantity(
    *,
    quantity: Number,
    mark_price: Number,
    equity: Number,
    tiers: TierTable,
    fee_rate: Number = 0,
    quantity_step: Number,
    rules: RuleSet = OURS,
) -> Decimal | None:
    """Return how much of a linear position the next liquidation step closes; None: take it over.

    By the rule set: the whole position at once (a fifth first at Hyperliquid); or as much as brings
    it down to the largest lower tier that `equity`, less the fee of the close, satisfies (Bybit);
    or below the floor of its tier, all in the lowest (ours); or two tiers down (OKX, from tier 3
    on); or the smallest quantity that restores the margin. None where no lower tier helps: the
    position goes to the insurance fund at its bankruptcy price.

    `quantity`, `quantity_step` and the result in base currency; rounded up to the step, never above
    the position. `equity` is margin + open profit at the mark price, in settle currency.
    Source: Bybit "Liquidation Process", OKX and Hyperliquid liquidation pages, Drift v2.
    """
    held = positive(quantity, "quantity")
    price = positive(mark_price, "mark price")
    fee = ratio_below_one(fee_rate, "fee rate")
    if rules.liquidation_step is LiquidationStep.NEXT_TIER:
        return _below_its_tier(held, price, tiers, quantity_step)
    target = _target_notional(held * price, exact(equity, "equity"), tiers, fee, rules)
    if target is None:
        return None
    closed = ceil_to_step((held * price - target) / price, quantity_step)
    return min(closed, decimal_from(held))


def _target_notional(
    value: Fraction, equity: Fraction, tiers: TierTable, fee: Fraction, rules: RuleSet
) -> Fraction | None:
    match rules.liquidation_step:
        case None:
            raise UnknownRule(rules, "how much one liquidation step closes")
        case LiquidationStep.WHOLE | LiquidationStep.UNTIL_COMPLIANT | LiquidationStep.NEXT_TIER:
            return Fraction(0)
        case LiquidationStep.TWENTY_PERCENT:
            return value * 4 / 5
        case LiquidationStep.TWO_TIERS:
            index = tiers.index_of(value)
            return Fraction(tiers.tiers[index - 1].floor) if index >= 2 else None  # noqa: PLR2004 - two tiers
        case LiquidationStep.LOWER_TIER:
            return _highest_satisfied_cap(value, equity, tiers, fee)
        case LiquidationStep.RESTORE_MARGIN:
            return _restored_notional(value, equity, tiers, fee)


def _below_its_tier(
    held: Fraction, price: Fraction, tiers: TierTable, quantity_step: Number
) -> Decimal:
    """Return the smallest quantity of whole steps whose closing leaves less than a tier's floor.

    The tier is the highest whose floor the position has reached; in the lowest all must go.
    """
    floors = [Fraction(tier.floor) for tier in tiers.tiers if tier.floor <= held * price]
    if floors[-1] == 0:
        return decimal_from(held)
    enough = floor_to_step(held - floors[-1] / price, quantity_step)
    return min(decimal_from(Fraction(enough) + exact(quantity_step)), decimal_from(held))


def _highest_satisfied_cap(
    value: Fraction, equity: Fraction, tiers: TierTable, fee: Fraction
) -> Fraction | None:
    """Return the floor of the highest tier at or below the position's that equity then satisfies.

    A floor is the cap of the tier below it; floor 0 would be the whole position, which is a
    takeover.
    """
    for index in range(tiers.index_of(value), 0, -1):
        target = Fraction(tiers.tiers[index].floor)
        if _satisfied(target, value, equity, tiers, fee):
            return target
    return None


def _restored_notional(
    value: Fraction, equity: Fraction, tiers: TierTable, fee: Fraction
) -> Fraction | None:
    """Return the largest notional at which equity, less the fee of the close, covers what is left.

    Equity - fee × (value - n) ≥ MM(n) + fee × n, where the fee of the rest cancels out: the account
    pays the fee on all of the position, now or later. Equality restores, as at Drift. None where
    nothing above 0 does.
    """
    left = equity - fee * value
    for index in range(tiers.index_of(value), -1, -1):
        tier = tiers.tiers[index]
        rate, amount = Fraction(tier.maintenance_margin_rate), Fraction(tier.maintenance_amount)
        largest = value if rate == 0 else min(value, (left + amount) / rate)
        if largest > 0 and tiers.index_of(largest) == index:
            return largest if left >= 0 else None
    return None


def _satisfied(
    target: Fraction, value: Fraction, equity: Fraction, tiers: TierTable, fee: Fraction
) -> bool:
    return equity - fee * value > Fraction(tiers.maintenance_margin(target))
