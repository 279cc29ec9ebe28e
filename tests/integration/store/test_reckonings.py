"""Shares above a mark and in escrow, step by step, against sums worked out by hand (M3, M9)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.leader import ShareBasis, ShareState
from copyplugin.store import escrow, ledger
from copyplugin.store.database import Database
from copyplugin.store.results import mark_of
from copyplugin.store.rows import FollowRow, LaneRow, SettlementRow
from copyplugin.store.settlements import review_escrow, settle_mark
from copyplugin.store.settling_book import SettlingBook, settle_position
from copyplugin.store.shares import Purse
from tests.integration.store.store_builders import (
    NOW,
    make_follow,
    make_lane,
    make_leader,
    make_position,
    money,
)

DAY = timedelta(days=1)
HELD = Purse(transfer_prefix="cp", escrow=AccountId("900"))
PAID = Purse(transfer_prefix="cp")


@dataclass
class Life:
    """One follow at a tenth, whose positions and settlements are told one by one."""

    database: Database
    basis: ShareBasis = ShareBasis.HIGH_WATER_MARK
    escrow_seconds: int = 0
    sharer: AccountId | None = None
    follow_id: int = 0
    at: datetime = NOW

    def __post_init__(self):
        def begin(session):
            leader = make_leader(session, share_basis=self.basis, sharer_ratio=money("0.3"))
            follow = make_follow(
                session, leader, escrow_seconds=self.escrow_seconds, sharer_account=self.sharer
            )
            make_lane(session, follow)
            return follow.id

        self.follow_id = self.database.write_and_wait(begin)

    def earn(self, amount, *, share_state=ShareState.NONE):
        def work(session):
            follow = session.get_one(FollowRow, self.follow_id)
            [lane] = session.scalars(select(LaneRow).where(LaneRow.follow_id == follow.id))
            make_position(
                session,
                lane,
                realized_pnl=money(amount),
                fees=money(0),
                funding=money(0),
                share_state=share_state,
            )

        self.database.write_and_wait(work)

    def reckon(self, *, withdrawable="1000", is_last_call=False, unrealized="0"):
        """Settle above the mark; return the share that was taken, if any."""

        def work(session):
            row = settle_mark(
                session,
                session.get_one(FollowRow, self.follow_id),
                unrealized=money(unrealized),
                withdrawable=money(withdrawable),
                is_last_call=is_last_call,
                purse=HELD if self.escrow_seconds else PAID,
                at=self.at,
            )
            return None if row is None else row.share

        return self.database.write_and_wait(work)

    def close(self, amount):
        """Close a position, settle its own share, and look at what is held."""
        self.earn(amount, share_state=ShareState.DUE)

        def work(session):
            follow = session.get_one(FollowRow, self.follow_id)
            book = SettlingBook(session, [self.follow_id])
            for due in book.due_of(self.follow_id):
                settle_position(
                    book,
                    due,
                    withdrawable=money(1000),
                    is_last_call=False,
                    purse=HELD,
                    at=self.at,
                )
            book.save()
            session.flush()
            result = self.result(session)
            review_escrow(session, follow, HELD, result=result, at=self.at)
            escrow.release(session, follow, HELD, is_over=False, at=self.at)

        self.database.write_and_wait(work)

    def result(self, session):
        return -ledger.balance(session, f"result:{self.follow_id}")

    @property
    def mark(self):
        with self.database.read() as session:
            follow = session.get_one(FollowRow, self.follow_id)
            return mark_of(session, follow, at=self.at).mark

    def booked(self, account):
        with self.database.read() as session:
            ledger.verify(session)
            return ledger.balance(session, account)


@pytest.fixture
def life(database):
    return lambda **terms: Life(database, **terms)


def test_a_last_share_that_is_short_is_not_asked_for_again(life):
    one = life()
    one.earn(100)

    assert one.reckon(withdrawable="9.9999") is None  # not whole: later
    assert one.mark == 0
    assert one.reckon(withdrawable="3.00009", is_last_call=True) == money("3.0000")

    assert one.mark == 100  # what was shared is shared, though less was there
    assert one.reckon(is_last_call=True) is None


def test_what_is_given_back_is_earned_anew_from_where_it_began_and_no_lower(life):
    one = life(escrow_seconds=30 * 86_400)
    one.earn(100)
    assert one.reckon() == 10
    one.earn(-130)
    assert one.reckon() is None
    assert (one.mark, one.booked(f"escrow:{one.follow_id}")) == (0, 0)

    one.earn(25)  # of 30 that were lost below where it began
    assert one.reckon() is None
    one.earn(25)

    assert one.reckon() == 2
    assert one.mark == 20


def test_open_losses_count_and_open_profit_is_shared_once(life):
    one = life()
    one.earn(100)
    assert one.reckon(unrealized="-100") is None
    assert one.reckon(unrealized="50.12345678") == money("15.0123")
    one.earn("50.12345678")

    assert one.reckon() is None


def test_the_weeks_that_an_exchange_published(life):
    one = life()
    shares = []
    for change in ("200", "-150", "100", "150"):
        one.earn(change)
        shares.append(one.reckon())
    assert shares == [20, None, None, 10]


def test_the_orders_that_a_broker_published_settle_to_a_tenth_of_their_net(life):
    one = life(basis=ShareBasis.PER_POSITION, escrow_seconds=30 * 86_400)
    held = []
    for change in ("200", "-50", "300", "-500", "500", "100"):
        one.close(change)
        held.append(one.booked(f"escrow:{one.follow_id}"))
    # 450 were earned before the loss of 500; 55 are the tenth of what is left, 550
    assert held == [20, 15, 45, 0, 45, 55]
    assert one.booked("main:20001") == 110 - 55

    one.at += 31 * DAY
    one.close("0")

    assert (one.booked(f"escrow:{one.follow_id}"), one.booked("leader:10001")) == (0, 55)


def test_what_is_left_of_a_held_share_is_split_anew_between_leader_and_sharer(life, database):
    one = life(basis=ShareBasis.PER_POSITION, escrow_seconds=30 * 86_400, sharer=AccountId("777"))
    one.close("200.003")
    one.close("-50.0005")

    with database.read() as session:
        [row] = session.scalars(select(SettlementRow))
    # a tenth of 150.0025, truncated; three tenths of that, truncated
    assert (row.share, row.sharer_part, row.leader_part) == (
        money("15.0002"),
        money("4.5000"),
        money("10.5002"),
    )
    one.at += 31 * DAY
    one.close("0")

    assert (one.booked("sharer:777"), one.booked("leader:10001")) == (
        row.sharer_part,
        row.leader_part,
    )
