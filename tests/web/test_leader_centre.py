"""The leader's own figures (T2 to T5): each is the sum its definition names."""

from datetime import UTC, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from copyplugin.domain.follow import FollowState
from copyplugin.domain.money import money_total
from copyplugin.store.queries import Queries
from tests.web.builders import NOW, FixedClock, World, money, ratio

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def centre(world: World, database):
    """Return a leader with three people after him: one copying, one copying twice, one gone."""
    world.instrument(mark="60100.0")
    ada, other = world.leader(), world.leader("Other")
    ben, cyd, dan = (world.follower(name) for name in ("Ben", "Cyd", "Dan"))
    gone = world.follow(ada, ben, state=FollowState.CLOSED, copy_amount=money("250.5"))
    now = world.follow(ada, cyd, sharer_account="S1", sharer_ratio=ratio("0.25"))
    world.follow(
        ada, dan, state=FollowState.WINDING_DOWN, started_at=NOW - timedelta(days=1, hours=2)
    )
    world.follow(ada, ben, state=FollowState.PENDING, started_at=NOW - timedelta(hours=20))
    world.follow(other, dan)
    world.follow(ada, cyd, state=FollowState.VOID, copy_amount=money(9999))
    lane = world.lane(now)
    world.closed_position(gone, world.lane(gone), ada, realized_pnl="-30", fees="1")
    world.closed_position(now, lane, ada, realized_pnl="101", fees="1")
    world.open_position(now, lane)
    return ada, now


def test_the_overview_is_the_sums_that_its_definitions_name(centre, world, database):
    ada, _ = centre
    world.statistics(ada)

    shown = Queries(database, FixedClock()).leader_overview(ada)

    assert shown.copy_amount_ever == money("550.5")
    assert shown.accumulated_yield == Fraction("0.1205")
    assert shown.net_value == money(100 - 31)
    assert (shown.followers_ever, shown.followers_now, shown.follows_now) == (3, 3, 3)
    assert shown.copy_amount_now == money(300)
    # 100 of profit, 10 % share, of which a quarter goes to the sharer
    assert shown.income_today == Fraction("7.5")
    assert shown.income_yesterday == 0


def test_days_are_those_of_the_time_zone(centre, world, database):
    ada, _ = centre
    clock = FixedClock()

    # At noon in London: started 20 hours ago is yesterday there, and in Shanghai where it is 20:00.
    assert Queries(database, clock).leader_overview(ada).copy_amount_yesterday == money(200)
    assert Queries(database, clock).leader_overview(ada).followers_yesterday == 2
    clock.at = NOW + timedelta(hours=5)  # 01:00 of the next day in Shanghai
    there = Queries(database, clock, SHANGHAI).leader_overview(ada)
    assert there.income_today == 0
    assert there.income_yesterday == money("10")  # settled at noon in London
    assert there.today == Queries(database, clock).leader_overview(ada).today + timedelta(days=1)


def test_what_was_settled_at_midnight_belongs_to_the_day_that_begins(centre, world, database):
    ada, _ = centre
    where_noon_is_midnight = ZoneInfo("Etc/GMT-12")  # twelve hours ahead, as its name does not say

    clock = FixedClock(NOW + timedelta(hours=1))
    shown = Queries(database, clock, where_noon_is_midnight).leader_overview(ada)
    assert shown.income_yesterday == 0
    clock.at += timedelta(days=1)
    shown = Queries(database, clock, where_noon_is_midnight).leader_overview(ada)
    assert shown.income_yesterday == money(10)


def test_the_share_list_is_newest_first_and_its_total_is_the_sum_of_its_rows(
    centre, world, database
):
    ada, now = centre
    lane = world.lane(now, symbol="ETHUSDT")
    world.closed_position(now, lane, ada, realized_pnl="5.12345678", fees="0.00000001")

    listed = Queries(database, FixedClock()).share_list(ada, page=1, page_size=10)

    assert [line.leader_part for line in listed.lines] == [Decimal("0.5123"), money(10)]
    assert listed.total == money_total(*(line.leader_part for line in listed.lines))
    assert [line.shown for line in listed.lines] == [Decimal("0.5123"), money(10)]
    assert [line.follower_account for line in listed.lines] == ["F4", "F4"]


def test_the_followers_in_process_are_listed_with_what_their_profits_would_pay(
    centre, world, database
):
    ada, now = centre

    listed = Queries(database, FixedClock()).follower_list(ada)

    # 0.05 BTC bought for 2995 is worth 3005; less the fee of 1.64725
    profit = Fraction("8.35275")
    assert listed.estimated_share == profit * Fraction(1, 10) * Fraction(3, 4)
    assert (listed.followers, listed.amount) == (3, money(300))
    assert {line.follow_id: line.estimated_share for line in listed.lines}[now] > 0
    assert sum(line.copy_amount for line in listed.lines) == listed.amount
    world.mark("BTCUSDT", "50000.0")
    assert Queries(database, FixedClock()).follower_list(ada).estimated_share == 0


def test_a_leader_whom_nobody_follows_has_nothing(world, database):
    leader = world.leader()

    shown = Queries(database, FixedClock(), UTC).leader_overview(leader)

    assert (shown.copy_amount_ever, shown.net_value, shown.income_today) == (0, 0, 0)
    assert shown.accumulated_yield is None
    assert Queries(database, FixedClock()).share_list(leader, page=3, page_size=5).lines == ()


def test_income_counts_profits_only(centre, world, database):
    ada, now = centre
    before = Queries(database, FixedClock()).leader_overview(ada).income_today
    world.closed_position(now, world.lane(now, symbol="ETHUSDT"), ada, realized_pnl="-70")

    assert Queries(database, FixedClock()).leader_overview(ada).income_today == before
