"""Builds the driver of a moving market for a scenario or a test."""

from simexchange.clock import ManualClock
from simexchange.core.commands import AdvanceTime
from simexchange.market.candles import CandleIndex
from simexchange.market.driver import EndOfRecord, MarketDriver
from simexchange.market.ladder import LadderShape
from simexchange.market.maker import MarketMaker
from simexchange.market.synthetic import SyntheticIndex
from simexchange.market.tape import TapeIndex, TapePlayer
from simexchange.scenario.model import MovingMarket, SyntheticMarket, TapeMarket
from simexchange.simulation import Simulation


def market_driver(simulation: Simulation, market: MovingMarket) -> MarketDriver:
    """Return a driver whose maker, if there is one, already quotes round the first price.

    CandlesError when the candles of several instruments have none in common.
    """
    if isinstance(market, TapeMarket):
        tape = TapeIndex(market.trades, step_us=market.step_us)
        player = TapePlayer(tape, offers=market.maker, takes=market.taker)
        driver = MarketDriver(simulation, tape, (), [player])
    elif isinstance(market, SyntheticMarket):
        walk = SyntheticIndex(market.shapes, seed=market.seed, step_us=market.step_us)
        makers = _makers(simulation, market.maker, market.ladders, market.seed)
        driver = MarketDriver(simulation, walk, makers)
    else:
        record = CandleIndex(market.candles, since=market.since, until=market.until)
        makers = _makers(simulation, market.maker, market.ladders, market.seed)
        driver = MarketDriver(simulation, record, makers)
    driver.open()
    return driver


def _makers(
    simulation: Simulation, maker: int | None, ladders: dict[str, LadderShape], seed: int
) -> list[MarketMaker]:
    if maker is None:
        return []
    return [MarketMaker(simulation.exchange, maker, ladders, seed=seed)]


def run_market(driver: MarketDriver, clock: ManualClock, until: int) -> bool:
    """Step the market until the time ``until``; the last step may end before it.

    Returns whether the market's record lasted so long; where it did not, prices stay where it
    ended, and the clock still comes to ``until``.
    """
    step_us = driver.index.step_us
    lasted = True
    while lasted and clock.now() + step_us <= until:
        clock.advance(microseconds=step_us)
        try:
            driver.step()
        except EndOfRecord:
            lasted = False
    clock.set(until)
    driver.simulation.apply(AdvanceTime())
    return lasted
