"""A reference book that is too simple to be wrong: one list, searched anew for every trade."""

from dataclasses import dataclass


@dataclass
class SlowOrder:
    order_id: int
    side: int
    price: int
    remaining: int
    arrival: int


class SlowBook:
    """Price-time priority over a plain list of resting orders."""

    def __init__(self):
        self.resting: list[SlowOrder] = []
        self.arrivals = 0

    def place(self, order_id, side, contracts, price, *, rests=True):
        """Return trades as (maker, taker, price, contracts)."""
        order = SlowOrder(order_id, side, price, contracts, 0)
        trades = self._trade(order)
        if order.remaining and rests:
            self._rest(order)
        return trades

    def cancel(self, order_id):
        self.resting = [order for order in self.resting if order.order_id != order_id]

    def amend(self, order_id, price, remaining):
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

    def queue(self, side):
        """Return the resting orders of one side in the order in which they would trade."""
        own = [order for order in self.resting if order.side == side]
        return sorted(own, key=lambda order: (-side * order.price, order.arrival))

    def _rest(self, order):
        self.arrivals += 1
        order.arrival = self.arrivals
        self.resting.append(order)

    def _trade(self, taker):
        trades = []
        while taker.remaining:
            makers = self.queue(-taker.side)
            if not makers or (
                taker.price is not None and taker.side * (makers[0].price - taker.price) > 0
            ):
                break
            maker = makers[0]
            contracts = min(taker.remaining, maker.remaining)
            maker.remaining -= contracts
            taker.remaining -= contracts
            trades.append((maker.order_id, taker.order_id, maker.price, contracts))
            if maker.remaining == 0:
                self.resting.remove(maker)
        return trades
