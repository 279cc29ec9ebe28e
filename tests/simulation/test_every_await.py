"""One short life of a follow, with the process killed at each of its awaits in turn.

Every run must end as the undisturbed one does: same position sizes, same result, same share, the
money home to the last unit, nothing sent twice.
"""

import os
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from copyplugin.domain.command import CommandKind
from copyplugin.store import ledger
from simexchange.core.types import PositionSide, Side
from tests.simulation.crowd import Crowd
from tests.simulation.faults import Faults

LONG = PositionSide.LONG
EVERY = int(os.environ.get("EVERY_AWAIT", "5"))
"""Every fifth await always; EVERY_AWAIT=1 for all of them."""


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


async def story(folder: Path, kill_at: int | None) -> tuple[Crowd, dict[str, Decimal], int]:
    """Follow, open, add, reduce, close with profit, end.

    Returns the world, its books, and how many awaits the story had.
    """
    faults = Faults(random=Random(1), kill_at=kill_at)
    crowd = Crowd(folder, 1, faults, modes=("fixed",))
    await crowd.start()
    leader = crowd.leaders[0]
    for side, contracts, price in (
        (Side.BUY, 10, "150"),
        (Side.BUY, 5, "150.02"),
        (Side.SELL, 6, "150.30"),
        (Side.SELL, 9, "150.40"),
    ):
        crowd.market.cancel_offers("SOLUSDT")
        crowd.market.set_price("SOLUSDT", Decimal(price))
        crowd.stand_by("SOLUSDT")
        crowd.cross(leader, "SOLUSDT", side, contracts, LONG)
        await crowd.live(crowd.plugin.settle)
        await crowd.live(crowd.plugin.dispatcher.run, "copy")
        crowd.check_safety()
    await crowd.live(crowd.plugin.dispatcher.run, "settle")
    await crowd.submit(CommandKind.END_FOLLOW, follow_id=1, how="close_now")
    awaits = faults.awaits
    await crowd.recover(rounds=1)
    crowd.check_alive()
    crowd.check_money_home()
    with crowd.plugin.database.read() as session:
        balances = {str(name): money for name, money in ledger.balances(session).items()}
    crowd.plugin.close()
    return crowd, balances, awaits


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_process_killed_at_any_await_changes_nothing_in_the_end(tmp_path):
    undisturbed, expected, awaits = await story(made(tmp_path / "undisturbed"), None)
    assert expected["result:1"] < 0  # it earned something
    assert expected["leader:2"] > 0  # and paid a share

    for kill_at in range(1, awaits + 1, EVERY):
        crowd, balances, _ = await story(made(tmp_path / f"kill {kill_at}"), kill_at)
        assert crowd.kills == undisturbed.kills + 1, kill_at
        assert balances == expected, kill_at
