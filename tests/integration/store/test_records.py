"""Records are what rows are: whatever one writes, the other reads, on both databases."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import inspect, select

from copyplugin.domain.fill import MarginMode
from copyplugin.domain.follow import FollowState
from copyplugin.domain.identifiers import CopyOrderId, SignalId
from copyplugin.domain.money import Money
from copyplugin.domain.order import CopyOrderState, OrderPurpose
from copyplugin.domain.transition import Effect
from copyplugin.store.lane_book import DECISIONS, LANES, ORDERS, POSITIONS, LaneBook
from copyplugin.store.records import Kept
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyDecisionRow,
    CopyOrderRow,
    FollowHistoryRow,
    FollowRow,
    LaneRow,
    SignalRow,
)
from copyplugin.store.statement import Statement, driver_connection
from tests.integration.store.store_builders import (
    BTC,
    NOW,
    make_follow,
    make_lane,
    make_leader,
    make_position,
    money,
)

amounts = st.integers(0, 2**63 - 1).map(lambda units: Money(Decimal(units).scaleb(-8)))
signed = st.integers(-(2**63) + 1, 2**63 - 1).map(lambda n: Money(Decimal(n).scaleb(-8)))
prices = st.decimals("0.00000001", "999999", places=8)
times = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone
details = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3)


def attributes(row: object, kind: type) -> dict[str, object]:
    return {name: getattr(row, name) for name in inspect(kind).columns.keys()}  # noqa: SIM118 - keyed by name


@pytest.fixture
def lane(database) -> LaneRow:
    def work(session):
        lane = make_lane(session, make_follow(session, make_leader(session)))
        make_position(session, lane)
        return lane

    return database.write_and_wait(work)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_records_write_rows_read(database, lane, data):
    order = ORDERS.record(
        lane_id=lane.id,
        sequence=data.draw(st.integers(1, 10**6)),
        client_order_id="x",
        purpose=data.draw(st.sampled_from(OrderPurpose)),
        order_side=lane.position_side.opening_side,
        reduce_only=data.draw(st.booleans()),
        contracts=data.draw(st.integers(1, 2**62)),
        limit_price=data.draw(st.none() | prices),
        state=data.draw(st.sampled_from(CopyOrderState)),
        filled_value=data.draw(amounts),
        fee=data.draw(signed),
        reject_reason=data.draw(st.none() | st.text(max_size=9).map(lambda t: t.replace("\0", ""))),
        decided_at=data.draw(times),
        filled_at=data.draw(st.none() | times),
    )
    order.id = CopyOrderId(1)

    def work(session):
        driver_connection(session).execute("DELETE FROM copy_order")
        ORDERS.insert(session, [order])
        row = session.get(CopyOrderRow, 1, populate_existing=True)
        assert attributes(row, CopyOrderRow) == attributes(order, CopyOrderRow)
        [found] = Statement(f"SELECT {ORDERS.select('o')} FROM copy_order AS o").run(session)
        assert attributes(ORDERS.read(found), CopyOrderRow) == attributes(row, CopyOrderRow)

    database.write_and_wait(work)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_record_that_changes_is_written_as_a_row_would_be(database, lane, data):
    changes = {
        "closed_value": data.draw(amounts),
        "realized_pnl": data.draw(signed),
        "leverage": data.draw(prices),
        "closed_at": data.draw(times),
        "margin": data.draw(st.none() | signed),
    }

    def work(session):
        kept = Kept(POSITIONS)
        query = f"SELECT {POSITIONS.select('p')} FROM copied_position AS p"
        [found] = Statement(query).run(session)
        record = kept.found(tuple(found))
        before = attributes(session.scalars(select(CopiedPositionRow)).one(), CopiedPositionRow)
        assert attributes(record, CopiedPositionRow) == before
        for name, value in changes.items():
            setattr(record, name, value)
        kept.update(session)
        session.expire_all()
        after = attributes(session.scalars(select(CopiedPositionRow)).one(), CopiedPositionRow)
        assert after == before | changes

    database.write_and_wait(work)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(detail=st.none() | details.filter(lambda d: "\0" not in str(d) and "\\x00" not in repr(d)))
def test_what_was_skipped_keeps_its_numbers(database, lane, detail):
    def work(session):
        driver_connection(session).execute("DELETE FROM copy_decision")
        session.expire_all()
        signal_id = session.scalar(select(SignalRow.id)) or _signal(session, lane)
        decision = DECISIONS.record(
            signal_id=signal_id,
            lane_id=lane.id,
            revision=1,
            wanted=1,
            skip_detail=detail,
            target_before=0,
            target_after=1,
            decided_at=NOW,
        )
        DECISIONS.insert(session, [decision])
        row = session.get(CopyDecisionRow, (signal_id, lane.id), populate_existing=True)
        assert attributes(row, CopyDecisionRow) == attributes(decision, CopyDecisionRow)

    database.write_and_wait(work)


def _signal(session, lane) -> SignalId:
    signal = SignalRow(
        leader_id=1,
        order_id="1",
        symbol=BTC,
        position_side=lane.position_side,
        effect=Effect.OPEN,
        increases=True,
        contracts_before=0,
        contracts_after=1,
        contracts=1,
        price_sum=Decimal(1),
        leverage=Decimal(1),
        margin_mode=MarginMode.ISOLATED,
        first_fill_at=NOW,
        last_fill_at=NOW,
        received_at=NOW,
    )
    session.add(signal)
    session.flush()
    return signal.id


def test_a_record_that_is_gone_cannot_be_written(database, lane):
    def work(session):
        kept = Kept(LANES)
        [found] = Statement(f"SELECT {LANES.select('lane')} FROM lane").run(session)
        record = kept.found(tuple(found))
        driver_connection(session).execute("DELETE FROM copied_position")
        driver_connection(session).execute("DELETE FROM lane")
        record.failures = 7
        kept.update(session)

    with pytest.raises(AssertionError, match="1 rows of lane were to be written, 0 were there"):
        database.write_and_wait(work)


def test_a_follow_moves_with_what_its_lanes_hold_and_its_history_says_so(database, lane):
    def hold(session):
        book = LaneBook(session, [lane.id])
        work = book.works[lane.id]
        work.lane.actual = work.lane.target = 3
        book.keep_states([work.follow], at=NOW)
        book.save()

    def let_go(session):
        book = LaneBook(session, [lane.id])
        work = book.works[lane.id]
        work.lane.actual = work.lane.target = 0
        book.keep_states([work.follow], at=NOW)
        book.save()

    states = []
    for step in (hold, let_go):
        database.write_and_wait(step)
        with database.read() as session:
            states.append(session.get(FollowRow, lane.follow_id).state)
            last = session.scalars(
                select(FollowHistoryRow).order_by(FollowHistoryRow.id.desc()).limit(1)
            ).one()
            assert last.to_state is states[-1]

    assert states == [FollowState.COPYING, FollowState.PENDING]


def test_giving_up_aims_the_lanes_at_hand_and_the_others_at_nothing(database, lane):
    def work(session):
        other = make_lane(session, session.get(FollowRow, lane.follow_id), symbol="ETHUSDT")
        other.target = other.actual = 5
        session.flush()
        book = LaneBook(session, [lane.id])
        mine = book.works[lane.id]
        mine.lane.target = mine.lane.actual = 4
        book.abort(mine.follow, reason="the venue is gone", at=NOW)
        book.save()

    database.write_and_wait(work)

    with database.read() as session:
        lanes = session.scalars(select(LaneRow)).all()
        assert [(row.target, row.marked) for row in lanes] == [(0, True), (0, True)]
        assert session.get(FollowRow, lane.follow_id).state is FollowState.ABORTING
        assert session.scalar(select(CopiedPositionRow.fees)) == money(2)
