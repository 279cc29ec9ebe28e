"""What it costs to settle followers who have all earned something."""

import asyncio
import time
from dataclasses import dataclass

from copyplugin.bench.measures import all_copied
from copyplugin.bench.stage import PRICE_TICKS, Stage
from copyplugin.collector import spare_what_lives
from copyplugin.store import settlements, transfers
from simexchange.core.types import Side

LOOK_SECONDS = 0.02
GAIN = 11, 10  # the price afterwards, to that before


@dataclass(frozen=True, kw_only=True, slots=True)
class SettlingCost:
    """CPU microseconds for each share: results and shares booked, paid, and booked as paid."""

    shares: int
    us: float
    left: int


async def settling_cost(stage: Stage) -> SettlingCost:
    """Let all earn the same at once and settle them."""
    async with stage.running() as engine:
        stage.trade(Side.BUY, 2)
        await all_copied(stage, stage.followers)
        stage.move_price(PRICE_TICKS * GAIN[0] // GAIN[1])
        stage.trade(Side.SELL, 2)
        await all_copied(stage, 2 * stage.followers)
        spare_what_lives()
        before = time.process_time()
        left = await engine.settler.run()
        while _on_their_way(stage):  # noqa: ASYNC110 - rows tell nobody
            await asyncio.sleep(LOOK_SECONDS)
        spent = time.process_time() - before
    with stage.database.read() as session:
        shares, _ = settlements.settled(session)
    return SettlingCost(shares=shares, us=spent / stage.followers * 1_000_000, left=left)


def _on_their_way(stage: Stage) -> int:
    with stage.database.read() as session:
        return transfers.transfers_planned(session)
