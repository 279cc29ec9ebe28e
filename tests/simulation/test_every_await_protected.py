"""One short life of a protected follow, with the process killed at each of its awaits in turn.

It opens, adds, reduces, and its stop fires at the venue. Every run must end as the undisturbed one:
the same plan at the same price fires, the same money comes home, nothing is left at the venue.
"""

import os
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from copyplugin.store import ledger
from copyplugin.store.rows import FollowRow, PlanOrderRow
from simexchange.core.types import PositionSide, Side
from tests.simulation.crowd import Crowd
from tests.simulation.faults import Faults

LONG = PositionSide.LONG
EVERY = int(os.environ.get("EVERY_AWAIT", "40"))
"""Every fortieth await always; EVERY_AWAIT=1 for all of them."""

TERMS = {"take_profit": "0.01", "stop_loss": "0.001"}


class Protected(Crowd):
    def check_safety(self) -> None:
        """What the venue holds is told once the job has looked, which the story waits for."""


async def live(crowd: Crowd) -> None:
    """Let everything that a step sets off come to rest, through a kill."""
    await crowd.live(crowd.plugin.settle)
    for job in ("copy", "protect", "copy", "protect"):
        await crowd.live(crowd.plugin.dispatcher.run, job)


async def story(folder: Path, kill_at: int | None) -> tuple[Crowd, object, int]:
    """Return the world, how it ended, and how many awaits the story had."""
    faults = Faults(random=Random(1), kill_at=kill_at)
    crowd = Protected(folder, 1, faults, modes=("fixed",), terms=TERMS)
    crowd.market.set_leverage(crowd.leaders[0], "SOLUSDT", 2)
    await crowd.start()
    leader, market = crowd.leaders[0], crowd.market
    for side, contracts, price in (
        (Side.BUY, 10, "150"),
        (Side.BUY, 5, "150.30"),
        (Side.SELL, 6, "150.60"),
    ):
        market.cancel_offers("SOLUSDT")
        market.set_price("SOLUSDT", Decimal(price))
        crowd.stand_by("SOLUSDT")
        crowd.cross(leader, "SOLUSDT", side, contracts, LONG)
        await live(crowd)
    market.cancel_offers("SOLUSDT")
    market.offer("SOLUSDT", Side.BUY, 1_000, Decimal("143.90"))
    market.set_price("SOLUSDT", Decimal("144.00"))
    await live(crowd)
    awaits = faults.awaits
    await crowd.recover(rounds=1)
    return crowd, ending(crowd), awaits


def ending(crowd: Crowd) -> object:
    crowd.check_alive()
    crowd.check_money_home()
    with crowd.plugin.database.read() as session:
        balances = {str(name): money for name, money in ledger.balances(session).items()}
        [follow] = session.query(FollowRow)
        booked = [
            (plan.kind, plan.resting_price, plan.contracts)
            for plan in session.query(PlanOrderRow)
            if plan.state == "booked"
        ]
        resting = crowd.market.exchange.open_plans(int(follow.sub_account))
        reason = follow.end_reason
    crowd.plugin.close()
    return balances, booked, resting, reason


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_process_killed_at_any_await_changes_nothing_for_a_stop(tmp_path):
    (tmp_path / "undisturbed").mkdir()
    undisturbed, expected, awaits = await story(tmp_path / "undisturbed", None)
    _, booked, resting, reason = expected
    assert [str(kind) for kind, _, _ in booked] == ["stop_loss"]
    assert (resting, reason) == ([], "stop loss in SOLUSDT long fired")

    for kill_at in range(1, awaits + 1, EVERY):
        folder = tmp_path / f"kill {kill_at}"
        folder.mkdir()
        crowd, found, _ = await story(folder, kill_at)
        assert crowd.kills == undisturbed.kills + 1, kill_at
        assert found == expected, kill_at
