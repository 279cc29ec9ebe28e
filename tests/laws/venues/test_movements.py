"""A venue that carries out whatever it is sent, late or twice: money still moves exactly once."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.account import Wallet
from copyplugin.domain.identifiers import AccountId, TransferId
from copyplugin.domain.money import Money
from copyplugin.errors import OutcomeUnknown, TransferRejected, VenueUnavailable
from copyplugin.venues.ccxt.config import ApiKeys
from copyplugin.venues.ccxt.dialect import Movement
from copyplugin.venues.ccxt.doubt import CLOCKS_APART_SECONDS, Doubts
from copyplugin.venues.ccxt.keys import KnownAccount
from copyplugin.venues.ccxt.movements import Fate, Movements

LIVES = timedelta(seconds=30)
ENOUGH_SECONDS = LIVES.total_seconds() + CLOCKS_APART_SECONDS
OWNER = KnownAccount(account=AccountId("1"), keys=ApiKeys("", ""))
MOVEMENT = Movement(
    transfer_id=TransferId("cp-fund-1"),
    giver=OWNER,
    from_wallet=Wallet.SPOT,
    taker=OWNER,
    to_wallet=Wallet.CONTRACT,
    money=Money(Decimal(7)),
)


class Turn(StrEnum):
    """What becomes of the next request, or of the process."""

    ANSWERED = "answered"
    ANSWER_LOST = "answer lost"
    LOST = "lost"
    LATE = "late"  # it arrives as late as it may
    FAILED = "failed"  # taken, and then not carried out
    PENDING = "pending"  # taken, and carried out later
    REFUSED = "refused"  # the venue is too busy: nothing was done
    DIED = "died"  # the process ends while it waits


class Line:
    """The venue, the way to it and the time; after the last turn all goes well."""

    def __init__(self, turns: list[Turn]) -> None:
        self.turns = turns
        self.now = 1_000.0
        self.fates: dict[str, Fate] = {}
        self.moved = 0
        self.on_the_way: list[tuple[float, str]] = []

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for at, name in list(self.on_the_way):
            if at <= self.now:
                self.on_the_way.remove((at, name))
                self._carry_out(name)

    def _carry_out(self, name: str) -> None:
        self.fates[name] = Fate.DONE
        self.moved += 1

    async def ask(self, name: str) -> Fate | None:
        return self.fates.get(name)

    async def send(self, name: str) -> None:
        turn = self.turns.pop(0) if self.turns else Turn.ANSWERED
        match turn:
            case Turn.ANSWERED:
                self._carry_out(name)
            case Turn.ANSWER_LOST:
                self._carry_out(name)
                raise OutcomeUnknown(turn)
            case Turn.FAILED:
                self.fates[name] = Fate.FAILED
            case Turn.PENDING:
                self.fates[name] = Fate.PENDING
                self.on_the_way.append((self.now + ENOUGH_SECONDS, name))
            case Turn.LATE | Turn.DIED:
                self.on_the_way.append((self.now + LIVES.total_seconds(), name))
                raise asyncio.CancelledError if turn is Turn.DIED else OutcomeUnknown(turn)
            case Turn.LOST:
                raise OutcomeUnknown(turn)
            case Turn.REFUSED:
                raise VenueUnavailable(turn)


async def moved_by_the_engine(line: Line) -> None:
    """Move it as the engine does: whoever is in doubt asks before he sends again."""
    movements, is_in_doubt = Movements(LIVES), False
    while True:
        try:
            if is_in_doubt and await movements.was_moved(MOVEMENT, line.ask):
                return
            await movements.move(MOVEMENT, line.send, line.ask)
        except (OutcomeUnknown, VenueUnavailable):
            is_in_doubt = True
            line.wait(1)
        except asyncio.CancelledError:
            movements, is_in_doubt = Movements(LIVES), True  # another process goes on
        else:
            return


@given(turns=st.lists(st.sampled_from(Turn), max_size=8))
def test_money_moves_exactly_once_whatever_happens_on_the_way(turns: list[Turn]) -> None:
    line = Line(turns)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Doubts, "_now", staticmethod(lambda: line.now))
        asyncio.run(moved_by_the_engine(line))
        line.wait(10 * ENOUGH_SECONDS)
    assert line.moved == 1


@pytest.mark.parametrize("turn", [Turn.LATE, Turn.DIED])
def test_without_the_wait_it_would_move_twice(turn: Turn) -> None:
    line = Line([turn])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Doubts, "_now", staticmethod(lambda: line.now))
        patch.setattr(Doubts, "_check", lambda *_: None)
        asyncio.run(moved_by_the_engine(line))
        line.wait(10 * ENOUGH_SECONDS)
    assert line.moved == 2


async def test_a_movement_that_fails_again_and_again_is_given_up() -> None:
    line = Line([Turn.FAILED] * 30)
    with pytest.raises(TransferRejected, match="failed 20 times"):
        await Movements(LIVES).move(MOVEMENT, line.send, line.ask)
    assert line.moved == 0
