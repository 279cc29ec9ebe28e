"""The makers' book looks like the recorded one: its depth by distance, and what orders cost."""

from decimal import Decimal
from itertools import islice
from pathlib import Path
from statistics import median

import pytest

from simexchange.core.commands import Deposit, ListInstrument, OpenAccount, SetIndex
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE, Wallet
from simexchange.market.l2 import book_states
from simexchange.market.ladder import RECORDED_LADDER
from simexchange.market.maker import MarketMaker

CAPTURE = Path(__file__).parents[4] / "shared/data/l2_book/btcusdt_20240808.gz"
pytestmark = pytest.mark.skipif(
    not CAPTURE.exists(), reason=f"the recorded book is not at {CAPTURE}"
)
BTC = Instrument(
    symbol="BTCUSDT", base="BTC", tick_size=Decimal("0.1"), contract_size=Decimal("0.001")
)
DISTANCES = (10**4 // 2, 10**4, 2 * 10**4, 5 * 10**4, 10**5, 2 * 10**5, 5 * 10**5)  # rates
ORDERS_USDT = (10_000, 100_000, 200_000, 1_000_000, 5_000_000)
DEPTH_FACTOR = Decimal("1.7")
SLIPPAGE_FACTOR = Decimal(2)
HALF_TICK = Decimal("0.9") / 10**6  # of the price: both books' narrowest half spread


def depth_within(side, middle, rate):
    """Return the USDT that rest within `rate` of the middle."""
    return (
        sum(
            BTC.notional(price, contracts)
            for price, contracts in side.items()
            if abs(2 * price - middle) * 10**8 <= rate * middle
        )
        // MONEY_SCALE
    )


def slippage(side, middle, usdt):
    """Return how far from the middle an order of `usdt` trades on average, as a ratio."""
    left, cost, bought = usdt * MONEY_SCALE, 0, 0
    for price, contracts in sorted(side.items(), key=lambda level: abs(2 * level[0] - middle)):
        taken = min(contracts, -(-left // (price * BTC.tick_value)))
        left -= taken * price * BTC.tick_value
        cost += taken * price
        bought += taken
        if left <= 0:
            break
    assert left <= 0, "the book is not deep enough"
    return abs(Decimal(cost) / bought / (Decimal(middle) / 2) - 1)


def figures(books):
    """Return the median depth by distance and the median slippage by size over many books."""
    sides = [
        (side, max(bids) + min(asks))  # twice the middle, so that it stays whole
        for bids, asks in books
        for side in (bids, asks)
    ]
    depths = [median(depth_within(side, m, rate) for side, m in sides) for rate in DISTANCES]
    costs = [median(slippage(side, m, usdt) for side, m in sides) for usdt in ORDERS_USDT]
    spreads = [min(asks) - max(bids) for bids, asks in books]
    return depths, costs, median(spreads)


@pytest.fixture(scope="module")
def recorded():
    books = [
        (dict(book.bids), dict(book.asks))
        for _, book in islice(book_states(CAPTURE, BTC), 0, None, 150)
    ]
    return figures(books)


@pytest.fixture(scope="module")
def made():
    exchange = Exchange()
    exchange.apply(ListInstrument(BTC), 0)
    exchange.apply(OpenAccount(), 0)
    exchange.apply(Deposit(1, Wallet.CONTRACT, 10**9 * MONEY_SCALE), 0)
    maker = MarketMaker(exchange, 1, {"BTCUSDT": RECORDED_LADDER}, seed=1)
    books = []
    for index in range(610_000, 620_000, 250):
        exchange.apply(SetIndex("BTCUSDT", index), 0)
        steps = maker.requote("BTCUSDT", index)
        for command in steps.retreats + steps.advances:
            exchange.apply(command, 0)
        bids, asks = exchange.depth("BTCUSDT", 200)
        books.append((dict(bids), dict(asks)))
    return figures(books)


def test_both_books_are_one_tick_wide(recorded, made):
    assert recorded[2] == made[2] == 1


@pytest.mark.parametrize("place", range(len(DISTANCES)))
def test_the_depth_at_each_distance_is_like_the_recorded_one(recorded, made, place):
    ratio = Decimal(made[0][place]) / Decimal(recorded[0][place])

    assert 1 / DEPTH_FACTOR < ratio < DEPTH_FACTOR


@pytest.mark.parametrize("place", range(len(ORDERS_USDT)))
def test_an_order_of_each_size_costs_about_what_it_cost_on_record(recorded, made, place):
    ours, theirs = made[1][place], recorded[1][place]

    assert theirs / SLIPPAGE_FACTOR - HALF_TICK <= ours <= theirs * SLIPPAGE_FACTOR + HALF_TICK


def test_larger_orders_cost_more(made):
    assert made[1] == sorted(made[1])
    assert made[1][-1] > 10 * made[1][0]
