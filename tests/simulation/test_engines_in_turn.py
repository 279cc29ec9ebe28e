"""An engine that may have been replaced moves no money; whoever replaced it does, once."""

import pytest

from copyplugin.domain.account import TransferKind, TransferState
from copyplugin.processes import EngineLease
from copyplugin.settings import Settings
from copyplugin.store.database import open_database
from copyplugin.store.rows import TransferRow
from copyplugin.venues.simulated import SimulatedVenue
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import SOL, Pair


class CountingVenue(SimulatedVenue):
    """Counts what it is asked to move, done already or not."""

    def __init__(self, simulation) -> None:
        super().__init__(simulation)
        self.asked: list[str] = []

    async def transfer(self, request):
        self.asked.append(request.transfer_id)
        await super().transfer(request)


async def settled(plugin) -> None:
    await plugin.run_jobs("settle", "close ended", "settle", "close ended")


async def test_a_transfer_waits_for_an_engine_that_is_surely_at_work(tmp_path, market):
    venue = CountingVenue(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    await plugin.start()
    pair = await Pair(plugin, market).start()
    await pair.buy(40)
    pair.set_price(SOL, "190.00")
    begun = len(venue.asked)
    plugin.engine.around.is_at_work = lambda: False
    await pair.sell(40)
    await settled(plugin)

    [share] = pair.rows(TransferRow, TransferRow.kind == TransferKind.SHARE)
    assert share.state is TransferState.PLANNED
    assert venue.asked[begun:] == []

    plugin.engine.around.is_at_work = lambda: True
    market.clock.advance(seconds=60)
    await settled(plugin)

    [share] = pair.rows(TransferRow, TransferRow.kind == TransferKind.SHARE)
    assert share.state is TransferState.DONE
    assert venue.asked[begun:].count(share.id) == 1
    plugin.close()


@pytest.fixture
def database(migrated_url):
    opened = open_database(migrated_url)
    yield opened
    opened.close()


async def test_an_engines_lease_outlasts_a_request_only_while_it_is_kept(database):
    settings = Settings(lease_seconds=20, request_timeout_seconds=10)
    now = [1000.0]
    lease = EngineLease(database, settings, steady=lambda: now[0])
    assert not lease.outlasts_a_request()

    await lease.wait()
    answers = []
    for seconds in (0, 9.9, 10, 25):
        now[0] = 1000.0 + seconds
        answers.append(lease.outlasts_a_request())

    assert answers == [True, True, False, False]
    await lease.wait()
    assert lease.outlasts_a_request()
    await lease.drop()
