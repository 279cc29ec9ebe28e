from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.money import Contracts
from copyplugin.domain.transition import Effect, Legs, grown, legs_after, transitions
from tests.laws.domain.domain_strategies import fills

one_way = st.lists(fills(position_sides=st.none()), max_size=20)
hedge = st.lists(fills(position_sides=st.sampled_from(PositionSide)), max_size=20)
legs = st.builds(
    Legs, long=st.integers(0, 60).map(Contracts), short=st.integers(0, 60).map(Contracts)
)


def signed(fill) -> int:
    return fill.contracts if fill.side is OrderSide.BUY else -fill.contracts


@given(one_way)
def test_in_one_way_mode_the_legs_are_the_net_position_and_never_both_open(history):
    held, net = Legs(), 0
    for fill in history:
        held = legs_after(held, transitions(held, fill))
        net += signed(fill)

        assert held.long - held.short == net
        assert held.long == 0 or held.short == 0


@given(hedge)
def test_in_hedge_mode_a_leg_moves_only_by_its_own_fills_and_never_below_zero(history):
    held = Legs()
    expected = dict.fromkeys(PositionSide, 0)
    for fill in history:
        held = legs_after(held, transitions(held, fill))
        adds = fill.side is fill.position_side.opening_side
        change = fill.contracts if adds else -fill.contracts
        expected[fill.position_side] = max(0, expected[fill.position_side] + change)

        assert {side: held.of(side) for side in PositionSide} == expected


@given(legs, fills())
def test_the_effect_says_what_happened_to_the_leg(before, fill):
    for moved in transitions(before, fill):
        change = moved.contracts_after - moved.contracts_before
        assert change == (moved.contracts if moved.effect.increases else -moved.contracts)
        assert (moved.effect is Effect.OPEN) == (moved.contracts_before == 0)
        assert (moved.effect is Effect.CLOSE) == (moved.contracts_after == 0)
        assert moved.price_sum == moved.contracts * fill.price


@given(legs, fills())
def test_a_fill_moves_at_most_two_legs_and_a_flip_closes_before_it_opens(before, fill):
    moved = transitions(before, fill)

    assert len(moved) <= 2
    assert sum(part.contracts for part in moved) <= fill.contracts
    if len(moved) == 2:
        assert fill.position_side is None
        assert [part.effect.increases for part in moved] == [False, True]
        assert sum(part.contracts for part in moved) == fill.contracts


@given(legs, fills(position_sides=st.none()))
def test_what_the_venue_says_was_closed_is_never_taken_for_an_open(before, fill):
    closing = replace(fill, contracts_closed=fill.contracts)

    moved = transitions(before, closing)

    assert not any(part.effect.increases for part in moved)


@given(legs, st.lists(fills(position_sides=st.just(PositionSide.LONG)), min_size=1, max_size=9))
def test_fills_of_one_order_grow_into_one_transition_from_first_to_last(before, history):
    buys = [replace(fill, side=OrderSide.BUY) for fill in history]
    held, whole = before, None
    for fill in buys:
        (part,) = transitions(held, fill)
        held = legs_after(held, (part,))
        whole = part if whole is None else grown(whole, part)

    assert whole.contracts_before == before.long
    assert whole.contracts_after == held.long
    assert whole.contracts == sum(fill.contracts for fill in buys)
    assert whole.price_sum == sum(fill.contracts * fill.price for fill in buys)
    assert whole.effect is (Effect.ADD if before.long else Effect.OPEN)
