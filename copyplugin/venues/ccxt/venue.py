"""The `Venue` port over ccxt: who acts for whom, what is in doubt, where the quirks come in."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from copyplugin.domain.account import (
    AccountBalance,
    FundingPayment,
    TransferOutcome,
    TransferRequest,
    VenuePosition,
)
from copyplugin.domain.capacity import Depth, depth_within
from copyplugin.domain.fill import LeaderFill, MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol, VenueFillId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.order import OrderReport, OrderRequest
from copyplugin.domain.plan_order import PlanReport, PlanRequest
from copyplugin.errors import (
    OrderRejected,
    OutcomeUnknown,
    RequestRejected,
    TransferRejected,
    VenueUnavailable,
)
from copyplugin.ports import FundingTerms, VenueCapabilities
from copyplugin.venues.ccxt.clients import Client, Clients
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialect import Dialect, Identity, Movement, Tier, capabilities_of
from copyplugin.venues.ccxt.dialects import dialect_of
from copyplugin.venues.ccxt.doubt import Doubts
from copyplugin.venues.ccxt.fill_log import FillLogs, venue_now
from copyplugin.venues.ccxt.keys import AccountKeys, KnownAccount
from copyplugin.venues.ccxt.stream import Streams, Subscription

T = TypeVar("T")

TIERS_KEPT_SECONDS = 3600.0


class CcxtVenue:
    """One venue through ccxt, for all accounts whose keys are known.

    Nothing is sent before the first call on a running loop; `close` ends connections and streams.
    """

    def __init__(
        self, config: VenueConfig, keys: AccountKeys, *, dialect: Dialect | None = None
    ) -> None:
        """Make it, with a dialect of the caller's where one is given.

        Raises `ConfigurationError` where the config names one that is none of ours.
        """
        self.config = config
        self.dialect: Dialect = dialect_of(config) if dialect is None else dialect
        self.keys = keys
        self._capabilities = capabilities_of(self.dialect)
        self._clients = Clients(self.dialect, config)
        self._book: dict[Symbol, Instrument] = {}
        self._remembered: Mapping[Symbol, Instrument] = {}
        self._tiers: Mapping[Symbol, Tier] = {}
        self._tiers_until = 0.0
        self._doubts = Doubts(self.dialect.request_lives)
        self._logs = FillLogs(self.dialect, self._client, self._known_book, config.history)
        self._streams = Streams(self.dialect, self._clients, keys, self._logs)

    @property
    def name(self) -> str:
        return self.dialect.name

    @property
    def capabilities(self) -> VenueCapabilities:
        return self._capabilities

    @property
    def clock_ahead_ms(self) -> int:
        """Return how far this computer's clock is ahead of the venue's; 0 before it was asked."""
        return self._clients.clock_ahead_ms

    async def close(self) -> None:
        """Close streams and connections."""
        await self._streams.close()
        await self._clients.close()

    # -- who acts

    async def client(self, account: AccountId) -> Client:
        """Return what sends the account's requests; raises `VenueUnavailable` without its keys."""
        return await self._client(account)

    async def public_client(self) -> Client:
        return await self._clients.public()

    async def _client(self, account: AccountId) -> Client:
        known = self.keys.find(account)
        if known is None:
            raise VenueUnavailable(f"no API key is known for account {account}: connect it first")
        if self.dialect.needs_passphrase and not known.keys.passphrase:
            raise VenueUnavailable(
                f"the API key of account {account} lacks its passphrase: connect it with one"
            )
        return await self._clients.of(account, known.keys)

    async def _known_book(self) -> Mapping[Symbol, Instrument]:
        if not self._book:
            await self.instruments()
        return self._book

    async def _instrument(self, symbol: Symbol) -> Instrument:
        book = await self._known_book()
        if symbol not in book:
            await self.instruments()
        if symbol not in self._book:
            raise OrderRejected("unknown_instrument", f"{self.name} does not trade {symbol}.")
        return self._book[symbol]

    async def _instrument_asked(self, symbol: Symbol) -> Instrument:
        """Return it to ask about what was sent: where it is not known, nothing is known of that."""
        try:
            return await self._instrument(symbol)
        except OrderRejected as error:
            raise VenueUnavailable(error.sentence) from error

    # -- the market

    def remember(self, instruments: Mapping[Symbol, Instrument]) -> None:
        """Take what is listed no more as it was; what the venue lists now counts before it."""
        self._remembered = instruments
        if self._book:
            self._add_remembered()

    def _add_remembered(self) -> None:
        for symbol, instrument in self._remembered.items():
            if self.dialect.can_speak_of(symbol):
                self._book.setdefault(symbol, instrument)

    async def instruments(self) -> Mapping[Symbol, Instrument]:
        trading: dict[Symbol, Instrument] = {}
        markets = await self._clients.markets()
        tiers = await self._lowest_tiers()
        for market in markets:
            instrument = self.dialect.instrument(market)
            if instrument is not None:
                tier = tiers.get(instrument.symbol)
                if tier is not None:
                    instrument = tier.applied_to(instrument)
                self._book[instrument.symbol] = instrument
                if self.dialect.is_trading(market):
                    trading[instrument.symbol] = instrument
        if self._book:
            self._add_remembered()
        return trading

    async def _lowest_tiers(self) -> Mapping[Symbol, Tier]:
        """Ask once in a while: they change seldom, and are told in many pages."""
        now = asyncio.get_running_loop().time()
        if self._tiers_until <= now:
            masters = self.keys.masters()
            client = await self._clients.public()
            if masters:
                client = await self._clients.of(masters[0].account, masters[0].keys)
            self._tiers = await _understood(self.dialect.tiers(client))
            self._tiers_until = now + (TIERS_KEPT_SECONDS if self._tiers else 0)
        return self._tiers

    async def marks(self) -> Mapping[Symbol, Price]:
        book = await self._known_book()
        marks = await self.dialect.marks(await self._clients.public())
        return {symbol: price for symbol, price in marks.items() if symbol in book}

    async def depth(self, symbol: Symbol, bound: Ratio) -> Depth:
        """Return it as far as the venue's one answer reaches, which may be less than there is."""
        instrument = await self._instrument(symbol)
        client = await self._clients.public()
        bids, asks = await _understood(self.dialect.levels(client, instrument))
        return depth_within(bids, asks, instrument, bound)

    async def funding_terms(self) -> Mapping[Symbol, FundingTerms]:
        book = await self._known_book()
        terms = await _understood(self.dialect.funding_terms(await self._clients.public()))
        return {symbol: one for symbol, one in terms.items() if symbol in book}

    # -- accounts

    async def knows_account(self, account: AccountId) -> bool:
        """Return whether we have a key that proves to be this account's (V7)."""
        known = self.keys.find(account)
        if known is None:
            return False
        return (await self.identity(account)).account == account

    async def identity(self, account: AccountId) -> Identity:
        """Return whose the account's key is and what it may do (V5, V7)."""
        return await _understood(self.dialect.identity(await self._client(account)))

    async def open_sub_account(self, owner: AccountId, label: str) -> AccountId:
        """Return the sub-account of this label: known, taken from the pool, or made (V2)."""
        known = self.keys.sub_account(owner, label)
        if known is None:
            known = self._from_pool(owner, label)
        if known is None:
            known = await self._made(owner, label)
        return known.account

    def _from_pool(self, owner: AccountId, label: str) -> KnownAccount | None:
        spare = self.keys.spare(owner)
        if spare is None:
            return None
        taken = KnownAccount(
            account=spare.account,
            keys=spare.keys,
            owner=owner,
            label=label,
            is_pooled=True,
            address=spare.address,
        )
        self.keys.keep(taken)
        return taken

    async def _made(self, owner: AccountId, label: str) -> KnownAccount:
        if not self.capabilities.opens_sub_accounts:
            raise RequestRejected(
                "no_spare_account",
                f"{self.name} opens no sub-accounts for us and none of the pool is free: "
                "register another one.",
            )
        client = await self._client(owner)
        known = await self.dialect.open_sub_account(client, label, self.config.egress_addresses)
        self.keys.keep(known)
        return known

    async def balance(self, account: AccountId) -> AccountBalance:
        return await self.dialect.balance(await self._client(account))

    async def positions(self, account: AccountId) -> Sequence[VenuePosition]:
        book = await self._known_book()
        return await _understood(self.dialect.positions(await self._client(account), book))

    async def set_hedge_mode(self, account: AccountId) -> None:
        await self.dialect.set_hedge_mode(await self._client(account))

    async def configure(
        self, account: AccountId, symbol: Symbol, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        instrument = await self._instrument(symbol)
        client = await self._client(account)
        await self.dialect.configure(client, instrument, leverage, margin_mode)

    async def funding(self, account: AccountId, since: datetime | None) -> Sequence[FundingPayment]:
        client, book = await self._client(account), await self._known_book()
        start = since or venue_now(client) - self.config.history
        payments = await _understood(self.dialect.funding(client, book, start))
        return sorted(payments, key=lambda payment: payment.at)

    # -- money

    async def transfer(self, request: TransferRequest) -> None:
        client, movement = await self._movement(request)
        await self.dialect.move(client, movement)

    async def transfer_outcome(self, request: TransferRequest) -> TransferOutcome:
        try:
            client, movement = await self._movement(request)
        except TransferRejected:
            return TransferOutcome.UNKNOWN_TO_VENUE  # it was never sent
        moved = await self.dialect.was_moved(client, movement)
        return TransferOutcome.DONE if moved else TransferOutcome.UNKNOWN_TO_VENUE

    async def _movement(self, request: TransferRequest) -> tuple[Client, Movement]:
        """Return who moves the money: the owner of both accounts, or the account itself."""
        giver, taker = self.keys.find(request.from_account), self.keys.find(request.to_account)
        if giver is None or taker is None:
            missing = request.from_account if giver is None else request.to_account
            raise TransferRejected("unknown_account", f"No API key of account {missing} is known.")
        owner = giver.owner or giver.account
        if owner != (taker.owner or taker.account):
            raise TransferRejected(
                "not_own_accounts",
                f"{self.name} moves money inside one owner's accounts only: "
                f"{giver.account} and {taker.account} have two.",
            )
        acting = giver.account if giver.account == taker.account else owner
        return await self._client(acting), Movement(
            transfer_id=request.transfer_id,
            giver=giver,
            from_wallet=request.from_wallet,
            taker=taker,
            to_wallet=request.to_wallet,
            money=request.money,
        )

    # -- orders

    async def place_order(self, request: OrderRequest) -> OrderReport:
        """Send the order; a venue that only acknowledges leaves it WORKING until it is asked for.

        One that was not answered may still arrive: `find_order` knows for how long.
        """
        instrument = await self._instrument(request.symbol)
        client = await self._client(request.account)
        return await self._doubting(
            request.account,
            request.client_order_id,
            self.dialect.place_order(client, request, instrument),
        )

    async def find_order(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        """Ask for the order; raises `VenueUnavailable` while one that is missing may still come."""
        instrument = await self._instrument_asked(symbol)
        client = await self._client(account)
        return await self._found(
            account, client_order_id, self.dialect.find_order(client, instrument, client_order_id)
        )

    # -- plan orders

    async def place_plan(self, request: PlanRequest) -> PlanReport:
        instrument = await self._instrument(request.symbol)
        client = await self._client(request.account)
        return await self._doubting(
            request.account,
            request.client_order_id,
            self.dialect.place_plan(client, request, instrument),
        )

    async def amend_plan(
        self,
        account: AccountId,
        symbol: Symbol,
        client_order_id: ClientOrderId,
        *,
        contracts: Contracts,
        trigger_price: Price,
    ) -> PlanReport:
        """Move the trigger, and the size where plan orders have one.

        Raises as the port says, and `OrderRejected` where the venue amends none.
        """
        if not self.capabilities.amends_plans:
            raise OrderRejected("not_supported", f"{self.name} changes no plan order in place.")
        instrument, client = await self._instrument(symbol), await self._client(account)
        return await self.dialect.amend_plan(
            client,
            instrument,
            client_order_id,
            contracts=contracts,
            trigger_price=trigger_price,
        )

    async def cancel_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> None:
        instrument, client = await self._instrument(symbol), await self._client(account)
        await self.dialect.cancel_plan(client, instrument, client_order_id)

    async def find_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> PlanReport | None:
        """Ask for it; raises `VenueUnavailable` while one that is missing may still come."""
        instrument, client = await self._instrument_asked(symbol), await self._client(account)
        return await self._found(
            account, client_order_id, self.dialect.find_plan(client, instrument, client_order_id)
        )

    async def plans(self, account: AccountId) -> Sequence[PlanReport]:
        client, book = await self._client(account), await self._known_book()
        return await _understood(self.dialect.plans(client, book))

    async def adjust_margin(
        self, account: AccountId, symbol: Symbol, position_side: PositionSide, money: Money
    ) -> None:
        instrument, client = await self._instrument(symbol), await self._client(account)
        await self.dialect.adjust_margin(client, instrument, position_side, money)

    # -- what is in doubt

    async def _doubting(
        self, account: AccountId, client_order_id: ClientOrderId, sending: Awaitable[T]
    ) -> T:
        """Send something under a name, and remember until when it may arrive unanswered."""
        doubt = self._doubts.sent(account, client_order_id)
        try:
            answer = await sending
        except (OutcomeUnknown, asyncio.CancelledError):
            doubt.remains()
            raise
        except (KeyError, IndexError, TypeError) as error:
            doubt.remains()
            raise OutcomeUnknown(f"the venue's answer was not understood: {error!r}") from error
        doubt.is_acknowledged()
        return answer

    async def _found(
        self, account: AccountId, client_order_id: ClientOrderId, question: Awaitable[T | None]
    ) -> T | None:
        self._doubts.asked()
        found = await _understood(question)
        if found is None:
            self._doubts.check_over(account, client_order_id)
        else:
            self._doubts.forget((account, client_order_id))
        return found

    # -- fills

    async def leader_fills(
        self, account: AccountId, after: VenueFillId | None
    ) -> Sequence[LeaderFill]:
        return await self._logs.of(account).after(after)

    async def subscribe(
        self, accounts: Collection[AccountId], on_fill: Callable[[LeaderFill], None]
    ) -> Subscription:
        return await self._streams.subscribe(accounts, on_fill)


async def _understood(question: Awaitable[T]) -> T:
    """Return the answer; one that lacks what the venue documents counts as none."""
    try:
        return await question
    except (KeyError, IndexError, TypeError) as error:
        raise VenueUnavailable(f"the venue's answer was not understood: {error!r}") from error
