"""Orders that the venue does not list: how long they still might come up.

A request is refused once it is older than the receive window, so that an order the venue does not
know may be called lost only when the window has passed since it was signed. Orders of an earlier
process were signed before this one started. One that the venue has acknowledged is never lost: its
lists are behind.
"""

import asyncio
from datetime import timedelta

from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import VenueUnavailable

CLOCKS_APART_SECONDS = 0.5
"""By how much requests may be dated into the venue's future; see ``Clients`` on its clock."""

ACKNOWLEDGED_MAX = 100_000

Name = tuple[AccountId, str]


class MayStillArrive(VenueUnavailable):
    """The venue does not know it, but a request that is on its way could still make it so."""


class Sending:
    """One request on its way."""

    __slots__ = ("_doubts", "_name")

    def __init__(self, doubts: "Doubts", name: Name) -> None:
        self._doubts = doubts
        self._name = name

    def remains(self) -> None:
        """Remember that it was sent and not answered."""
        self._doubts.leave_open(self._name)

    def is_acknowledged(self) -> None:
        """Remember that the venue has it, until it has shown it to us."""
        self._doubts.note_acknowledged(self._name)


class Doubts:
    """Keeps what is in doubt, and of acknowledged orders those that were not found yet."""

    def __init__(self, request_lives: timedelta) -> None:
        self._window = request_lives.total_seconds() + CLOCKS_APART_SECONDS
        self._started: float | None = None
        self._until: dict[Name, float] = {}
        self._acknowledged: dict[Name, None] = {}

    def sent(self, account: AccountId, name: str) -> Sending:
        self._start()
        return Sending(self, (account, name))

    def leave_open(self, name: Name) -> None:
        self._until[name] = self._now() + self._window

    def note_acknowledged(self, name: Name) -> None:
        self._until.pop(name, None)
        self._acknowledged[name] = None
        if len(self._acknowledged) > ACKNOWLEDGED_MAX:
            del self._acknowledged[next(iter(self._acknowledged))]

    def forget(self, name: Name) -> None:
        self._until.pop(name, None)
        self._acknowledged.pop(name, None)

    def asked(self) -> None:
        """Note that this process is there: what it did not send was sent before."""
        self._start()

    def check_over(self, account: AccountId, name: str) -> None:
        """Raise `MayStillArrive` while what the venue does not know may still come up.

        What this process did not send may have been sent by the one before it.
        """
        self._check(account, name, self._start() + self._window)
        self.forget((account, name))

    def check_own(self, account: AccountId, name: str) -> None:
        """Raise `MayStillArrive` while something that this process sent may still come up."""
        self._check(account, name, self._now())

    def _check(self, account: AccountId, name: str, until: float) -> None:
        if (account, name) in self._acknowledged:
            raise MayStillArrive(f"{name} was acknowledged and is not listed yet")
        left = self._until.get((account, name), until) - self._now()
        if left > 0:
            raise MayStillArrive(f"{name} is not there, but may still arrive for {left:.1f} s")

    def _start(self) -> float:
        if self._started is None:
            self._started = self._now()
        return self._started

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
