"""One order, from acceptance to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simexchange.core.types import OrderStatus

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
        "account",
        "client_order_id",
        "closing",
        "contracts",
        "created_at",
        "fee",
        "filled",
        "filled_notional",
        "hold",
        "is_cancelled",
        "kind",
        "level",
        "market",
        "next",
        "order_id",
        "plan_id",
        "position",
        "prev",
        "price",
        "promised",
        "reduce_only",
        "remaining",
        "self_trade_prevention",
        "side",
        "sign",
        "time_in_force",
        "updated_at",
    )

    def __init__(
        self, order_id: int, position: Position, command: PlaceOrder, contracts: int, at: int
    ) -> None:
        self.order_id = order_id
        self.position = position
        self.account: Account = position.account
        self.market: Market = position.market
        self.side = side = command.side
        self.sign = 1 if side > 0 else -1
        self.contracts = self.remaining = contracts
        self.kind = command.kind
        self.price = command.price
        self.time_in_force = command.time_in_force
        self.reduce_only = self.closing = command.reduce_only
        self.client_order_id = command.client_order_id
        self.self_trade_prevention = command.self_trade_prevention
        self.plan_id: int | None = None
        self.created_at = self.updated_at = at
        self.filled = self.filled_notional = self.fee = self.hold = self.promised = 0
        self.is_cancelled = False
        self.level: Level | None = None  # of the book, while it rests
        self.prev: Order | None
        self.next: Order | None

    @property
    def status(self) -> OrderStatus:
        if self.is_cancelled:
            return OrderStatus.CANCELLED
        if self.remaining == 0:
            return OrderStatus.FILLED
        return OrderStatus.PARTIALLY_FILLED if self.filled else OrderStatus.NEW
