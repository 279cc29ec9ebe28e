"""Builds the driver of a synthetic market for a scenario or a test."""

from simexchange.clock import ManualClock
from simexchange.core.commands import AdvanceTime
from simexchange.market.driver import MarketDriver
from simexchange.market.maker import MarketMaker
from simexchange.market.synthetic import SyntheticIndex
from simexchange.scenario.model import SyntheticMarket
from simexchange.simulation import Simulation


def market_driver(simulation: Simulation, market: SyntheticMarket) -> MarketDriver:
    """Return a driver whose maker, if there is one, already quotes round the first price."""
    index = SyntheticIndex(market.shapes, seed=market.seed, step_us=market.step_us)
    makers: list[MarketMaker] = []
    if market.maker is not None:
        makers.append(
            MarketMaker(simulation.exchange, market.maker, market.ladders, seed=market.seed)
        )
    driver = MarketDriver(simulation, index, makers)
    driver.open()
    return driver


def run_market(driver: MarketDriver, clock: ManualClock, until: int) -> None:
    """Step the market until the time ``until``; the last step may end before it."""
    step_us = driver.index.step_us
    while clock.now() + step_us <= until:
        clock.advance(microseconds=step_us)
        driver.step()
    clock.set(until)
    driver.simulation.apply(AdvanceTime())
