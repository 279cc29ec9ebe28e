"""A reference book that is too simple to be wrong: one list, searched anew for every trade."""

from dataclasses import dataclass

Traded = tuple[int, int, int, int]  # maker, taker, price, contracts


@dataclass(slots=True)
class SlowOrder:
    """`side` +1 buys, -1 sells; `price` None takes any price; `arrival` counts from 1."""

    order_id: int
    side: int
    price: int | None
    remaining: int
    arrival: int


class SlowBook:
    """Price-time priority over a plain list of resting orders."""

    def __init__(self) -> None:
        self.resting: list[SlowOrder] = []
        self.arrivals = 0

    def place(
        self, order_id: int, side: int, contracts: int, price: int | None, *, rests: bool = True
    ) -> list[Traded]:
        """Return trades as (maker, taker, price, contracts)."""
        order = SlowOrder(order_id, side, price, contracts, 0)
        trades = self._trade(order)
        if order.remaining and rests:
            self._rest(order)
        return trades

    def fillable(self, side: int, price: int | None) -> int:
        """Return how many contracts an order of this side and price could trade at once."""
        taker = SlowOrder(0, side, price, 1, 0)
        return sum(maker.remaining for maker in self.queue(-side) if _meets(taker, maker))

    def cancel(self, order_id: int) -> None:
        self.resting = [order for order in self.resting if order.order_id != order_id]

    def amend(self, order_id: int, price: int, remaining: int) -> list[Traded]:
        """Change a resting order and return its trades; fewer contracts keep its place."""
        order = next(order for order in self.resting if order.order_id == order_id)
        if price == order.price and remaining < order.remaining:
            order.remaining = remaining
            return []
        self.cancel(order_id)
        order.price, order.remaining = price, remaining
        trades = self._trade(order)
        if order.remaining:
            self._rest(order)
        return trades

    def queue(self, side: int) -> list[SlowOrder]:
        """Return the resting orders of one side in the order in which they would trade."""
        own = [order for order in self.resting if order.side == side]
        return sorted(own, key=lambda order: (-side * _price_of(order), order.arrival))

    def ladder(self, side: int) -> list[tuple[int, int]]:
        """Return (price, contracts) of one side from the best outwards."""
        levels: dict[int, int] = {}
        for order in self.queue(side):
            price = _price_of(order)
            levels[price] = levels.get(price, 0) + order.remaining
        return list(levels.items())

    def _rest(self, order: SlowOrder) -> None:
        self.arrivals += 1
        order.arrival = self.arrivals
        self.resting.append(order)

    def _trade(self, taker: SlowOrder) -> list[Traded]:
        trades: list[Traded] = []
        while taker.remaining:
            makers = self.queue(-taker.side)
            if not makers or not _meets(taker, makers[0]):
                break
            maker = makers[0]
            contracts = min(taker.remaining, maker.remaining)
            maker.remaining -= contracts
            taker.remaining -= contracts
            trades.append((maker.order_id, taker.order_id, _price_of(maker), contracts))
            if maker.remaining == 0:
                self.resting.remove(maker)
        return trades


def _meets(taker: SlowOrder, maker: SlowOrder) -> bool:
    return taker.price is None or taker.side * (_price_of(maker) - taker.price) <= 0


def _price_of(order: SlowOrder) -> int:
    assert order.price is not None, "an order without a price never rests"
    return order.price
