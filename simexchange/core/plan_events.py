"""What became of plan orders, as facts."""

from simexchange.core.event_base import ExchangeEvent
from simexchange.core.types import (
    CancelReason,
    OrderKind,
    PositionSide,
    RejectReason,
    Side,
    TriggerBy,
    TriggerDirection,
)


class PlanOrderAccepted(ExchangeEvent, frozen=True):
    plan_id: int
    account: int
    symbol: str
    side: Side
    position_side: PositionSide
    contracts: int
    trigger_price: int
    trigger_by: TriggerBy
    direction: TriggerDirection
    kind: OrderKind
    price: int | None
    reduce_only: bool
    close_position: bool
    attached: bool
    group: str | None
    callback_rate: int | None
    expires_at: int | None
    client_order_id: str | None
    close_on_trigger: bool
    price_protect: bool = False


class PlanOrderAmended(ExchangeEvent, frozen=True):
    """The plan's owner changed it, or its trigger trailed the price."""

    plan_id: int
    account: int
    symbol: str
    contracts: int
    trigger_price: int
    price: int | None
    client_order_id: str | None
    trailed: bool


class PlanOrderTriggered(ExchangeEvent, frozen=True):
    """The plan fired; what became of the order follows as an event of that order."""

    plan_id: int
    account: int
    symbol: str
    trigger_price: int
    observed_price: int
    client_order_id: str | None


class PlanOrderFailed(ExchangeEvent, frozen=True):
    """The plan fired and its order was refused."""

    plan_id: int
    account: int
    symbol: str
    reason: RejectReason
    message: str
    client_order_id: str | None


class PlanOrderCancelled(ExchangeEvent, frozen=True):
    plan_id: int
    account: int
    symbol: str
    reason: CancelReason
    client_order_id: str | None


class PlanOrderRejected(ExchangeEvent, frozen=True):
    account: int
    symbol: str
    client_order_id: str | None
    reason: RejectReason
    message: str
