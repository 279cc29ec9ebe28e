"""What copying costs, each figure beside what the venue's calls alone cost in the same run."""

import asyncio
import resource
import statistics
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from copyplugin.bench.stage import PRICE_TICKS, SYMBOL, Stage
from copyplugin.collector import spare_what_lives
from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId
from copyplugin.domain.money import Contracts, Price
from copyplugin.domain.order import OrderRequest, TimeInForce
from copyplugin.engine.planning import Planner
from copyplugin.store import lane_work, ledger
from copyplugin.store.database import Session
from copyplugin.store.lane_book import LaneBook, marked_lane_ids
from copyplugin.store.places import SHARDS
from simexchange.core.types import Side

MICROSECONDS = 1_000_000
LOOK_SECONDS = 0.02
# open, add, reduce, close: each kind of order once
MOVES = ((Side.BUY, 2), (Side.BUY, 1), (Side.SELL, 1), (Side.SELL, 2))


@dataclass(frozen=True, kw_only=True, slots=True)
class FanoutCost:
    """CPU microseconds for each copied order, all threads of the process."""

    followers: int
    calls_us: float
    decision_us: float
    engine_us: float  # all of it: decision, calls, bookkeeping
    bookkeeping_us: float

    @property
    def ratio_to_bare_calls(self) -> float:
        return (self.decision_us + self.calls_us) / self.calls_us


class _Undone(Exception):
    """Takes a transaction back that was only to be measured."""


async def fanout_cost(stage: Stage, rounds: int) -> FanoutCost:
    """Measure a crowd that opens, adds, reduces and closes with its leader, so often."""
    count = stage.followers
    spare_what_lives()  # as the engine's own process does once it is set up
    calls = await _calls_us(stage)
    decision = await _decision_us(stage, rounds)
    spent: list[float] = []
    async with stage.running():
        await all_copied(stage, count)  # what the decisions were measured on
        spare_what_lives()
        for done in range(rounds):
            before = time.process_time()
            for number, (side, contracts) in enumerate(MOVES, start=2 + done * len(MOVES)):
                stage.trade(side, contracts)
                await all_copied(stage, number * count)
            spent.append((time.process_time() - before) / len(MOVES))
    engine = statistics.median(spent) / count * MICROSECONDS
    return FanoutCost(
        followers=count,
        calls_us=calls,
        decision_us=decision,
        engine_us=engine,
        bookkeeping_us=engine - calls - decision,
    )


async def _calls_us(stage: Stage) -> float:
    """Return what one order costs that nobody decided or wrote down."""
    spent: list[float] = []
    for number in range(4):
        side = (OrderSide.BUY, OrderSide.SELL)[number % 2]
        requests = _requests(stage, side, f"bare{number}")
        before = time.process_time()
        for request in requests:
            await stage.venue.place_order(request)
        spent.append(time.process_time() - before)
    stage.venue.answered = 0
    return statistics.median(spent) / stage.followers * MICROSECONDS


async def _decision_us(stage: Stage, rounds: int) -> float:
    """Return what it costs to decide what one lane does next, the rows at hand."""
    engine = stage.engine()
    await engine.market_data.load_instruments()
    await engine.feed.start()
    stage.trade(Side.BUY, 1)
    await engine.feed.turn(frozenset({1}))
    await engine.feed.stop()

    def decide(session: Session) -> None:
        now = stage.clock.now()
        lane_ids = marked_lane_ids(session, range(SHARDS), now=now)
        size = engine.around.settings.lanes_per_claim
        for first in range(0, len(lane_ids), size):
            book = LaneBook(session, lane_ids[first : first + size])
            planner = Planner(book, engine.around, now)
            before = time.thread_time()
            planner.look_at(list(book.works.values()))
            spent[-1] += time.thread_time() - before
        raise _Undone

    spent: list[float] = []
    for _ in range(rounds):
        spent.append(0.0)
        with suppress(_Undone):
            await stage.database.write(decide)
            raise AssertionError("the decisions were not taken back")
    return statistics.median(spent) / stage.followers * MICROSECONDS


async def delays_ms(stage: Stage, rounds: int) -> tuple[list[float], list[float]]:
    """Return the delays from leader's fill to last acknowledgement, and the calls' alone."""
    spare_what_lives()  # as the engine's own process does once it is set up
    bare: list[float] = []
    for number in range(rounds):
        side = (OrderSide.BUY, OrderSide.SELL)[number % 2]
        requests = _requests(stage, side, f"bare{number}")
        before = time.perf_counter()
        await asyncio.gather(*map(stage.venue.place_order, requests))
        bare.append((time.perf_counter() - before) * 1000)
    stage.venue.answered = 0
    copied: list[float] = []
    async with stage.running():
        for number in range(1, rounds + 1):
            before = time.perf_counter()
            stage.trade((Side.SELL, Side.BUY)[number % 2], 1)
            await all_copied(stage, number * stage.followers)
            copied.append((stage.venue.last_answer - before) * 1000)
    return copied, bare


async def fanout_seconds(
    stage: Stage, *, latency: float, rounds: int
) -> tuple[list[float], list[float]]:
    """Return the wall times of fan-outs with a slow venue, and of bare ones as wide, in turn."""
    copied: list[float] = []
    bare: list[float] = []
    async with stage.running() as engine:
        width = engine.around.settings.orders_in_flight_max
        stage.trade(Side.BUY, 1)  # leverage is set with the first
        await all_copied(stage, stage.followers)
        stage.venue.latency = latency
        spare_what_lives()
        for number in range(2, rounds + 2):
            before = time.perf_counter()
            stage.trade(Side.BUY, 1)
            await all_copied(stage, number * stage.followers)
            copied.append(stage.venue.last_answer - before)
            answered = stage.venue.answered
            requests = _requests(stage, OrderSide.BUY, f"bare{number}")
            before = time.perf_counter()
            await _bounded([stage.venue.place_order(each) for each in requests], width)
            bare.append(stage.venue.last_answer - before)
            stage.venue.answered = answered
    return copied, bare


async def _bounded(calls: Sequence[Coroutine[Any, Any, object]], width: int) -> None:
    """Run the calls, so many at a time."""
    waiting = iter(calls)

    async def work() -> None:
        for call in waiting:
            await call

    await asyncio.gather(*(work() for _ in range(width)))


def books_balance(stage: Stage) -> bool:
    """Prove the exchange's books and ours; say whether lanes hold what the exchange says."""
    stage.simulation.exchange.check()
    with stage.database.read() as session:
        ledger.verify(session)
        return lane_work.contracts_held(session) == sum(stage.held())


def peak_mib() -> float:
    """Return the most memory this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def all_copied(stage: Stage, orders: int) -> None:
    """Wait until so many orders are written down as done.

    An order has its row before it is answered: once enough are, none may be in doubt any more.
    """
    while stage.venue.answered < orders or _in_doubt(stage):  # noqa: ASYNC110 - rows tell nobody
        await asyncio.sleep(LOOK_SECONDS)


def _in_doubt(stage: Stage) -> bool:
    with stage.database.read() as session:
        return lane_work.is_any_in_doubt(session)


def _requests(stage: Stage, side: OrderSide, tag: str) -> list[OrderRequest]:
    """Return one order for each follower that the engine knows nothing of."""
    is_buy = side is OrderSide.BUY
    stage.offer(Side.SELL if is_buy else Side.BUY, stage.followers)
    ticks = PRICE_TICKS + (10 if is_buy else -10)
    price = Price(stage.simulation.exchange.instrument(SYMBOL).ticks_to_price(ticks))
    return [
        OrderRequest(
            account=AccountId(str(account)),
            symbol=SYMBOL,
            order_side=side,
            position_side=PositionSide.LONG,
            contracts=Contracts(1),
            limit_price=price,
            time_in_force=TimeInForce.IOC,
            reduce_only=not is_buy,
            client_order_id=ClientOrderId(f"{tag}x{account}"),
        )
        for account in stage.accounts
    ]
