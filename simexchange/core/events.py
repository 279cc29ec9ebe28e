"""What happened, in the past tense: each fact with all that a consumer needs to know.

The fields stand in the order in which they are encoded; that order is part of the event hash, so
new fields go to the end. ``at`` is the time of the command. Fees and payments are positive when
the account pays. Units are those of ``types``.
"""

import msgspec

from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    AccountKind,
    CancelReason,
    Liquidity,
    MarginMode,
    OrderKind,
    PositionMode,
    PositionSide,
    RejectReason,
    Side,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
    Wallet,
)


class _Event(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """Base of all events."""

    at: int


class InstrumentListed(_Event, frozen=True):
    instrument: Instrument


class AccountOpened(_Event, frozen=True):
    account: int
    owner: int | None
    label: str
    kind: AccountKind


class Deposited(_Event, frozen=True):
    account: int
    wallet: Wallet
    money: int
    balance: int  # of that wallet, afterwards


class Withdrawn(_Event, frozen=True):
    account: int
    wallet: Wallet
    money: int
    balance: int


class Transferred(_Event, frozen=True):
    transfer_id: str
    from_account: int
    from_wallet: Wallet
    to_account: int
    to_wallet: Wallet
    money: int
    from_balance: int
    to_balance: int
    repeated: bool  # the id was known: nothing moved now


class CommandRejected(_Event, frozen=True):
    command: str
    account: int | None
    symbol: str | None
    reason: RejectReason
    message: str


class OrderRejected(_Event, frozen=True):
    account: int
    symbol: str
    client_order_id: str | None
    reason: RejectReason
    message: str
    plan_id: int | None


class OrderAccepted(_Event, frozen=True):
    order_id: int
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
    plan_id: int | None  # the plan order that fired it


class Filled(_Event, frozen=True):
    """One side of a trade."""

    execution_id: int
    trade_id: int
    order_id: int
    client_order_id: str | None
    account: int
    symbol: str
    side: Side
    position_side: PositionSide
    contracts: int
    price: int
    liquidity: Liquidity
    fee: int
    realized_pnl: int
    closed_contracts: int
    position_contracts: int  # afterwards; signed for NET, ≥ 0 for LONG and SHORT
    entry_cost: int  # of the position afterwards, ≥ 0
    margin: int  # isolated margin of the position afterwards
    order_filled: int
    order_contracts: int
    leverage: int
    margin_mode: MarginMode
    balance: int  # contract wallet afterwards


class OrderCancelled(_Event, frozen=True):
    order_id: int
    client_order_id: str | None
    account: int
    symbol: str
    side: Side
    filled: int
    remaining: int  # what will not be filled any more
    reason: CancelReason


class OrderAmended(_Event, frozen=True):
    """A resting order changed; ``reason`` None when its owner asked for it."""

    order_id: int
    client_order_id: str | None
    account: int
    symbol: str
    price: int | None
    contracts: int
    filled: int
    kept_place: bool
    reason: CancelReason | None


class LeverageSet(_Event, frozen=True):
    account: int
    symbol: str
    position_side: PositionSide
    leverage: int
    margin: int  # isolated margin of the position afterwards


class MarginModeSet(_Event, frozen=True):
    account: int
    symbol: str
    mode: MarginMode


class PositionModeSet(_Event, frozen=True):
    account: int
    mode: PositionMode


class FeeTierSet(_Event, frozen=True):
    account: int
    maker_fee: int | None
    taker_fee: int | None


class MarginAdjusted(_Event, frozen=True):
    account: int
    symbol: str
    position_side: PositionSide
    money: int
    margin: int
    balance: int


class MarkPriceSet(_Event, frozen=True):
    """The prices of an instrument after a tick; ``index`` and ``last`` None when not yet known."""

    symbol: str
    mark: int
    index: int | None
    last: int | None


class LiquidationStarted(_Event, frozen=True):
    """A position reached its liquidation price, or a cross account its maintenance margin."""

    account: int
    symbol: str
    position_side: PositionSide
    contracts: int
    mark: int
    liquidation_price: int | None
    bankruptcy_price: int | None
    maintenance_margin: int
    margin_mode: MarginMode


class PositionLiquidated(_Event, frozen=True):
    """What one liquidation took from the account, all steps together.

    ``contracts`` were closed, by ``through_book``, ``taken_over`` and ``deleveraged`` contracts.
    """

    account: int
    symbol: str
    position_side: PositionSide
    contracts: int
    mark: int
    through_book: int
    taken_over: int
    deleveraged: int
    realized_pnl: int
    liquidation_fee: int
    position_contracts: int
    entry_cost: int
    margin: int
    balance: int
    margin_mode: MarginMode


class BankruptcyTakeover(_Event, frozen=True):
    """The insurance fund took contracts of a liquidated position at ``value`` (money, ≥ 0)."""

    account: int
    symbol: str
    position_side: PositionSide
    side: Side  # of the liquidated account: it sold a long or bought a short
    contracts: int
    value: int
    realized_pnl: int
    position_contracts: int
    entry_cost: int
    margin: int
    fund_contracts: int  # signed, afterwards
    fund_entry_cost: int
    fund_realized_pnl: int  # when the takeover closed an opposite position of the fund
    fund_balance: int


class InsuranceFundMoved(_Event, frozen=True):
    money: int  # positive: into the fund
    balance: int
    account: int | None
    symbol: str | None
    cause: str


class Deleveraged(_Event, frozen=True):
    """A profitable position was closed against a bankrupt one at its bankruptcy price."""

    account: int
    symbol: str
    position_side: PositionSide
    side: Side
    contracts: int
    value: int
    realized_pnl: int
    position_contracts: int
    entry_cost: int
    margin: int
    balance: int
    rank: int  # 0 was first in line
    execution_id: int
    against: int  # the bankrupt account
    against_realized_pnl: int


class FundingRateSet(_Event, frozen=True):
    symbol: str
    rate: int | None  # None: returned to the formula
    interval_us: int
    next_funding_at: int | None


class FundingSettled(_Event, frozen=True):
    """One funding exchange of an instrument; payments sum to ``-residue``."""

    symbol: str
    mark: int
    index: int
    rate: int
    premium: int
    residue: int  # to the rounding account
    skipped: bool
    next_funding_at: int


class FundingPaid(_Event, frozen=True):
    account: int
    symbol: str
    position_side: PositionSide
    contracts: int  # signed
    mark: int
    rate: int
    payment: int  # positive: the account paid
    margin: int
    balance: int


class PlanOrderAccepted(_Event, frozen=True):
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


class PlanOrderAmended(_Event, frozen=True):
    """The plan's owner changed it, or its trigger trailed the price."""

    plan_id: int
    account: int
    symbol: str
    contracts: int
    trigger_price: int
    price: int | None
    client_order_id: str | None
    trailed: bool


class PlanOrderTriggered(_Event, frozen=True):
    """The plan fired; what became of the order follows as an event of that order."""

    plan_id: int
    account: int
    symbol: str
    trigger_price: int
    observed_price: int
    client_order_id: str | None


class PlanOrderFailed(_Event, frozen=True):
    """The plan fired and its order was refused."""

    plan_id: int
    account: int
    symbol: str
    reason: RejectReason
    message: str
    client_order_id: str | None


class PlanOrderCancelled(_Event, frozen=True):
    plan_id: int
    account: int
    symbol: str
    reason: CancelReason
    client_order_id: str | None


class PlanOrderRejected(_Event, frozen=True):
    account: int
    symbol: str
    client_order_id: str | None
    reason: RejectReason
    message: str


class SelfTradePrevented(_Event, frozen=True):
    """Two orders of one owner met and ``contracts`` were taken from each instead of traded."""

    symbol: str
    taker_order_id: int
    maker_order_id: int
    taker_account: int
    maker_account: int
    contracts: int


class FaultArmed(_Event, frozen=True):
    account: int | None
    symbol: str | None
    fault: str
    count: int


Event = (
    InstrumentListed
    | AccountOpened
    | Deposited
    | Withdrawn
    | Transferred
    | CommandRejected
    | OrderRejected
    | OrderAccepted
    | Filled
    | OrderCancelled
    | OrderAmended
    | LeverageSet
    | MarginModeSet
    | PositionModeSet
    | FeeTierSet
    | MarginAdjusted
    | MarkPriceSet
    | LiquidationStarted
    | PositionLiquidated
    | BankruptcyTakeover
    | InsuranceFundMoved
    | Deleveraged
    | FundingRateSet
    | FundingSettled
    | FundingPaid
    | PlanOrderAccepted
    | PlanOrderAmended
    | PlanOrderTriggered
    | PlanOrderFailed
    | PlanOrderCancelled
    | PlanOrderRejected
    | SelfTradePrevented
    | FaultArmed
)
