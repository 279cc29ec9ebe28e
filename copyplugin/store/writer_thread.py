"""The one thread that writes: what copies leaders' orders goes before what can wait."""

import heapq
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from typing import Any, NamedTuple, TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 0.25
"""What waited so long goes before urgent work that came after: nothing waits for ever."""

PAUSE_SECONDS = 0.004
"""Urgent work comes in a row, a fill and then its orders: nothing long begins in between."""


class _Waiting(NamedTuple):
    """Ordered by when it wants to be begun, then by who came first."""

    due: float
    number: int
    urgent: bool
    result: Future[Any]
    work: Callable[[], Any]


class WriterThread:
    """Runs one piece of work after the other; `close` waits for all that was given to it."""

    def __init__(
        self, *, now: Callable[[], float] = time.monotonic, pause_seconds: float = PAUSE_SECONDS
    ) -> None:
        """`now` is in seconds and never goes back."""
        self._now = now
        self._pause_seconds = pause_seconds
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="database-writer")
        self._waiting: list[_Waiting] = []
        self._numbers = count()
        self._came = threading.Condition()  # work, to this list; or the end
        self._is_closing = False
        self._pause_ends = now()

    def submit(self, work: Callable[[], T], *, urgent: bool) -> Future[T]:
        """Have the work run; one whose result is cancelled before it began is left out."""
        result: Future[T] = Future()
        due = self._now() + (0 if urgent else PATIENCE_SECONDS)
        with self._came:
            waiting = _Waiting(due, next(self._numbers), urgent, result, work)
            heapq.heappush(self._waiting, waiting)
            self._came.notify_all()
        self._thread.submit(self._run_next)
        return result

    def close(self) -> None:
        with self._came:
            self._is_closing = True
            self._came.notify_all()
        self._thread.shutdown(wait=True)

    def _run_next(self) -> None:
        """Run what is due first: there are as many calls of this as there is work."""
        with self._came:
            self._pause()
            _, _, urgent, result, work = heapq.heappop(self._waiting)
        if not result.set_running_or_notify_cancel():
            return
        try:
            done = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            result.set_exception(error)
        else:
            result.set_result(done)
        if urgent:
            self._pause_ends = self._now() + self._pause_seconds

    def _pause(self) -> None:
        """Leave what can wait a moment for urgent work that follows on what was urgent."""
        now = self._now()
        if self._waiting[0].due > now and self._pause_ends > now:
            self._came.wait_for(
                lambda: self._waiting[0].urgent or self._is_closing,
                timeout=self._pause_ends - now,
            )
