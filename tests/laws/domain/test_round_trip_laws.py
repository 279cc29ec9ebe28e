from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.money import Contracts, Money, steps_of
from copyplugin.domain.round_trip import RoundTrip
from copyplugin.domain.round_trip_steps import StepSums
from tests.laws.domain.domain_strategies import money, sides, signed_money

values = money.filter(lambda value: value > 0)
opens = st.lists(st.tuples(st.integers(1, 1000), values, signed_money), min_size=1, max_size=6)


@st.composite
def closed_trips(draw):
    """Return a round trip that was opened in parts and closed in parts, and each step of it."""
    trip = RoundTrip(position_side=draw(sides))
    steps = [trip]
    for contracts, value, fee in draw(opens):
        trip = trip.opened(Contracts(contracts), value, fee=fee)
        steps.append(trip)
    while trip.contracts:
        part = Contracts(draw(st.integers(1, trip.contracts)))
        trip = trip.closed(part, draw(values), fee=draw(signed_money))
        steps.append(trip)
    return steps


@given(closed_trips())
def test_once_flat_the_result_is_exactly_what_came_in_less_what_went_out(steps):
    end = steps[-1]
    long = end.closed_value - end.opened_value

    assert end.realized_pnl == (long if end.position_side is PositionSide.LONG else -long)
    assert end.entry_cost == 0
    assert end.contracts == 0


@given(closed_trips())
def test_the_cost_of_what_is_open_never_falls_below_nothing_nor_exceeds_what_was_paid(steps):
    for trip in steps:
        assert 0 <= trip.entry_cost <= trip.opened_value


@given(closed_trips())
def test_a_partial_close_leaves_the_average_entry_where_it_was_to_the_last_unit(steps):
    for before, after in pairwise(steps):
        if after.closed_contracts > before.closed_contracts and after.contracts:
            kept = Fraction(before.entry_cost) * after.contracts / before.contracts
            assert 0 <= Fraction(after.entry_cost) - kept < Fraction(1, 10**8)


@given(opens, values, signed_money)
def test_fees_are_the_sum_of_what_each_part_paid(parts, value, last_fee):
    trip = RoundTrip(position_side=PositionSide.LONG)
    for contracts, worth, fee in parts:
        trip = trip.opened(Contracts(contracts), worth, fee=fee)
    trip = trip.closed(trip.contracts, value, fee=last_fee)

    assert Fraction(trip.fees) == sum(Fraction(part[2]) for part in parts) + Fraction(last_fee)


@given(opens, values)
def test_closing_more_than_is_open_is_a_bug(parts, value):
    trip = RoundTrip(position_side=PositionSide.LONG)
    for contracts, worth, fee in parts:
        trip = trip.opened(Contracts(contracts), worth, fee=fee)

    with pytest.raises(AssertionError):
        trip.closed(Contracts(trip.contracts + 1), value, fee=value)


@given(closed_trips())
def test_plain_numbers_come_to_the_same_sums_to_the_last_unit(steps):
    plain = StepSums()

    for before, after in pairwise(steps):
        fee = steps_of(after.fees - before.fees)
        if after.opened_contracts > before.opened_contracts:
            value = steps_of(after.opened_value - before.opened_value)
            plain = plain.opened(after.contracts - before.contracts, value, fee=fee)
        else:
            plain = plain.closed(
                before.contracts - after.contracts,
                steps_of(after.closed_value - before.closed_value),
                fee=fee,
                position_side=after.position_side,
            )

        assert plain.contracts == after.contracts
        assert plain == (
            after.opened_contracts,
            steps_of(after.opened_value),
            after.closed_contracts,
            steps_of(after.closed_value),
            steps_of(after.realized_pnl),
            steps_of(after.fees),
        )


@given(sides, st.tuples(values, values, values), signed_money)
def test_what_the_venue_took_at_its_own_cost_leaves_the_rest_at_theirs(side, parts, realized):
    first, second, fee = parts
    gain = realized if side is PositionSide.LONG else Money(-realized)
    value = Money(first + gain)
    trip = RoundTrip(position_side=side).opened(Contracts(7), first, fee=fee)

    left = trip.opened(Contracts(3), second, fee=fee).taken(
        Contracts(7), value, realized=realized, fee=fee
    )

    assert (left.contracts, left.entry_cost, left.realized_pnl) == (3, second, realized)
