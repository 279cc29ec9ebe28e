"""The book against a reference that is too slow to be wrong."""

from hypothesis import given
from hypothesis import strategies as st

from simexchange.campaign.differential import trades_of
from simexchange.campaign.slow_book import SlowBook
from simexchange.core.commands import (
    AmendOrder,
    CancelOrder,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetIndex,
)
from simexchange.core.events import OrderAccepted
from simexchange.core.exchange import Exchange
from simexchange.core.types import OrderKind, Side, TimeInForce, Wallet
from tests.laws.core.command_streams import make_instrument

prices = st.integers(95, 105)
sizes = st.integers(1, 9)
sides = st.sampled_from((Side.BUY, Side.SELL))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("limit"), sides, sizes, prices),
        st.tuples(st.just("limit"), sides, sizes, prices),
        st.tuples(st.just("market"), sides, sizes),
        st.tuples(st.just("ioc"), sides, sizes, prices),
        st.tuples(st.just("cancel"), st.integers(0, 50)),
        st.tuples(st.just("amend"), st.integers(0, 50), sizes, prices),
    ),
    max_size=60,
)


class Pair:
    """The exchange and the reference, given the same orders."""

    def __init__(self):
        self.exchange = Exchange()
        self.slow = SlowBook()
        self.at = 0
        self.apply(ListInstrument(make_instrument()))
        for number in (1, 2, 3):
            self.apply(OpenAccount())
            self.apply(Deposit(number, Wallet.CONTRACT, 10**16))
        self.apply(SetIndex("BTCUSDT", 100))

    def apply(self, command):
        self.at += 1
        return self.exchange.apply(command, self.at)

    def place(self, number, side, contracts, price, tif=TimeInForce.GTC):
        kind = OrderKind.MARKET if price is None else OrderKind.LIMIT
        events = self.apply(PlaceOrder(number, "BTCUSDT", side, contracts, kind, price, tif))
        assert isinstance(events[0], OrderAccepted)
        rests = price is not None and tif is TimeInForce.GTC
        expected = self.slow.place(events[0].order_id, int(side), contracts, price, rests=rests)
        assert trades_of(events) == expected

    def open_order(self, pick):
        orders = [o for n in (1, 2, 3) for o in self.exchange.open_orders(n)]
        return orders[pick % len(orders)] if orders else None

    def cancel(self, order):
        self.apply(CancelOrder(order.account, "BTCUSDT", order.order_id))
        self.slow.cancel(order.order_id)

    def amend(self, order, contracts, price):
        remaining = contracts
        if price == order.price and remaining == order.remaining:
            return
        events = self.apply(
            AmendOrder(
                order.account,
                "BTCUSDT",
                order.order_id,
                price=price,
                contracts=order.filled + remaining,
            )
        )
        assert trades_of(events) == self.slow.amend(order.order_id, price, remaining)


def play(pair, index, step):
    number = index % 3 + 1
    match step:
        case ("limit", side, contracts, price):
            pair.place(number, side, contracts, price)
        case ("market", side, contracts):
            pair.place(number, side, contracts, None)
        case ("ioc", side, contracts, price):
            pair.place(number, side, contracts, price, TimeInForce.IOC)
        case ("cancel", pick):
            if order := pair.open_order(pick):
                pair.cancel(order)
        case ("amend", pick, contracts, price):
            if order := pair.open_order(pick):
                pair.amend(order, contracts, price)


@given(steps)
def test_the_book_trades_exactly_as_the_slow_reference_does(steps):
    pair = Pair()

    for index, step in enumerate(steps):
        play(pair, index, step)
        pair.exchange.check()
        bids, asks = pair.exchange.depth("BTCUSDT", 100)
        for side, rows in ((1, bids), (-1, asks)):
            assert rows == pair.slow.ladder(side)
