"""The time of a served exchange: real, frozen, faster, or moved by hand."""

import asyncio

from simexchange.clock import Clock
from simexchange.server.notes import Steered


class SteeredClock:
    """Runs ``speed`` times as fast as ``base``; 0 is frozen. It never goes back."""

    def __init__(self, base: Clock, *, start: int | None = None, speed: int = 1) -> None:
        self._base = base
        self._base_start = base.now()
        self._start = self._base_start if start is None else start
        self._speed = speed
        self.changed = asyncio.Event()
        """Set, and replaced, whenever someone steers."""

    @property
    def speed(self) -> int:
        return self._speed

    def now(self) -> int:
        return self._start + (self._base.now() - self._base_start) * self._speed

    def set_speed(self, speed: int) -> None:
        """Run ``speed`` times as fast from now on; ValueError below 0."""
        if speed < 0:
            raise ValueError(f"time cannot run backwards; give a speed of at least 0, not {speed}")
        self._anchor(self.now())
        self._speed = speed
        self._tell()

    def advance(self, microseconds: int) -> int:
        """Jump forward and return the new time; ValueError for a jump back."""
        if microseconds < 0:
            raise ValueError(f"time cannot go back by {-microseconds} microseconds")
        self._anchor(self.now() + microseconds)
        self._tell()
        return self.now()

    async def reach(self, due: int) -> None:
        """Return when the clock shows ``due``, however it was steered meanwhile."""
        while (left := due - self.now()) > 0:
            timeout = left / (1_000_000 * self._speed) if self._speed else None
            try:
                await asyncio.wait_for(self.changed.wait(), timeout)
            except TimeoutError:
                continue

    def steered(self) -> Steered:
        """Return how it was steered, for whoever must bring it back."""
        return Steered(speed=self._speed, at=self.now(), base=self._base.now())

    def _anchor(self, at: int) -> None:
        self._base_start = self._base.now()
        self._start = at

    def _tell(self) -> None:
        waiting, self.changed = self.changed, asyncio.Event()
        waiting.set()


async def reach(clock: Clock, due: int) -> None:
    """Return when ``clock`` shows ``due``; one that cannot be steered runs like the computer's."""
    if isinstance(clock, SteeredClock):
        await clock.reach(due)
        return
    await asyncio.sleep(max(0, due - clock.now()) / 1_000_000)
