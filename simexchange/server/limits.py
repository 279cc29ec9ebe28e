"""Rate limits: so many requests of one account and endpoint in a window, so many of one address."""

from collections import OrderedDict
from typing import NamedTuple

from simexchange.core.types import SECOND_US

_REMEMBERED = 100_000


class Quota(NamedTuple):
    """At most ``limit`` units in ``window_us``."""

    limit: int
    window_us: int = SECOND_US


class Standing(NamedTuple):
    """How a request stands: whether it may pass, what is left, when the window starts anew."""

    is_allowed: bool
    limit: int
    left: int
    resets_at: int

    @property
    def used(self) -> int:
        return self.limit - self.left


class Windows:
    """Counts what was used of each quota in its present window, for the latest users.

    Switched off, it counts and refuses nothing, and always leaves one unit: a client that slows
    down by itself when the headers say that nothing is left is not slowed down.
    """

    __slots__ = ("_used", "is_on")

    def __init__(self, *, is_on: bool) -> None:
        self.is_on = is_on
        self._used: OrderedDict[tuple[object, str], tuple[int, int]] = OrderedDict()

    def take(self, who: object, what: str, quota: Quota, now: int, units: int = 1) -> Standing:
        """Use ``units`` of the quota, or say that they are not there."""
        start = now - now % quota.window_us
        key = (who, what)
        known = self._used.pop(key, None)
        used = known[1] if known is not None and known[0] == start else 0
        allowed = not self.is_on or used + units <= quota.limit
        if allowed:
            used += units
        self._used[key] = (start, used)
        if len(self._used) > _REMEMBERED:
            self._used.popitem(last=False)
        left = quota.limit - used if self.is_on else max(1, quota.limit - used)
        resets_at = now if allowed else start + quota.window_us
        return Standing(is_allowed=allowed, limit=quota.limit, left=left, resets_at=resets_at)

    def forget(self) -> None:
        self._used.clear()


class Bans:
    """Addresses that went on asking after they were told to stop.

    An address is banned when it was refused ``patience`` times within ``window_us``; its first ban
    lasts ``first_us``, each further one twice as long as the one before.
    """

    __slots__ = ("_banned", "_refused", "first_us", "patience", "window_us")

    def __init__(self, *, patience: int, window_us: int, first_us: int) -> None:
        self.patience = patience
        self.window_us = window_us
        self.first_us = first_us
        self._refused: OrderedDict[str | None, tuple[int, int]] = OrderedDict()
        self._banned: OrderedDict[str | None, tuple[int, int]] = OrderedDict()

    def until(self, address: str | None, now: int) -> int | None:
        """Return when an address may come back; None if it is not banned."""
        known = self._banned.get(address)
        return known[0] if known is not None and known[0] > now else None

    def note_refusal(self, address: str | None, now: int) -> None:
        """Count a refusal; one too many bans the address."""
        start = now - now % self.window_us
        known = self._refused.pop(address, None)
        times = known[1] + 1 if known is not None and known[0] == start else 1
        self._refused[address] = (start, times)
        if times > self.patience:
            del self._refused[address]
            before = self._banned.pop(address, (0, 0))[1]
            lasts = before * 2 or self.first_us
            self._banned[address] = (now + lasts, lasts)
        for known_addresses in (self._refused, self._banned):
            if len(known_addresses) > _REMEMBERED:
                known_addresses.popitem(last=False)

    def forget(self) -> None:
        self._refused.clear()
        self._banned.clear()
