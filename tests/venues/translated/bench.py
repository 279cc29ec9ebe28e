"""A venue that has no served exchange as a bench: a dialect of ours before a fake of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.money import Contracts, Money, Price
from copyplugin.venues.ccxt.bitget import Bitget
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialect import Dialect
from copyplugin.venues.ccxt.keys import KeysInMemory, KnownAccount
from copyplugin.venues.ccxt.okx import Okx
from copyplugin.venues.ccxt.venue import CcxtVenue
from copyplugin.venues.conformance.bench import Errand, Fault
from simexchange.core import commands as c
from simexchange.faults import FaultPlan
from tests.venues.scenery import SYMBOL, exchange_plan
from tests.venues.translated import bitget_edge, okx_edge, okx_venue
from tests.venues.translated.edge import SKEW_MS, Edge, Rule

FUNDING_RATE = 100_000  # in 10⁻⁸
LIVES = timedelta(milliseconds=400)  # what a fake takes up at all it takes up at once


class HastyBitget(Bitget):
    @property
    def request_lives(self) -> timedelta:
        return LIVES


class HastyOkx(Okx):
    @property
    def request_lives(self) -> timedelta:
        return LIVES


@dataclass(frozen=True, kw_only=True)
class Translation:
    """A dialect, its fake, and where its errands go."""

    edge: Callable[[], Edge]
    dialect: Callable[[VenueConfig], Dialect]
    symbol: Symbol
    exchange_symbol: Callable[[str], str]
    paths: dict[Errand, tuple[str, ...]] = field(default_factory=dict)


TRANSLATIONS = {
    "bitget": Translation(
        edge=bitget_edge.BitgetEdge,
        dialect=HastyBitget,
        symbol=Symbol(SYMBOL),
        exchange_symbol=str,
        paths={
            Errand.ORDER: ("/mix/order/place-order",),
            Errand.PLAN: ("/mix/order/place-tpsl-order",),
            Errand.TRANSFER: ("/spot/wallet/subaccount-transfer", "/spot/wallet/transfer"),
            Errand.SUB_ACCOUNT: (
                "/user/create-virtual-subaccount",
                "/user/create-virtual-subaccount-apikey",
            ),
            Errand.QUESTION: ("/mix/position/all-position", "/mix/account/accounts"),
            Errand.STREAM: (Errand.STREAM,),
        },
    ),
    "okx": Translation(
        edge=okx_edge.OkxEdge,
        dialect=HastyOkx,
        symbol=Symbol(okx_venue.venue_id(SYMBOL)),
        exchange_symbol=okx_venue.exchange_id,
        paths={
            Errand.ORDER: ("/trade/order",),
            Errand.PLAN: ("/trade/order-algo",),
            Errand.TRANSFER: ("/asset/transfer",),
            Errand.QUESTION: ("/account/positions", "/account/balance"),
            Errand.STREAM: (Errand.STREAM,),
        },
    ),
}


class TranslatedBench:
    """Everything happens on one event loop: what a method did has happened when it returns."""

    patience_seconds = 15
    faults = frozenset(Fault)

    def __init__(self, name: str) -> None:
        self.name = name
        self.translation = TRANSLATIONS[name]
        self.edge = self.translation.edge()
        self.symbol = self.translation.symbol
        self.keys = KeysInMemory()
        self.address = ""
        self._venues: list[CcxtVenue] = []

    async def __aenter__(self) -> Self:
        self.address = await self.edge.start()
        self.venue = await self.reopened()
        return self

    async def __aexit__(self, *_: object) -> None:
        for venue in self._venues:
            await venue.close()
        await self.edge.stop()
        assert not self.edge.mistakes

    async def reopened(self) -> CcxtVenue:
        config = VenueConfig(
            dialect=self.name, address=self.address, socket_silence=timedelta(seconds=1)
        )
        dialect = self.translation.dialect(config)
        self._venues.append(CcxtVenue(config, self.keys, dialect=dialect))
        return self._venues[-1]

    def _exchange(self, symbol: Symbol) -> str:
        return self.translation.exchange_symbol(symbol)

    async def open_account(self, *, spot: Money, contract: Money) -> AccountId:
        number = self.edge.scenery.open_account(spot=spot, contract=contract)
        account = AccountId(str(number))
        self.keys.keep(KnownAccount(account=account, keys=self.edge.add_key(account)))
        return account

    async def set_price(self, symbol: Symbol, price: Price) -> None:
        self.edge.scenery.set_price(self._exchange(symbol), price)

    async def quote(self, symbol: Symbol, *, bid: Price, ask: Price, contracts: Contracts) -> None:
        self.edge.scenery.quote(self._exchange(symbol), bid, ask, contracts)

    async def trade(
        self,
        account: AccountId,
        symbol: Symbol,
        order_side: OrderSide,
        position_side: PositionSide | None,
        contracts: Contracts,
    ) -> None:
        where = self._exchange(symbol)
        self.edge.scenery.trade(int(account), where, order_side, position_side, contracts)

    async def pay_funding(self, symbol: Symbol) -> None:
        self.edge.scenery.apply(c.SetFundingRate(self._exchange(symbol), FUNDING_RATE))
        self.edge.advance(8 * 3_600)
        self.edge.scenery.apply(c.AdvanceTime())

    async def inject(self, fault: Fault, errand: Errand, *, times: int = 1) -> None:
        if fault in {Fault.REJECTION, Fault.PLAN_FAILURE}:
            self.edge.simulation.set_plan(exchange_plan(fault, errand, times))
        elif fault is Fault.CLOCK_SKEW:
            self.edge.skew_ms = SKEW_MS
        else:
            self.edge.rules.append(Rule(fault, self.translation.paths[errand], times))

    async def heal(self) -> None:
        self.edge.rules.clear()
        self.edge.skew_ms = 0
        self.edge.simulation.set_plan(FaultPlan())
