"""One order, from acceptance to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

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


class Order(msgspec.Struct, eq=False):  # a Struct, because it is made three times as fast
    """An order and its place in the queue.

    ``contracts = filled + remaining + cancelled`` at all times. ``hold`` is the money that its
    opening contracts keep from being spent; ``promised`` is how many of the remaining contracts
    are covered by the position they would close, and so hold nothing. ``closing`` orders (reduce
    only, or against the leg in hedge mode) hold nothing at all and never open.
    """

    order_id: int
    account: Account
    market: Market
    position: Position
    side: Side
    sign: int
    contracts: int
    remaining: int
    kind: OrderKind
    price: int | None
    time_in_force: TimeInForce
    reduce_only: bool
    closing: bool
    client_order_id: str | None
    self_trade_prevention: SelfTradePrevention
    plan_id: int | None
    created_at: int
    updated_at: int
    filled: int = 0
    filled_notional: int = 0
    fee: int = 0
    hold: int = 0
    promised: int = 0
    is_cancelled: bool = False
    level: Level | None = None  # of the book, while it rests
    prev: Order | None = None
    next: Order | None = None

    @property
    def status(self) -> OrderStatus:
        if self.is_cancelled:
            return OrderStatus.CANCELLED
        if self.remaining == 0:
            return OrderStatus.FILLED
        return OrderStatus.PARTIALLY_FILLED if self.filled else OrderStatus.NEW
