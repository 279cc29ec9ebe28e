"""Paper follows on PostgreSQL: workers steer the real ones, the engine those with play money."""

import asyncio

import pytest
from sqlalchemy import select

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.processes import run_engine, run_worker
from copyplugin.settings import Settings
from copyplugin.store import commands
from copyplugin.store.database import open_database
from copyplugin.store.rows import CopyOrderRow, FollowRow, LaneRow
from copyplugin.system_clock import SystemClock
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.types import MONEY_SCALE, PositionSide, Side
from tests.simulation.copy_world import AMPLE, Market

pytestmark = pytest.mark.parametrize("kind", ["postgresql"])
SOL = "SOLUSDT"
STARTS = (CommandKind.START_FOLLOW, CommandKind.START_PAPER_FOLLOW)


class Shared:
    """The exchange of this process, to which engine and worker connect."""

    def __init__(self, market: Market) -> None:
        self.market = market

    async def __call__(self, settings: Settings) -> SimulatedVenue:
        return SimulatedVenue(self.market.simulation)


@pytest.fixture
def database(migrated_url):
    opened = open_database(migrated_url)
    yield opened
    opened.close()


@pytest.fixture
async def processes(migrated_url, tmp_path):
    """Return a market on which an engine and a worker are at work."""
    market = Market()
    settings = Settings(
        database_url=migrated_url, copy_sweep_seconds=1, paper_directory=str(tmp_path / "paper")
    )
    ready: asyncio.Queue[str] = asyncio.Queue()
    running = [
        asyncio.create_task(run(settings, Shared(market), SystemClock(), ready=ready.put_nowait))
        for run in (run_engine, run_worker)
    ]
    for _ in running:
        await asyncio.wait_for(ready.get(), 30)
    yield market
    for process in running:
        process.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def until(find):
    """Return what is found as soon as something is; other processes tell nobody."""
    async with asyncio.timeout(60):
        while not (found := find()):  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.05)
        return found


async def ask(database, kind: CommandKind, **given):
    """Write a command down as another process would, and wait for its answer."""
    row = await database.write(
        lambda s: commands.submit_command(
            s, kind, given, actor="test", idempotency_key=kind.value, at=SystemClock().now()
        )
    )

    def answered():
        with database.read() as session:
            found = commands.get_command(session, row.id)
            return found if found.state is not CommandState.PENDING else None

    answer = await until(answered)
    assert answer.state is CommandState.DONE, answer.message
    return answer.result


async def test_both_kinds_of_follows_are_steered_and_no_worker_touches_play_money(
    processes, database
):
    market = processes
    leader = market.open_account("leader", contract=AMPLE)
    follower = market.open_account("follower", spot=5_000 * MONEY_SCALE)
    terms = {"mode": "fixed", "copy_amount": "1000", "instruments": [SOL]}
    added = await ask(
        database,
        CommandKind.ADD_LEADER,
        account=str(leader),
        nickname="Ann",
        instruments=[SOL],
    )
    registered = await ask(database, CommandKind.REGISTER_FOLLOWER, account=str(follower))
    for kind in STARTS:
        await ask(database, kind, **added, **registered, **terms)

    market.clock.set(int(SystemClock().now().timestamp()) * 1_000_000)  # not too late to copy
    market.offer(SOL, Side.SELL, 1_000)
    market.trade(leader, SOL, Side.BUY, 10, PositionSide.LONG)

    def held():
        with database.read() as session:
            query = select(FollowRow.paper, LaneRow.actual).join(
                FollowRow, FollowRow.id == LaneRow.follow_id
            )
            found = dict(iter(session.execute(query)))
            return found if set(found.values()) == {10} and len(found) == len(STARTS) else None

    assert await until(held) == {True: 10, False: 10}
    with database.read() as session:
        assert len(session.scalars(select(CopyOrderRow)).all()) == len(STARTS)
