# ruff: noqa: PLR0913 - a formula takes one argument for each of its symbols
"""What an order holds back from the available balance while it rests."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from simexchange.rules.exact import (
    Number,
    decimal_from,
    exact,
    not_negative,
    positive,
    ratio_below_one,
)
from simexchange.rules.margin import initial_margin
from simexchange.rules.position import (
    ContractType,
    Position,
    Requirement,
    margin_of,
    price_where_equity_meets,
)
from simexchange.rules.ruleset import OrderFees, RuleSet, UnknownRule
from simexchange.rules.rulesets import BINANCE, OURS
from simexchange.rules.side import PositionSide


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCost:
    """The parts of an order's cost, in settle currency, exact."""

    initial_margin: Decimal
    open_loss: Decimal
    opening_fee: Decimal
    closing_fee: Decimal

    @property
    def total(self) -> Decimal:
        parts = (self.initial_margin, self.open_loss, self.opening_fee, self.closing_fee)
        return decimal_from(sum((exact(part) for part in parts), Fraction(0)))


def open_loss(
    *,
    side: PositionSide | str,
    quantity: Number,
    order_price: Number,
    mark_price: Number,
    contract_size: Number = 1,
) -> Decimal:
    """Return what an order would lose at once if it filled, in settle currency, at least 0.

    q × |min(0, s × (mark - order price))|, linear, exact; an order that would gain holds nothing.
    Source: Binance FAQ 87fa7ee3….
    """
    position = Position.of(side, quantity, order_price, contract_size)
    return decimal_from(max(Fraction(0), -position.unrealized_pnl(mark_price)))


def assuming_price(
    *,
    side: PositionSide | str,
    order_price: Number,
    last_price: Number,
    mark_price: Number,
    rules: RuleSet = BINANCE,
) -> Decimal:
    """Return the price at which an order is charged before it fills.

    A long: its own price. A short: the greatest of last × (1 + buffer), mark and its own price; the
    buffer is the rule set's (Binance 0.15 %). Exact. Source: Binance FAQ 87fa7ee3….
    """
    order = positive(order_price, "order price")
    if PositionSide(side) is PositionSide.LONG:
        return decimal_from(order)
    if rules.market_order_buffer is None:
        raise UnknownRule(rules, "the buffer on the price of a market order")
    last = positive(last_price, "last price") * (1 + Fraction(rules.market_order_buffer))
    return decimal_from(max(last, positive(mark_price, "mark price"), order))


def order_cost(
    *,
    side: PositionSide | str,
    quantity: Number,
    price: Number,
    leverage: Number,
    fee_rate: Number = 0,
    mark_price: Number | None = None,
    contract_size: Number = 1,
    contract_type: ContractType | str = ContractType.LINEAR,
    rules: RuleSet = OURS,
) -> OrderCost:
    """Return what an order holds: initial margin, open loss and fees, each exact.

    - `OrderFees.OPENING_AND_CLOSING` (Bybit): IM + fee to open + fee to close at the bankruptcy
      price; linear q·P·R and q·P·(1 - s/L)·R, inverse Q/P·R and Q/P·(1 + s/L)·R.
    - `OrderFees.OPENING` (ours): IM + fee to open.
    - `OrderFees.NONE` (Binance): IM alone.
    `fee_rate`: the taker rate. The parts that a rule set does not hold are 0; open loss is counted
    whenever `mark_price` is given.
    Source: Binance FAQ 87fa7ee3…; Bybit, "Order Cost".
    """
    if rules.order_fees is None:
        raise UnknownRule(rules, "which fees an order holds money for")
    position = Position.of(side, quantity, price, contract_size, contract_type)
    fee = ratio_below_one(fee_rate, "fee rate")
    held = margin_of(position, None, leverage)
    bankruptcy = price_where_equity_meets(position, held, Requirement())
    opening = closing = Fraction(0)
    if rules.order_fees is not OrderFees.NONE:
        opening = fee * position.entry_value
    if rules.order_fees is OrderFees.OPENING_AND_CLOSING and bankruptcy is not None:
        closing = fee * position.value_at(bankruptcy)
    loss = Fraction(0)
    if mark_price is not None:
        loss = max(loss, -position.unrealized_pnl(mark_price))
    return OrderCost(
        initial_margin=initial_margin(
            quantity=quantity,
            price=price,
            leverage=leverage,
            contract_size=contract_size,
            contract_type=contract_type,
        ),
        open_loss=decimal_from(loss),
        opening_fee=decimal_from(opening),
        closing_fee=decimal_from(closing),
    )


def one_way_quantity_at_risk(
    *,
    position: Number,
    pending_buys: Sequence[Number] = (),
    pending_sells: Sequence[Number] = (),
) -> Decimal:
    """Return the largest position that open orders of a one-way account could lead to, unsigned.

    max(|position + Σ buys|, |position - Σ sells|), in the unit of the quantities, exact. Margin is
    owed for this much, so an order that does not raise it needs no margin. `position` is signed.
    Source: exchange-core, required margin of a symbol position.
    """
    held = exact(position, "position")
    buys = sum((not_negative(quantity, "pending buy") for quantity in pending_buys), Fraction(0))
    sells = sum((not_negative(quantity, "pending sell") for quantity in pending_sells), Fraction(0))
    return decimal_from(max(abs(held + buys), abs(held - sells)))
