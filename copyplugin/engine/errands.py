"""What is asked of the venue for one lane, and what came back."""

from dataclasses import dataclass
from datetime import datetime

from copyplugin.domain.fill import MarginMode
from copyplugin.domain.identifiers import AccountId, ClientOrderId, CopyOrderId, LaneId, Symbol
from copyplugin.domain.money import Money, Ratio
from copyplugin.domain.order import OrderReport, OrderRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class SendOrder:
    """Send an order whose row is committed. Leverage and margin mode are set first for an open."""

    lane_id: LaneId
    order_id: CopyOrderId
    request: OrderRequest
    leverage: Ratio | None
    margin_mode: MarginMode | None

    @property
    def is_urgent(self) -> bool:
        return self.request.reduce_only


@dataclass(frozen=True, kw_only=True, slots=True)
class AskOrder:
    """Ask what became of an order that may or may not have arrived."""

    lane_id: LaneId
    order_id: CopyOrderId
    account: AccountId
    symbol: Symbol
    client_order_id: ClientOrderId
    is_urgent: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class AskBalance:
    """Ask what may back a new order, for a decision that rests on it.

    `shares_gone`: so many of the follow's shares had left its sub-account before.
    """

    lane_id: LaneId
    account: AccountId
    shares_gone: int
    is_urgent: bool = False


Errand = SendOrder | AskOrder | AskBalance


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """The venue knows the order. `sent_at` is None where it was asked for, not sent, just now."""

    lane_id: LaneId
    order_id: CopyOrderId
    report: OrderReport
    sent_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """The venue said no: nothing was executed."""

    lane_id: LaneId
    order_id: CopyOrderId
    reason: str
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NotThere:
    """The venue was asked and does not know the order; it may still arrive."""

    lane_id: LaneId
    order_id: CopyOrderId


@dataclass(frozen=True, kw_only=True, slots=True)
class InDoubt:
    """The order may have arrived: it is asked for before anything else on this lane.

    `sent_at`: it left by then.
    """

    lane_id: LaneId
    order_id: CopyOrderId
    sentence: str
    sent_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreachable:
    """The venue did not answer; what was asked for was not done."""

    lane_id: LaneId
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BalanceKnown:
    """What the venue said; what is owed out of it is in it, unless it left while it was asked."""

    lane_id: LaneId
    shares_gone: int
    available: Money
    equity: Money


Outcome = Answered | Rejected | NotThere | InDoubt | Unreachable | BalanceKnown
