"""Things ordered by the price at which they are due, so that a tick costs only what it touches."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Generic, Protocol, TypeVar


class Versioned(Protocol):
    """What waits in a heap; a changed version makes its older entries void."""

    number: int
    version: int


_T = TypeVar("_T", bound=Versioned)
_SPARE_ENTRIES = 64


class PriceHeap(Generic[_T]):
    """Waiting things of one instrument, nearest first.

    An entry is (key, number, version, thing); the key is ``sign × price`` and is due when it is
    at most ``sign × present price``: ``sign`` is +1 for what waits for a rise, -1 for a fall.
    Equal prices go by number. Who raises a version takes one from ``live``. A void entry goes
    when it surfaces, or when the void outnumber the living fourfold.
    """

    __slots__ = ("_heap", "_sign", "live")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._heap: list[tuple[int, int, int, _T]] = []
        self.live = 0

    def push(self, thing: _T, price: int) -> None:
        heap = self._heap
        heappush(heap, (price * self._sign, thing.number, thing.version, thing))
        self.live = live = self.live + 1
        if len(heap) > 4 * live + _SPARE_ENTRIES:
            self._heap = [entry for entry in heap if entry[3].version == entry[2]]
            heapify(self._heap)

    def pop_due(self, price: int) -> _T | None:
        """Take out the first thing that is due at ``price``, if any."""
        heap, bound = self._heap, price * self._sign
        while heap and (heap[0][0] <= bound or heap[0][3].version != heap[0][2]):
            _, _, version, thing = heappop(heap)
            if thing.version == version:
                self.live -= 1
                return thing
        return None
