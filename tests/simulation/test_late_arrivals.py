"""An order that the venue does not know yet: no process sends it twice, whoever asks (C11)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from copyplugin.domain.money import Money
from copyplugin.domain.order import CopyOrderState, OrderReport, OrderStatus
from copyplugin.errors import OutcomeUnknown
from copyplugin.store.rows import CopyOrderRow
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.types import PositionSide, Side
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import SOL, Pair

LIVES_SECONDS = 5


class SlowLine(SimulatedVenue):
    """A venue on a line that may keep orders, or hide those that it has."""

    capabilities = replace(SimulatedVenue.capabilities, requests_live_seconds=LIVES_SECONDS)
    keeps = hides = works = False

    def __init__(self, simulation):
        super().__init__(simulation)
        self.kept = []
        self.received = []

    async def place_order(self, request):
        if self.keeps:
            self.kept.append(request)
            raise OutcomeUnknown("nothing came back")
        self.received.append(request.client_order_id)
        report = await super().place_order(request)
        return replace(report, status=OrderStatus.WORKING, fills=()) if self.works else report

    async def find_order(self, account, symbol, client_order_id):
        if self.hides:
            return None
        return await super().find_order(account, symbol, client_order_id)

    async def let_go(self):
        """Let what was kept arrive after all."""
        self.keeps = False
        for request in self.kept:
            await self.place_order(request)


@pytest.fixture
async def plugin(tmp_path, market):
    made = Plugin(tmp_path, market, venue=SlowLine(market.simulation))
    await made.start()
    yield made
    made.close()


async def another_process_goes_on(plugin):
    """Let a process that has been there for long take over what this one leaves."""
    await plugin.die()
    plugin.open()
    await plugin.engine.start()
    await plugin.settle()


async def wait(plugin, market, seconds):
    for _ in range(seconds):
        market.clock.advance(seconds=1)
        await plugin.run_jobs("copy")


@pytest.mark.parametrize("is_other", [False, True])
async def test_an_order_that_arrives_late_is_not_sent_again(pair, market, plugin, is_other):
    plugin.venue.keeps = True
    await pair.buy(5)
    if is_other:
        await another_process_goes_on(plugin)
    await wait(plugin, market, 3)
    await plugin.venue.let_go()

    await wait(plugin, market, 10)

    assert pair.held() == 5
    assert len(plugin.venue.received) == 1


@pytest.mark.parametrize("is_other", [False, True])
async def test_an_order_that_cannot_arrive_any_more_is_sent_again_once(
    pair, market, plugin, is_other
):
    plugin.venue.keeps = True
    await pair.buy(5)
    plugin.venue.keeps = False
    if is_other:
        await another_process_goes_on(plugin)
    await wait(plugin, market, LIVES_SECONDS - 1)
    assert (pair.held(), plugin.venue.received) == (0, [])

    await wait(plugin, market, 2)

    assert pair.held() == 5
    assert len(plugin.venue.received) == 1


async def test_a_killed_processs_order_is_waited_for_from_when_it_was_first_asked_for(
    pair, market, plugin
):
    plugin.venue.keeps = True
    await pair.buy(5)
    plugin.database.write_and_wait(forget_when_it_left)
    market.clock.advance(seconds=60)
    await another_process_goes_on(plugin)
    await wait(plugin, market, LIVES_SECONDS - 1)
    await plugin.venue.let_go()

    await wait(plugin, market, 3)

    assert pair.held() == 5
    assert len(plugin.venue.received) == 1


def forget_when_it_left(session):
    """Leave the row as a process does that is killed with the order in its hand."""
    [row] = session.query(CopyOrderRow).all()
    row.sent_at = None


async def test_an_order_that_was_acknowledged_is_never_lost_whoever_asks(pair, market, plugin):
    plugin.venue.works = plugin.venue.hides = True
    market.trade(pair.leader, SOL, Side.BUY, 5, PositionSide.LONG)
    await plugin.settle()
    await another_process_goes_on(plugin)
    await wait(plugin, market, 60)

    assert len(plugin.venue.received) == 1
    [order] = pair.rows(CopyOrderRow)
    assert order.state is CopyOrderState.SENT

    plugin.venue.hides = False
    await wait(plugin, market, 31)

    assert pair.held() == 5
    [order] = pair.rows(CopyOrderRow)
    assert (order.state, order.filled) == (CopyOrderState.DONE, 5)


async def test_a_venue_that_knows_at_once_is_believed_at_once(tmp_path, market):
    plugin = Plugin(tmp_path, market, venue=KnowsAtOnce(market.simulation))
    await plugin.start()
    pair = await Pair(plugin, market).start()
    plugin.venue.keeps = True
    market.trade(pair.leader, SOL, Side.BUY, 5, PositionSide.LONG)
    await plugin.engine.feed.sweep()
    await plugin.dispatcher.settle()

    assert len(plugin.venue.kept) == 3  # three tries, one after the other (L11)
    plugin.close()


class KnowsAtOnce(SlowLine):
    capabilities = SimulatedVenue.capabilities


class Forgets(SlowLine):
    """Takes orders that find nobody to trade with, and lists such orders for a while only."""

    capabilities = replace(SlowLine.capabilities, forgets_empty_seconds=100)
    is_empty = False

    async def place_order(self, request):
        if not self.is_empty:
            return await super().place_order(request)
        return OrderReport(
            client_order_id=request.client_order_id,
            venue_order_id="forgotten",
            status=OrderStatus.WORKING,
            filled=0,
            filled_value=Money(Decimal(0)),
            fee=Money(Decimal(0)),
            realized_pnl=Money(Decimal(0)),
            fills=(),
            acknowledged_at=self.now(),
        )


async def test_a_close_that_ended_with_nothing_and_was_forgotten_is_sent_again(tmp_path, market):
    venue = Forgets(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    venue.now = plugin.clock.now
    await plugin.start()
    pair = await Pair(plugin, market).start()
    await pair.buy(5)
    venue.is_empty = True
    await pair.sell(5)
    venue.is_empty = False
    await another_process_goes_on(plugin)

    await wait(plugin, market, 90)
    assert pair.held() == 5
    await wait(plugin, market, 100)  # it is asked for, and then sent, with pauses

    assert pair.held() == 0
    forgotten, closed = pair.rows(CopyOrderRow)[1:]
    assert (forgotten.state, forgotten.filled) == (CopyOrderState.DONE, 0)
    assert (closed.state, closed.filled) == (CopyOrderState.DONE, 5)
    plugin.close()
