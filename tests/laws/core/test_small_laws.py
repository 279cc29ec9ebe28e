"""Laws of single rules: fees, cost shares, funding, indexes, plan orders, histories of money."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from simexchange.core.book import BookSide
from simexchange.core.fees import fee_of
from simexchange.core.margin import initial_margin, maintenance_margin
from simexchange.core.positions import cost_share
from simexchange.core.price_heap import PriceHeap
from simexchange.core.prices import BasisAverage, impact_premium
from simexchange.core.types import RATE_SCALE
from tests.laws.core.command_streams import TIERS

money = st.integers(0, 10**18)


@given(money, st.integers(-(10**7), 10**7))
def test_a_fee_is_rounded_up_by_less_than_one_unit(notional, rate):
    exact = Fraction(notional * rate, RATE_SCALE)

    assert 0 <= fee_of(notional, rate) - exact < 1


@given(money, st.integers(1, 125))
def test_initial_margin_is_rounded_up_by_less_than_one_unit(notional, leverage):
    assert 0 <= initial_margin(notional, leverage) - Fraction(notional, leverage) < 1


@given(st.sampled_from(TIERS[1:]))
def test_maintenance_margin_does_not_jump_where_a_tier_begins(tier):
    below = maintenance_margin(TIERS, tier.floor - 1)

    assert 0 <= maintenance_margin(TIERS, tier.floor) - below <= 1


@given(st.integers(-(10**15), 10**15), st.lists(st.integers(1, 1_000), min_size=1, max_size=20))
def test_the_cost_shares_of_a_position_sum_to_its_cost_however_it_is_closed(cost, parts):
    left, contracts = cost, sum(parts)
    for part in parts:
        share = cost_share(left, contracts, part)
        assert abs(share) <= abs(left)
        left -= share
        contracts -= part

    assert left == 0


class Thing:
    def __init__(self, number):
        self.number = number
        self.version = 0


@given(
    st.sampled_from((1, -1)),
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 40)), max_size=200),
    st.integers(1, 40),
)
def test_a_price_heap_gives_what_a_scan_would_give_in_the_same_order(sign, pushes, price):
    heap, things, waiting = PriceHeap(sign), {}, {}
    for number, at in pushes:
        thing = things.setdefault(number, Thing(number))
        if number in waiting:
            thing.version += 1
            heap.live -= 1
        waiting[number] = at
        heap.push(thing, at)
    expected = sorted(
        (at * sign, number) for number, at in waiting.items() if at * sign <= price * sign
    )

    found = []
    while (thing := heap.pop_due(price)) is not None:
        found.append(thing.number)

    assert found == [number for _, number in expected]
    assert heap.live == len(waiting) - len(found)


@given(
    st.lists(st.tuples(st.integers(0, 3_000_000), st.integers(-50, 50)), min_size=1, max_size=60),
    st.integers(1, 10),
    st.integers(0, 12_000_000),
)
def test_the_basis_average_is_that_of_the_latest_sample_of_each_second_in_the_window(
    steps, seconds, later
):
    average = BasisAverage(seconds * 1_000_000)
    at, samples = 0, {}
    for step, basis in steps:
        at += step
        average.add(at, basis)
        samples[at // 1_000_000] = basis
    at += later
    oldest = (at - seconds * 1_000_000) // 1_000_000
    kept = [basis for second, basis in samples.items() if second > oldest]

    assert average.value(at) == (sum(kept) // (2 * len(kept)) if kept else 0)


ladders = st.lists(st.tuples(st.integers(900, 1_100), st.integers(1, 50)), max_size=8)


class Resting:
    """As much of an order as a book side looks at."""

    def __init__(self, contracts):
        self.remaining = contracts
        self.level = self.prev = self.next = None


def side_of(sign, ladder):
    side = BookSide(sign)
    for price, contracts in ladder:
        side.append(Resting(contracts), price)
    return side


@given(ladders, ladders, st.integers(900, 1_100), st.integers(1, 10**5))
def test_the_premium_is_that_of_walking_the_book_unit_by_unit(bids, asks, index, notional):
    found = impact_premium(side_of(-1, bids), side_of(1, asks), index, notional, 1)

    bid = average_price(sorted(bids, reverse=True), notional)
    ask = average_price(sorted(asks), notional)
    over = max(Fraction(0), bid - index) / index if bid else Fraction(0)
    under = max(Fraction(0), index - ask) / index if ask else Fraction(0)
    assert abs(found - (over - under) * RATE_SCALE) < 1


def average_price(ladder, notional):
    spent = base = Fraction(0)
    for price, contracts in ladder:
        take = min(Fraction(contracts), (notional - spent) / price)
        spent += take * price
        base += take
    return spent / base if spent == notional else None
