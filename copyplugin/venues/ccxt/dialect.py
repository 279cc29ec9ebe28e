"""What one venue does in its own way: the quirks that the adapter is put together with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID, uuid5

from copyplugin.domain.account import AccountBalance, FundingPayment, VenuePosition, Wallet
from copyplugin.domain.capacity import Levels
from copyplugin.domain.fill import LeaderFill, MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol, TransferId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Price, Ratio
from copyplugin.domain.order import OrderReport, OrderRequest
from copyplugin.domain.plan_order import PlanReport, PlanRequest
from copyplugin.ports import FundingTerms, VenueCapabilities
from copyplugin.venues.ccxt.clients import Client, Row, Wire
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.keys import KnownAccount
from copyplugin.venues.ccxt.lean import Signed

Book = Mapping[Symbol, Instrument]
"""Every instrument of the venue, those that trade no more too."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Identity:
    """What a key says of itself (V5, V7)."""

    account: AccountId
    owner: AccountId | None  # of a sub-account
    can_trade: bool
    can_transfer: bool
    can_withdraw: bool
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Tier:
    """What the smallest positions in a symbol may do, and the fees of the account that asked."""

    leverage_max: Ratio
    maintenance_rate: Ratio | None
    maker_fee: Ratio | None = None
    taker_fee: Ratio | None = None

    def applied_to(self, instrument: Instrument) -> Instrument:
        """Return the instrument with what the venue told us of it.

        An account may have a discount: fees are at least those that the venue charges everybody.
        """
        maker, taker = instrument.maker_fee, instrument.taker_fee
        return replace(
            instrument,
            leverage_max=self.leverage_max,
            maintenance_rate=self.maintenance_rate,
            maker_fee=maker if self.maker_fee is None else max(maker, self.maker_fee),
            taker_fee=taker if self.taker_fee is None else max(taker, self.taker_fee),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Movement:
    """Money to be moved between two accounts of one owner, or two wallets of one account.

    A venue takes each name of a movement once. One that it took and then let fail is tried again
    under the next name.
    """

    transfer_id: TransferId
    giver: KnownAccount
    from_wallet: Wallet
    taker: KnownAccount
    to_wallet: Wallet
    money: Money

    @property
    def is_within_account(self) -> bool:
        return self.giver.account == self.taker.account

    def name(self, attempt: int) -> str:
        """Return what the venue is to know it by: a UUID that follows from our id."""
        return str(uuid5(_TRANSFERS, f"{self.transfer_id}/{attempt}"))


_TRANSFERS = UUID("6d0a9a5c-6d0f-5e6b-9a57-0c3b6a1f7c11")


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedFill:
    """A fill, and what the unfilled part of its order is worth where that may still rest."""

    fill: LeaderFill
    resting_value: Money = ZERO_MONEY


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """Something that changes with every fill, and what may back an order at that moment."""

    mark: object
    available: Money


class Dialect(Wire, Protocol):
    """One venue. Methods raise as those of the `Venue` port that they serve."""

    @property
    def name(self) -> str: ...

    @property
    def capabilities(self) -> VenueCapabilities: ...

    @property
    def is_proven(self) -> bool:
        """Return whether this dialect trades on the simulated exchange in our tests (V3)."""
        ...

    @property
    def needs_passphrase(self) -> bool:
        """Return whether a key has a third secret beside key and secret."""
        ...

    @property
    def tells_when_connected(self) -> bool:
        """Return whether fills are told as soon as the stream is connected."""
        ...

    @property
    def request_lives(self) -> timedelta:
        """Return how long after it was signed a request may still be carried out."""
        ...

    # -- the market

    def can_speak_of(self, symbol: Symbol) -> bool:
        """Return whether an instrument that is listed no more can be traded by its terms alone."""
        ...

    def instrument(self, market: Row) -> Instrument | None:
        """Return ccxt's market as we trade it; None for what is no linear USDT perpetual."""
        ...

    async def tiers(self, client: Client) -> Mapping[Symbol, Tier]:
        """Return the lowest margin tier of each symbol, and fees.

        `client` acts for an account where we have one, else for nobody.
        """
        ...

    def is_trading(self, market: Row) -> bool: ...

    async def marks(self, client: Client) -> Mapping[Symbol, Price]: ...

    async def funding_terms(self, client: Client) -> Mapping[Symbol, FundingTerms]:
        """Return the next funding of all instruments, where one question tells it."""
        ...

    async def levels(self, client: Client, instrument: Instrument) -> tuple[Levels, Levels]:
        """Return bids and asks, each from the best outwards, as many as one answer holds."""
        ...

    # -- the account

    async def identity(self, client: Client) -> Identity: ...

    async def balance(self, client: Client) -> AccountBalance: ...

    async def available(self, client: Client) -> Money:
        """Return what may back a new order now."""
        ...

    async def positions(self, client: Client, book: Book) -> Sequence[VenuePosition]: ...

    async def set_hedge_mode(self, client: Client) -> None: ...

    async def is_hedged(self, client: Client, symbol: Symbol) -> bool:
        """Return whether the account keeps long and short of this symbol apart."""
        ...

    async def obstacle(self, client: Client) -> str | None:
        """Return why the account cannot trade here and what its owner is to do about it."""
        ...

    async def configure(
        self, client: Client, instrument: Instrument, leverage: Ratio, margin_mode: MarginMode
    ) -> None: ...

    async def funding(
        self, client: Client, book: Book, since: datetime
    ) -> Sequence[FundingPayment]: ...

    # -- orders

    async def place_order(
        self, client: Client, request: OrderRequest, instrument: Instrument
    ) -> OrderReport: ...

    async def find_order(
        self, client: Client, instrument: Instrument, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        """Return the order, ended ones too; WORKING until all its fills are listed."""
        ...

    # -- plan orders; only where the capabilities say so

    async def place_plan(
        self, client: Client, request: PlanRequest, instrument: Instrument
    ) -> PlanReport: ...

    async def amend_plan(
        self,
        client: Client,
        instrument: Instrument,
        client_order_id: ClientOrderId,
        *,
        contracts: Contracts,
        trigger_price: Price,
    ) -> PlanReport:
        """Move the trigger, and the size where plan orders are not tied to the whole position."""
        ...

    async def cancel_plan(
        self, client: Client, instrument: Instrument, client_order_id: ClientOrderId
    ) -> None: ...

    async def find_plan(
        self, client: Client, instrument: Instrument, client_order_id: ClientOrderId
    ) -> PlanReport | None: ...

    async def plans(self, client: Client, book: Book) -> Sequence[PlanReport]: ...

    async def adjust_margin(
        self, client: Client, instrument: Instrument, position_side: PositionSide, money: Money
    ) -> None: ...

    # -- fills

    async def fills(
        self,
        client: Client,
        book: Book,
        since: datetime,
        until: datetime,
        symbols: Collection[Symbol] | None = None,
    ) -> Sequence[ListedFill]:
        """Return every fill at or after `since`, oldest first; `until` is about now.

        With `symbols`, fills in others than these and those held now may be missing.
        """
        ...

    async def glance(self, client: Client) -> Glance | None:
        """Ask what is another after every fill, where that costs less than to list fills.

        None where it does not.
        """
        ...

    async def watch(self, exchange: Any) -> None:
        """Open the stream of fills where it is not open, and wait for its next message."""
        ...

    def is_subscribed(self, message: Row) -> bool:
        """Return whether this message says that fills will be told from now on."""
        ...

    def tells_of_fills(self, message: Row) -> bool: ...

    # -- money

    async def open_sub_account(
        self, client: Client, label: str, addresses: Sequence[str]
    ) -> KnownAccount:
        """Return the caller's sub-account of this label with a new key, making what is missing.

        The key trades and moves, cannot withdraw, and is bound to these addresses if there are any.
        """
        ...

    async def move(self, client: Client, movement: Movement) -> None:
        """Move it, or find that this was done; `client` is the owner's."""
        ...

    async def was_moved(self, client: Client, movement: Movement) -> bool: ...


class PlainDialect:
    """What a dialect leaves as it is, unless its venue asks for something else."""

    needs_passphrase = False
    tells_when_connected = False
    config: VenueConfig
    absences: frozenset[str] = frozenset()

    @property
    def request_lives(self) -> timedelta:
        """Return the receive window, which is written into every request."""
        return self.config.receive_window

    def can_speak_of(self, symbol: Symbol) -> bool:
        """Return True: sizes are told in what the terms say of the instrument."""
        del symbol
        return True

    def prepare(self, exchange: Any) -> None:
        """Leave it as it is."""

    def use_testnet(self, exchange: Any) -> None:
        exchange.set_sandbox_mode(True)

    def signed(self, client: Client, method: str, params: Mapping[str, object]) -> Signed | None:
        """Let ccxt sign and send everything."""
        del client, method, params

    async def obstacle(self, client: Client) -> str | None:
        """Return None: accounts of the venue trade as they are."""
        del client

    async def funding_terms(self, client: Client) -> Mapping[Symbol, FundingTerms]:
        """Return none: the venue tells them one instrument at a time, or not at all."""
        del client
        return {}

    async def glance(self, client: Client) -> Glance | None:
        """Return None: to list the fills costs no more."""
        del client


PROCESSES_APART_SECONDS = 2
"""How far the clocks of two processes may be apart, whole seconds: one asks what another sent."""


def capabilities_of(dialect: Dialect) -> VenueCapabilities:
    """Return what a venue can do, with the time in which a lost request may still arrive."""
    seconds = -(-dialect.request_lives // timedelta(seconds=1)) + PROCESSES_APART_SECONDS
    return replace(dialect.capabilities, requests_live_seconds=seconds)
