"""Live figures: one thread reads them once a second for everybody, each stream sends its part.

A stream holds no database session and no lock while it waits.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from copyplugin.domain.identifiers import FollowerId, LeaderId
from copyplugin.store.queries.live import Moving

log = logging.getLogger(__name__)

ReadMoving = Callable[[set[FollowerId], set[LeaderId]], Moving]

NOTHING_MOVES = Moving(marks=(), copies=MappingProxyType({}), open_trades=MappingProxyType({}))


class TooManyStreams(Exception):
    """The visitor has as many streams open as he may."""


@dataclass(frozen=True)
class Topic:
    """What one page wants to hear of, beside the marks."""

    follower_id: FollowerId | None = None
    leader_id: LeaderId | None = None


@dataclass(frozen=True)
class Moment:
    """What was read at one time; `number` grows by one with each."""

    number: int
    at: datetime | None
    moving: Moving


@dataclass
class LiveHub:
    """Reads for the topics that somebody listens to; sleeps while nobody does."""

    read: ReadMoving
    now: Callable[[], datetime]
    period_seconds: float
    streams_per_visitor: int
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _topics: Counter[Topic] = field(default_factory=Counter[Topic])
    _visitors: Counter[str] = field(default_factory=Counter[str])
    _moment: Moment = Moment(0, None, NOTHING_MOVES)
    _thread: threading.Thread | None = None

    def stop(self) -> None:
        """End the thread and every stream."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    @contextmanager
    def listening(self, topic: Topic, visitor: str) -> Generator[int]:
        """Have this topic read while inside; raises `TooManyStreams`.

        Yields the number of the latest moment: what comes after it was read for this listener too.
        """
        with self._changed:
            if self._visitors[visitor] >= self.streams_per_visitor:
                raise TooManyStreams
            self._visitors[visitor] += 1
            self._topics[topic] += 1
            self._start()
            self._changed.notify_all()
            latest = self._moment.number
        try:
            yield latest
        finally:
            with self._changed:
                self._visitors[visitor] -= 1
                self._topics[topic] -= 1
                self._topics = +self._topics  # forget those nobody listens to
                self._visitors = +self._visitors

    def wait_for(self, topic: Topic, after: int, timeout_seconds: float) -> Moment | None:
        """Return the first moment after that number that covers the topic; None at the time-out."""
        with self._changed:
            arrived = self._changed.wait_for(
                lambda: self.is_stopping or (self._moment.number > after and self._covers(topic)),
                timeout_seconds,
            )
            return self._moment if arrived and not self.is_stopping else None

    @property
    def has_listeners(self) -> bool:
        return bool(self._topics)

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def _covers(self, topic: Topic) -> bool:
        """Tell whether the latest moment was read after the topic was asked for."""
        moving = self._moment.moving
        return (topic.follower_id is None or topic.follower_id in moving.copies) and (
            topic.leader_id is None or topic.leader_id in moving.open_trades
        )

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="live-figures", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while not self.is_stopping:
            with self._changed:
                self._changed.wait_for(lambda: self.is_stopping or bool(self._topics))
                topics = set(self._topics)
            if not self.is_stopping:
                self._read_for(topics)
            self._stopping.wait(self.period_seconds)

    def _read_for(self, topics: set[Topic]) -> None:
        followers = {topic.follower_id for topic in topics if topic.follower_id is not None}
        leaders = {topic.leader_id for topic in topics if topic.leader_id is not None}
        try:
            moving = self.read(followers, leaders)
        except Exception:  # the thread must outlive a database that is away for a moment
            log.exception("the live figures could not be read; pages show them as stale")
            return
        with self._changed:
            self._moment = Moment(self._moment.number + 1, self.now(), moving)
            self._changed.notify_all()
