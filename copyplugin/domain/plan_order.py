"""A plan order of ours: it rests outside the book and closes a position when its price comes.

It can only reduce, is a market order once fired, and closes the whole position it is for.
"""

from dataclasses import dataclass
from enum import StrEnum

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol, VenuePlanId
from copyplugin.domain.money import Contracts, Price


class TriggerBy(StrEnum):
    """Which price a plan order waits for."""

    MARK = "mark"
    LAST = "last"


class TriggerDirection(StrEnum):
    RISES = "rises"  # fires at or above its trigger
    FALLS = "falls"  # fires at or below its trigger


class PlanStatus(StrEnum):
    RESTING = "resting"
    FIRED = "fired"  # its order was sent; what that order did is told by `find_order`
    FAILED = "failed"  # fired, or tried to, but its order was refused: the position is unprotected
    CANCELLED = "cancelled"  # by us, by the venue with the position, or expired


class PlanState(StrEnum):
    """What we know of a plan order of ours. `SENT` is in doubt until the venue has been asked."""

    SENT = "sent"
    RESTING = "resting"
    REFUSED = "refused"  # rests for certain not; tried again
    FIRED = "fired"  # the order it became is not booked yet
    BOOKED = "booked"  # fired, and what its order did is in the books
    FAILED = "failed"  # its price came and it closed nothing: we do
    WITHDRAWN = "withdrawn"


OPEN_PLANS = frozenset({PlanState.SENT, PlanState.RESTING, PlanState.REFUSED, PlanState.FIRED})
"""States in which there is still something to do."""

AT_VENUE = frozenset({PlanState.SENT, PlanState.RESTING})
"""States in which the venue may have it resting."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRequest:
    """One plan order. A venue that can tie it to the whole position does not look at `contracts`.

    `trigger_price` lies on the instrument's grid.
    """

    account: AccountId
    symbol: Symbol
    position_side: PositionSide
    order_side: OrderSide
    contracts: Contracts
    trigger_price: Price
    trigger_by: TriggerBy
    direction: TriggerDirection
    client_order_id: ClientOrderId

    def __post_init__(self) -> None:
        assert self.contracts > 0
        assert self.trigger_price > 0
        assert self.order_side is self.position_side.closing_side, "it could open a position"


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanReport:
    """What the venue knows of a plan order.

    `fired_order` is the client order id under which `find_order` finds the order that it became,
    where the venue tells. `contracts` is what was asked for, or 0 where it closes whatever is held.
    """

    client_order_id: ClientOrderId
    venue_plan_id: VenuePlanId
    symbol: Symbol
    position_side: PositionSide
    order_side: OrderSide
    contracts: Contracts
    trigger_price: Price
    status: PlanStatus
    fired_order: ClientOrderId | None = None
    reason: str = ""  # why it ended, in the venue's words

    @classmethod
    def resting(
        cls, request: PlanRequest, venue_plan_id: VenuePlanId, contracts: Contracts
    ) -> "PlanReport":
        """Return the report of a plan order that the venue has just taken as it was asked for."""
        return cls(
            client_order_id=request.client_order_id,
            venue_plan_id=venue_plan_id,
            symbol=request.symbol,
            position_side=request.position_side,
            order_side=request.order_side,
            contracts=contracts,
            trigger_price=request.trigger_price,
            status=PlanStatus.RESTING,
        )
