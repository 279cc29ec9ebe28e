# ruff: noqa: PLR0913 - a formula takes one argument for each of its symbols
"""The mark price at which a position is liquidated, for every rule set.

All venues solve the same equation, margin + profit = maintenance margin + closing fee; they differ
in the notional on which the right side is counted (`RuleSet.margin_basis`,
`RuleSet.liquidation_fee_basis`). Prices are unrounded unless a tick is given; with a tick they are
rounded toward the entry (a long's up, a short's down), so that they never promise more room than
there is. `None` means: no price brings this position there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from simexchange.rules.exact import Number, decimal_from, exact, not_negative, ratio_below_one
from simexchange.rules.position import (
    ContractType,
    Position,
    Requirement,
    margin_of,
    price_of_meeting,
    price_where_equity_meets,
    rounded_toward_entry,
    value_where_equity_meets,
)
from simexchange.rules.ruleset import LiquidationFeeBasis, MarginBasis, RuleSet, UnknownRule
from simexchange.rules.rulesets import OURS
from simexchange.rules.side import PositionSide
from simexchange.rules.tiers import TierTable


def liquidation_price(
    *,
    side: PositionSide | str,
    quantity: Number,
    entry_price: Number,
    margin: Number | None = None,
    leverage: Number | None = None,
    extra_margin: Number = 0,
    maintenance_margin_rate: Number,
    maintenance_amount: Number = 0,
    fee_rate: Number = 0,
    contract_size: Number = 1,
    contract_type: ContractType | str = ContractType.LINEAR,
    tick: Number | None = None,
    rules: RuleSet = OURS,
) -> Decimal | None:
    """Return the liquidation price inside one margin tier, or None where there is none above 0.

    Linear, s = +1 long, -1 short, q = quantity × contract size, M = margin:
    - maintenance margin and fee at the price itself: (q·EP - s·(M + cum)) / (q·(1 - s·(MMR + R)))
    - on entry notional: EP·(1 + s·MMR) - s·(M + cum)/q, and + s·R·EP where the fee is on entry too
    - fee at the bankruptcy value: as a constant added to the maintenance margin.
    Inverse: the same equation in the value Q/P, e.g. a long Q·(1 + MMR)/(M + cum + Q/EP).

    - `quantity`: contracts; base currency (linear) or quote currency (inverse) when multiplied by
      `contract_size`. `entry_price`, `tick` and the result: quote per base.
    - `margin`: the position's own wallet (isolated), or `cross_margin(...)`; settle currency.
      Or `leverage`: margin is then entry value ÷ leverage, plus `extra_margin`; under a rule set
      with `margin_holds_closing_fee` also the fee for closing at the bankruptcy price.
    - `maintenance_margin_rate`, `maintenance_amount`: of the tier; `fee_rate`: taker or liquidation
      fee, unused under a rule set whose price leaves the fee out.

    Rounding: exact, then toward the entry on the tick, if given. ValueError outside the domain.
    Source: Binance "How to Calculate Liquidation Price of USDⓈ-M Futures Contracts"; Bybit, KuCoin,
    OKX, Gate, Phemex, Hyperliquid pages of the same title (docs/RULES.md).
    """
    position = Position.of(side, quantity, entry_price, contract_size, contract_type)
    fee = ratio_below_one(fee_rate, "fee rate")
    held = margin_held(position, margin, leverage, extra_margin, fee, rules)
    requirement = liquidation_requirement(
        position,
        margin=held,
        maintenance_margin_rate=maintenance_margin_rate,
        maintenance_amount=maintenance_amount,
        fee_rate=fee,
        rules=rules,
    )
    price = price_where_equity_meets(position, held, requirement)
    return _reported(position, price, tick, rules)


def margin_held(
    position: Position,
    margin: Number | None,
    leverage: Number | None,
    extra_margin: Number,
    fee_rate: Fraction,
    rules: RuleSet,
) -> Fraction:
    """Return the margin that carries the position, exact, in settle currency."""
    held = margin_of(position, margin, leverage)
    if leverage is not None and rules.margin_holds_closing_fee:
        bankruptcy = price_where_equity_meets(position, held, Requirement())
        if bankruptcy is not None:
            held += fee_rate * position.value_at(bankruptcy)
    return held + exact(extra_margin, "extra margin")


def liquidation_requirement(
    position: Position,
    *,
    margin: Fraction,
    maintenance_margin_rate: Number,
    maintenance_amount: Number,
    fee_rate: Number,
    rules: RuleSet,
) -> Requirement:
    """Return what equity must stay above under the rule set: maintenance margin + closing fee."""
    rate = ratio_below_one(maintenance_margin_rate, "maintenance margin rate")
    amount = not_negative(maintenance_amount, "maintenance amount")
    fee = _fee_requirement(position, margin, ratio_below_one(fee_rate, "fee rate"), rules)
    if rules.margin_basis is None:
        raise UnknownRule(rules, "the notional that maintenance margin is counted on")
    if rules.margin_basis is MarginBasis.ENTRY:
        return Requirement(fee.rate, rate * position.entry_value - amount + fee.constant)
    return Requirement(rate + fee.rate, fee.constant - amount)


def _fee_requirement(
    position: Position, margin: Fraction, fee_rate: Fraction, rules: RuleSet
) -> Requirement:
    match rules.liquidation_fee_basis:
        case LiquidationFeeBasis.NONE:
            return Requirement()
        case LiquidationFeeBasis.CLOSING:
            return Requirement(rate=fee_rate)
        case LiquidationFeeBasis.ENTRY:
            return Requirement(constant=fee_rate * position.entry_value)
        case LiquidationFeeBasis.BANKRUPTCY:
            bankruptcy = price_where_equity_meets(position, margin, Requirement(rate=fee_rate))
            closing = 0 if bankruptcy is None else fee_rate * position.value_at(bankruptcy)
            return Requirement(constant=Fraction(closing))
        case None:
            raise UnknownRule(rules, "the closing fee inside the liquidation price")


def liquidation_price_in_tiers(
    *,
    side: PositionSide | str,
    quantity: Number,
    entry_price: Number,
    margin: Number | None = None,
    leverage: Number | None = None,
    extra_margin: Number = 0,
    tiers: TierTable,
    fee_rate: Number = 0,
    contract_size: Number = 1,
    contract_type: ContractType | str = ContractType.LINEAR,
    tick: Number | None = None,
    rules: RuleSet = OURS,
) -> Decimal | None:
    """Return the liquidation price with the tier that holds at that very price.

    As `liquidation_price`, solved in each tier; the price is right in the tier that its own
    notional falls into. Maintenance margin is continuous, so exactly one tier answers. Under a
    rule set that counts on entry notional, the tier of the entry notional is used.
    Source: Binance, "How to Calculate Liquidation Price": substitute the tier and compute again.
    """
    position = Position.of(side, quantity, entry_price, contract_size, contract_type)
    fee = ratio_below_one(fee_rate, "fee rate")
    held = margin_held(position, margin, leverage, extra_margin, fee, rules)
    price = exact_price_in_tiers(position, held, tiers, fee, rules)
    return _reported(position, price, tick, rules)


def exact_price_in_tiers(
    position: Position, margin: Fraction, tiers: TierTable, fee_rate: Fraction, rules: RuleSet
) -> Fraction | None:
    """Return the unrounded liquidation price, solved through the tiers."""
    start = tiers.index_of(position.entry_value)
    on_entry = rules.margin_basis is MarginBasis.ENTRY
    for index in (start,) if on_entry else _nearest_first(start, len(tiers.tiers)):
        tier = tiers.tiers[index]
        requirement = liquidation_requirement(
            position,
            margin=margin,
            maintenance_margin_rate=tier.maintenance_margin_rate,
            maintenance_amount=tier.maintenance_amount,
            fee_rate=fee_rate,
            rules=rules,
        )
        value = value_where_equity_meets(position, margin, requirement)
        if on_entry or (value > 0 and tiers.index_of(value) == index):
            return price_of_meeting(position, value)
    return price_of_meeting(position, Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class HedgeLeg:
    """One leg of a symbol in hedge mode; quantities in base currency, amounts in settle currency.

    `side` is long or short; the one-way position "BOTH" is a leg on the side it points to.
    """

    side: PositionSide | str
    quantity: Number
    entry_price: Number
    maintenance_margin_rate: Number
    maintenance_amount: Number = 0


def hedge_liquidation_price(
    *, legs: Sequence[HedgeLeg], margin: Number, fee_rate: Number = 0, tick: Number | None = None
) -> Decimal | None:
    """Return the one liquidation price that all cross legs of a linear symbol share.

    (M + Σcum - Σ s·q·EP) / (Σ q·(MMR + R) - Σ s·q); M = `cross_margin` of everything else. None
    for a full hedge, for a price at or below 0, and where the net leg is too small to matter.
    Rounded toward the entry of the net leg. Source: Binance, "How to Calculate Liquidation Price of
    USDⓈ-M Futures Contracts" (hedge mode, cross).
    """
    if not legs:
        raise ValueError("a hedge needs at least one leg")
    fee = ratio_below_one(fee_rate, "fee rate")
    numerator, required, net = exact(margin, "margin"), Fraction(0), Fraction(0)
    for leg in legs:
        position = Position.of(leg.side, leg.quantity, leg.entry_price)
        rate = ratio_below_one(leg.maintenance_margin_rate, "maintenance margin rate")
        signed = position.side.sign * position.quantity
        numerator += not_negative(leg.maintenance_amount, "maintenance amount")
        numerator -= signed * position.entry_price
        required += position.quantity * (rate + fee)
        net += signed
    # Equity above the requirement changes by net - required for each unit of price.
    if net == 0 or (net > 0 and net <= required):
        return None
    price = numerator / (required - net)
    if price <= 0:
        return None
    side = PositionSide.LONG if net > 0 else PositionSide.SHORT
    rounded = rounded_toward_entry(price, side, tick)
    assert rounded is not None
    return decimal_from(rounded)


def buffered_liquidation_price(
    *, entry_price: Number, liquidation_price: Number, buffer: Number
) -> Decimal:
    """Return the liquidation price moved toward the entry by a part of their distance.

    LP + (EP - LP) × buffer; prices in quote currency, buffer a ratio, exact. No venue does this;
    freqtrade does, to close before the venue would. Source: freqtrade docs, leverage.md.
    """
    entry = exact(entry_price, "entry price")
    price = exact(liquidation_price, "liquidation price")
    return decimal_from(price + (entry - price) * ratio_below_one(buffer, "buffer"))


def _reported(
    position: Position, price: Fraction | None, tick: Number | None, rules: RuleSet
) -> Decimal | None:
    if price is None:
        return None
    moved = price + (position.entry_price - price) * Fraction(rules.liquidation_price_buffer)
    rounded = rounded_toward_entry(moved, position.side, tick)
    assert rounded is not None
    return decimal_from(rounded)


def _nearest_first(start: int, count: int) -> list[int]:
    return sorted(range(count), key=lambda index: (abs(index - start), index))
