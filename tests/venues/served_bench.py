"""The served exchange and our ccxt adapter as a bench: everything goes through sockets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self, TypeVar

from msgspec.structs import replace

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.money import Contracts, Money, Price
from copyplugin.ports import Venue
from copyplugin.venues.ccxt.config import ApiKeys, VenueConfig
from copyplugin.venues.ccxt.keys import KeysInMemory, KnownAccount
from copyplugin.venues.ccxt.venue import CcxtVenue
from copyplugin.venues.conformance.bench import Errand, Fault
from simexchange.clock import Clock, SystemClock
from simexchange.core import commands as c
from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.core.types import RATE_SCALE, SECOND_US
from simexchange.faults import FaultPlan, FaultySimulation
from simexchange.server import serving
from simexchange.server.binance.dialect import BinanceDialect
from simexchange.server.bybit.dialect import BybitDialect
from simexchange.server.clock import SteeredClock
from simexchange.server.keys import FULL
from simexchange.server.venue import Venue as ServedVenue
from simexchange.server.venue import VenueSettings
from simexchange.server.wire_faults import WireFault, WirePlan, WireRule
from tests.venues.scenery import SYMBOL, Scenery, exchange_plan

T = TypeVar("T")

SKEWS_US = {Fault.CLOCK_SKEW: 60 * SECOND_US, Fault.CLOCK_BEHIND: -60 * SECOND_US}
DELAYS_US = {
    Fault.LATENCY: (20_000, 300_000),
    Fault.LATE_REQUEST: (400_000, 500_000),  # within the receive window, and after a question
    Fault.STREAM_DELAY: (50_000, 200_000),
}
SILENCE = timedelta(seconds=1)
WINDOW = timedelta(seconds=1)  # a busy machine signs late


@dataclass(frozen=True, kw_only=True)
class Wire:
    """Where a dialect's errands go: beginnings of paths, or of a stream's topics."""

    serves: Callable[[ServedVenue], serving.Dialect]
    paths: dict[Errand, tuple[str, ...]]
    taker_fee: int  # which the adapter takes for this venue's usual one, in 10⁻⁸
    config: dict[str, object] = field(default_factory=dict)


WIRES = {
    "bybit": Wire(
        serves=BybitDialect,
        taker_fee=55_000,
        paths={
            Errand.ORDER: ("/v5/order/create",),
            Errand.PLAN: ("/v5/order/create", "/v5/position/trading-stop"),
            Errand.TRANSFER: (
                "/v5/asset/transfer/universal-transfer",
                "/v5/asset/transfer/inter-transfer",
            ),
            Errand.SUB_ACCOUNT: ("/v5/user/create-sub-member", "/v5/user/create-sub-api"),
            Errand.QUESTION: ("/v5/position/list", "/v5/account/wallet-balance"),
            Errand.STREAM: ("execution",),
        },
    ),
    "binance": Wire(
        serves=BinanceDialect,
        taker_fee=50_000,
        config={"is_broker": True},
        paths={
            Errand.ORDER: ("/fapi/v1/order",),
            Errand.PLAN: ("/fapi/v1/algoOrder",),
            Errand.TRANSFER: ("/sapi/v1/sub-account/universalTransfer", "/sapi/v1/asset/transfer"),
            Errand.SUB_ACCOUNT: (
                "/sapi/v1/sub-account/virtualSubAccount",
                "/sapi/v1/broker/subAccount",
            ),
            Errand.QUESTION: ("/fapi/v3/positionRisk", "/fapi/v3/account", "/fapi/v2/"),
            Errand.STREAM: (),  # all that a user's stream tells
        },
    ),
}


class ServedBench:
    """Bybit or Binance on loopback. One clock for the exchange and its edge, which a test moves."""

    symbol = Symbol(SYMBOL)
    patience_seconds = 15
    faults = frozenset(Fault)

    def __init__(self, dialect: str, *, edge: Clock | None = None, **config: object) -> None:
        """Take the clock of the edge, where it is not the exchange's, and more of the config."""
        self.wire = WIRES[dialect]
        self.clock = SteeredClock(SystemClock())
        self.simulation = FaultySimulation(Exchange(ExchangeConfig(check_every=1)), self.clock)
        self.scenery = Scenery(self.simulation, taker_fee=self.wire.taker_fee)
        settings = VenueSettings(seed="conformance")
        self.served = ServedVenue(self.simulation, settings, edge or self.clock)
        self._thread = serving.ServerThread(lambda: serving.Server(self._dialects()))
        self._rules: list[WireRule] = []
        self._dialect = dialect
        self._config = config
        self.keys = KeysInMemory()
        self._venues: list[CcxtVenue] = []

    async def __aenter__(self) -> Self:
        self._thread.__enter__()
        self.venue: Venue = await self.reopened()
        return self

    async def __aexit__(self, *_: object) -> None:
        for venue in self._venues:
            await venue.close()
        self._thread.__exit__()
        self.simulation.exchange.check()

    @property
    def url(self) -> str:
        return self._thread.url

    def call(self, work: Callable[[], T]) -> T:
        """Do something between two requests."""
        return self._thread.call(work)

    async def reopened(self) -> Venue:
        settings = {"receive_window": WINDOW, "socket_silence": SILENCE}
        settings |= {**self.wire.config, **self._config}
        config = VenueConfig(dialect=self._dialect, address=self.url, **settings)
        self._venues.append(self._venue(config))
        return self._venues[-1]

    def _venue(self, config: VenueConfig) -> CcxtVenue:
        return CcxtVenue(config, self.keys)

    def _dialects(self) -> tuple[serving.Dialect, ...]:
        return (self.wire.serves(self.served),)

    async def open_account(self, *, spot: Money, contract: Money) -> AccountId:
        def work() -> tuple[int, ApiKeys]:
            number = self.scenery.open_account(spot=spot, contract=contract)
            key = self.served.keys.create(number, FULL, self.served.edge_now())
            return number, ApiKeys(key.key, key.secret)

        number, keys = self.call(work)
        account = AccountId(str(number))
        self.keys.keep(KnownAccount(account=account, keys=keys))
        return account

    async def set_price(self, symbol: Symbol, price: Price) -> None:
        self.call(lambda: self.scenery.set_price(symbol, price))

    async def quote(self, symbol: Symbol, *, bid: Price, ask: Price, contracts: Contracts) -> None:
        self.call(lambda: self.scenery.quote(symbol, bid, ask, contracts))

    async def trade(
        self,
        account: AccountId,
        symbol: Symbol,
        order_side: OrderSide,
        position_side: PositionSide | None,
        contracts: Contracts,
    ) -> None:
        def work() -> None:
            self.scenery.trade(int(account), symbol, order_side, position_side, contracts)

        self.call(work)

    async def pay_funding(self, symbol: Symbol) -> None:
        def work() -> None:
            self.scenery.apply(c.SetFundingRate(symbol, 100_000))
            self.clock.advance(8 * 3_600 * SECOND_US)
            self.scenery.apply(c.AdvanceTime())

        self.call(work)

    async def inject(self, fault: Fault, errand: Errand, *, times: int = 1) -> None:
        self.call(lambda: self._inject(fault, errand, times))

    def _inject(self, fault: Fault, errand: Errand, times: int) -> None:
        if fault in {Fault.REJECTION, Fault.PLAN_FAILURE}:
            self.simulation.set_plan(exchange_plan(fault, errand, times))
            return
        skew_us = SKEWS_US.get(fault, 0)
        shortest_us, longest_us = DELAYS_US.get(fault, (0, 0))
        new = WireRule(
            fault=WireFault.CLOCK_SKEW if skew_us else WireFault(fault.value),
            chance=RATE_SCALE,
            at_most=None if skew_us else times,
            paths=None if skew_us else self.wire.paths[errand] or None,
            delay_us_min=shortest_us,
            delay_us_max=longest_us,
            skew_us=skew_us,
        )
        self._rules = [*self._left(), new]
        self.served.faults.set_plan(WirePlan(rules=tuple(self._rules)))

    def _left(self) -> list[WireRule]:
        """Return the rules that may still strike, with how often."""
        left: list[WireRule] = []
        for rule, struck in zip(self._rules, self.served.faults.struck, strict=True):
            rest = None if rule.at_most is None else rule.at_most - struck
            if rest is None or rest > 0:
                left.append(replace(rule, at_most=rest))
        return left

    async def heal(self) -> None:
        def work() -> None:
            self._rules = []
            self.served.faults.set_plan(WirePlan())
            self.simulation.set_plan(FaultPlan())

        self.call(work)
