"""What happened, in the past tense: each fact with all that a consumer needs to know.

The fields stand in the order in which they are encoded; that order is part of the event hash, so
new fields go to the end. ``at`` is the time of the command. Fees and payments are positive when
the account pays. Units are those of ``types``.
"""

from collections.abc import Iterable

from simexchange.core.event_base import ExchangeEvent
from simexchange.core.instrument import Instrument
from simexchange.core.plan_events import (
    PlanOrderAccepted,
    PlanOrderAmended,
    PlanOrderCancelled,
    PlanOrderFailed,
    PlanOrderRejected,
    PlanOrderTriggered,
)
from simexchange.core.risk_events import (
    BankruptcyTakeover,
    Deleveraged,
    FundingPaid,
    FundingRateSet,
    FundingSettled,
    InsuranceFundMoved,
    LiquidationStarted,
    PositionLiquidated,
)
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
    Wallet,
)


class InstrumentListed(ExchangeEvent, frozen=True):
    instrument: Instrument


class AccountOpened(ExchangeEvent, frozen=True):
    account: int
    owner: int | None
    label: str
    kind: AccountKind


class Deposited(ExchangeEvent, frozen=True):
    account: int
    wallet: Wallet
    money: int
    balance: int  # of that wallet, afterwards


class Withdrawn(ExchangeEvent, frozen=True):
    account: int
    wallet: Wallet
    money: int
    balance: int


class Transferred(ExchangeEvent, frozen=True):
    transfer_id: str
    from_account: int
    from_wallet: Wallet
    to_account: int
    to_wallet: Wallet
    money: int
    from_balance: int
    to_balance: int
    repeated: bool  # the id was known: nothing moved now


class CommandRejected(ExchangeEvent, frozen=True):
    command: str
    account: int | None
    symbol: str | None
    reason: RejectReason
    message: str


class OrderRejected(ExchangeEvent, frozen=True):
    account: int
    symbol: str
    client_order_id: str | None
    reason: RejectReason
    message: str
    plan_id: int | None


class OrderAccepted(ExchangeEvent, frozen=True):
    order_id: int
    account: int
    symbol: str
    side: Side
    position_side: PositionSide
    kind: OrderKind
    price: int | None
    contracts: int
    time_in_force: TimeInForce
    reduce_only: bool  # as every close-on-trigger order is
    client_order_id: str | None
    plan_id: int | None  # the plan order that fired it
    close_on_trigger: bool


class Filled(ExchangeEvent, frozen=True):
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


class OrderCancelled(ExchangeEvent, frozen=True):
    order_id: int
    client_order_id: str | None
    account: int
    symbol: str
    side: Side
    filled: int
    remaining: int  # what will not be filled any more
    reason: CancelReason


class OrderAmended(ExchangeEvent, frozen=True):
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


class LeverageSet(ExchangeEvent, frozen=True):
    account: int
    symbol: str
    position_side: PositionSide
    leverage: int
    margin: int  # isolated margin of the position afterwards


class MarginModeSet(ExchangeEvent, frozen=True):
    account: int
    symbol: str
    mode: MarginMode


class PositionModeSet(ExchangeEvent, frozen=True):
    account: int
    mode: PositionMode


class FeeTierSet(ExchangeEvent, frozen=True):
    account: int
    maker_fee: int | None
    taker_fee: int | None


class MarginAdjusted(ExchangeEvent, frozen=True):
    account: int
    symbol: str
    position_side: PositionSide
    money: int
    margin: int
    balance: int


class MarkPriceSet(ExchangeEvent, frozen=True):
    """The prices of an instrument after a tick; ``index`` and ``last`` None when not yet known."""

    symbol: str
    mark: int
    index: int | None
    last: int | None


class IndexLost(ExchangeEvent, frozen=True):
    """No source of the index is usable: the mark follows the last price, within these bounds."""

    symbol: str
    mark: int
    lowest: int
    highest: int


class IndexRestored(ExchangeEvent, frozen=True):
    """The index is known again, and the mark follows its formula."""

    symbol: str
    index: int


class SelfTradePrevented(ExchangeEvent, frozen=True):
    """Two orders of one owner met and ``contracts`` were taken from each instead of traded."""

    symbol: str
    taker_order_id: int
    maker_order_id: int
    taker_account: int
    maker_account: int
    contracts: int


class FaultArmed(ExchangeEvent, frozen=True):
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
    | IndexLost
    | IndexRestored
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

Refused = CommandRejected | OrderRejected | PlanOrderRejected


def refusal_among(events: Iterable[Event]) -> Refused | None:
    """Return what refused the command of these events; None when it was accepted.

    An order that a plan fired meanwhile may be refused too; that is no answer to the command.
    """
    for event in events:
        if isinstance(event, Refused) and not (
            isinstance(event, OrderRejected) and event.plan_id is not None
        ):
            return event
    return None
