import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from copyplugin.domain.command import EndHow
from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.follow import EndKind, FollowState
from copyplugin.domain.identifiers import ClientOrderId
from copyplugin.domain.money import Contracts
from copyplugin.domain.order import CopyOrderState, OrderPurpose
from copyplugin.errors import IllegalTransition, UnknownFollow
from copyplugin.store.database import open_database
from copyplugin.store.follows import (
    abort_follow,
    end_follow,
    finish,
    follows_in,
    get_follow,
    keep_states,
)
from copyplugin.store.leaders import Change, prohibit_leader, restore_leader
from copyplugin.store.rows import (
    CopyOrderRow,
    FollowBaselineRow,
    FollowHistoryRow,
    FollowRow,
    LaneRow,
    LeaderPositionRow,
)
from tests.integration.store.store_builders import (
    BTC,
    ETH,
    NOW,
    make_follow,
    make_lane,
    make_leader,
    make_position,
)

S = FollowState
CHANGE = Change(actor="op", reason="rules broken", at=NOW)


def states_of(session, follow) -> list[FollowState]:
    query = (
        select(FollowHistoryRow.to_state)
        .where(FollowHistoryRow.follow_id == follow.id)
        .order_by(FollowHistoryRow.id)
    )
    return list(session.scalars(query))


def end(session, follow, how=EndHow.CLOSE_NOW):
    end_follow(session, follow, how, actor="20001", reason="he wished so", at=NOW)


def hold(session, lane, contracts):
    lane.actual = Contracts(contracts)
    session.flush()
    keep_states(session, [lane.follow_id], at=NOW)


def test_what_the_leader_held_at_the_start_is_the_baseline(database):
    def work(session):
        leader = make_leader(session)
        for symbol, side, contracts in (
            (BTC, PositionSide.LONG, 7),
            (BTC, PositionSide.SHORT, 0),
            (ETH, PositionSide.SHORT, 3),
        ):
            session.add(
                LeaderPositionRow(
                    leader_id=leader.id,
                    symbol=symbol,
                    position_side=side,
                    contracts=Contracts(contracts),
                    updated_at=NOW,
                )
            )
        session.flush()
        return make_follow(session, leader)

    follow = database.write_and_wait(work)

    with database.read() as session:
        baseline = session.scalars(select(FollowBaselineRow)).all()
        assert {row.follow_id for row in baseline} == {follow.id}
        assert {(row.symbol, row.position_side, row.contracts) for row in baseline} == {
            (BTC, PositionSide.LONG, 7),
            (ETH, PositionSide.SHORT, 3),
        }


def test_a_follow_copies_is_flat_copies_again_and_ends_with_its_whole_life_written_down(database):
    def work(session):
        follow = make_follow(session, make_leader(session))
        lane = make_lane(session, follow)
        for contracts in (5, 9, 0, 4):
            hold(session, lane, contracts)
        end(session, follow)
        assert follow.state is S.CLOSING
        hold(session, lane, 0)
        finish(session, follow, at=NOW)
        return follow

    follow = database.write_and_wait(work)

    with database.read() as session:
        assert states_of(session, follow) == [
            S.STARTING,
            S.PENDING,
            S.COPYING,
            S.PENDING,
            S.COPYING,
            S.CLOSING,
            S.SETTLING,
            S.CLOSED,
        ]
        reasons = session.scalars(
            select(FollowHistoryRow.reason).where(FollowHistoryRow.to_state == S.CLOSING)
        )
        assert reasons.all() == ["he wished so"]


def test_closing_at_once_aims_every_lane_at_nothing_and_marks_it(database):
    def work(session):
        follow = make_follow(session, make_leader(session))
        lanes = [
            make_lane(session, follow, symbol=symbol, target=Contracts(4), actual=Contracts(4))
            for symbol in (BTC, ETH)
        ]
        keep_states(session, [follow.id], at=NOW)
        end(session, follow)
        return [lane.id for lane in lanes]

    lane_ids = database.write_and_wait(work)

    with database.read() as session:
        lanes = [session.get(LaneRow, lane_id) for lane_id in lane_ids]
        assert [(lane.target, lane.actual, lane.marked) for lane in lanes] == [(0, 4, True)] * 2


def test_winding_down_leaves_the_lanes_alone_and_may_still_be_closed_at_once(database):
    def work(session):
        follow = make_follow(session, make_leader(session))
        lane = make_lane(session, follow, target=Contracts(4), actual=Contracts(4))
        end(session, follow, EndHow.FOLLOW_CLOSES)
        kept = lane.target
        with pytest.raises(IllegalTransition, match="ended or is ending"):
            end(session, follow, EndHow.FOLLOW_CLOSES)
        end(session, follow)
        return kept, follow.state

    assert database.write_and_wait(work) == (4, S.CLOSING)


def test_a_flat_follow_that_is_ended_is_settled_at_once_and_says_that_nothing_was_opened(database):
    def work(session):
        follow = make_follow(session, make_leader(session))
        end(session, follow)
        assert follow.state is S.SETTLING
        finish(session, follow, at=NOW)
        return follow

    follow = database.write_and_wait(work)

    assert (follow.state, follow.end_kind) == (S.CLOSED, EndKind.ENDED_BEFORE_OPEN)
    assert follow.ended_at == NOW


@pytest.mark.parametrize(
    ("named", "kind"),
    [
        (None, EndKind.ENDED_AFTER_OPENING),
        (EndKind.POSITION_CLOSED, EndKind.POSITION_CLOSED),
    ],
)
def test_the_end_says_what_happened_before(database, named, kind):
    def work(session):
        follow = make_follow(session, make_leader(session))
        make_position(session, make_lane(session, follow))
        end(session, follow)
        follow.end_kind = named
        finish(session, follow, at=NOW)
        return follow.end_kind

    assert database.write_and_wait(work) is kind


def test_an_order_in_doubt_keeps_a_follow_from_being_settled(database):
    def work(session):
        follow = make_follow(session, make_leader(session))
        lane = make_lane(session, follow)
        session.add(
            CopyOrderRow(
                lane_id=lane.id,
                sequence=1,
                client_order_id=ClientOrderId("cpL1S1"),
                purpose=OrderPurpose.COPY,
                order_side=OrderSide.BUY,
                reduce_only=False,
                contracts=Contracts(3),
                decided_at=NOW,
            )
        )
        session.flush()
        end(session, follow)
        return follow.state

    assert database.write_and_wait(work) is S.CLOSING


def test_a_lane_has_one_order_in_doubt_at_most(database):
    def order(lane, sequence):
        return CopyOrderRow(
            lane_id=lane.id,
            sequence=sequence,
            client_order_id=ClientOrderId(f"cpL1S{sequence}"),
            purpose=OrderPurpose.COPY,
            order_side=OrderSide.BUY,
            reduce_only=False,
            contracts=Contracts(3),
            decided_at=NOW,
        )

    def work(session):
        lane = make_lane(session, make_follow(session, make_leader(session)))
        session.add_all([order(lane, 1), order(lane, 2)])

    with pytest.raises(IntegrityError, match="lane_id"):
        database.write_and_wait(work)


def test_an_aborted_follow_closes_and_ends_as_aborted(database):
    def work(session):
        follow = make_follow(session, make_leader(session))
        lane = make_lane(session, follow, target=Contracts(2), actual=Contracts(2))
        keep_states(session, [follow.id], at=NOW)
        abort_follow(session, follow, reason="the venue is silent", at=NOW)
        hold(session, lane, 0)
        assert follow.state is S.ABORTING
        finish(session, follow, at=NOW)
        return follow

    follow = database.write_and_wait(work)

    assert (follow.state, follow.end_kind) == (S.ABORTED, EndKind.ABORTED)
    assert follow.end_reason == "the venue is silent"


def test_prohibiting_a_leader_winds_down_whoever_follows_and_restoring_revives_nobody(database):
    def work(session):
        leader, other = make_leader(session), make_leader(session, "10002")
        pending = make_follow(session, leader, "1")
        copying = make_follow(session, leader, "2")
        hold(session, make_lane(session, copying), 3)
        ended = make_follow(session, leader, "3")
        end(session, ended)
        elsewhere = make_follow(session, other, "1")
        ended_now = prohibit_leader(session, leader.id, CHANGE)
        again = prohibit_leader(session, leader.id, CHANGE)
        restore_leader(session, leader.id)
        follows = (pending, copying, ended, elsewhere)
        return [row.id for row in ended_now], again, [row.state for row in follows], pending.id

    ended_now, again, states, first = database.write_and_wait(work)

    assert ended_now == [first, first + 1]
    assert again == []
    assert states == [S.WINDING_DOWN, S.WINDING_DOWN, S.SETTLING, S.PENDING]
    with database.read() as session:
        assert [row.id for row in follows_in(session, {S.WINDING_DOWN})] == ended_now


@pytest.mark.parametrize(
    "statement", ["UPDATE follow_history SET actor = 'x'", "DELETE FROM follow_history"]
)
def test_the_history_of_a_follow_cannot_be_changed(database, statement):
    database.write_and_wait(lambda s: make_follow(s, make_leader(s)))

    with pytest.raises(DBAPIError, match="append-only"):
        database.write_and_wait(lambda s: s.execute(text(statement)))


def test_an_unknown_follow_is_refused_by_its_number(database):
    with database.read() as session, pytest.raises(UnknownFollow, match="number 77"):
        get_follow(session, 77)


def test_a_sub_account_belongs_to_one_follow(database):
    def work(session):
        leader = make_leader(session)
        one, two = make_follow(session, leader, "1"), make_follow(session, leader, "2")
        session.get(FollowRow, two.id).sub_account = one.sub_account

    with pytest.raises(IntegrityError, match="sub_account"):
        database.write_and_wait(work)


@pytest.mark.parametrize("kind", ["postgresql"])  # SQLite's one writer is alone
def test_a_follow_whose_last_order_is_booked_while_it_is_looked_at_is_not_flat(database, url):
    def begin(session):
        follow = make_follow(session, make_leader(session))
        lane = make_lane(session, follow)
        order = CopyOrderRow(
            lane_id=lane.id,
            sequence=1,
            client_order_id=ClientOrderId("cp-1"),
            purpose=OrderPurpose.COPY,
            order_side=OrderSide.BUY,
            reduce_only=False,
            contracts=Contracts(5),
            decided_at=NOW,
        )
        session.add(order)
        session.flush()
        end(session, follow)
        return follow.id, lane.id, order.id

    follow_id, lane_id, order_id = database.write_and_wait(begin)
    worker = open_database(url)

    def book(session):
        session.get_one(LaneRow, lane_id).actual = Contracts(5)
        session.get_one(CopyOrderRow, order_id).state = CopyOrderState.DONE

    def look(session):
        waiting = [book]

        def looked(*_):
            if waiting:
                worker.write_and_wait(waiting.pop())

        event.listen(session.connection(), "after_cursor_execute", looked)
        keep_states(session, [follow_id], at=NOW)
        return get_follow(session, follow_id).state

    assert database.write_and_wait(look) is S.CLOSING
    worker.close()
