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

    def __init__(  # noqa: PLR0913, PLR0917 - an order's facts; hot
        self,
        order_id: int,
        position: Position,
        side: Side,
        contracts: int,
        kind: OrderKind,
        price: int | None,
        time_in_force: TimeInForce,
        reduce_only: bool,  # noqa: FBT001 - positional because it is hot
        client_order_id: str | None,
        self_trade_prevention: SelfTradePrevention,
        plan_id: int | None,
        at: int,
    ) -> None:
        self.order_id = order_id
        self.position = position
        self.account: Account = position.account
        self.market: Market = position.market
        self.side = side
        self.sign = 1 if side > 0 else -1
        self.contracts = contracts
        self.remaining = contracts
        self.filled = 0
        self.filled_notional = 0
        self.fee = 0
        self.kind = kind
        self.price = price
        self.time_in_force = time_in_force
        self.reduce_only = reduce_only
        self.closing = reduce_only
        self.client_order_id = client_order_id
        self.self_trade_prevention = self_trade_prevention
        self.plan_id = plan_id
        self.created_at = at
        self.updated_at = at
        self.hold = 0
        self.promised = 0
        self.is_cancelled = False
        self.level: Level | None = None
        # set when the order rests
        self.prev: Order | None
        self.next: Order | None

    @property
    def status(self) -> OrderStatus:
        if self.is_cancelled:
            return OrderStatus.CANCELLED
        if self.remaining == 0:
            return OrderStatus.FILLED
        return OrderStatus.PARTIALLY_FILLED if self.filled else OrderStatus.NEW
