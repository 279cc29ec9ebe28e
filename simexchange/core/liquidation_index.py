"""Positions ordered by liquidation price, so that a tick costs only what it touches."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simexchange.core.positions import Position

_Entry = tuple[int, int, int, "Position"]

_SPARE_ENTRIES = 64


class LiquidationHeap:
    """The isolated positions of one direction in one instrument, nearest to liquidation first.

    An entry is (key, position number, version, position); the key is ``sign × price`` and is due
    when it is at most ``sign × mark``, so ``sign`` is +1 for shorts and -1 for longs. A position
    that changed has a higher version: its old entry dies when it surfaces, or when dead entries
    outnumber the living fourfold.
    """

    __slots__ = ("_heap", "_live", "_sign")

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._heap: list[_Entry] = []
        self._live = 0

    def push(self, position: Position, price: int) -> None:
        entry = (price * self._sign, position.number, position.version, position)
        heappush(self._heap, entry)
        self._live += 1
        if len(self._heap) > 4 * self._live + _SPARE_ENTRIES:
            self._heap = [entry for entry in self._heap if entry[3].version == entry[2]]
            heapify(self._heap)

    def drop_one(self) -> None:
        """Note that one living entry has died."""
        self._live -= 1

    def pop_due(self, mark: int) -> Position | None:
        """Take out the first position that is due at ``mark``, if any."""
        heap, bound = self._heap, mark * self._sign
        while heap and (heap[0][0] <= bound or heap[0][3].version != heap[0][2]):
            _, _, version, position = heappop(heap)
            if position.version == version:
                self._live -= 1
                position.is_indexed = 0
                return position
        return None
