"""Things ordered by the price at which they are due, so that a tick costs only what it touches."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Generic, Protocol, TypeVar


class Versioned(Protocol):
    """What waits in a heap; a changed version makes its older entries void."""

    number: int
    version: int


_T = TypeVar("_T", bound=Versioned)
_SPARE_ENTRIES = 64


class PriceHeap(Generic[_T]):
    """Waiting things of one instrument, nearest price first, equal prices by number.

    A key is ``sign × price`` and is due when it is at most ``sign × present price``: ``sign`` is
    +1 for what waits for a rise, -1 for a fall. Each key has a heap of its own of (number,
    version, thing), so that a crowd at few prices is not compared price by price. Who raises a
    version takes one from ``live``. A void entry goes when it surfaces, or when the void outnumber
    the living fourfold.
    """

    __slots__ = ("_at", "_entries", "_keys", "_sign", "live")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._keys: list[int] = []
        self._at: dict[int, list[tuple[int, int, _T]]] = {}
        self._entries = 0
        self.live = 0

    def push(self, thing: _T, price: int) -> None:
        self._put(price * self._sign, (thing.number, thing.version, thing))
        self.live += 1
        self._entries += 1
        if self._entries > 4 * self.live + _SPARE_ENTRIES:
            self._forget_void()

    def pop_due(self, price: int) -> _T | None:
        """Take out the first thing that is due at ``price``, if any."""
        keys, bound = self._keys, price * self._sign
        while keys:
            key = keys[0]
            waiting = self._at[key]
            _, version, thing = waiting[0]
            is_void = thing.version != version
            if key > bound and not is_void:
                return None
            heappop(waiting)
            self._entries -= 1
            if not waiting:
                del self._at[heappop(keys)]
            if not is_void:
                self.live -= 1
                return thing
        return None

    def _put(self, key: int, entry: tuple[int, int, _T]) -> None:
        waiting = self._at.get(key)
        if waiting is None:
            self._at[key] = [entry]
            heappush(self._keys, key)
        else:
            heappush(waiting, entry)

    def _forget_void(self) -> None:
        before = self._at
        self._at = {}
        self._keys = []
        self._entries = 0
        for key, waiting in before.items():
            for entry in waiting:
                if entry[2].version == entry[1]:
                    self._put(key, entry)
                    self._entries += 1
