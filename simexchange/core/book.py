"""Resting orders of one instrument in price-time order.

Each side is a dict of price levels and a heap of their keys; the key rises away from the best
price (the price itself for asks, its negative for bids). A level is a linked list of orders, so
that cancelling anywhere costs O(1). Emptied levels stay until they surface or outnumber the
living, and come back to life when their price is used again.
"""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

from simexchange.core.orders import Order

_SPARE_LEVELS = 64


class Level:
    """The queue at one price; ``contracts`` is the sum of what remains in it."""

    __slots__ = ("contracts", "head", "key", "price", "side", "tail")

    side: "BookSide"
    key: int
    price: int
    contracts: int
    head: Order | None
    tail: Order | None


class BookSide:
    """All bids or all asks."""

    __slots__ = ("_heap", "levels", "live", "sign", "top")

    def __init__(self, sign: int) -> None:
        self.sign = sign  # of price in the key: +1 asks, -1 bids
        self.levels: dict[int, Level] = {}
        self.live = 0
        self._heap: list[int] = []
        self.top: Level | None = None  # the best level, or None: not known, or there is none

    def best(self) -> Level | None:
        if self.top is not None:
            return self.top
        heap, levels = self._heap, self.levels
        while heap:
            level = levels[heap[0]]
            if level.head is not None:
                self.top = level
                return level
            del levels[heappop(heap)]
        return None

    def append(self, order: Order, price: int) -> None:
        """Put ``order`` at the back of the queue at ``price``."""
        key = price * self.sign
        level = self.levels.get(key)
        if level is None:
            level = self._new_level(key, price)
        tail = level.tail
        if tail is None:
            level.head = order
            self.live = self.live + 1
            top = self.top
            if top is not None and key < top.key:
                self.top = level
        else:
            tail.next = order
        order.prev = tail
        order.next = None
        level.tail = order
        order.level = level
        level.contracts = level.contracts + order.remaining

    def _new_level(self, key: int, price: int) -> Level:
        if len(self.levels) > 4 * self.live + _SPARE_LEVELS:
            self._forget_empty_levels()
        level = Level()
        level.side = self
        level.key = key
        level.price = price
        level.contracts = 0
        level.head = None
        level.tail = None
        self.levels[key] = level
        heappush(self._heap, key)
        return level

    def levels_from_best(self) -> Iterator[Level]:
        """Yield living levels from the best outwards, at O(log k) for the k-th.

        The heap is walked as the tree it is: after a key come only its children.
        """
        heap, levels = self._heap, self.levels
        candidates = [(heap[0], 0)] if heap else []
        size = len(heap)
        while candidates:
            key, index = heappop(candidates)
            level = levels[key]
            if level.head is not None:
                yield level
            child = 2 * index + 1
            if child < size:
                heappush(candidates, (heap[child], child))
                child += 1
                if child < size:
                    heappush(candidates, (heap[child], child))

    def reach(self, contracts: int, limit_key: int | None) -> tuple[int, int | None]:
        """Return how many of ``contracts`` could trade now up to ``limit_key``, and the last price.

        (0, None) when nothing can. Self-trade prevention is not considered.
        """
        best = self.best()
        if best is None or (limit_key is not None and best.key > limit_key):
            return 0, None
        if best.contracts >= contracts:
            return contracts, best.price
        reached, price = 0, None
        for level in self.levels_from_best():
            if limit_key is not None and level.key > limit_key:
                break
            reached += level.contracts
            price = level.price
            if reached >= contracts:
                return contracts, price
        return reached, price

    def orders(self) -> Iterator[Order]:
        """Yield resting orders in price-time order."""
        for level in self.levels_from_best():
            order = level.head
            while order is not None:
                yield order
                order = order.next

    def _forget_empty_levels(self) -> None:
        self.levels = {key: level for key, level in self.levels.items() if level.head is not None}
        self._heap = list(self.levels)
        heapify(self._heap)


def unlink(order: Order, level: Level) -> None:
    """Take ``order`` out of the queue of its ``level``."""
    before = order.prev
    after = order.next
    level.contracts = level.contracts - order.remaining
    if before is not None:
        before.next = after
        order.prev = None
        if after is not None:
            after.prev = before
            order.next = None
        else:
            level.tail = before
    else:
        level.head = after
        if after is not None:
            after.prev = None
            order.next = None
        else:
            level.tail = None
            side = level.side
            side.live = side.live - 1
            if side.top is level:
                side.top = None
    order.level = None
