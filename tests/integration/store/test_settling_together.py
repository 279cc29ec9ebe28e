"""Follows settled in one transaction come to what they come to one by one, the chain included."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.leader import ShareBasis, ShareState
from copyplugin.domain.money import Money, Ratio
from copyplugin.store.database import open_database
from copyplugin.store.ledger import verify
from copyplugin.store.rows import (
    CopiedPositionRow,
    LedgerEntryRow,
    LedgerPostingRow,
    SettlementRow,
    TransferRow,
)
from copyplugin.store.settling_book import SettlingBook, settle_position
from copyplugin.store.shares import Purse
from tests.databases import migrated_sqlite
from tests.integration.store.store_builders import (
    NOW,
    make_follow,
    make_lane,
    make_leader,
    make_position,
)

ROWS = (LedgerEntryRow, LedgerPostingRow, SettlementRow, TransferRow, CopiedPositionRow)

units = st.integers(-(10**11), 10**11).map(lambda n: Money(Decimal(n).scaleb(-8)))
parts = st.integers(0, 100).map(lambda n: Ratio(Decimal(n).scaleb(-2)))


@dataclass(frozen=True)
class Case:
    """A follow with what its closed positions came to, and what can be withdrawn from it."""

    share: Ratio
    sharer: Ratio | None
    basis: ShareBasis
    escrow_seconds: int | None
    results: tuple[tuple[Money, Money, Money], ...]
    withdrawable: Money
    is_last_call: bool


cases = st.builds(
    Case,
    share=st.integers(0, 99).map(lambda n: Ratio(Decimal(n).scaleb(-2))),
    sharer=st.none() | parts,
    basis=st.sampled_from(ShareBasis),
    escrow_seconds=st.none() | st.just(3600),
    results=st.lists(st.tuples(units, units, units), max_size=4).map(tuple),
    withdrawable=st.integers(0, 10**11).map(lambda n: Money(Decimal(n).scaleb(-8))),
    is_last_call=st.booleans(),
)


def make(session, case: Case, leader, number: int):
    follow = make_follow(session, leader, f"2000{number}")
    follow.share_ratio, follow.share_basis = case.share, case.basis
    follow.escrow_seconds, follow.sharer_ratio = case.escrow_seconds, case.sharer
    follow.sharer_account = None if case.sharer is None else AccountId("777")
    lane = make_lane(session, follow)
    for pnl, fees, funding in case.results:
        make_position(
            session,
            lane,
            share_state=ShareState.DUE,
            realized_pnl=pnl,
            fees=fees,
            funding=funding,
        )
    return follow.id


def settle(session, book: SettlingBook, follow_id, case: Case) -> None:
    left = case.withdrawable
    purse = Purse(transfer_prefix="cp", escrow=AccountId("900"))
    for due in book.due_of(follow_id):
        row = settle_position(
            book, due, withdrawable=left, is_last_call=case.is_last_call, purse=purse, at=NOW
        )
        left = Money(left - (row.share if row else 0))


def outcome(folder, given_cases: list[Case], *, together: bool) -> tuple[Any, ...]:
    database = open_database(migrated_sqlite(folder))

    def work(session):
        leader = make_leader(session)
        follows = {
            make(session, case, leader, number): case for number, case in enumerate(given_cases)
        }
        session.flush()
        for ids in [list(follows)] if together else [[each] for each in follows]:
            book = SettlingBook(session, ids)
            for follow_id in ids:
                settle(session, book, follow_id, follows[follow_id])
            book.save()

    database.write_and_wait(work)
    with database.read() as session:
        rows = [{values_of(row) for row in session.scalars(select(kind))} for kind in ROWS]
        head = verify(session)
    database.close()
    return head, rows


def values_of(row) -> tuple[Any, ...]:
    """Return a row's values but for a number that only the order of writing gave it."""
    columns = [column.name for column in row.__table__.columns]
    return tuple(
        getattr(row, name)
        for name in columns
        if not (isinstance(row, SettlementRow) and name == "id")
    )


@settings(max_examples=12, deadline=None)  # each makes two databases
@given(given_cases=st.lists(cases, min_size=2, max_size=5))
def test_follows_settled_together_come_to_what_they_come_to_one_by_one(
    tmp_path_factory, given_cases
):
    alone = outcome(tmp_path_factory.mktemp("alone"), given_cases, together=False)
    assert outcome(tmp_path_factory.mktemp("together"), given_cases, together=True) == alone
