from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.follow import (
    ALLOWED,
    COPIES_OPENS,
    FOLLOWS_CLOSES,
    HOLDS_A_PLACE,
    SHOWN_AS_COPYING,
    TERMINAL,
    VISIBLE,
    FollowState,
    check_move,
)
from copyplugin.errors import IllegalTransition

S = FollowState
ALIVE = frozenset(FollowState) - TERMINAL


def reachable_from(state: FollowState) -> set[FollowState]:
    found, waiting = {state}, [state]
    while waiting:
        for after in ALLOWED[waiting.pop()] - found:
            found.add(after)
            waiting.append(after)
    return found


def test_the_table_has_every_state():
    assert set(ALLOWED) == set(FollowState)


def test_every_state_is_reached_from_the_first():
    assert reachable_from(S.STARTING) == set(FollowState)


@pytest.mark.parametrize("state", FollowState)
def test_every_state_leads_to_an_end(state):
    assert reachable_from(state) & TERMINAL


def test_the_ends_are_closed_aborted_and_never_having_existed():
    assert {S.CLOSED, S.ABORTED, S.VOID} == TERMINAL


@pytest.mark.parametrize("state", sorted(ALIVE - {S.STARTING, S.HANDED_OVER, S.ABORTING}))
def test_copying_may_turn_out_impossible_in_every_live_state(state):
    assert S.ABORTING in ALLOWED[state]


def test_nothing_but_a_state_that_copies_leads_back_to_copying():
    for before, after in product(FollowState, repeat=2):
        if after in COPIES_OPENS and after in ALLOWED[before]:
            assert before in COPIES_OPENS | {S.STARTING}


@given(st.lists(st.sampled_from(FollowState), max_size=20))
def test_an_ended_relationship_never_copies_again(wishes):
    state, has_ended = S.STARTING, False
    for wish in wishes:
        try:
            check_move(state, wish)
        except IllegalTransition:
            continue
        state = wish
        has_ended = has_ended or state not in COPIES_OPENS
        assert not (has_ended and state in COPIES_OPENS)


@given(st.lists(st.sampled_from(FollowState), max_size=20))
def test_money_goes_home_before_a_follow_is_closed(wishes):
    state, seen = S.STARTING, [S.STARTING]
    for wish in wishes:
        if wish in ALLOWED[state]:
            state = wish
            seen.append(state)

    if state is S.CLOSED:
        assert seen[-2] is S.SETTLING
    if state is S.ABORTED:
        assert seen[-2] is S.ABORTING


def test_a_move_that_is_not_in_the_table_names_both_states():
    with pytest.raises(IllegalTransition, match="that is closed cannot become copying"):
        check_move(S.CLOSED, S.COPYING)


def test_the_sets_of_states_mean_what_the_specification_says():
    assert {S.PENDING, S.COPYING} == COPIES_OPENS
    assert {S.PENDING, S.COPYING, S.WINDING_DOWN} == FOLLOWS_CLOSES
    assert COPIES_OPENS | {S.STARTING} == HOLDS_A_PLACE
    assert {
        S.PENDING,
        S.COPYING,
        S.WINDING_DOWN,
        S.HANDED_OVER,
        S.CLOSING,
        S.SETTLING,
    } == SHOWN_AS_COPYING
    assert set(FollowState) - {S.STARTING, S.VOID} == VISIBLE
