"""Accounts with play money as a venue: orders meet the prices of a real one, and go nowhere.

Instruments, marks and funding are the real venue's; accounts, orders and positions live on an
exchange of our own (`paper_market`), which is opened when the first of them is asked for.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from copyplugin.domain.account import (
    AccountBalance,
    FundingPayment,
    TransferOutcome,
    TransferRequest,
    VenuePosition,
    Wallet,
)
from copyplugin.domain.capacity import Depth
from copyplugin.domain.fill import LeaderFill, MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol, VenueFillId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.order import OrderReport, OrderRequest
from copyplugin.domain.paper import PREFIX, is_paper_main, paper_sub
from copyplugin.domain.plan_order import PlanReport, PlanRequest, TriggerBy
from copyplugin.errors import (
    ConfigurationError,
    OrderRejected,
    Refused,
    RequestRejected,
    VenueUnavailable,
)
from copyplugin.ports import Clock, FundingTerms, TellsFunding, Venue
from copyplugin.venues.paper_market import JOURNAL, PaperMarket
from copyplugin.venues.simulated import SimulatedSubscription, SimulatedVenue
from copyplugin.venues.simulated_values import units_of
from simexchange.journal.records import JournalError

FRESH = timedelta(seconds=2)
"""How old a mark may be that an order is filled at; an older one is asked for anew."""

FUNDING_PERIOD = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperSettings:
    """Where the exchange is kept, and how much worse than the mark followers trade on it."""

    directory: Path
    slippage: Ratio


class PaperVenue:
    """The part of a venue that paper accounts need; every account here has a name of its kind."""

    name = "paper"
    capabilities = SimulatedVenue.capabilities

    def __init__(self, real: Venue, clock: Clock, settings: PaperSettings) -> None:
        """Raise `ConfigurationError` where there is an exchange that cannot be opened."""
        self._real = real
        self._clock = clock
        self._settings = settings
        self._instruments: Mapping[Symbol, Instrument] = {}
        self._marks: Mapping[Symbol, Price] = {}
        self._marks_at: datetime | None = None
        self._terms: Mapping[Symbol, FundingTerms] = {}
        self._terms_at: datetime | None = None
        self._opened: tuple[PaperMarket, SimulatedVenue] | None = None
        self._numbers: dict[AccountId, int] = {}
        if (settings.directory / JOURNAL).exists():
            self._open()

    def close(self) -> None:
        """Let go of the exchange; it comes back as it was."""
        if self._opened is not None:
            market, venue = self._opened
            venue.close()
            market.close()
            self._opened = None

    # -- what the real venue tells

    async def instruments(self) -> Mapping[Symbol, Instrument]:
        return await self._real.instruments()

    async def marks(self) -> Mapping[Symbol, Price]:
        return await self._real.marks()

    async def depth(self, symbol: Symbol, bound: Ratio) -> Depth:
        return await self._real.depth(symbol, bound)

    def learn_instruments(self, listed: Mapping[Symbol, Instrument]) -> None:
        self._instruments = {**self._instruments, **listed}

    def remember(self, instruments: Mapping[Symbol, Instrument]) -> None:
        self._instruments = {**instruments, **self._instruments}

    async def learn_marks(self, marks: Mapping[Symbol, Price]) -> None:
        """Let what is open feel the marks: plan orders fire, positions are liquidated."""
        self._marks, self._marks_at = marks, self._clock.now()
        if self._opened is None:
            return
        market, _ = self._opened
        market.pass_time()
        active = market.active()
        if active:
            await self._learn_funding()
        for symbol in active:
            if symbol in self._terms:
                market.set_funding(symbol, self._terms[symbol])
            if symbol in marks:
                market.move(symbol, marks[symbol])
        market.keep()

    async def _learn_funding(self) -> None:
        """Ask for the rates now and then; what cannot be asked stays as it was."""
        now = self._clock.now()
        if self._terms_at is not None and now - self._terms_at < FUNDING_PERIOD:
            return
        if not isinstance(self._real, TellsFunding):
            return
        try:
            self._terms = await self._real.funding_terms()
        except VenueUnavailable:
            return
        self._terms_at = now

    async def _mark_of(self, symbol: Symbol) -> Price:
        """Return a fresh mark of the real venue; raises `VenueUnavailable` where there is none."""
        now = self._clock.now()
        if self._marks_at is None or now - self._marks_at > FRESH or symbol not in self._marks:
            self._marks, self._marks_at = await self._real.marks(), self._clock.now()
        mark = self._marks.get(symbol)
        if mark is None:
            raise VenueUnavailable(f"{self._real.name} tells no mark price of {symbol}")
        return mark

    async def _instrument(self, symbol: Symbol) -> Instrument:
        if symbol not in self._instruments:
            self.learn_instruments(await self._real.instruments())
        if symbol not in self._instruments:
            raise OrderRejected("unknown_instrument", f"{self._real.name} trades no {symbol}")
        return self._instruments[symbol]

    async def _listed(self, symbol: Symbol) -> tuple[PaperMarket, Instrument]:
        """Return the instrument as it is traded today, listed on the exchange."""
        instrument = await self._instrument(symbol)
        market, _ = self._open()
        if not market.is_listed(symbol):
            await self._learn_funding()
            try:
                market.list_instrument(instrument, self._terms.get(symbol))
            except Refused as refusal:
                raise OrderRejected("not_on_paper", refusal.sentence) from refusal
        return market, instrument

    # -- accounts

    def _open(self) -> tuple[PaperMarket, SimulatedVenue]:
        if self._opened is None:
            try:
                market = PaperMarket(self._settings.directory, self._clock, self._settings.slippage)
            except (JournalError, OSError) as error:
                raise ConfigurationError(
                    f"the play money in {self._settings.directory} cannot be used: {error}"
                ) from error
            self._opened = market, SimulatedVenue(market.simulation)
            self._numbers = {
                AccountId(PREFIX + label): number for label, number in market.numbers().items()
            }
        return self._opened

    def _number(self, account: AccountId) -> int:
        """Return the exchange's number; somebody's main account is opened when it is needed."""
        market, _ = self._open()
        number = self._numbers.get(account)
        if number is None and is_paper_main(account):
            number = market.open_account(account.removeprefix(PREFIX), None)
            self._numbers[account] = number
        if number is None:
            raise VenueUnavailable(
                f"{self._settings.directory} has no account {account}: it is of another database"
            )
        return number

    def _at(self, account: AccountId) -> tuple[SimulatedVenue, AccountId]:
        """Return the exchange as a venue, and what it calls the account."""
        number = self._number(account)
        return self._open()[1], AccountId(str(number))

    async def knows_account(self, account: AccountId) -> bool:
        return self._opened is not None and account in self._numbers

    async def open_sub_account(self, owner: AccountId, label: str) -> AccountId:
        """Return the owner's sub-account of this label, a new one or one that was never used.

        Raises `RequestRejected` where it was: then what is here is of another database.
        """
        market, _ = self._open()
        account = paper_sub(label)
        number = self._numbers.get(account)
        if number is None:
            self._numbers[account] = market.open_account(label, self._number(owner))
        elif market.was_used(number):
            raise RequestRejected(
                "used_before",
                f"{account} was used before: what is in {self._settings.directory} is of another "
                "database, remove it",
            )
        return account

    async def transfer(self, request: TransferRequest) -> None:
        """Move play money; a main account has as much of it as it is asked for."""
        market, venue = self._open()
        giver, taker = (self._number(each) for each in (request.from_account, request.to_account))
        if (
            is_paper_main(request.from_account)
            and request.from_wallet is Wallet.SPOT
            and market.exchange.transfer(request.transfer_id) is None
        ):
            market.print_money(giver, units_of(request.money))
        await venue.transfer(
            replace(
                request,
                from_account=AccountId(str(giver)),
                to_account=AccountId(str(taker)),
            )
        )

    async def transfer_outcome(self, request: TransferRequest) -> TransferOutcome:
        return await self._open()[1].transfer_outcome(request)

    async def balance(self, account: AccountId) -> AccountBalance:
        venue, known_as = self._at(account)
        return await venue.balance(known_as)

    async def positions(self, account: AccountId) -> Sequence[VenuePosition]:
        venue, known_as = self._at(account)
        return await venue.positions(known_as)

    async def set_hedge_mode(self, account: AccountId) -> None:
        venue, known_as = self._at(account)
        await venue.set_hedge_mode(known_as)

    async def configure(
        self, account: AccountId, symbol: Symbol, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        await self._listed(symbol)
        venue, known_as = self._at(account)
        await venue.configure(known_as, symbol, leverage, margin_mode)

    async def adjust_margin(
        self, account: AccountId, symbol: Symbol, position_side: PositionSide, money: Money
    ) -> None:
        venue, known_as = self._at(account)
        await venue.adjust_margin(known_as, symbol, position_side, money)

    async def funding(self, account: AccountId, since: datetime | None) -> Sequence[FundingPayment]:
        venue, known_as = self._at(account)
        return [
            replace(payment, account=account) for payment in await venue.funding(known_as, since)
        ]

    # -- orders

    async def place_order(self, request: OrderRequest) -> OrderReport:
        """Fill the order at a fresh mark, worse by the slippage; as much as its bound allows."""
        market, instrument = await self._listed(request.symbol)
        mark = await self._mark_of(request.symbol)
        _refuse_size(request, instrument, mark)
        venue, known_as = self._at(request.account)
        market.move(request.symbol, mark, wanted=request.contracts)
        return await venue.place_order(replace(request, account=known_as))

    async def find_order(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        venue, known_as = self._at(account)
        return await venue.find_order(known_as, symbol, client_order_id)

    async def place_plan(self, request: PlanRequest) -> PlanReport:
        """Rest it until the mark crosses its trigger: nobody trades here who would set a last."""
        venue, known_as = self._at(request.account)
        return await venue.place_plan(replace(request, account=known_as, trigger_by=TriggerBy.MARK))

    async def amend_plan(
        self,
        account: AccountId,
        symbol: Symbol,
        client_order_id: ClientOrderId,
        *,
        contracts: Contracts,
        trigger_price: Price,
    ) -> PlanReport:
        venue, known_as = self._at(account)
        return await venue.amend_plan(
            known_as, symbol, client_order_id, contracts=contracts, trigger_price=trigger_price
        )

    async def cancel_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> None:
        venue, known_as = self._at(account)
        await venue.cancel_plan(known_as, symbol, client_order_id)

    async def find_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> PlanReport | None:
        venue, known_as = self._at(account)
        return await venue.find_plan(known_as, symbol, client_order_id)

    async def plans(self, account: AccountId) -> Sequence[PlanReport]:
        venue, known_as = self._at(account)
        return await venue.plans(known_as)

    # -- fills

    async def leader_fills(
        self, account: AccountId, after: VenueFillId | None
    ) -> Sequence[LeaderFill]:
        venue, known_as = self._at(account)
        fills = await venue.leader_fills(known_as, after)
        return [replace(fill, account=account) for fill in fills]

    async def subscribe(
        self, accounts: Collection[AccountId], on_fill: Callable[[LeaderFill], None]
    ) -> SimulatedSubscription:
        """Refuse: nobody leads with play money."""
        raise ConfigurationError(f"nobody follows {', '.join(accounts)}: they have play money")


def _refuse_size(request: OrderRequest, instrument: Instrument, mark: Price) -> None:
    """Refuse what the real venue would refuse for its size, by its rules of today."""
    if request.contracts > instrument.contracts_max:
        raise OrderRejected("too_large", f"at most {instrument.contracts_max} contracts an order")
    if request.reduce_only:
        return
    if request.contracts < instrument.contracts_min:
        raise OrderRejected("too_small", f"at least {instrument.contracts_min} contracts an order")
    value = instrument.notional(request.contracts, request.limit_price or mark)
    if value < instrument.notional_min:
        raise OrderRejected("too_small", f"at least {instrument.notional_min:f} USDT an order")
