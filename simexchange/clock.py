"""Where the time of the commands comes from."""

import time
from typing import Protocol

from simexchange.core.types import SECOND_US


class Clock(Protocol):
    def now(self) -> int:
        """Return microseconds since the epoch; never less than before."""
        ...


class SystemClock:
    """The computer's time; honours freezegun. A clock that is set back stands still meanwhile."""

    def __init__(self) -> None:
        self._latest = 0

    def now(self) -> int:
        self._latest = max(self._latest, time.time_ns() // 1_000)
        return self._latest


class ManualClock:
    """Time that moves only when told to."""

    def __init__(self, start: int = 0) -> None:
        self._now = start

    def now(self) -> int:
        return self._now

    def advance(self, *, seconds: int = 0, microseconds: int = 0) -> int:
        step = seconds * SECOND_US + microseconds
        if step < 0:
            message = f"time cannot go back by {-step} microseconds; start another exchange instead"
            raise ValueError(message)
        self._now += step
        return self._now

    def set(self, at: int) -> None:
        self.advance(microseconds=at - self._now)


class AcceleratedClock:
    """Time that runs ``factor`` times as fast as ``base`` from the moment this is made."""

    def __init__(self, base: Clock, factor: int, start: int | None = None) -> None:
        if factor < 1:
            message = f"an accelerated clock needs a factor of at least 1, not {factor}"
            raise ValueError(message)
        self._base = base
        self._factor = factor
        self._base_start = base.now()
        self._start = self._base_start if start is None else start

    def now(self) -> int:
        return self._start + (self._base.now() - self._base_start) * self._factor
