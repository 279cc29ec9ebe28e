"""Rows of the records. Each has a ``sequence`` that grows with every row of its kind."""

from enum import StrEnum

import msgspec

from simexchange.core.types import (
    CancelReason,
    OrderKind,
    PositionSide,
    RejectReason,
    Side,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
    Wallet,
)


class OrderState(StrEnum):
    UNTRIGGERED = "untriggered"  # a plan order that waits
    TRIGGERED = "triggered"  # a plan order that fired; its order follows at once
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    DEACTIVATED = "deactivated"  # a plan order that was cancelled before it fired


OPEN = frozenset(
    {
        OrderState.UNTRIGGERED,
        OrderState.TRIGGERED,
        OrderState.NEW,
        OrderState.PARTIALLY_FILLED,
    }
)


class Origin(StrEnum):
    """Which numbering the number of a kept order belongs to."""

    ORDER = "order"  # the exchange's order ids
    PLAN = "plan"  # its plan ids; the order that a plan becomes keeps the plan's number
    REFUSED = "refused"  # our own: acknowledged on the wire, refused by the exchange


class Trigger(msgspec.Struct, kw_only=True):
    """When a plan order fires. ``price`` in ticks, 0 while a trailing one is not active."""

    price: int
    by: TriggerBy
    direction: TriggerDirection
    callback_rate: int | None
    close_position: bool
    attached: bool
    group: str | None
    price_protect: bool = False


class KeptOrder(msgspec.Struct, kw_only=True):
    """An order, a plan order, or a plan order and the order it became.

    ``filled_ticks`` is Σ price × contracts. ``words`` are a dialect's own terms of the order,
    which the exchange does not know.
    """

    sequence: int
    origin: Origin
    number: int
    order_id: int | None
    plan_id: int | None
    account: int
    symbol: str
    side: Side
    position_side: PositionSide
    kind: OrderKind
    price: int | None
    contracts: int
    time_in_force: TimeInForce
    reduce_only: bool
    client_order_id: str | None
    created_at: int
    updated_at: int
    state: OrderState = OrderState.NEW
    trigger: Trigger | None = None
    last_price: int | None = None
    filled: int = 0
    filled_ticks: int = 0
    fee: int = 0
    realized_pnl: int = 0
    is_forced: bool = False  # the exchange placed it to liquidate
    cancel_reason: CancelReason | None = None
    reject_reason: RejectReason | None = None
    amended: int = 0  # how often
    words: dict[str, str] = {}

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def remaining(self) -> int:
        return self.contracts - self.filled if self.is_open else 0


class FillKind(StrEnum):
    TRADE = "trade"
    FUNDING = "funding"
    LIQUIDATION = "liquidation"  # through the book, for the exchange
    TAKEOVER = "takeover"  # at the bankruptcy price
    DELEVERAGING = "deleveraging"


class KeptFill(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One execution, or one funding payment, which venues list among them.

    ``number`` is the exchange's execution id for fills, our own for the rest. ``value`` is money;
    ``order_filled`` and ``order_contracts`` are those of the order right after.
    """

    sequence: int
    number: int
    kind: FillKind
    at: int
    account: int
    symbol: str
    side: Side
    position_side: PositionSide
    contracts: int
    price: int  # ticks, rounded down for takeovers
    value: int
    fee: int
    fee_rate: int
    is_maker: bool
    closed_contracts: int
    realized_pnl: int
    mark: int | None
    index: int | None
    order: KeptOrder | None
    order_price: int | None
    order_contracts: int
    order_filled: int


class EntryKind(StrEnum):
    TRADE = "trade"
    FUNDING = "funding"
    TRANSFER = "transfer"
    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    LIQUIDATION = "liquidation"  # what a liquidation changed beside its fills


class CashEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One change of an account's contract wallet, what isolated positions hold included."""

    sequence: int
    kind: EntryKind
    at: int
    change: int
    balance: int
    symbol: str | None = None
    fill: KeptFill | None = None
    fee: int = 0
    funding: int = 0  # positive: paid
    cash_flow: int = 0  # realized profit
    position_contracts: int = 0
    reference: str = ""


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a resting order; ``count`` says which of its changes."""

    number: int
    order: KeptOrder
    at: int
    price_before: int
    price: int
    contracts_before: int
    contracts: int
    count: int


class KeptTransfer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    sequence: int
    at: int
    transfer_id: str
    from_account: int
    from_wallet: Wallet
    to_account: int
    to_wallet: Wallet
    money: int


class ClosedProfit(msgspec.Struct, kw_only=True):
    """What one order closed of a position. ``entry`` and ``exit`` are values of those contracts."""

    sequence: int
    order: KeptOrder | None
    symbol: str
    side: Side
    position_side: PositionSide
    created_at: int
    updated_at: int
    leverage: int
    kind: FillKind
    contracts: int = 0
    entry: int = 0
    exit: int = 0
    realized_pnl: int = 0
    open_fee: int = 0
    close_fee: int = 0
    fills: int = 0


class KeptPosition(msgspec.Struct, kw_only=True):
    """What a position has earned, fees and funding included.

    ``current`` counts since it was last opened from nothing, ``cumulative`` for ever.
    ``open_fee`` is what was paid to open the contracts it holds.
    """

    symbol: str
    position_side: PositionSide
    created_at: int
    updated_at: int
    sequence: int
    contracts: int = 0
    current: int = 0
    cumulative: int = 0
    open_fee: int = 0
