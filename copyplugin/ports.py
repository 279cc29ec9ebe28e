"""What the plugin needs from outside, in its own words. Adapters in `venues` fulfil it."""

from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from copyplugin.domain.account import (
    AccountBalance,
    FundingPayment,
    TransferOutcome,
    TransferRequest,
    VenuePosition,
)
from copyplugin.domain.capacity import Depth
from copyplugin.domain.fill import LeaderFill, MarginMode, PositionSide
from copyplugin.domain.identifiers import (
    AccountId,
    ClientOrderId,
    Symbol,
    VenueFillId,
)
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.notice import Message
from copyplugin.domain.order import OrderReport, OrderRequest
from copyplugin.domain.plan_order import PlanReport, PlanRequest


class Clock(Protocol):
    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        ...


class Notifier(Protocol):
    """One way out for notices, beside the page."""

    async def send(self, message: Message) -> None:
        """Hand the message over; whoever takes it knows by its number whether it is a repetition.

        Raises `DeliveryFailed` where nobody took it.
        """
        ...


class MovesMoney(StrEnum):
    """Between which accounts a venue moves money for us (V6)."""

    FULL = "full"
    OWN_ACCOUNTS = "own_accounts"
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueCapabilities:
    moves_money: MovesMoney
    opens_sub_accounts: bool
    hedge_mode: bool
    streams_fills: bool
    tells_leader_balance: bool  # fills carry `available_after` and `initial_margin` (C5)
    plan_orders: bool  # rests plan orders (P1)
    amends_plans: bool  # changes a resting one in place (P2)
    adjusts_margin: bool  # adds to and takes from the margin of an isolated position (C14)
    counts_finer: bool = False  # than we store: what is left over stays in its wallet
    # An order that the venue does not know may still arrive so long after it was sent; 0: it knows.
    requests_live_seconds: int = 0
    # An order that ended with nothing filled is listed no more so long after; 0: it always is.
    forgets_empty_seconds: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class FundingTerms:
    """What the next funding payment of an instrument will be: longs pay a positive rate."""

    rate: Ratio  # of the value at the mark, as it stands now
    next_at: datetime


@runtime_checkable
class TellsFunding(Protocol):
    """A venue that says beforehand what funding will cost; what others have is not known."""

    async def funding_terms(self) -> Mapping[Symbol, FundingTerms]:
        """Return the terms of every instrument that exchanges funding; as `VenueUnavailable`."""
        ...


@runtime_checkable
class RemembersInstruments(Protocol):
    """A venue that speaks of instruments by a list of its own, which ends with the process."""

    def remember(self, instruments: Mapping[Symbol, Instrument]) -> None:
        """Learn what was traded before: what is listed no more can be asked about and closed."""
        ...


class Subscription(Protocol):
    async def close(self) -> None:
        """Stop the stream; no callback runs after this returns."""
        ...


class Venue(Protocol):
    """A place that executes orders.

    Every method may raise `VenueUnavailable`. Those that change something raise `OutcomeUnknown`
    where the request may have been carried out, and a `RequestRejected` where it certainly was not.
    """

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> VenueCapabilities: ...

    async def instruments(self) -> Mapping[Symbol, Instrument]:
        """Return what the venue trades now."""
        ...

    async def marks(self) -> Mapping[Symbol, Price]:
        """Return the mark price of every instrument that has one."""
        ...

    async def depth(self, symbol: Symbol, bound: Ratio) -> Depth:
        """Return what could be bought and sold at once within that ratio of the best price."""
        ...

    async def knows_account(self, account: AccountId) -> bool:
        """Return whether this UID belongs to an account of the venue."""
        ...

    async def open_sub_account(self, owner: AccountId, label: str) -> AccountId:
        """Return the owner's sub-account of this label, opening it where there is none yet."""
        ...

    async def transfer(self, request: TransferRequest) -> None:
        """Move the money; the same transfer id again moves nothing and succeeds.

        Raises `TransferRejected` where nothing moved for certain.
        """
        ...

    async def transfer_outcome(self, request: TransferRequest) -> TransferOutcome:
        """Return whether this transfer was carried out, by its id."""
        ...

    async def balance(self, account: AccountId) -> AccountBalance: ...

    async def positions(self, account: AccountId) -> Sequence[VenuePosition]:
        """Return what is open, at most one position per symbol and side."""
        ...

    async def set_hedge_mode(self, account: AccountId) -> None:
        """Keep long and short apart; does nothing where they already are."""
        ...

    async def configure(
        self, account: AccountId, symbol: Symbol, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        """Set leverage and margin mode of both sides; does nothing where they already are so."""
        ...

    async def place_order(self, request: OrderRequest) -> OrderReport:
        """Send an order and return what is known of it when the venue has acknowledged it.

        Raises `OrderRejected` where nothing was or will be executed.
        """
        ...

    async def find_order(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        """Return the order of this client order id, ended ones too; None where it is not there.

        It may still arrive until `capabilities.requests_live_seconds` after it was sent, and it may
        be missing from the venue's lists for a moment where it was acknowledged: who asks knows.
        """
        ...

    async def place_plan(self, request: PlanRequest) -> PlanReport:
        """Rest a plan order; return what is known of it when the venue has acknowledged it.

        Raises `OrderRejected` where nothing rests and nothing fired: `RejectReason.ALREADY_THROUGH`
        where the price has passed its trigger, `RejectReason.NO_POSITION` where there is nothing to
        close. A client order id that the venue knows already is `OutcomeUnknown`.
        """
        ...

    async def amend_plan(
        self,
        account: AccountId,
        symbol: Symbol,
        client_order_id: ClientOrderId,
        *,
        contracts: Contracts,
        trigger_price: Price,
    ) -> PlanReport:
        """Change a resting plan order in place, only where `capabilities.amends_plans`.

        Does nothing where it is so already. Raises `OrderRejected` where it stays as it was:
        `RejectReason.NOT_FOUND` where it rests no more, `RejectReason.ALREADY_THROUGH` where the
        price has passed the new trigger.
        """
        ...

    async def cancel_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> None:
        """Withdraw a plan order; does nothing where it no longer rests."""
        ...

    async def find_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> PlanReport | None:
        """Return the plan order of this id, ended ones too; None where it never arrived."""
        ...

    async def plans(self, account: AccountId) -> Sequence[PlanReport]:
        """Return the account's resting plan orders, of all symbols, oldest first."""
        ...

    async def adjust_margin(
        self, account: AccountId, symbol: Symbol, position_side: PositionSide, money: Money
    ) -> None:
        """Add money to an isolated position (positive) or take it out (negative).

        Raises `OrderRejected` where nothing moved. It has no id: after `OutcomeUnknown` the
        position's margin tells whether it was done.
        """
        ...

    async def leader_fills(
        self, account: AccountId, after: VenueFillId | None
    ) -> Sequence[LeaderFill]:
        """Return the account's fills after that one, in order, all of them or the next page.

        An empty answer means that there are no more. None asks from the oldest the venue keeps.
        """
        ...

    async def subscribe(
        self, accounts: Collection[AccountId], on_fill: Callable[[LeaderFill], None]
    ) -> Subscription:
        """Call back on the event loop for each fill of these accounts from now on.

        A stream may lose, repeat or reorder fills; `leader_fills` is the truth.
        """
        ...

    async def funding(self, account: AccountId, since: datetime | None) -> Sequence[FundingPayment]:
        """Return the funding payments at or after that time, in order."""
        ...


class Dispatcher(Protocol):
    """Who works when: wake-ups for work that has come up, and jobs by the clock.

    A wake-up may be lost, repeated or late: the rows say what is to be done. What is served under
    one name never runs twice at a time; neither does a job.
    """

    def serve(
        self, name: str, handler: Callable[[frozenset[int]], Coroutine[Any, Any, None]]
    ) -> None:
        """Call the handler with all keys announced since its last run."""
        ...

    def announce(self, name: str, keys: Iterable[int] = ()) -> None:
        """Let the handler of that name run soon; from the event loop's thread only."""
        ...

    def announce_within(self, transaction: Any, name: str, keys: Collection[int]) -> None:
        """Let the handler of that name run once the store's transaction has been committed.

        From whichever thread the transaction runs in. If it is not committed, nothing is announced.
        """
        ...

    def announce_at(self, at: datetime, name: str, keys: Iterable[int] = ()) -> None:
        """Do as `announce` once that time has come."""
        ...

    def every(self, seconds: int, name: str, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a job by the clock, first after one period."""
        ...

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside everything else; `stop` waits for it."""
        ...

    async def start(self) -> None: ...

    async def stop(self) -> None:
        """Start nothing more and wait for what runs."""
        ...
