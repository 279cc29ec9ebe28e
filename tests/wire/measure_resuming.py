"""How long a served exchange takes to come back, by the number of commands in its journal.

Run: python -m tests.wire.measure_resuming [commands]
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from simexchange.clock import SystemClock
from simexchange.collector import spare_what_lives
from simexchange.core import commands as c
from simexchange.core.config import ExchangeConfig
from simexchange.core.types import MONEY_SCALE, OrderKind, Side, Wallet
from simexchange.faults import FaultySimulation
from simexchange.market.world import build_world
from simexchange.server.clock import SteeredClock
from simexchange.server.keys import FULL
from simexchange.server.notes import Begun
from simexchange.server.resuming import Home
from simexchange.server.venue import Venue, VenueSettings

CONFIG = ExchangeConfig(check_every=10_000)
TRADERS, ORDERS_OF_A_STEP = 20, 20


def run(directory: Path, commands: int) -> dict[str, object]:
    """Let a market move and people trade until the journal holds so many commands."""
    home = Home(directory, CONFIG)
    clock = SteeredClock(SystemClock(), speed=0)
    simulation = FaultySimulation(home.exchange, clock)
    venue = Venue(simulation, VenueSettings(seed="measure"))
    home.restore(venue)
    driver = build_world(simulation, seed=1).driver
    venue.note(Begun(seed="measure", market="synthetic"))
    traders = [_trader(venue) for _ in range(TRADERS)]
    steps = 0
    while home.exchange.sequence < commands:
        clock.advance(driver.index.step_us)
        driver.step()
        for number in range(ORDERS_OF_A_STEP):
            side = Side.BUY if (steps + number) % 2 else Side.SELL
            trader = traders[number % TRADERS]
            venue.apply(c.PlaceOrder(trader, "BTCUSDT", side, 2, OrderKind.MARKET))
        steps += 1
    state = home.exchange.state_hash()
    found = {"commands": home.exchange.sequence, "steps": steps, "state_hash": state}
    home.close()
    return found


def _trader(venue: Venue) -> int:
    opened = venue.apply(c.OpenAccount())[0].account
    venue.apply(c.Deposit(opened, Wallet.CONTRACT, 10**6 * MONEY_SCALE))
    venue.keys.create(opened, FULL, venue.now())
    return opened


def come_back(directory: Path) -> dict[str, object]:
    started = time.process_time(), time.perf_counter()
    home = Home(directory, CONFIG)
    clock = home.clock(SystemClock(), None)
    venue = Venue(FaultySimulation(home.exchange, clock), VenueSettings(seed="measure"))
    home.restore(venue)
    spare_what_lives()
    found = {
        "cpu_s": round(time.process_time() - started[0], 2),
        "wall_s": round(time.perf_counter() - started[1], 2),
        "state_hash": home.exchange.state_hash(),
    }
    home.close()
    return found


def main() -> None:
    commands = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name) / "home"
        ran = run(directory, commands)
        back = come_back(directory)
        size = sum(file.stat().st_size for file in directory.iterdir())
    assert ran["state_hash"] == back["state_hash"], "it came back as another exchange"
    per_100_000 = round(100_000 * back["cpu_s"] / ran["commands"], 2)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1_024
    found = {**ran, **back, "cpu_s_per_100000": per_100_000, "bytes": size, "peak_mib": peak}
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
