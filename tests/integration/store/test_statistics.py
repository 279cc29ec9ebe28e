"""Leaders' figures and records: kept step by step, they are what the raw rows give."""

from datetime import UTC, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from copyplugin.domain.account import FundingPayment
from copyplugin.domain.days import day_of
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.leader import ShareState, TradeState
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Ratio, money_total
from copyplugin.domain.statistics import Trade, trade_figures
from copyplugin.domain.track_record import NO_RECORD, track_record
from copyplugin.store.account_record import Point, Watched, add_point
from copyplugin.store.database import open_database
from copyplugin.store.follows import void
from copyplugin.store.leader_record import (
    FUNDING_GRACE,
    count_positions,
    count_trades,
    track_records,
)
from copyplugin.store.rows import (
    CopiedPositionRow,
    LeaderEquityRow,
    LeaderRecordRow,
    LeaderStatisticsRow,
    LeaderTradeRow,
)
from copyplugin.store.statistics import recompute_statistics, trade_figures_by_leader
from copyplugin.store.statistics_proof import statistics_differences
from tests.databases import migrated_sqlite
from tests.integration.store.store_builders import (
    NOW,
    make_follow,
    make_follower,
    make_lane,
    make_leader,
    make_position,
    money,
    reserve,
)

TODAY = day_of(NOW, UTC)


def make_trade(leader, number=0, **changes) -> LeaderTradeRow:
    return LeaderTradeRow(
        **{
            "leader_id": leader.id,
            "symbol": f"C{number}",
            "position_side": PositionSide.LONG,
            "state": TradeState.CLOSED,
            "leverage": Ratio(Decimal(10)),
            "opened_contracts": Contracts(1),
            "opened_value": money(100),
            "closed_contracts": Contracts(1),
            "closed_value": money(110),
            "margin": money(10),
            "realized_pnl": money(10),
            "opened_at": NOW,
            "closed_at": NOW,
        }
        | changes
    )


units = st.integers(-(10**12), 10**12).map(lambda n: Money(Decimal(n).scaleb(-8)))
hours = st.integers(-24 * 20, 24).map(lambda n: NOW + timedelta(hours=n))
histories = st.lists(
    st.tuples(units, units, units, units.map(abs), hours, hours, st.booleans()), max_size=15
)


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    database = open_database(migrated_sqlite(tmp_path_factory.mktemp("statistics")))
    leader = database.write_and_wait(make_leader)
    yield database, leader
    database.close()


@settings(max_examples=60)
@given(history=histories, counted_until=st.lists(hours, max_size=3).map(sorted))
def test_what_is_kept_trade_by_trade_is_what_the_rules_find(books, history, counted_until):
    database, leader = books
    rows, trades = [], []
    for number, (pnl, fees, funding, margin, one, other, is_open) in enumerate(history):
        opened_at, closed_at = sorted([one, other])
        sums = {"realized_pnl": pnl, "fees": fees, "funding": funding, "margin": margin}
        if is_open:
            changes = {"state": TradeState.OPEN, "closed_at": None}
        else:
            changes = {"closed_at": closed_at, "liquidated": number % 3 == 0}
        rows.append(make_trade(leader, number, opened_at=opened_at, **sums, **changes))
        trades.append(
            Trade(
                opened_at=opened_at,
                closed_at=changes["closed_at"],
                profit=ZERO_MONEY if is_open else money_total(pnl, Money(-fees), Money(-funding)),
                margin=margin,
                value=money(100),
                liquidated=changes.get("liquidated", False),
            )
        )

    def work(session):
        session.execute(delete(LeaderTradeRow))
        session.execute(delete(LeaderRecordRow))
        session.expire_all()
        session.add_all(rows)
        session.flush()
        for until in counted_until:
            count_trades(session, {leader.id: until + FUNDING_GRACE})
        session.flush()
        records = track_records(session)
        return records, trade_figures_by_leader(session, records, now=NOW)

    records, figures = database.write_and_wait(work)

    in_order = sorted(
        (trade for trade in trades if trade.closed_at is not None),
        key=lambda trade: trade.closed_at,
    )
    assert records.get(leader.id, NO_RECORD) == track_record(in_order)
    assert figures == ({leader.id: trade_figures(trades, now=NOW)} if trades else {})


def test_every_leader_has_figures_and_people_are_counted_as_the_specification_says(database):
    def work(session):
        leader, idle = make_leader(session), make_leader(session, "10002")
        session.add(make_trade(leader))
        first = make_follow(session, leader, "1")
        make_position(session, make_lane(session, first))
        first.state = first.state.CLOSED
        session.flush()
        make_follow(session, leader, "1")
        make_follow(session, leader, "2")
        never = reserve(session, leader, make_follower(session, "3"))
        void(session, never, reason="no money", at=NOW)
        count = recompute_statistics(session, now=NOW, today=TODAY)
        assert recompute_statistics(session, now=NOW, today=TODAY) == count
        return leader.id, idle.id, count

    leader_id, idle_id, count = database.write_and_wait(work)

    with database.read() as session:
        row, idle = (session.get(LeaderStatisticsRow, number) for number in (leader_id, idle_id))
        assert count == 2
        assert (row.copiers, row.follows_ever, row.followers_ever) == (2, 3, 2)
        assert (row.positions_copied, row.trades_won, row.total_profit) == (1, 1, money(10))
        assert (row.followers_result, row.followers_amount) == (money(97), money(300))
        assert (idle.copiers, idle.trades_closed, idle.total_profit) == (0, 0, money(0))


def test_a_booked_position_is_counted_once_and_one_whose_share_is_due_is_not(database):
    def work(session):
        leader = make_leader(session)
        lane = make_lane(session, make_follow(session, leader))
        booked = make_position(session, lane, share_state=ShareState.NONE)
        due = make_position(session, lane, share_state=ShareState.DUE)
        session.flush()
        count_positions(session)
        count_positions(session)
        record = session.get_one(LeaderRecordRow, leader.id)
        before = (record.positions_copied, record.followers_result)
        due.share_state = ShareState.SETTLED
        session.flush()
        count_positions(session)
        assert session.get(CopiedPositionRow, booked.id).counted
        return before, (record.positions_copied, record.followers_result)

    assert database.write_and_wait(work) == ((1, money(97)), (2, money(194)))


def put_point(session, leader, number, *, equity, wallet, fills=0, funding=0):
    at = NOW + timedelta(hours=8 * number)
    paid = FundingPayment(
        venue_payment_id=str(number),
        account=AccountId("1"),
        symbol=Symbol("BTCUSDT"),
        position_side=PositionSide.LONG,
        payment=money(funding),
        at=at,
    )
    watched = Watched(wallet=money(wallet), last_fill_id=fills, payments=[paid], asked_at=at)
    point = Point(at=at, day=day_of(at, UTC), equity=money(equity), profit=money(0))
    add_point(session, leader.id, point, watched, zone=UTC)
    return session.get_one(LeaderEquityRow, (leader.id, at))


def test_what_neither_fills_nor_funding_explain_was_brought_in_or_taken_out(database):
    def work(session):
        leader = make_leader(session)
        put_point(session, leader, 0, equity=1000, wallet=1000)
        brought = put_point(session, leader, 1, equity=1500, wallet=1500)
        paid = put_point(session, leader, 2, equity=1350, wallet=1485, funding=15)
        return [(row.flow, row.unit_value) for row in (brought, paid)], paid.drawdown_max

    points, drawdown = database.write_and_wait(work)

    assert points == [(money(500), 1), (money(0), Decimal("0.9"))]
    assert drawdown == Decimal("0.1")


@pytest.mark.parametrize("watches", [True, False])
@pytest.mark.parametrize("hours_back", [0, 1])
def test_a_point_that_is_not_later_than_the_last_leaves_it_as_it_is(database, watches, hours_back):
    def work(session):
        leader = make_leader(session)
        put_point(session, leader, 0, equity=1000, wallet=1000)
        put_point(session, leader, 1, equity=1100, wallet=1000)
        at = NOW + timedelta(hours=8 - hours_back)
        point = Point(at=at, day=day_of(at, UTC), equity=money(1210), profit=money(0))
        watched = Watched(wallet=money(1000), last_fill_id=0, payments=(), asked_at=NOW)
        add_point(session, leader.id, point, watched if watches else None, zone=UTC)
        before = statistics_differences(session, now=NOW + timedelta(hours=9), zone=UTC)
        later = put_point(session, leader, 2, equity=1210, wallet=1000)
        after = statistics_differences(session, now=NOW + timedelta(hours=17), zone=UTC)
        return before, after, later.unit_value

    assert database.write_and_wait(work) == ([], [], Decimal("1.21"))


def test_a_corrupted_figure_is_found_by_computing_it_anew(database):
    def work(session):
        leader = make_leader(session)
        for number, equity in enumerate((1000, 1100, 990, 1200, 1150, 1300, 1290)):
            put_point(session, leader, number, equity=equity, wallet=1000)
        session.add(make_trade(leader))
        session.flush()
        count_trades(session, {leader.id: NOW + timedelta(days=1)})
        now = NOW + timedelta(days=3)
        sound = statistics_differences(session, now=now, zone=UTC)
        session.get_one(LeaderRecordRow, leader.id).profit = money(11)
        session.get_one(LeaderEquityRow, (leader.id, NOW)).drawdown_max = Ratio(Decimal("0.5"))
        session.flush()
        return sound, statistics_differences(session, now=now, zone=UTC)

    sound, corrupted = database.write_and_wait(work)

    assert sound == []
    assert [line.split(" is kept")[0] for line in corrupted] == [
        "leader 1: total_profit",
        f"leader 1: the unit value of {NOW}",
    ]


def test_a_leader_has_one_open_trade_a_side(database):
    def work(session):
        leader = make_leader(session)
        opened = {"state": TradeState.OPEN, "closed_at": None}
        session.add_all([make_trade(leader, **opened), make_trade(leader, **opened)])

    with pytest.raises(IntegrityError, match="leader_trade"):
        database.write_and_wait(work)
    with database.read() as session:
        assert session.scalars(select(LeaderTradeRow)).all() == []
