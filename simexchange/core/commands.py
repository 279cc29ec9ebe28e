"""What may be asked of the exchange. A run is its list of commands, each with its time.

Every command is a frozen value; the union ``Command`` encodes to msgpack and JSON, each record
tagged with the name of its class. Units are those of ``types``.
"""

import msgspec

from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    AccountKind,
    MarginMode,
    OrderKind,
    PositionMode,
    PositionSide,
    SelfTradePrevention,
    Side,
    TimeInForce,
    TriggerBy,
    TriggerDirection,
    Wallet,
)


class _Command(
    msgspec.Struct,
    frozen=True,
    gc=False,
    tag=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """Base of all commands."""


class ListInstrument(_Command, frozen=True):
    instrument: Instrument


class OpenAccount(_Command, frozen=True):
    """Open an account; the exchange numbers accounts 1, 2, 3 … in the order they are opened.

    A sub-account names its main account as ``owner``: the two never trade with each other under
    self-trade prevention, and money moves freely between them, but neither pays for the other.
    """

    owner: int | None = None
    label: str = ""
    kind: AccountKind = AccountKind.USER


class Deposit(_Command, frozen=True):
    account: int
    wallet: Wallet
    money: int


class Withdraw(_Command, frozen=True):
    account: int
    wallet: Wallet
    money: int


class Transfer(_Command, frozen=True):
    """Move money between two wallets; the same id twice moves it once.

    Who may move what between whom is for the caller to say: to the exchange all wallets are its
    own books.
    """

    from_account: int
    from_wallet: Wallet
    to_account: int
    to_wallet: Wallet
    money: int
    transfer_id: str


class SetPositionMode(_Command, frozen=True):
    account: int
    mode: PositionMode


class SetMarginMode(_Command, frozen=True):
    account: int
    symbol: str
    mode: MarginMode


class SetLeverage(_Command, frozen=True):
    """Set the leverage of an instrument; NET in hedge mode sets both legs."""

    account: int
    symbol: str
    leverage: int
    position_side: PositionSide = PositionSide.NET


class AdjustMargin(_Command, frozen=True):
    """Add money to an isolated position (``money`` > 0) or take it out (``money`` < 0)."""

    account: int
    symbol: str
    position_side: PositionSide
    money: int


class SetFeeTier(_Command, frozen=True):
    """Give an account fee rates of its own in every instrument; None: the instrument's."""

    account: int
    maker_fee: int | None
    taker_fee: int | None


class PlaceOrder(_Command, frozen=True):
    """Place an order. ``price`` is for limit orders only; ``contracts`` ≥ 1.

    In hedge mode ``position_side`` is LONG or SHORT and the side against it closes.

    ``close_on_trigger``: a reduce-only order to which the account's other orders give way. Those
    that rest to close the same position are cut to what it leaves of it, the newest are cancelled
    where the number of open orders leaves no room, and where it would meet an order of its own
    owner, that one is cancelled (unless self-trade prevention is none: then they trade).

    ``expires_at``: what rests of it at that time (µs) is cancelled, before any command of that time
    is carried out. For limit orders that may rest, and later than now.
    """

    account: int
    symbol: str
    side: Side
    contracts: int
    kind: OrderKind
    price: int | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.NET
    client_order_id: str | None = None
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.NONE
    close_on_trigger: bool = False
    expires_at: int | None = None


class AmendOrder(_Command, frozen=True):
    """Change the price or the total contracts of a resting order (filled ones included).

    A smaller size keeps its place in the queue; a new price or a larger size goes to the back.
    """

    account: int
    symbol: str
    order_id: int | None = None
    client_order_id: str | None = None
    price: int | None = None
    contracts: int | None = None


class CancelOrder(_Command, frozen=True):
    account: int
    symbol: str
    order_id: int | None = None
    client_order_id: str | None = None


class CancelAll(_Command, frozen=True):
    """Cancel all resting orders of an account, in one instrument or in all."""

    account: int
    symbol: str | None = None


class Batch(_Command, frozen=True):
    """Apply several order commands at one instant; each succeeds or is refused on its own."""

    commands: tuple["PlaceOrder | AmendOrder | CancelOrder", ...]


class PlacePlanOrder(_Command, frozen=True):
    """Rest an order outside the book until a price crosses ``trigger_price``; it fires once.

    - ``direction`` None: follows from where the price is now against the trigger.
    - ``close_position``: closes whatever the position holds when it fires, as far as one order
      may; ``contracts`` is then 0.
    - ``close_on_trigger``: the order it becomes is one (see ``PlaceOrder``).
    - ``attached``: belongs to the position and ends with it (take-profit, stop-loss).
    - ``group``: plans of one account with the same group cancel one another when one fires.
    - ``callback_rate``: a trailing plan; the trigger follows the best price since
      ``activation_price`` (or since now) at this rate, and ``trigger_price`` is then 0.
    - ``expires_at``: while it waits it ends then, and so does a limit order that it has become.
    - ``refuse_if_through``: refuse rather than fire at once when the price is already through.
    - ``price_protect``: it does not fire, but waits on, while the last price and the mark price are
      further from each other than the instrument's ``trigger_protect``.
    """

    account: int
    symbol: str
    side: Side
    contracts: int
    trigger_price: int
    trigger_by: TriggerBy = TriggerBy.LAST
    direction: TriggerDirection | None = None
    kind: OrderKind = OrderKind.MARKET
    price: int | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    reduce_only: bool = False
    position_side: PositionSide = PositionSide.NET
    client_order_id: str | None = None
    close_position: bool = False
    attached: bool = False
    group: str | None = None
    callback_rate: int | None = None
    activation_price: int | None = None
    expires_at: int | None = None
    refuse_if_through: bool = False
    close_on_trigger: bool = False
    price_protect: bool = False


class AmendPlanOrder(_Command, frozen=True):
    """Change the trigger, price or contracts of a plan order that has not fired."""

    account: int
    symbol: str
    plan_id: int | None = None
    client_order_id: str | None = None
    trigger_price: int | None = None
    price: int | None = None
    contracts: int | None = None


class CancelPlanOrder(_Command, frozen=True):
    account: int
    symbol: str
    plan_id: int | None = None
    client_order_id: str | None = None


class SetIndex(_Command, frozen=True):
    """The index price, from one source or already averaged."""

    symbol: str
    price: int


class SetIndexSources(_Command, frozen=True):
    """Prices of several sources with their weights and ages; outliers are left out.

    A source that failed is not in the list. Those older than the instrument's ``index_stale_us``
    are left out; when none is left, the index is lost and the mark price is protected.
    """

    symbol: str
    prices: tuple[int, ...]
    weights: tuple[int, ...] | None = None
    ages_us: tuple[int, ...] | None = None


class SetMark(_Command, frozen=True):
    """Hold the mark price by hand; None gives it back to the formula."""

    symbol: str
    price: int | None


class SetFundingRate(_Command, frozen=True):
    """Hold the next funding rate by hand (rate of one interval); None gives it back."""

    symbol: str
    rate: int | None


class SetFundingInterval(_Command, frozen=True):
    """Change the funding interval from the next boundary on."""

    symbol: str
    interval_us: int


class SkipFunding(_Command, frozen=True):
    """Fault: leave out the next funding exchange of an instrument."""

    symbol: str


class ForceReject(_Command, frozen=True):
    """Fault: refuse the next ``count`` orders or plan orders of an account, or fail its plans.

    ``target``: ``order`` (new orders), ``plan`` (new plan orders), ``fire`` (plans when they fire).
    """

    account: int
    target: str
    count: int


class AdvanceTime(_Command, frozen=True):
    """Let time do its work: expiries, mark price, funding."""


Command = (
    ListInstrument
    | OpenAccount
    | Deposit
    | Withdraw
    | Transfer
    | SetPositionMode
    | SetMarginMode
    | SetLeverage
    | AdjustMargin
    | SetFeeTier
    | PlaceOrder
    | AmendOrder
    | CancelOrder
    | CancelAll
    | Batch
    | PlacePlanOrder
    | AmendPlanOrder
    | CancelPlanOrder
    | SetIndex
    | SetIndexSources
    | SetMark
    | SetFundingRate
    | SetFundingInterval
    | SkipFunding
    | ForceReject
    | AdvanceTime
)
