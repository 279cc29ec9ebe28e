"""The simulated exchange of this process as a bench: time is moved by hand."""

from typing import Self

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.money import Contracts, Money, Price
from copyplugin.ports import Venue
from copyplugin.venues.conformance.bench import Errand, Fault
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.clock import ManualClock
from simexchange.core import commands as c
from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.core.types import SECOND_US
from simexchange.faults import FaultPlan, FaultySimulation
from tests.venues import line
from tests.venues.scenery import SYMBOL, Scenery, exchange_plan

START_US = 1_767_614_400 * SECOND_US


class SimulatedBench:
    """Calls take no time, so nothing needs patience; faults are those of a line in between."""

    symbol = Symbol(SYMBOL)
    patience_seconds = 1
    faults = line.FAULTS | {Fault.REJECTION, Fault.PLAN_FAILURE}

    def __init__(self) -> None:
        self.clock = ManualClock(START_US)
        self._simulation = simulation = FaultySimulation(
            Exchange(ExchangeConfig(check_every=1)), self.clock
        )
        self.scenery = Scenery(simulation)
        self._line = line.Line()
        self._venues = [SimulatedVenue(simulation)]
        self.venue: Venue = line.LineVenue(self._venues[0], self._line)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._line.close()
        for venue in self._venues:
            venue.close()
        self.scenery.simulation.exchange.check()

    async def open_account(self, *, spot: Money, contract: Money) -> AccountId:
        return AccountId(str(self.scenery.open_account(spot=spot, contract=contract)))

    async def set_price(self, symbol: Symbol, price: Price) -> None:
        self._tick()
        self.scenery.set_price(symbol, price)

    async def quote(self, symbol: Symbol, *, bid: Price, ask: Price, contracts: Contracts) -> None:
        self.scenery.quote(symbol, bid, ask, contracts)

    async def trade(
        self,
        account: AccountId,
        symbol: Symbol,
        order_side: OrderSide,
        position_side: PositionSide | None,
        contracts: Contracts,
    ) -> None:
        self._tick()
        self.scenery.trade(int(account), symbol, order_side, position_side, contracts)

    async def pay_funding(self, symbol: Symbol) -> None:
        self.scenery.apply(c.SetFundingRate(symbol, 100_000))
        self.clock.advance(seconds=8 * 3600)
        self.scenery.apply(c.AdvanceTime())

    async def inject(self, fault: Fault, errand: Errand, *, times: int = 1) -> None:
        if fault in {Fault.REJECTION, Fault.PLAN_FAILURE}:
            self._simulation.set_plan(exchange_plan(fault, errand, times))
        else:
            self._line.inject(fault, errand, times)

    async def heal(self) -> None:
        self._line.heal()
        self._simulation.set_plan(FaultPlan())

    async def reopened(self) -> Venue:
        self._venues.append(SimulatedVenue(self.scenery.simulation))
        return self._venues[-1]

    def _tick(self) -> None:
        self.clock.advance(microseconds=1_000)
