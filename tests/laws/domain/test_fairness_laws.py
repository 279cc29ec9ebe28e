"""Laws of the order in which followers are served."""

from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.fairness import in_rotation

counts = st.integers(1, 300)
turns = st.integers(0, 10**9)


@given(counts, turns)
def test_in_as_many_turns_as_there_are_items_each_is_first_once_and_last_once(count, turn):
    orders = [in_rotation(range(count), turn + n) for n in range(count)]

    assert sorted(order[0] for order in orders) == list(range(count))
    assert sorted(order[-1] for order in orders) == list(range(count))


@given(st.lists(st.integers()), turns)
def test_a_turn_leaves_nobody_out_and_keeps_the_circle(items, turn):
    order = in_rotation(items, turn)

    assert sorted(order) == sorted(items)
    if items:
        assert any(order == [*items[n:], *items[:n]] for n in range(len(items)))


@given(st.integers(20, 300), turns)
def test_whoever_is_last_is_in_the_first_half_within_three_turns(count, turn):
    last = in_rotation(range(count), turn)[-1]

    places = [in_rotation(range(count), turn + n).index(last) for n in (1, 2, 3)]
    assert min(places) < count / 2
