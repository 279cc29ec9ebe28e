"""Money moved at a venue that may carry out one name twice: whoever sends asks first.

Where a venue refuses a name that it took before, sending again is safe. Here a movement is sent
under a name only when the venue says that it has none of that name, and is called lost only when a
request of that name could arrive no more.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum

from copyplugin.errors import OutcomeUnknown, TransferRejected, VenueUnavailable
from copyplugin.venues.ccxt.dialect import Movement
from copyplugin.venues.ccxt.doubt import Doubts

_ATTEMPTS = 20


class Fate(StrEnum):
    """What became of a movement that the venue knows."""

    DONE = "done"
    FAILED = "failed"
    PENDING = "pending"


Send = Callable[[str], Awaitable[None]]
Ask = Callable[[str], Awaitable[Fate | None]]


class Movements:
    """Remembers what was sent and not answered."""

    def __init__(self, request_lives: timedelta) -> None:
        self._doubts = Doubts(request_lives)

    async def move(self, movement: Movement, send: Send, ask: Ask) -> None:
        """Move the money under the first name that has not failed yet.

        Raises `VenueUnavailable` while one that was sent before may still arrive. `send` raises as
        `Venue.transfer`, `ask` what a question without an answer raises.
        """
        for attempt in range(_ATTEMPTS):
            name = name_of(movement, attempt)
            fate = await ask(name) or await self._sent(movement, name, send, ask)
            if fate is Fate.DONE:
                return
            if fate is Fate.PENDING:
                raise OutcomeUnknown(f"transfer {movement.transfer_id} is under way")
        sentence = f"transfer {movement.transfer_id} failed {_ATTEMPTS} times"
        raise TransferRejected("refused", sentence)

    async def was_moved(self, movement: Movement, ask: Ask) -> bool:
        """Return whether it was done; raises `VenueUnavailable` while it may still be."""
        self._doubts.asked()
        for attempt in range(_ATTEMPTS):
            name = name_of(movement, attempt)
            match await ask(name):
                case Fate.DONE:
                    return True
                case Fate.PENDING:
                    raise VenueUnavailable(f"transfer {movement.transfer_id} is under way")
                case Fate.FAILED:
                    continue
                case None:
                    self._doubts.check_over(movement.giver.account, name)
                    return False
        return False

    async def _sent(self, movement: Movement, name: str, send: Send, ask: Ask) -> Fate:
        self._doubts.check_own(movement.giver.account, name)
        sending = self._doubts.sent(movement.giver.account, name)
        try:
            await send(name)
        except (OutcomeUnknown, asyncio.CancelledError):
            sending.remains()
            raise
        try:
            fate = await ask(name)
        except VenueUnavailable as error:
            sending.remains()
            raise OutcomeUnknown(str(error)) from error
        if fate is None:
            sending.is_acknowledged()
        return fate or Fate.PENDING


def name_of(movement: Movement, attempt: int) -> str:
    """Return what the venue is to know the movement by: letters and digits, 32 of them."""
    return movement.name(attempt).replace("-", "")
