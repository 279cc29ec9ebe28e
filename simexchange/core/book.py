"""Resting orders of one instrument in price-time order.

Each side is a dict of price levels and a sorted list of their ranks; the rank is the price itself
for bids, its negative for asks, so that the best stands last, where a list is cheap to change. The
key of a level is its negative rank: it rises away from the best price. A level is a linked list of
orders, so that cancelling anywhere costs O(1); what it sums to is counted when it is asked for.
Emptied levels stay until they outnumber the living, and come back to life when their price is used
again; one that was the best loses its rank until then.
"""

from bisect import insort
from collections.abc import Iterator

from simexchange.core.commands import PlaceOrder
from simexchange.core.orders import Order

_SPARE_LEVELS = 64


class Level:
    """The queue at one price."""

    __slots__ = ("head", "is_ranked", "key", "price", "side", "tail")

    side: "BookSide"
    key: int
    price: int
    is_ranked: bool  # as every level with orders is
    head: Order | None
    tail: Order | None

    @property
    def contracts(self) -> int:
        """The sum of what remains in the queue; O(orders)."""
        total = 0
        order = self.head
        while order is not None:
            total += order.remaining
            order = order.next
        return total


class BookSide:
    """All bids or all asks."""

    __slots__ = ("_levels_most", "_ranks", "levels", "plain", "sign", "top")

    plain: PlaceOrder  # what its plain orders say, save for whose, what price and what size

    def __init__(self, sign: int) -> None:
        self.sign = sign  # of price in the key: +1 asks, -1 bids
        self.levels: dict[int, Level] = {}  # by price
        self.top: Level | None = None  # the best level, or None: not known, or there is none
        self._ranks: list[int] = []  # of all levels, the best last
        self._levels_most = _SPARE_LEVELS  # when there are more, those without orders go

    def best(self) -> Level | None:
        if self.top is not None:
            return self.top
        ranks, levels = self._ranks, self.levels
        while ranks:
            level = levels[abs(ranks[-1])]
            if level.head is not None:
                self.top = level
                return level
            level.is_ranked = False
            ranks.pop()
        return None

    def append(self, order: Order, price: int) -> None:
        """Put ``order`` at the back of the queue at ``price``."""
        level = self.levels.get(price)
        if level is None:
            level = self.new_level(price)
        order.price = level.price  # one number in memory for all of the queue
        tail = level.tail
        if tail is None:
            level.head = order
            if not level.is_ranked:
                self.rank(level)
            top = self.top
            if top is not None and level.key < top.key:
                self.top = level
        else:
            tail.next = order
        order.prev = tail
        order.next = None
        level.tail = order
        order.level = level

    def new_level(self, price: int) -> Level:
        if len(self.levels) > self._levels_most:
            self._forget_empty_levels()
        level = Level()
        level.side = self
        level.key = price * self.sign
        level.price = price
        level.head = None
        level.tail = None
        level.is_ranked = False
        self.levels[price] = level
        return level

    def rank(self, level: Level) -> None:
        """Give a level that is about to have orders its place among the others."""
        level.is_ranked = True
        insort(self._ranks, -level.key)

    def levels_from_best(self) -> Iterator[Level]:
        """Yield living levels from the best outwards."""
        levels = self.levels
        for rank in reversed(self._ranks):
            level = levels[abs(rank)]
            if level.head is not None:
                yield level

    def reach(self, contracts: int, limit_key: int | None) -> tuple[int, int]:
        """Return how many of ``contracts`` could trade now up to ``limit_key``, and the last price.

        (0, 0) when nothing can. Self-trade prevention is not considered.
        """
        top = self.top
        if (
            top is not None
            and (limit_key is None or top.key <= limit_key)
            and top.head is not None
            and top.head.remaining >= contracts  # the first order alone is enough
        ):
            return contracts, top.price
        missing = contracts
        price = 0
        for rank in reversed(self._ranks):
            level = self.levels[abs(rank)]
            order = level.head
            if order is None:
                continue
            if limit_key is not None and level.key > limit_key:
                break
            price = level.price
            while order is not None:
                missing -= order.remaining
                if missing <= 0:
                    return contracts, price
                order = order.next
        return contracts - missing, price

    def orders(self) -> Iterator[Order]:
        """Yield resting orders in price-time order."""
        for level in self.levels_from_best():
            order = level.head
            while order is not None:
                yield order
                order = order.next

    def _forget_empty_levels(self) -> None:
        self.levels = {p: level for p, level in self.levels.items() if level.head is not None}
        self._ranks = sorted(-level.key for level in self.levels.values())
        self._levels_most = 4 * len(self.levels) + _SPARE_LEVELS


def unlink(order: Order, level: Level) -> None:
    """Take ``order`` out of the queue of its ``level``."""
    before = order.prev
    after = order.next
    if before is not None:
        before.next = after
        order.prev = None
    else:
        level.head = after
    if after is not None:
        after.prev = before
        order.next = None
    else:
        level.tail = before
        if before is None and level.side.top is level:
            level.side.top = None
    order.level = None
