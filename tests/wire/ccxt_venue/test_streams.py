"""Fills by stream: told soon, told once, whatever happens to the connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from copyplugin.domain.fill import LeaderFill
from simexchange.core import commands
from simexchange.core.types import OrderKind, PositionMode, Side
from simexchange.core.types import PositionSide as ExchangeSide
from simexchange.server.wire_faults import WireFault, WirePlan, WireRule
from tests.wire.ccxt_venue.stage import Stage
from tests.wire.rig import SYMBOL, Rig

SILENCE = timedelta(milliseconds=600)


@asynccontextmanager
async def listening(rig: Rig, dialect: str) -> AsyncIterator[tuple[Stage, list[LeaderFill]]]:
    stage = Stage(
        rig,
        dialect,
        receive_window=timedelta(seconds=5),  # nothing is in doubt here: a busy machine may be late
        socket_silence=SILENCE,
        reconnect_pause=timedelta(milliseconds=20),
    )
    rig.apply(commands.SetPositionMode(int(stage.owner), PositionMode.HEDGE))
    heard: list[LeaderFill] = []
    subscription = await stage.venue.subscribe([stage.owner], heard.append)
    try:
        yield stage, heard
    finally:
        await subscription.close()
        await stage.venue.close()


async def until(condition) -> None:
    async with asyncio.timeout(8):
        while not condition():  # noqa: ASYNC110 - the other side is another thread
            await asyncio.sleep(0.01)


def buy(stage: Stage, contracts: int) -> None:
    stage.rig.apply(
        commands.PlaceOrder(
            int(stage.owner),
            SYMBOL,
            Side.BUY,
            contracts,
            OrderKind.MARKET,
            position_side=ExchangeSide.LONG,
        )
    )


def strike(rig: Rig, *rules: WireRule) -> None:
    rig.call(lambda: rig.venue.faults.set_plan(WirePlan(seed="s", rules=rules)))


def contracts_of(heard: list[LeaderFill]) -> list[int]:
    return [fill.contracts for fill in heard]


async def test_a_fill_is_told_as_it_will_be_read(served: Rig, dialect: str) -> None:
    async with listening(served, dialect) as (stage, heard):
        buy(stage, 3)
        await until(lambda: heard)
        [read] = await stage.venue.leader_fills(stage.owner, None)
        [told] = heard
        assert (told.venue_fill_id, told.contracts, told.price) == (
            read.venue_fill_id,
            read.contracts,
            read.price,
        )


@pytest.mark.parametrize(
    "fault",
    [
        WireFault.STREAM_DUPLICATE,
        WireFault.STREAM_REORDER,
        WireFault.STREAM_CLOSE,
    ],
)
async def test_every_fill_is_told_once_through_a_bad_stream(
    served: Rig, dialect: str, fault
) -> None:
    async with listening(served, dialect) as (stage, heard):
        strike(served, WireRule(fault=fault, chance=50_000_000, at_most=4))
        for contracts in range(1, 7):
            buy(stage, contracts)
            await asyncio.sleep(0.05)
        strike(served)
        buy(stage, 7)  # a message that was held back comes with it
        await until(lambda: len(heard) == 7)
        assert contracts_of(heard) == [1, 2, 3, 4, 5, 6, 7]


async def test_what_happened_while_the_stream_was_down_is_told_when_it_is_up(
    served: Rig, dialect: str
) -> None:
    async with listening(served, dialect) as (stage, heard):
        buy(stage, 1)
        await until(lambda: len(heard) == 1)
        strike(
            served,
            WireRule(fault=WireFault.STREAM_CLOSE, at_most=1),
            WireRule(fault=WireFault.MAINTENANCE, at_most=3),
        )
        for contracts in (2, 3):
            buy(stage, contracts)
        await until(lambda: len(heard) == 3)
        assert contracts_of(heard) == [1, 2, 3]


async def test_a_silent_stream_is_noticed_and_opened_anew(served: Rig, dialect: str) -> None:
    async with listening(served, dialect) as (stage, heard):
        buy(stage, 1)
        await until(lambda: len(heard) == 1)
        strike(served, WireRule(fault=WireFault.STREAM_SILENCE, at_most=1))
        started = asyncio.get_running_loop().time()
        buy(stage, 2)
        await until(lambda: len(heard) == 2)
        assert asyncio.get_running_loop().time() - started < 3 * SILENCE.total_seconds()


async def test_nothing_is_told_after_closing(served: Rig, dialect: str) -> None:
    async with listening(served, dialect) as (stage, heard):
        buy(stage, 1)
        await until(lambda: len(heard) == 1)
    buy(stage, 2)
    assert len(heard) == 1
