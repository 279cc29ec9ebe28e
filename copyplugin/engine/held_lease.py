"""One lease as its holder knows it without asking the database: until when it is surely his."""

from typing import NamedTuple

from copyplugin.settings import Settings


class HeldLease(NamedTuple):
    """`since`: it lasts its length from then at least, on a clock of here, in seconds.

    That clock is one that nobody sets; `since` was read before the lease was asked for.
    """

    epoch: int
    since: float

    def lasts(self, settings: Settings, *, now: float) -> bool:
        """Return whether nobody else can have taken it yet."""
        return now - self.since < settings.lease_seconds

    def outlasts_a_request(self, settings: Settings, *, now: float) -> bool:
        """Return whether a request that is sent now is answered or dead before the lease ends."""
        return now - self.since + settings.request_timeout_seconds < settings.lease_seconds
