"""Laws of a maker's ladder and of the commands that bring it into the book."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simexchange.core.commands import Deposit, ListInstrument, OpenAccount, SetIndex
from simexchange.core.events import CommandRejected, Filled, OrderRejected
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE, Side, Wallet
from simexchange.market.chance import Chance
from simexchange.market.ladder import LadderShape, Quote, ladder
from simexchange.market.maker import requote

BTC = Instrument(
    symbol="BTCUSDT", base="BTC", tick_size=Decimal("0.1"), contract_size=Decimal("0.001")
)
shapes = st.builds(
    LadderShape,
    levels=st.integers(1, 25),
    half_spread=st.integers(0, 10**6),
    reach=st.integers(10**6, 5 * 10**7),
    size=st.integers(1, 10**6).map(lambda usdt: usdt * MONEY_SCALE),
    growth_percent=st.integers(0, 200),
    jitter_percent=st.integers(0, 99),
    skew=st.integers(0, 10**6),
    inventory_limit=st.integers(10**4, 10**8).map(lambda usdt: usdt * MONEY_SCALE),
)
indices = st.integers(1, 10**7)
inventories = st.integers(-(10**6), 10**6)


@st.composite
def quotes(draw):
    """A set of quotes with bids below asks and one quote a price."""
    middle = draw(st.integers(20, 60))
    sizes = st.integers(1, 50)
    bids = draw(st.dictionaries(st.integers(1, middle - 1), sizes, max_size=8))
    asks = draw(st.dictionaries(st.integers(middle, 80), sizes, max_size=8))
    return [Quote(Side.BUY, price, bids[price]) for price in sorted(bids, reverse=True)] + [
        Quote(Side.SELL, price, asks[price]) for price in sorted(asks)
    ]


@pytest.mark.parametrize(
    "wrong", [{"levels": 0}, {"reach": 1}, {"half_spread": -1}, {"jitter_percent": 100}]
)
def test_a_ladder_without_levels_or_inside_out_is_refused(wrong):
    with pytest.raises(ValueError, match=r"a ladder needs a level|jitter_percent must be"):
        LadderShape(**wrong)


@settings(max_examples=200)
@given(shapes, indices, inventories, st.integers(0, 100))
def test_bids_stand_below_asks_and_no_price_is_quoted_twice(shape, index, inventory, seed):
    wanted = ladder(BTC, index, inventory, shape, Chance(seed, "law"))
    bids = [quote.price for quote in wanted if quote.side is Side.BUY]
    asks = [quote.price for quote in wanted if quote.side is Side.SELL]

    assert all(price >= 1 for price in bids + asks)
    assert bids == sorted(set(bids), reverse=True)  # best first
    assert asks == sorted(set(asks))
    if bids and asks:
        assert asks[0] - bids[0] >= 1
    assert all(quote.contracts >= BTC.min_contracts for quote in wanted)


@given(shapes, indices, st.integers(1, 10**12), st.integers(0, 100))
def test_a_full_inventory_quotes_only_the_side_that_reduces_it(shape, index, excess, seed):
    full = shape.inventory_limit // (index * BTC.tick_value) + excess
    chance = Chance(seed, "law")

    assert {q.side for q in ladder(BTC, index, full, shape, chance)} <= {Side.SELL}
    assert {q.side for q in ladder(BTC, index, -full, shape, chance)} <= {Side.BUY}


@given(shapes, indices, inventories, st.integers(0, 10**6))
def test_more_inventory_never_raises_a_quote(shape, index, inventory, more):
    before = ladder(BTC, index, inventory, shape, Chance(0, "law"))
    after = ladder(BTC, index, inventory + more, shape, Chance(0, "law"))

    for side in Side:
        best_before = next((q.price for q in before if q.side is side), None)
        best_after = next((q.price for q in after if q.side is side), None)
        if best_before is not None and best_after is not None:
            assert best_after <= best_before


@settings(deadline=None, max_examples=100)
@given(st.lists(quotes(), min_size=1, max_size=6))
def test_the_book_follows_the_wanted_quotes_and_the_maker_never_meets_himself(targets):
    exchange = Exchange()
    exchange.apply(ListInstrument(BTC), 0)
    exchange.apply(OpenAccount(), 0)
    exchange.apply(Deposit(1, Wallet.CONTRACT, 10**9 * MONEY_SCALE), 0)
    exchange.apply(SetIndex("BTCUSDT", 40), 0)
    for target in targets:
        steps = requote(BTC, 1, exchange.open_orders(1), target, is_exact=True)
        for command in steps.retreats + steps.advances:
            events = exchange.apply(command, 0)
            assert not any(isinstance(e, Filled | CommandRejected | OrderRejected) for e in events)

        resting = [(o.side, o.price, o.remaining) for o in exchange.open_orders(1)]
        assert sorted(resting) == sorted((q.side, q.price, q.contracts) for q in target)
        assert requote(BTC, 1, exchange.open_orders(1), target, is_exact=True) == requote(
            BTC, 1, [], [], is_exact=True
        )  # nothing is left to do
    exchange.check()


@given(quotes(), st.integers(60, 170))
def test_a_size_that_is_near_enough_is_left_in_its_place_in_the_queue(target, percent):
    exchange = Exchange()
    exchange.apply(ListInstrument(BTC), 0)
    exchange.apply(OpenAccount(), 0)
    exchange.apply(Deposit(1, Wallet.CONTRACT, 10**9 * MONEY_SCALE), 0)
    exchange.apply(SetIndex("BTCUSDT", 40), 0)
    scaled = [Quote(q.side, q.price, q.contracts * 100) for q in target]
    for command in requote(BTC, 1, [], scaled).advances:
        exchange.apply(command, 0)

    wanted = [Quote(q.side, q.price, q.contracts * 10_000 // percent) for q in target]
    steps = requote(BTC, 1, exchange.open_orders(1), wanted)

    near = 10_000 // percent
    if 59 < near < 166:
        assert steps.retreats == steps.advances == ()
