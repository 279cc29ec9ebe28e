"""One order, from acceptance to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simexchange.core.types import (
    OrderKind,
    OrderStatus,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

if TYPE_CHECKING:
    from simexchange.core.accounts import Account
    from simexchange.core.book import Level
    from simexchange.core.commands import PlaceOrder
    from simexchange.core.markets import Market
    from simexchange.core.positions import Position


class Order:
    """An order and its place in the queue.

    ``contracts = filled + remaining + cancelled`` at all times. ``hold`` is the money that its
    opening contracts keep from being spent; ``promised`` is how many of the remaining contracts
    are covered by the position they would close, and so hold nothing. ``closing`` orders (reduce
    only, or against the leg in hedge mode) hold nothing at all and never open.
    """

    __slots__ = (
        "closing",
        "command",
        "contracts",
        "created_at",
        "fee",
        "filled",
        "filled_notional",
        "hold",
        "is_cancelled",
        "level",
        "next",
        "order_id",
        "plan_id",
        "position",
        "prev",
        "price",
        "promised",
        "remaining",
        "sign",
        "updated_at",
    )

    order_id: int
    position: Position
    command: PlaceOrder  # as it was given; an amendment changes price and contracts here only
    sign: int
    price: int | None
    contracts: int
    remaining: int
    closing: bool
    plan_id: int | None
    created_at: int
    updated_at: int
    filled: int
    filled_notional: int
    fee: int
    hold: int
    promised: int
    is_cancelled: bool
    level: Level | None  # of the book, while it rests
    prev: Order | None
    next: Order | None

    @property
    def account(self) -> Account:
        return self.position.account

    @property
    def market(self) -> Market:
        return self.position.market

    @property
    def side(self) -> Side:
        return self.command.side

    @property
    def kind(self) -> OrderKind:
        return self.command.kind

    @property
    def time_in_force(self) -> TimeInForce:
        return self.command.time_in_force

    @property
    def reduce_only(self) -> bool:
        return self.command.reduce_only or self.command.close_on_trigger

    @property
    def client_order_id(self) -> str | None:
        return self.command.client_order_id

    @property
    def self_trade_prevention(self) -> SelfTradePrevention:
        return self.command.self_trade_prevention

    @property
    def status(self) -> OrderStatus:
        if self.is_cancelled:
            return OrderStatus.CANCELLED
        if self.remaining == 0:
            return OrderStatus.FILLED
        return OrderStatus.PARTIALLY_FILLED if self.filled else OrderStatus.NEW


def new_order(  # noqa: PLR0913, PLR0917 - positional because it is hot
    order_id: int,
    position: Position,
    command: PlaceOrder,
    sign: int,
    contracts: int,
    closing: bool,  # noqa: FBT001
    plan_id: int | None,
    at: int,
) -> Order:
    """Return a new order that holds nothing yet.

    A function, because the interpreter runs a function's call in place and an ``__init__`` not.
    """
    order = Order()
    order.order_id = order_id
    order.position = position
    order.command = command
    order.sign = sign
    order.price = command.price
    order.contracts = order.remaining = contracts
    order.closing = closing
    order.plan_id = plan_id
    order.created_at = order.updated_at = at
    order.filled = order.filled_notional = order.fee = order.hold = order.promised = 0
    order.is_cancelled = False
    order.level = None
    return order
