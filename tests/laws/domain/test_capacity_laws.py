"""How much copying a market bears (N9)."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.capacity import Depth, Load, borne, depth_within, room_left, usual_depth
from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from tests.laws.domain.domain_strategies import instruments

TICK = Decimal("0.5")
amounts = st.integers(0, 10**12).map(lambda units: Money(Decimal(units).scaleb(-4)))
positive = st.integers(1, 10**12).map(lambda units: Money(Decimal(units).scaleb(-4)))
ratios = st.integers(1, 100).map(lambda percent: Ratio(Decimal(percent) / 100))
sizes = st.lists(st.integers(1, 10_000).map(Contracts), max_size=20)


def ladder(start: int, step: int, counts):
    return [(Price(TICK * (start + step * i)), count) for i, count in enumerate(counts)]


@given(bids=sizes, asks=sizes, percent=st.integers(0, 5), instrument=instruments())
def test_depth_is_the_value_of_the_levels_inside_the_bound_and_no_others(
    bids, asks, percent, instrument
):
    below, above = ladder(1_000, -1, bids), ladder(1_001, 1, asks)
    bound = Fraction(percent, 100)

    depth = depth_within(below, above, instrument, Ratio(Decimal(percent) / 100))

    inside_asks = [x for x in above if Fraction(x[0]) <= Fraction(above[0][0]) * (1 + bound)]
    inside_bids = [x for x in below if Fraction(x[0]) >= Fraction(below[0][0]) * (1 - bound)]
    for told, inside in ((depth.buy, inside_asks), (depth.sell, inside_bids)):
        value = sum(Fraction(p) * c * Fraction(instrument.contract_size) for p, c in inside)
        assert value - Fraction(1, 10**8) < Fraction(told) <= value


@st.composite
def loads(draw):
    return Load(
        symbol=Symbol("BTCUSDT"),
        leader=draw(amounts),
        followers=draw(positive),
        copy_amount=draw(positive),
    )


@given(load=loads(), depth=amounts, usable=ratios, placed=amounts)
def test_who_fits_into_the_room_fits_into_the_depth_with_all_others(load, depth, usable, placed):
    capacity = borne(load, depth, usable=usable)
    assert capacity is not None
    room = room_left(capacity, placed)

    per_copied = Fraction(load.followers) / Fraction(load.copy_amount)
    asked = Fraction(load.leader) + per_copied * (Fraction(placed) + Fraction(room))
    assert room == 0 or asked <= Fraction(depth) * Fraction(usable)


@given(load=loads(), depth=amounts, usable=ratios)
def test_one_cent_more_than_what_is_borne_does_not_fit(load, depth, usable):
    beyond = Fraction(borne(load, depth, usable=usable) or 0) + Fraction(1, 100)

    asked = Fraction(load.leader) + Fraction(load.followers) / Fraction(load.copy_amount) * beyond
    assert asked > Fraction(depth) * Fraction(usable)


def test_without_copies_nothing_is_known():
    load = Load(
        symbol=Symbol("BTCUSDT"), leader=Money(Decimal(1)), followers=Money(Decimal(0)),
        copy_amount=Money(Decimal(0)),
    )  # fmt: skip
    assert borne(load, Money(Decimal(10)), usable=Ratio(Decimal(1))) is None


@given(sides=st.lists(st.tuples(amounts, amounts), max_size=30))
def test_what_is_counted_on_is_there_three_times_out_of_four(sides):
    samples = [Depth(buy=buy, sell=sell) for buy, sell in sides]
    usual = usual_depth(samples)

    if not samples:
        assert usual is None
    else:
        enough = [sample for sample in samples if min(sample.buy, sample.sell) >= usual]
        assert 4 * len(enough) >= 3 * len(samples)
