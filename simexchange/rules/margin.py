# ruff: noqa: PLR0913 - a formula takes one argument for each of its symbols
"""Notional, profit, initial and maintenance margin, and the ratios that say how near the end is.

Amounts are in settle currency. A requirement is rounded up, to `unit` when one is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from simexchange.rules.exact import (
    Number,
    ceil_to_step,
    decimal_from,
    exact,
    not_negative,
    positive,
    ratio_below_one,
)
from simexchange.rules.position import ContractType, Position
from simexchange.rules.ruleset import InitialMarginModel, RuleSet
from simexchange.rules.rulesets import OURS
from simexchange.rules.side import PositionSide


def notional(
    *,
    quantity: Number,
    price: Number,
    contract_size: Number = 1,
    contract_type: ContractType | str = ContractType.LINEAR,
) -> Decimal:
    """Return the value of a quantity at a price, in settle currency, exact.

    Linear quantity × contract size × price; inverse quantity × contract size ÷ price. The quantity
    may be 0; its sign, if any, is dropped.
    """
    value = _value(abs(exact(quantity, "quantity")), price, contract_size, contract_type)
    return decimal_from(value)


def unrealized_pnl(
    *,
    side: PositionSide | str,
    quantity: Number,
    entry_price: Number,
    mark_price: Number,
    contract_size: Number = 1,
    contract_type: ContractType | str = ContractType.LINEAR,
) -> Decimal:
    """Return the open profit at the mark price, in settle currency, exact; a loss is below 0.

    Linear s·q·(mark - entry); inverse s·Q·(1/entry - 1/mark).
    """
    position = Position.of(side, quantity, entry_price, contract_size, contract_type)
    return decimal_from(position.unrealized_pnl(mark_price))


def realized_pnl(
    *,
    side: PositionSide | str,
    quantity: Number,
    entry_price: Number,
    exit_price: Number,
    contract_size: Number = 1,
    contract_type: ContractType | str = ContractType.LINEAR,
) -> Decimal:
    """Return the profit of the `quantity` that was closed, before fees, in settle currency, exact.

    s·q·(exit - entry), or its inverse form; the average entry price does not move by a close.
    """
    position = Position.of(side, quantity, entry_price, contract_size, contract_type)
    return decimal_from(position.unrealized_pnl(exit_price))


def initial_margin(
    *,
    quantity: Number,
    price: Number,
    leverage: Number = 1,
    initial_margin_rate: Number = 1,
    contract_size: Number = 1,
    contract_type: ContractType | str = ContractType.LINEAR,
    unit: Number | None = None,
    rules: RuleSet = OURS,
) -> Decimal:
    """Return the collateral that opening a quantity at a price ties up, in settle currency.

    notional ÷ leverage; under a rule set that says so, notional × rate, or both. Rounded up to
    `unit`, if given. Source: Binance and Bybit "Initial Margin"; NautilusTrader margin models.
    """
    value = _value(not_negative(quantity, "quantity"), price, contract_size, contract_type)
    if rules.initial_margin_model is not InitialMarginModel.RATE:
        value /= positive(leverage, "leverage")
    if rules.initial_margin_model is not InitialMarginModel.NOTIONAL_OVER_LEVERAGE:
        value *= not_negative(initial_margin_rate, "initial margin rate")
    return _up(value, unit)


def maintenance_margin(
    *,
    quantity: Number,
    price: Number,
    maintenance_margin_rate: Number,
    maintenance_amount: Number = 0,
    leverage: Number = 1,
    contract_size: Number = 1,
    contract_type: ContractType | str = ContractType.LINEAR,
    unit: Number | None = None,
    rules: RuleSet = OURS,
) -> Decimal:
    """Return the collateral that must stay, in settle currency: notional × rate - amount.

    `price` is the mark price, or the entry price where the rule set counts on that. Leverage plays
    no part, except under the rule sets of a simulator that divides by it. Rounded up to `unit`, if
    given. ValueError when the amount belongs to a higher tier, so that the margin came out below 0.
    Source: Binance "Leverage and Margin", Bybit and KuCoin "Maintenance Margin".
    """
    value = _value(not_negative(quantity, "quantity"), price, contract_size, contract_type)
    margin = value * ratio_below_one(maintenance_margin_rate, "maintenance margin rate")
    margin -= not_negative(maintenance_amount, "maintenance amount")
    if margin < 0:
        raise ValueError("the maintenance amount belongs to a higher tier than this notional")
    if rules.maintenance_over_leverage:
        margin /= positive(leverage, "leverage")
    return _up(margin, unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossPosition:
    """One position of a cross account; amounts in settle currency, quantities as in `notional`."""

    side: PositionSide | str
    quantity: Number
    entry_price: Number
    mark_price: Number
    maintenance_margin_rate: Number
    maintenance_amount: Number = 0
    contract_size: Number = 1
    contract_type: ContractType | str = ContractType.LINEAR


def cross_margin(*, wallet_balance: Number, other_positions: Sequence[CrossPosition]) -> Decimal:
    """Return what a cross account can put behind one position: WB - ΣMM + ΣUPNL of all the others.

    Other marks are held where they are. In settle currency, exact; may be below 0. This is the
    `margin` of `liquidation_price` for a cross position. Source: Binance, "How to Calculate
    Liquidation Price of USDⓈ-M Futures Contracts".
    """
    total = exact(wallet_balance, "wallet balance")
    for other in other_positions:
        position = Position.of(
            other.side, other.quantity, other.entry_price, other.contract_size, other.contract_type
        )
        required = maintenance_margin(
            quantity=other.quantity,
            price=other.mark_price,
            maintenance_margin_rate=other.maintenance_margin_rate,
            maintenance_amount=other.maintenance_amount,
            contract_size=other.contract_size,
            contract_type=other.contract_type,
        )
        total += position.unrealized_pnl(other.mark_price) - Fraction(required)
    return decimal_from(total)


def is_liquidatable(
    *, equity: Number, maintenance_margin: Number, closing_fee: Number = 0, ratio: Number = 1
) -> bool:
    """Return whether equity ≤ ratio × maintenance margin + closing fee; equality liquidates."""
    required = not_negative(ratio, "ratio") * exact(maintenance_margin, "maintenance margin")
    return exact(equity, "equity") <= required + not_negative(closing_fee, "closing fee")


def margin_ratio(*, maintenance_margin: Number, margin_balance: Number) -> Decimal:
    """Return maintenance margin ÷ margin balance; liquidation at 1 (Binance prints it as percent).

    ValueError at a balance of 0 or below: such an account is past any ratio.
    """
    required = not_negative(maintenance_margin, "maintenance margin")
    return decimal_from(required / positive(margin_balance, "margin balance"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskItem:
    """A position or an open order in the risk rate of an account; quantity as in `notional`."""

    mark_price: Number
    quantity: Number
    maintenance_margin_rate: Number
    contract_size: Number = 1


def account_risk_rate(
    *,
    positions: Sequence[RiskItem],
    orders: Sequence[RiskItem] = (),
    total_margin: Number,
    taker_fee_rate: Number,
) -> Decimal:
    """Return the risk rate of a cross account that counts its open orders too; 1 liquidates.

    (ΣMM of positions and orders + fees for closing them all) ÷ (margin - fees for opening the
    orders), all on the mark notional; exact. KuCoin cancels orders at 0.95.
    Source: KuCoin support 35233217061785.
    """
    fee = ratio_below_one(taker_fee_rate, "taker fee rate")
    required, opening = Fraction(0), Fraction(0)
    for item in (*positions, *orders):
        quantity = abs(exact(item.quantity, "quantity"))
        value = _value(quantity, item.mark_price, item.contract_size, ContractType.LINEAR)
        rate = ratio_below_one(item.maintenance_margin_rate, "maintenance margin rate")
        required += value * (rate + fee)
    for item in orders:
        quantity = abs(exact(item.quantity, "quantity"))
        opening += fee * _value(quantity, item.mark_price, item.contract_size, ContractType.LINEAR)
    left = exact(total_margin, "total margin") - opening
    return decimal_from(required / positive(left, "total margin after the orders' opening fees"))


def equity_to_used_margin(
    *,
    account_balance: Number,
    used_margin: Number,
    unrealized_pnl: Number = 0,
    fees: Number = 0,
) -> Decimal:
    """Return (balance + open profit - fees) ÷ used margin: a risk rate that falls with losses.

    Exact. Source: HyperPay, "Forced Liquidation".
    """
    equity = exact(account_balance, "account balance") + exact(unrealized_pnl, "unrealized pnl")
    equity -= not_negative(fees, "fees")
    return decimal_from(equity / positive(used_margin, "used margin"))


def maximum_margin_addition(
    *,
    cross_wallet_balance: Number,
    isolated_order_margin: Number = 0,
    cross_maintenance_margin: Number = 0,
    available_balance: Number,
) -> Decimal:
    """Return how much may be added to an isolated position, at least 0, exact.

    min(cross wallet - margin of isolated orders - ΣMM of cross positions, available balance).
    Source: Binance futures help pages on position margin.
    """
    free = exact(cross_wallet_balance, "cross wallet balance")
    free -= not_negative(isolated_order_margin, "isolated order margin")
    free -= not_negative(cross_maintenance_margin, "cross maintenance margin")
    return decimal_from(max(Fraction(0), min(free, exact(available_balance, "available balance"))))


def maximum_margin_removal(
    *,
    side: PositionSide | str,
    quantity: Number,
    entry_price: Number,
    mark_price: Number,
    isolated_wallet_balance: Number,
    maintenance_margin: Number,
    initial_margin_rate: Number,
) -> Decimal:
    """Return how much may be taken from an isolated linear position, at least 0, exact.

    min(wallet - MM, wallet + open profit - mark notional × initial margin rate).
    Source: Binance futures help pages on position margin.
    """
    position = Position.of(side, quantity, entry_price)
    wallet = exact(isolated_wallet_balance, "isolated wallet balance")
    rate = not_negative(initial_margin_rate, "initial margin rate")
    above_initial = (
        wallet + position.unrealized_pnl(mark_price) - rate * position.value_at(mark_price)
    )
    above_maintenance = wallet - not_negative(maintenance_margin, "maintenance margin")
    return decimal_from(max(Fraction(0), min(above_maintenance, above_initial)))


def _value(
    quantity: Fraction, price: Number, contract_size: Number, contract_type: ContractType | str
) -> Fraction:
    at = positive(price, "price")
    size = quantity * positive(contract_size, "contract size")
    return size * at if ContractType(contract_type) is ContractType.LINEAR else size / at


def _up(value: Fraction, unit: Number | None) -> Decimal:
    return decimal_from(value) if unit is None else ceil_to_step(value, unit)
