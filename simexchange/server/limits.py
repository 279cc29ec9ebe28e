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


class Windows:
    """Counts what was used of each quota in its present window, for the latest users."""

    __slots__ = ("_used", "is_on")

    def __init__(self, *, is_on: bool) -> None:
        self.is_on = is_on
        self._used: OrderedDict[tuple[object, str], tuple[int, int]] = OrderedDict()

    def take(self, who: object, what: str, quota: Quota, now: int, units: int = 1) -> Standing:
        """Use ``units`` of the quota, or say that they are not there."""
        if not self.is_on:
            return Standing(is_allowed=True, limit=quota.limit, left=quota.limit - 1, resets_at=now)
        start = now - now % quota.window_us
        key = (who, what)
        known = self._used.pop(key, None)
        used = known[1] if known is not None and known[0] == start else 0
        allowed = used + units <= quota.limit
        if allowed:
            used += units
        self._used[key] = (start, used)
        if len(self._used) > _REMEMBERED:
            self._used.popitem(last=False)
        resets_at = now if allowed else start + quota.window_us
        return Standing(
            is_allowed=allowed, limit=quota.limit, left=quota.limit - used, resets_at=resets_at
        )

    def forget(self) -> None:
        self._used.clear()
