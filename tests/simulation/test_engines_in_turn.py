"""An engine that may have been replaced sends nothing; whoever replaced it does, once."""

import asyncio
from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import text

from copyplugin.dispatch.stepped import SteppedDispatcher
from copyplugin.domain.account import TransferKind, TransferState
from copyplugin.domain.order import CopyOrderState
from copyplugin.processes import EngineLease, run_engine
from copyplugin.settings import Settings
from copyplugin.store import leases
from copyplugin.store.database import open_database
from copyplugin.store.rows import (
    CopyOrderRow,
    LaneRow,
    MarginAttemptRow,
    MarginMirrorRow,
    TransferRow,
)
from copyplugin.system_clock import SystemClock
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import AdjustMargin
from simexchange.core.types import MONEY_SCALE, PositionSide
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import BTC, SOL, Pair
from tests.simulation.resting_plans import resting

LONG = PositionSide.LONG
LEASE, ANSWER = 20, 10
"""How long a lease lasts, and how long an answer may take, in seconds."""

CHANGES = frozenset(
    {
        "adjust_margin", "amend_plan", "cancel_plan", "configure", "open_sub_account",
        "place_order", "place_plan", "set_hedge_mode", "transfer",
    }
)  # fmt: skip
"""What changes something at a venue; all else are questions."""


class CountingVenue(SimulatedVenue):
    """Counts what it is asked to move, done already or not."""

    def __init__(self, simulation) -> None:
        super().__init__(simulation)
        self.asked: list[str] = []

    async def transfer(self, request):
        self.asked.append(request.transfer_id)
        await super().transfer(request)


class WatchedVenue:
    """A line to the venue that notes what went over it."""

    def __init__(self, simulation) -> None:
        self._venue = SimulatedVenue(simulation)
        self.calls: list[str] = []
        self.on_call: dict[str, Callable[[], None]] = {}
        """What happens once, while that is asked."""

    def __getattr__(self, name: str):
        found = getattr(self._venue, name)
        if not callable(found):
            return found

        async def noted(*given, **named):
            self.calls.append(name)
            self.on_call.pop(name, lambda: None)()
            return await found(*given, **named)

        return noted

    @property
    def changes(self) -> list[str]:
        return [name for name in self.calls if name in CHANGES]


class FreezingDispatcher(SteppedDispatcher):
    """Lets nothing that is spawned begin while its process is frozen."""

    def __init__(self, clock) -> None:
        super().__init__(clock)
        self.is_frozen = False
        self._at_hand = []

    def spawn(self, name, work) -> None:
        if self.is_frozen:
            self._at_hand.append((name, work))
        else:
            super().spawn(name, work)

    def wake_up(self) -> None:
        self.is_frozen = False
        at_hand, self._at_hand = self._at_hand, []
        for name, work in at_hand:
            self.spawn(name, work)


class Turns:
    """Engines on one database, each under a lease of its own, and the time that passes for all."""

    def __init__(self, market) -> None:
        self.market = market
        self.seconds = 1000.0
        self.settings = {"lease_seconds": LEASE, "request_timeout_seconds": ANSWER}
        self.first = self._engine()
        self.second = self._engine(url=self.first.url)
        self.leases = {each: self._lease(each) for each in (self.first, self.second)}

    def _engine(self, **given) -> Plugin:
        return Plugin(
            None, self.market, venue=WatchedVenue(self.market.simulation),
            make_dispatcher=FreezingDispatcher, **given, **self.settings,
        )  # fmt: skip

    def _lease(self, plugin) -> EngineLease:
        lease = EngineLease(plugin.database, plugin.settings, steady=lambda: self.seconds)
        around = plugin.engine.around
        around.fence, around.is_at_work = lease, lease.outlasts_a_request
        return lease

    async def begin(self, plugin) -> None:
        await self.leases[plugin].wait()
        await plugin.start()

    def wait(self, seconds: float) -> None:
        """Let time pass on all clocks: of the processes, of the database, of the exchange."""
        self.seconds += seconds
        self.market.clock.advance(seconds=seconds)
        self.first.database.write_and_wait(
            lambda session: session.execute(
                text("UPDATE lease SET until = until - :passed WHERE number = :engine"),
                {"passed": int(seconds * 1_000_000), "engine": leases.ENGINE},
            )
        )

    def close(self) -> None:
        self.second.close()
        self.first.close()


@pytest.fixture
def turns(market):
    made = Turns(market)
    yield made
    made.close()


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


def stands(pair, other) -> dict[str, object]:
    """Return what follows hold, what rests for them and what was ordered."""
    orders = [(order.client_order_id, order.state) for order in pair.rows(CopyOrderRow)]
    held = [pair.held(), other.held(symbol=BTC)]
    return {"held": held, "plans": resting(pair), "orders": orders}


async def test_an_engine_that_wakes_up_replaced_sends_nothing_it_had_at_hand(turns):
    first, second = turns.first, turns.second
    await turns.begin(first)
    pair = await Pair(first, turns.market).start(take_profit="0.05", stop_loss="0.03")
    await pair.buy(20)
    other = await Pair(first, turns.market).start()
    first.dispatcher.is_frozen = True
    await pair.sell(10)  # an exit, and an open that has to set the leverage of its market
    await other.buy(5, symbol=BTC)
    under_way = pair.rows(CopyOrderRow, CopyOrderRow.state == CopyOrderState.SENT)
    assert {order.reduce_only for order in under_way} == {True, False}

    turns.wait(LEASE + 1)
    await turns.begin(second)
    await second.run_jobs()
    done = stands(pair, other)
    assert done["held"] == [10, 0]  # too much time has passed for the open
    first.venue.calls.clear()
    first.dispatcher.wake_up()
    await first.settle()
    assert first.venue.calls == []

    turns.wait(1)
    await pair.sell(10)  # the first hears of it, and all its jobs fall due
    await first.run_jobs()
    assert first.venue.changes == []
    assert stands(pair, other) == done

    turns.wait(1)
    await second.run_jobs()
    assert pair.held() == 0


async def test_an_engine_that_was_frozen_and_not_replaced_goes_on(turns):
    first = turns.first
    await turns.begin(first)
    pair = await Pair(first, turns.market).start()
    await pair.buy(20)
    first.dispatcher.is_frozen = True
    await pair.sell(10)
    turns.wait(LEASE + 1)
    first.venue.calls.clear()
    first.dispatcher.wake_up()
    await first.settle()
    assert first.venue.changes == []
    assert pair.held() == 20

    await turns.leases[first].wait()
    await first.run_jobs("copy")

    assert pair.held() == 10
    assert first.venue.changes.count("place_order") == 1


async def test_what_cannot_be_sent_in_time_is_not_even_planned(turns):
    first = turns.first
    await turns.begin(first)
    pair = await Pair(first, turns.market).start()
    await pair.buy(20)
    turns.wait(LEASE - ANSWER)
    await pair.sell(10)
    assert pair.rows(CopyOrderRow, CopyOrderRow.state == CopyOrderState.SENT) == []
    [lane] = pair.rows(LaneRow, LaneRow.symbol == SOL)
    assert lane.marked

    await turns.leases[first].wait()
    await first.run_jobs("copy")

    assert pair.held() == 10


async def test_what_came_back_in_time_is_booked_though_nothing_more_is_sent(turns):
    first = turns.first
    await turns.begin(first)
    pair = await Pair(first, turns.market).start()
    lanes = first.engine.executor
    back = lanes._runners._back

    def late(outcome) -> None:
        if turns.seconds == 1000.0:
            turns.wait(LEASE - ANSWER)
        back(outcome)

    lanes._runners._back = late
    await pair.buy(20)

    [order] = pair.rows(CopyOrderRow)
    assert order.state is CopyOrderState.DONE
    assert pair.lanes_of() == {(SOL, 20, 20)}


@pytest.mark.parametrize("frozen_in", ["plans", "amend_plan"])
async def test_a_stop_is_moved_by_the_engine_that_is_at_work(turns, frozen_in):
    first, second = turns.first, turns.second
    await turns.begin(first)
    pair = await Pair(first, turns.market).start(take_profit="0.05", stop_loss="0.03")
    await pair.buy(10)
    first.venue.calls.clear()
    first.venue.on_call[frozen_in] = lambda: turns.wait(LEASE + 1)
    await pair.buy(10)
    await first.run_jobs("protect")
    sent = [name for name in first.venue.changes if "plan" in name]
    assert sent == [frozen_in] * (frozen_in in CHANGES)

    await turns.begin(second)
    await second.run_jobs("protect")
    assert set(resting(pair).values()) == {Decimal("175.00"), Decimal("135.00")}
    stands, sent = resting(pair), first.venue.changes
    await first.run_jobs("protect")

    assert resting(pair) == stands
    assert first.venue.changes == sent


@pytest.mark.parametrize("frozen_in", ["positions", "configure"])
async def test_margin_and_leverage_are_mirrored_by_the_engine_that_is_at_work(turns, frozen_in):
    first, second = turns.first, turns.second
    await turns.begin(first)
    pair = await Pair(first, turns.market).start(mode="multiple", factor="1", mirrors_margin=True)
    await pair.buy(20)
    await first.run_jobs("margin")
    turns.market.apply(AdjustMargin(pair.leader, SOL, LONG, 100 * MONEY_SCALE))
    turns.market.set_leverage(pair.leader, SOL, 20)
    first.venue.calls.clear()

    def mirrors_next() -> None:
        first.venue.on_call["positions"] = lambda: turns.wait(LEASE + 1)

    if frozen_in == "positions":  # first the leader's, then those of whom follows him
        first.venue.on_call["positions"] = mirrors_next
    else:
        first.venue.on_call["configure"] = lambda: turns.wait(LEASE + 1)
    await first.run_jobs("margin")
    [mirror] = pair.rows(MarginMirrorRow)
    assert not mirror.is_done
    assert pair.rows(MarginAttemptRow) == []

    await turns.begin(second)
    await second.run_jobs("margin")
    turns.market.apply(AdjustMargin(pair.leader, SOL, LONG, 50 * MONEY_SCALE))
    await first.run_jobs("margin")  # what it sees now is for the other to act on

    [mirror] = pair.rows(MarginMirrorRow)
    assert mirror.is_done
    assert first.venue.changes == ["configure"] * (frozen_in == "configure")
    assert "adjust_margin" in second.venue.changes


@pytest.fixture
def database(migrated_url):
    opened = open_database(migrated_url)
    yield opened
    opened.close()


async def test_an_engines_lease_outlasts_a_request_only_while_it_is_kept(database):
    settings = Settings(lease_seconds=LEASE, request_timeout_seconds=ANSWER)
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


async def test_an_engines_own_shards_are_its_own_while_its_lease_lasts(database):
    settings = Settings(lease_seconds=LEASE, request_timeout_seconds=ANSWER)
    now = [1000.0]
    lease = EngineLease(database, settings, steady=lambda: now[0])

    async def confirmed():
        return await database.write(lambda session: lease.confirm(session, {1, 2}))

    assert await confirmed() == {}
    await lease.wait()
    held = await confirmed()
    assert set(held) == {1, 2}
    assert all(lease.may_send(*claim) for claim in held.items())
    now[0] += LEASE - ANSWER
    assert await confirmed() == held
    assert not any(lease.may_send(*claim) for claim in held.items())
    now[0] += ANSWER
    assert await confirmed() == {}

    await lease.drop()  # its next hold is another one, even where nobody came in between
    await lease.wait()
    assert not any(lease.may_send(*claim) for claim in held.items())
    assert all(lease.may_send(*claim) for claim in (await confirmed()).items())


class Shared:
    """The exchange of this process."""

    def __init__(self, market) -> None:
        self.market = market

    async def __call__(self, settings):
        return SimulatedVenue(self.market.simulation)


async def test_an_engine_keeps_its_lease_however_long_its_start_takes(
    database, migrated_url, market, monkeypatch
):
    kept = asyncio.Semaphore(0)
    keep = EngineLease._take

    async def counted(lease) -> bool:
        kept.release()
        return await keep(lease)

    async def starts_when_kept(_: object) -> None:
        for _ in range(4):  # taken, and kept three times
            await kept.acquire()

    monkeypatch.setattr(EngineLease, "_take", counted)
    monkeypatch.setattr("copyplugin.engine.feed.Feed.start", starts_when_kept)
    settings = Settings(database_url=migrated_url, lease_seconds=2, request_timeout_seconds=1)
    is_ready = asyncio.Event()
    running = asyncio.create_task(
        run_engine(settings, Shared(market), SystemClock(), ready=lambda _: is_ready.set())
    )
    async with asyncio.timeout(30):
        await is_ready.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    with database.read() as session:
        assert leases.held(session, [leases.ENGINE]) == frozenset()
