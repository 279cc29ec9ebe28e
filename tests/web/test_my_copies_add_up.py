"""Every total on My copies is the sum of the rows it stands over, to the last unit."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.follow import FollowState
from copyplugin.domain.money import money_total
from copyplugin.domain.share import leader_share
from copyplugin.store.queries import Queries
from tests.web.builders import World, money

cents = st.integers(-600 * 10**8, 10**12).map(lambda units: Decimal(units).scaleb(-8))
fees = st.integers(0, 10**10).map(lambda units: Decimal(units).scaleb(-8))
closed = st.tuples(cents, fees, cents, st.booleans())
opened = st.tuples(st.integers(1, 500), st.integers(1, 10**12), fees, st.sampled_from(PositionSide))
follow = st.tuples(
    st.sampled_from([FollowState.COPYING, FollowState.CLOSED, FollowState.WINDING_DOWN]),
    st.integers(1, 10**10).map(lambda units: Decimal(units).scaleb(-2)),
    st.lists(closed, max_size=3),
    st.lists(opened, max_size=1),
)


@pytest.fixture
def one_leader(world):
    world.instrument(mark="60000.1")
    return world.leader()


def put_follow(world: World, leader: int, follower: int, drawn) -> None:
    state, amount, positions, holdings = drawn
    follow_id = world.follow(leader, follower, state=state, copy_amount=money(amount))
    lane = world.lane(follow_id)
    for realized, paid, funding, settled in positions:
        world.closed_position(
            follow_id,
            lane,
            leader,
            realized_pnl=realized,
            fees=paid,
            funding=funding,
            settled=settled,
        )
    for contracts, value, paid, side in holdings:
        world.open_position(
            follow_id,
            lane,
            side=side,
            opened_contracts=contracts,
            opened_value=money(Decimal(value).scaleb(-8)),
            fees=money(paid),
        )


# the database grows from example to example; each has a follower of its own
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(follow, max_size=3))
def test_totals_are_the_sums_of_the_rows(world, one_leader, database, clock, drawn):
    queries = Queries(database, clock)
    follower = world.follower()
    leaders = [world.leader() for _ in drawn]  # nobody follows one leader twice at once
    for leader, each in zip(leaders, drawn, strict=True):
        put_follow(world, leader, follower, each)

    copies = queries.copies(follower)
    page = queries.closed_positions(follower, page=1, page_size=100).positions
    rows = [*copies.open_positions, *page]

    assert copies.totals.amount == money_total(*(line.copy_amount for line in copies.follows))
    assert copies.totals.profit == money_total(
        *(line.profit_after_share for line in copies.follows)
    )
    for line in copies.follows:
        mine = [row for row in rows if row.follow_id == line.follow_id]
        assert line.profit == money_total(*(row.profit for row in mine))
        assert line.share == money_total(*(row.share for row in mine))
        assert line.positions_open + line.positions_closed == len(mine)
    assert copies.totals.profit == money_total(*(row.profit_after_share for row in rows))
    assert copies.amount_running + copies.amount_ended == copies.totals.amount
    assert all(row.share == leader_share(row.profit, copies.follows[0].share_ratio) for row in rows)


def test_what_never_started_is_in_no_total(world, one_leader, queries):
    follower = world.follower()
    world.follow(one_leader, follower, state=FollowState.STARTING)
    world.follow(one_leader, follower, state=FollowState.VOID)

    copies = queries.copies(follower)

    assert copies.follows == ()
    assert copies.totals.amount == 0
    assert copies.totals.profit_ratio is None
