"""Two short lives of a follow, told with the process killed at one of their awaits.

A life must end as the undisturbed one does: same position sizes, same result, same share or the
same plan fired at the same price, the money home to the last unit, nothing sent twice.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random

from sqlalchemy import select

from copyplugin.domain.command import CommandKind
from copyplugin.domain.plan_order import PlanState
from copyplugin.store import ledger
from copyplugin.store.rows import FollowRow, PlanOrderRow
from simexchange.core.types import PositionSide, Side
from tests.simulation.crowd import Crowd
from tests.simulation.faults import Faults
from tests.simulation.worlds import Tally, tally_of

LONG = PositionSide.LONG
SOL = "SOLUSDT"
STRIDE = 997
"""A prime: worlds one after another are killed at awaits far apart, and in the end at each."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """How a story ended, how many awaits it had, and what was in it."""

    ending: object
    awaits: int
    tally: Tally


Story = Callable[[int | None], Awaitable[Told]]


async def share_story(kill_at: int | None) -> Told:
    """Follow, open, add, reduce, close with profit, end."""
    faults = Faults(random=Random(1), kill_at=kill_at)
    crowd = Crowd(1, faults, modes=("fixed",))
    await crowd.start()
    for side, contracts, price in (
        (Side.BUY, 10, "150"),
        (Side.BUY, 5, "150.02"),
        (Side.SELL, 6, "150.30"),
        (Side.SELL, 9, "150.40"),
    ):
        trade(crowd, side, contracts, price)
        await crowd.live(crowd.plugin.settle)
        await crowd.live(crowd.plugin.dispatcher.run, "copy")
        crowd.check_safety()
    await crowd.live(crowd.plugin.dispatcher.run, "settle")
    await crowd.submit(CommandKind.END_FOLLOW, follow_id=1, how="close_now")
    awaits = faults.awaits
    await crowd.recover(rounds=1)
    crowd.check_alive()
    crowd.check_money_home()
    crowd.check_decisions()
    told = Told(ending=balances(crowd), awaits=awaits, tally=tally_of(crowd))
    crowd.plugin.close()
    return told


class Protected(Crowd):
    def check_safety(self) -> None:
        """What the venue holds is told once the job has looked, which the story waits for."""


async def stop_story(kill_at: int | None) -> Told:
    """Follow with a stop, open, add, reduce; the stop fires at the venue."""
    faults = Faults(random=Random(1), kill_at=kill_at)
    stops = {"take_profit": "0.01", "stop_loss": "0.001"}
    crowd = Protected(1, faults, modes=("fixed",), terms=stops)
    crowd.market.set_leverage(crowd.leaders[0], SOL, 2)
    await crowd.start()
    for side, contracts, price in (
        (Side.BUY, 10, "150"),
        (Side.BUY, 5, "150.30"),
        (Side.SELL, 6, "150.60"),
    ):
        trade(crowd, side, contracts, price)
        await come_to_rest(crowd)
    crowd.market.cancel_offers(SOL)
    crowd.market.offer(SOL, Side.BUY, 1_000, Decimal("143.90"))
    crowd.market.set_price(SOL, Decimal("144.00"))
    await come_to_rest(crowd)
    awaits = faults.awaits
    await crowd.recover(rounds=1)
    crowd.check_alive()
    crowd.check_money_home()
    crowd.check_decisions()
    ending = (balances(crowd), *protection(crowd))
    told = Told(ending=ending, awaits=awaits, tally=tally_of(crowd))
    crowd.plugin.close()
    return told


def trade(crowd: Crowd, side: Side, contracts: int, price: str) -> None:
    crowd.market.cancel_offers(SOL)
    crowd.market.set_price(SOL, Decimal(price))
    crowd.stand_by(SOL)
    crowd.cross(crowd.leaders[0], SOL, side, contracts, LONG)


async def come_to_rest(crowd: Crowd) -> None:
    """Let everything that a step sets off come to rest, through a kill."""
    await crowd.live(crowd.plugin.settle)
    for job in ("copy", "protect", "copy", "protect"):
        await crowd.live(crowd.plugin.dispatcher.run, job)


def balances(crowd: Crowd) -> dict[str, Decimal]:
    with crowd.plugin.database.read() as session:
        return {str(name): money for name, money in ledger.balances(session).items()}


def protection(crowd: Crowd) -> tuple[object, object, object]:
    """Return the plans that fired, what rests at the venue, and why the follow ended."""
    with crowd.plugin.database.read() as session:
        follow = session.scalars(select(FollowRow)).one()
        fired = select(PlanOrderRow).where(PlanOrderRow.state == PlanState.BOOKED)
        booked = [
            (plan.kind, plan.resting_price, plan.contracts) for plan in session.scalars(fired)
        ]
        resting = crowd.market.exchange.open_plans(int(follow.sub_account or 0))
        return booked, resting, follow.end_reason


UNDISTURBED: dict[Story, Told] = {}
"""A story without a kill is told once for all worlds of this process."""


async def undisturbed(story: Story) -> Told:
    if story not in UNDISTURBED:
        UNDISTURBED[story] = await story(None)
    return UNDISTURBED[story]


async def _killed_once(number: int, story: Story) -> Tally:
    expected = await undisturbed(story)
    told = await story(1 + number * STRIDE % expected.awaits)
    assert told.tally.kills == expected.tally.kills + 1
    assert told.ending == expected.ending
    return told.tally


async def killed_at_an_await(number: int) -> Tally:
    """A process killed at any await changes nothing in the end."""
    return await _killed_once(number, share_story)


async def killed_beside_a_stop(number: int) -> Tally:
    """A process killed at any await changes nothing for a stop."""
    return await _killed_once(number, stop_story)
