"""What comes back while a turn is at work is booked by the next one."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace

from copyplugin.domain.account import AccountBalance
from copyplugin.domain.identifiers import AccountId, LaneId
from copyplugin.domain.money import Money
from copyplugin.engine.errands import AskBalance
from copyplugin.engine.executor import Executor
from copyplugin.settings import Settings

LANE = LaneId(6)
NOTHING, SEVEN = Money(Decimal(0)), Money(Decimal(7))


class SlowVenue:
    def __init__(self) -> None:
        self.asked, self.answers = asyncio.Event(), asyncio.Event()

    async def balance(self, account: AccountId) -> AccountBalance:
        self.asked.set()
        await self.answers.wait()
        return AccountBalance(
            spot_available=NOTHING, contract_wallet=SEVEN, contract_available=SEVEN, equity=SEVEN
        )


class Turns(Executor):
    """Keeps what its turns were given."""

    def __init__(self, around) -> None:
        super().__init__(around)
        self.booked = []

    async def _do(self, outcomes, **_: object) -> tuple[()]:
        self.booked.append(list(outcomes))
        return ()


async def test_an_answer_that_comes_after_a_turn_began_is_booked_by_the_next():
    venue = SlowVenue()
    spawned = []
    dispatcher = SimpleNamespace(
        announce=lambda *_: None, spawn=lambda _, work: spawned.append(asyncio.create_task(work))
    )
    executor = Turns(
        SimpleNamespace(venue=venue, dispatcher=dispatcher, settings=Settings(), fence=None)
    )
    errand = AskBalance(lane_id=LANE, account=AccountId("1"), shares_gone=0)

    async with asyncio.timeout(5):
        executor._runners.send([errand])
        await venue.asked.wait()
        await executor.turn(frozenset())
        venue.answers.set()
        await asyncio.gather(*spawned)
        await executor.turn(frozenset())

    (first, second) = executor.booked
    assert first == []
    assert [outcome.lane_id for outcome in second] == [LANE]
