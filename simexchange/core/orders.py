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


class Queued:
    """A place in the queue at one price.

    A base, so that its fields stand before all others of an order, beside the count of its
    references: one line of the processor's cache is all of a neighbour that is touched.
    """

    __slots__ = ("level", "next", "prev")

    level: Level | None  # of the book, while it rests
    prev: Order | None
    next: Order | None


class Order(Queued):
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
        "filled_ticks",
        "hold",
        "order_id",
        "plan_id",
        "position",
        "price",
        "promised",
        "remaining",
        "sign",
        "updated_at",
    )

    order_id: int
    position: Position
    # its terms as they were given; whose it is, its price and contracts are in the order alone, so
    # that all plain orders of a side share one
    command: PlaceOrder
    sign: int
    price: int | None
    contracts: int
    remaining: int
    closing: bool
    plan_id: int | None
    created_at: int
    updated_at: int
    filled: int
    filled_ticks: int  # Σ price × contracts
    fee: int
    hold: int
    promised: int

    @property
    def account(self) -> Account:
        return self.position.account

    @property
    def market(self) -> Market:
        return self.position.market

    @property
    def filled_notional(self) -> int:
        return self.filled_ticks * self.market.tick_value

    @property
    def client_order_id(self) -> str | None:
        return self.command.client_order_id

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
    def self_trade_prevention(self) -> SelfTradePrevention:
        return self.command.self_trade_prevention

    @property
    def status(self) -> OrderStatus:
        if self.remaining == 0:
            is_filled = self.filled == self.contracts
            return OrderStatus.FILLED if is_filled else OrderStatus.CANCELLED
        return OrderStatus.PARTIALLY_FILLED if self.filled else OrderStatus.NEW
