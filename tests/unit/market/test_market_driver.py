"""The driver's loop: paced by the clock, ended by its stop event or by the record's end."""

import asyncio

import pytest
from click.testing import CliRunner

from simexchange.cli import main
from simexchange.clock import AcceleratedClock, ManualClock, SystemClock
from simexchange.core.commands import Deposit, OpenAccount
from simexchange.core.exchange import Exchange
from simexchange.core.types import Wallet
from simexchange.market.demo import run_demo_market
from simexchange.market.driver import EndOfRecord, MarketDriver
from simexchange.market.maker import MarketMaker
from simexchange.market.world import INSTRUMENTS, NEAR_LADDER, build_world
from simexchange.simulation import Simulation


class Script:
    """An index that goes through the given prices of BTCUSDT."""

    def __init__(self, *prices, step_us=1_000):
        self.step_us = step_us
        self.prices = {"BTCUSDT": 650_000}
        self._prices = iter(prices)

    def step(self):
        price = next(self._prices, None)
        if price is None:
            raise EndOfRecord
        self.prices = {"BTCUSDT": price}
        return self.prices


@pytest.fixture
def make_driver():
    def make(index, clock):
        simulation = Simulation(Exchange(), clock)
        build_world(simulation, seed=1, leaders=(), background_takers=0)
        return MarketDriver(simulation, index)

    return make


async def test_a_recorded_source_ends_the_loop(make_driver):
    driver = make_driver(Script(650_001, 650_002, 650_003), SystemClock())

    await asyncio.wait_for(driver.run(asyncio.Event()), timeout=5)

    assert driver.steps == 3
    assert driver.simulation.exchange.index_price("BTCUSDT") == 650_003


async def test_stopping_ends_a_wait_at_once(make_driver):
    driver = make_driver(Script(*[650_000] * 10, step_us=3_600_000_000), SystemClock())
    stop = asyncio.Event()
    stepped = asyncio.Event()
    driver.simulation.subscribe(lambda _: stepped.set())
    loop = asyncio.create_task(driver.run(stop))
    await asyncio.wait_for(stepped.wait(), timeout=5)

    stop.set()

    await asyncio.wait_for(loop, timeout=5)
    assert driver.steps == 1  # and it did not wait for the hour to pass


async def test_steps_keep_to_an_accelerated_clock(make_driver):
    base = SystemClock()
    clock = AcceleratedClock(base, 1_000)
    driver = make_driver(Script(*[650_000] * 20, step_us=1_000_000), clock)
    started = base.now()

    await asyncio.wait_for(driver.run(asyncio.Event(), speed=1_000), timeout=10)

    assert driver.steps == 20
    assert base.now() - started >= 19 * 1_000  # a second of market time is a millisecond of ours


async def test_other_tasks_run_even_when_the_loop_is_behind(make_driver):
    driver = make_driver(Script(*[650_000] * 50, step_us=1), SystemClock())
    seen = []

    async def watch():
        while driver.steps < 50:
            seen.append(driver.steps)
            await asyncio.sleep(0)

    await asyncio.wait_for(asyncio.gather(driver.run(asyncio.Event()), watch()), timeout=10)

    assert len(set(seen)) > 10


def test_refusals_are_counted_by_their_reason():
    simulation = Simulation(Exchange(), ManualClock())
    build_world(simulation, seed=1, leaders=(), background_takers=0)
    poor = simulation.apply(OpenAccount())[0].account
    simulation.apply(Deposit(poor, Wallet.CONTRACT, 1))
    maker = MarketMaker(simulation.exchange, poor, {"BTCUSDT": NEAR_LADDER}, seed=1)
    driver = MarketDriver(simulation, Script(650_000), [maker])
    driver.step()

    assert driver.refusals == {"insufficient_margin": 2 * NEAR_LADDER.levels}


def test_a_world_without_leaders_has_a_quoted_book_before_the_first_step():
    simulation = Simulation(Exchange(), ManualClock())
    build_world(simulation, seed=1, leaders=(), background_takers=0)

    for instrument in INSTRUMENTS:
        bids, asks = simulation.exchange.depth(instrument.symbol, 30)
        assert len(bids) > 20
        assert len(asks) > 20


def test_the_demo_market_prints_its_figures_and_their_hash(tmp_path):
    arguments = ["demo-market", "--seconds", "5", "--seed", "3", "--json", str(tmp_path / "f.json")]
    result = CliRunner().invoke(main, arguments)
    figures = run_demo_market(seconds=5, seed=3)

    assert result.exit_code == 0
    assert f"event hash: {figures.event_hash}" in result.output
    assert figures.event_hash in (tmp_path / "f.json").read_text()
    assert "ledger: balanced" in result.output
    assert "North Star" in result.output


@pytest.mark.parametrize("seconds", ["0", "-5", "soon"])
def test_a_length_that_is_none_is_refused(seconds):
    result = CliRunner().invoke(main, ["demo-market", "--seconds", seconds])

    assert result.exit_code == 2
    assert "Invalid value for '--seconds'" in result.output
