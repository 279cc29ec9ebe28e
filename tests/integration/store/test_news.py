"""What people are told, on both databases: read off the rows, once, to whom it concerns."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select

from copyplugin.domain.account import TransferKind, TransferState, Wallet
from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.follow import FollowState
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.notice import Audience, Channel, NoticeKind
from copyplugin.domain.order import CopyOrderState, OrderPurpose
from copyplugin.store import halts, news, notices, venue_closes
from copyplugin.store.follow_settings import settings_of
from copyplugin.store.follows import move, write_history
from copyplugin.store.job_runs import job_finished, job_started
from copyplugin.store.protection import raise_alarm
from copyplugin.store.queries.notices import notice_list
from copyplugin.store.queries.settings_of_follow import settings_of_follow
from copyplugin.store.receipts import count_receipts, some_receipts_of_follow
from copyplugin.store.rows import (
    CopyOrderRow,
    FollowHistoryRow,
    FollowRow,
    LeaderRow,
    NoticeRow,
    OrphanRow,
    TransferRow,
)
from tests.integration.store.store_builders import (
    BTC,
    NOW,
    make_follow,
    make_lane,
    make_leader,
    make_position,
    money,
)

FOLLOWER, LEADER, OPERATOR = Audience.FOLLOWER, Audience.LEADER, Audience.OPERATOR


def happen(session):
    """Let one of everything happen that is told of."""
    leader = make_leader(session)
    follow = make_follow(session, leader)
    position = make_position(session, make_lane(session, follow))
    raise_alarm(session, AlarmKind.UNPROTECTED, position, "No stop rests.", at=NOW)
    halts.halt(
        session, HaltScope.LEADER, leader.id, actor="operator:ann", reason="odd", until=None, at=NOW
    )
    session.add(
        OrphanRow(
            follow_id=follow.id,
            symbol=BTC,
            position_side=PositionSide.LONG,
            contracts=3,
            found_at=NOW,
        )
    )
    session.add(
        TransferRow(
            id="t1",
            follow_id=follow.id,
            kind=TransferKind.SHARE,
            from_account="1",
            from_wallet=Wallet.CONTRACT,
            to_account="2",
            to_wallet=Wallet.SPOT,
            money=money("1.5"),
            state=TransferState.REFUSED,
            last_error="not allowed",
            created_at=NOW,
        )
    )
    job_started(session, "ledger", at=NOW)
    job_finished(session, "ledger", backlog=None, error="broken", at=NOW)
    move(
        session, follow, FollowState.ABORTING, actor="engine", reason="the venue is silent", at=NOW
    )


def gather(session, at=NOW):
    news.tell_of_alarms(session, at=at)
    news.tell_of_halts(session, at=at)
    news.tell_of_orphans(session, at=at)
    news.tell_of_shares(session, at=at)
    news.tell_of_jobs(session, backlog_max=10, at=at)
    begins = news.history_begins(session, after=NOW - timedelta(days=1))
    news.tell_of_history(session, after=begins)


def test_everything_is_told_once_to_whom_it_concerns(database):
    database.write_and_wait(happen)
    database.write_and_wait(gather)
    database.write_and_wait(gather)

    with database.read() as session:
        rows = list(session.scalars(select(NoticeRow)))

    assert sorted((row.audience, row.kind) for row in rows) == sorted(
        [
            (FOLLOWER, NoticeKind.UNPROTECTED),
            (OPERATOR, NoticeKind.UNPROTECTED),
            (OPERATOR, NoticeKind.HALTED),
            (LEADER, NoticeKind.HALTED),
            (FOLLOWER, NoticeKind.ORPHAN),
            (OPERATOR, NoticeKind.ORPHAN),
            (OPERATOR, NoticeKind.SHARE_OWED),
            (OPERATOR, NoticeKind.LEDGER_DIFFERS),
            (FOLLOWER, NoticeKind.FOLLOW_ENDED),
        ]
    )
    [owed] = [row.sentence for row in rows if row.kind is NoticeKind.SHARE_OWED]
    assert owed == "A leader share of 1.5 USDT of follow 1 is owed to 2: not allowed."


def test_what_no_venue_moves_is_told_until_it_is_marked_as_paid(database):
    def state(now):
        def write(session):
            session.get_one(TransferRow, "t1").state = now
            news.tell_of_shares(session, at=NOW)
            return notices.subjects_raised(session, {NoticeKind.SHARE_OWED})

        return database.write_and_wait(write)

    database.write_and_wait(happen)

    assert state(TransferState.OWED) == {(NoticeKind.SHARE_OWED, "transfer:t1")}
    with database.read() as session:
        [row] = session.scalars(select(NoticeRow))
    assert row.sentence.endswith("is owed to 2: pay it by other ways, then mark it as paid.")
    assert state(TransferState.PAID) == set()
    assert state(TransferState.PLANNED) == set(), "it is being paid"


@pytest.mark.parametrize(("at_once", "told_at_once"), [(1, 9), (4, 1), (9, 2), (99, 99)])
def test_a_long_history_is_told_part_by_part_and_nothing_of_it_twice_or_never(
    database, monkeypatch, at_once, told_at_once
):
    monkeypatch.setattr(news, "HISTORY_AT_ONCE", at_once)
    monkeypatch.setattr(news, "TOLD_AT_ONCE", told_at_once)
    pending, copying, ending = FollowState.PENDING, FollowState.COPYING, FollowState.ABORTING
    moves = (
        (pending, copying, "a position is open"),
        (copying, copying, news.PAUSED + "it lost too much"),
        (copying, pending, "flat"),
        (pending, pending, "resumed"),
        (pending, ending, "the venue is silent"),
    )

    def write(session):
        leader = make_leader(session)
        for number in range(3):
            follow = make_follow(session, leader, f"2000{number}")
            for before, follow.state, reason in moves:
                write_history(session, follow, before=before, actor="engine", reason=reason, at=NOW)

    database.write_and_wait(write)
    read, reads = 0, []
    while (now := database.write_and_wait(partial(news.tell_of_history, after=read))) > read:
        read = now
        reads.append(read)

    with database.read() as session:
        told = [(row.audience_id, row.kind) for row in session.scalars(select(NoticeRow))]
        last = session.scalar(select(func.max(FollowHistoryRow.id)))
    kinds = (NoticeKind.FOLLOW_PAUSED, NoticeKind.FOLLOW_ENDED)
    assert sorted(told) == sorted((number, kind) for number in (1, 2, 3) for kind in kinds)
    assert read == last
    assert len(reads) > 1 or at_once == 99


def test_what_is_no_more_is_over_and_what_happened_stays(database):
    def end(session):
        session.get_one(TransferRow, "t1").state = TransferState.DONE
        halts.lift(session, HaltScope.LEADER, 1, actor="operator:ann", at=NOW)
        session.get_one(OrphanRow, 1).gone_at = NOW
        job_started(session, "ledger", at=NOW)
        job_finished(session, "ledger", backlog=None, error=None, at=NOW)

    later = NOW + timedelta(minutes=1)
    database.write_and_wait(happen)
    database.write_and_wait(gather)
    database.write_and_wait(end)
    database.write_and_wait(lambda session: gather(session, later))

    with database.read() as session:
        raised = {kind for kind, _ in notices.subjects_raised(session, list(NoticeKind))}
        shown = notice_list(session, FOLLOWER, 1, page=1, page_size=9)

    assert raised == {NoticeKind.UNPROTECTED}
    assert {notice.kind for notice in shown.notices if notice.is_event} == {NoticeKind.FOLLOW_ENDED}
    assert shown.unread == len(shown.notices) == 3


def test_messages_leave_by_the_ways_that_carry_them_and_reading_is_counted(database):
    ways = [Channel.WEBHOOK, Channel.EMAIL]
    database.write_and_wait(happen)
    database.write_and_wait(gather)

    written = database.write_and_wait(lambda s: notices.dispatch(s, ways, at=NOW))
    again = database.write_and_wait(lambda s: notices.dispatch(s, ways, at=NOW))
    with database.read() as session:
        due = notices.due_deliveries(session, ways, now=NOW)
    read = database.write_and_wait(lambda s: notices.read_up_to(s, OPERATOR, 0, 99, at=NOW))

    by_mail = [message for channel, message in due if channel is Channel.EMAIL]
    assert (written, again) == (9 + 5, 0)
    assert len(due) == 14
    assert {message.audience for message in by_mail} == {OPERATOR}
    assert {message.account for _, message in due} == {None, "10001", "20001"}
    assert read == 5


def test_settings_receipts_and_history_are_read_on_both_databases(database):
    database.write_and_wait(happen)

    with database.read() as session:
        follow = session.get_one(FollowRow, 1)
        shown = settings_of_follow(session, follow.follower_id, follow.id)
        assert settings_of(session, follow).arguments() == shown.arguments
        assert (
            count_receipts(session, 1),
            some_receipts_of_follow(session, 1, offset=0, limit=5),
        ) == (
            0,
            [],
        )

    assert shown.history[0].to_state is FollowState.ABORTING
    assert not shown.can_change


def transfer_of(session, follow, number, kind, state, done_at):
    session.add(
        TransferRow(
            id=f"m{number}",
            follow_id=follow.id,
            kind=kind,
            from_account="1",
            from_wallet=Wallet.CONTRACT,
            to_account="2",
            to_wallet=Wallet.SPOT,
            money=money("1.50"),
            state=state,
            created_at=NOW,
            done_at=done_at,
        )
    )


def test_a_follower_is_told_once_of_shares_that_moved_and_of_no_other_money(database):
    before = NOW - timedelta(days=2)

    def settle(session):
        follow = make_follow(session, make_leader(session))
        moved = [
            (TransferKind.SHARE, TransferState.DONE, NOW),
            (TransferKind.SHARE, TransferState.PAID, NOW),
            (TransferKind.SHARER, TransferState.DONE, NOW),
            (TransferKind.ESCROW, TransferState.DONE, NOW),
            (TransferKind.TAKE_BACK, TransferState.DONE, NOW),
            (TransferKind.SHARE, TransferState.DONE, before),  # told of then
            (TransferKind.SHARE, TransferState.PLANNED, None),
            (TransferKind.SHARE, TransferState.REFUSED, NOW),
            (TransferKind.FUND, TransferState.DONE, NOW),
            (TransferKind.RELEASE, TransferState.DONE, NOW),  # from who held it, to the leader
        ]
        for number, (kind, state, done_at) in enumerate(moved):
            transfer_of(session, follow, number, kind, state, done_at)

    database.write_and_wait(settle)
    for _ in range(2):
        database.write_and_wait(partial(news.tell_of_settled, after=NOW - timedelta(days=1)))

    with database.read() as session:
        rows = list(session.scalars(select(NoticeRow).order_by(NoticeRow.subject)))
        nickname = session.scalars(select(LeaderRow.nickname)).one()
    assert {(row.audience, row.kind) for row in rows} == {(FOLLOWER, NoticeKind.SHARE_SETTLED)}
    assert [row.sentence for row in rows] == [
        f"1.5 USDT of your profit went to {nickname} as the leader's share.",
        f"1.5 USDT of your profit went to {nickname} as the leader's share.",
        f"1.5 USDT of your profit went to who brought you to {nickname}.",
        f"1.5 USDT of your profit are held as the share of {nickname}.",
        f"1.5 USDT that were held as the share of {nickname} are yours.",
    ]
    assert all(row.over_at == row.raised_at == NOW for row in rows)


def test_a_follower_is_told_once_of_what_his_stops_closed(database):
    def fire(session):
        follow = make_follow(session, make_leader(session))
        lane = make_lane(session, follow)
        for number, (purpose, filled, at) in enumerate(
            [
                (OrderPurpose.PROTECT, 3, NOW),
                (OrderPurpose.PROTECT, 0, NOW),  # nothing was left for it
                (OrderPurpose.PROTECT, 3, NOW - timedelta(days=2)),
                (OrderPurpose.COPY, 3, NOW),
            ]
        ):
            order = CopyOrderRow(
                lane_id=lane.id,
                sequence=number,
                client_order_id=f"c{number}",
                purpose=purpose,
                order_side=OrderSide.SELL,
                reduce_only=True,
                contracts=3,
                decided_at=at,
                state=CopyOrderState.DONE,
            )
            order.filled = filled
            order.realized_pnl, order.fee = money("-2.50"), money("0.10")
            session.add(order)

    database.write_and_wait(fire)
    for _ in range(2):
        database.write_and_wait(
            partial(venue_closes.tell_of_protection, after=NOW - timedelta(days=1))
        )

    with database.read() as session:
        [row] = session.scalars(select(NoticeRow))
        nickname = session.scalars(select(LeaderRow.nickname)).one()
    assert (row.audience, row.kind) == (FOLLOWER, NoticeKind.PROTECTION_FIRED)
    assert row.over_at == row.raised_at == NOW, "it has happened and does not last"
    assert row.sentence == (
        "Your stop loss or take profit closed 3 contracts of your long position in "
        f"{BTC}, copied from {nickname}: result -2.5 USDT, fee 0.1 USDT."
    )
