"""An order of ours: what we ask of the venue, and what it answers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from copyplugin.domain.fill import Liquidity, OrderSide, PositionSide
from copyplugin.domain.identifiers import (
    AccountId,
    ClientOrderId,
    Symbol,
    VenueFillId,
    VenueOrderId,
)
from copyplugin.domain.money import Contracts, Money, Price


class TimeInForce(StrEnum):
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


class OrderStatus(StrEnum):
    WORKING = "working"  # may still fill
    DONE = "done"  # filled, or cancelled with what it had filled


class OrderPurpose(StrEnum):
    COPY = "copy"  # follows a signal
    CLOSE = "close"  # a follow or a position was ended
    REPAIR = "repair"  # brings a lane back to its target
    PROTECT = "protect"  # a plan order that fired became it


class CopyOrderState(StrEnum):
    """What we know of an order of ours. `SENT` is in doubt until the venue has been asked."""

    SENT = "sent"
    DONE = "done"
    REJECTED = "rejected"
    EXPIRED = "expired"  # never sent, and too late to be


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderRequest:
    """One order. Without a limit price it is a market order."""

    account: AccountId
    symbol: Symbol
    order_side: OrderSide
    position_side: PositionSide
    contracts: Contracts
    limit_price: Price | None
    time_in_force: TimeInForce
    reduce_only: bool
    client_order_id: ClientOrderId

    def __post_init__(self) -> None:
        assert self.contracts > 0
        assert self.limit_price is None or self.limit_price > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnFill:
    """One execution of an order of ours."""

    venue_fill_id: VenueFillId
    contracts: Contracts
    price: Price
    fee: Money  # positive: paid
    realized_pnl: Money  # before fees and funding
    liquidity: Liquidity
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderReport:
    """What the venue knows of an order; `filled_value` is Σ price × contracts × contract size."""

    client_order_id: ClientOrderId
    venue_order_id: VenueOrderId
    status: OrderStatus
    filled: Contracts
    filled_value: Money
    fee: Money
    realized_pnl: Money
    fills: tuple[OwnFill, ...]
    acknowledged_at: datetime
    reason: str | None = None  # why it ended with less than was asked
