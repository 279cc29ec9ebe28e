"""Transfers, settlements and funding: every unit is booked, each event once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from copyplugin.domain.account import (
    FundingPayment,
    TransferKind,
    TransferRequest,
    TransferState,
    Wallet,
)
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import AccountId, TransferId
from copyplugin.domain.leader import ShareState
from copyplugin.domain.ledger import (
    leader_account,
    main_account,
    result_account,
    sharer_account,
    sub_account,
)
from copyplugin.domain.money import Money
from copyplugin.store.database import open_database
from copyplugin.store.funding import book_funding, funding_asked_from
from copyplugin.store.ledger import balance, balances, verify
from copyplugin.store.rows import CopiedPositionRow, SettlementRow, TransferRow
from copyplugin.store.settlements import due_positions
from copyplugin.store.settling_book import SettlingBook, settle_position
from copyplugin.store.shares import Purse
from copyplugin.store.transfers import (
    due_transfers,
    plan_transfer,
    transfer_done,
    transfer_put_off,
    transfer_refused,
    transfers_attempted,
    transfers_of,
)
from tests.databases import migrated_sqlite
from tests.integration.store.store_builders import (
    BTC,
    ETH,
    NOW,
    make_follow,
    make_lane,
    make_leader,
    make_position,
    money,
)


def request_of(follow, name="fund-1", amount="100", *, home=False) -> TransferRequest:
    ends = [
        (AccountId("20001"), Wallet.SPOT),
        (follow.sub_account, Wallet.CONTRACT),
    ]
    source, target = reversed(ends) if home else ends
    return TransferRequest(
        transfer_id=TransferId(name),
        from_account=source[0],
        from_wallet=source[1],
        to_account=target[0],
        to_wallet=target[1],
        money=money(amount),
    )


def plan(session, follow, name="fund-1", amount="100", kind=TransferKind.FUND):
    request = request_of(follow, name, amount, home=kind is TransferKind.RETURN)
    return plan_transfer(session, request, follow_id=follow.id, kind=kind, at=NOW)


def make_due(session, follow, **changes) -> CopiedPositionRow:
    lane = make_lane(session, follow, symbol=changes.pop("symbol", BTC))
    return make_position(session, lane, share_state=ShareState.DUE, **changes)


def settle(session, follow, *, withdrawable="1000", is_last_call=False):
    book = SettlingBook(session, [follow.id])
    rows = [
        settle_position(
            book,
            due,
            withdrawable=money(withdrawable),
            is_last_call=is_last_call,
            purse=Purse(transfer_prefix="cp"),
            at=NOW,
        )
        for due in book.due_of(follow.id)
    ]
    book.save()
    return rows


@pytest.fixture
def follow(database):
    """Return a follow that agreed to 10 % and was brought by account 777, who gets 30 % of it."""

    def work(session):
        leader = make_leader(session, sharer_ratio=money("0.3"))
        return make_follow(session, leader, sharer_account=AccountId("777"))

    return database.write_and_wait(work)


def test_a_transfer_is_booked_when_it_is_done_and_once(database, follow):
    def work(session):
        assert plan(session, follow) is plan(session, follow)
        assert [row.id for row in due_transfers(session, now=NOW)] == ["fund-1"]
        assert balance(session, sub_account(follow.id)) == 0
        (attempt,) = transfers_attempted(session, [TransferId("fund-1")])
        assert (attempt.request, attempt.number) == (request_of(follow), 1)
        for _ in range(3):
            transfer_done(session, TransferId("fund-1"), at=NOW)
        plan(session, follow, "return-1", "99.99999999", TransferKind.RETURN)
        transfer_done(session, TransferId("return-1"), at=NOW)

    database.write_and_wait(work)

    with database.read() as session:
        assert balances(session) == {
            main_account("20001"): money("-0.00000001"),
            sub_account(follow.id): money("0.00000001"),
        }
        assert due_transfers(session, now=NOW) == []
        rows = transfers_of(session, follow.id, {TransferKind.FUND})
        assert [(row.id, row.state, row.attempts) for row in rows] == [
            ("fund-1", TransferState.DONE, 1)
        ]


def test_a_refused_transfer_moves_nothing_in_the_books(database, follow):
    def work(session):
        plan(session, follow)
        transfer_refused(session, TransferId("fund-1"), reason="no money", at=NOW)
        assert due_transfers(session, now=NOW) == []
        return balances(session)

    assert database.write_and_wait(work) == {}


def test_a_transfer_in_doubt_waits_until_it_is_to_be_asked_again(database, follow):
    later = NOW + timedelta(seconds=5)

    def work(session):
        plan(session, follow)
        transfers_attempted(session, [TransferId("fund-1")])
        transfer_put_off(session, TransferId("fund-1"), error="no answer", retry_at=later)
        session.flush()
        set_back = NOW - timedelta(hours=1)
        return [len(due_transfers(session, now=now)) for now in (NOW, later, set_back)]

    assert database.write_and_wait(work) == [0, 1, 1]


def test_planning_another_transfer_under_the_same_id_is_a_bug(database, follow):
    def work(session):
        plan(session, follow)
        plan(session, follow, amount="101")

    with pytest.raises(AssertionError, match="planned differently"):
        database.write_and_wait(work)


def test_a_profit_is_booked_shared_and_planned_in_one_go(database, follow):
    # 100 of result, 2 of fees, 1 of funding: 97; a tenth is 9.7; 30 % of that goes to the sharer
    def work(session):
        make_due(session, follow)
        return settle(session, follow)[0]

    row = database.write_and_wait(work)

    assert (row.profit, row.share) == (money(97), money("9.7"))
    assert (row.leader_part, row.sharer_part) == (money("6.79"), money("2.91"))
    with database.read() as session:
        assert balances(session) == {
            result_account(follow.id): money(-97),
            sub_account(follow.id): money("87.3"),
            leader_account("10001"): money("6.79"),
            sharer_account("777"): money("2.91"),
        }
        transfers = session.scalars(select(TransferRow)).all()
        assert {part.ledger_entry_id for part in transfers} == {row.ledger_entry_id}
        assert {part.id: (part.kind, part.to_account, part.money) for part in transfers} == {
            row.transfer_id: (TransferKind.SHARE, "10001", money("6.79")),
            row.sharer_transfer_id: (TransferKind.SHARER, "777", money("2.91")),
        }


def test_settling_twice_settles_once(database, follow):
    def work(session):
        position = make_due(session, follow)
        book = SettlingBook(session, [follow.id])
        (due,) = book.due_of(follow.id)
        for _ in range(2):
            settle_position(
                book,
                due,
                withdrawable=money(1000),
                is_last_call=False,
                purse=Purse(transfer_prefix="cp"),
                at=NOW,
            )
        book.save()
        return position.share_state

    assert database.write_and_wait(work) is ShareState.SETTLED
    with database.read() as session:
        assert len(session.scalars(select(SettlementRow)).all()) == 1
        assert due_positions(session) == []
        assert verify(session).entries == 2


def test_even_a_fault_of_ours_cannot_settle_a_position_twice(database, follow):
    def work(session):
        position = make_due(session, follow)
        settle(session, follow)
        position.share_state = ShareState.DUE
        session.flush()
        settle(session, follow)

    with pytest.raises(IntegrityError, match=r"(?i)unique .*copied_position_id"):
        database.write_and_wait(work)


def test_the_share_of_a_done_transfer_is_not_booked_again(database, follow):
    def work(session):
        make_due(session, follow)
        (row,) = settle(session, follow)
        before = balances(session)
        transfer_done(session, row.transfer_id, at=NOW)
        return before, balances(session)

    before, after = database.write_and_wait(work)

    assert before == after
    assert after[leader_account("10001")] == money("6.79")


@pytest.mark.parametrize("pnl", ["3", "2.99999999", "-50"])
def test_a_loss_or_nothing_is_booked_and_not_shared(database, follow, pnl):
    def work(session):
        position = make_due(session, follow, realized_pnl=money(pnl))
        assert settle(session, follow) == [None]
        return position.share_state

    assert database.write_and_wait(work) is ShareState.NONE
    with database.read() as session:
        assert balance(session, sub_account(follow.id)) == money(pnl) - 3
        assert session.scalars(select(SettlementRow)).all() == []
        assert session.scalars(select(TransferRow)).all() == []


def test_a_share_waits_until_it_can_be_withdrawn_and_at_the_last_call_takes_what_there_is(
    database, follow
):
    def work(session):
        make_due(session, follow)
        waiting = settle(session, follow, withdrawable="9.69999999")
        assert waiting == [None]
        assert balance(session, result_account(follow.id)) == money(-97)
        assert len(due_positions(session)) == 1
        return settle(session, follow, withdrawable="9.69999999", is_last_call=True)

    (row,) = database.write_and_wait(work)

    assert row.share == money("9.6999")
    assert row.leader_part + row.sharer_part == row.share
    with database.read() as session:
        assert verify(session).entries == 2


def test_at_the_last_call_an_empty_account_owes_nothing(database, follow):
    def work(session):
        position = make_due(session, follow)
        assert settle(session, follow, withdrawable="0", is_last_call=True) == [None]
        return position.share_state

    assert database.write_and_wait(work) is ShareState.NONE


amounts = st.integers(-(10**12), 10**12).map(lambda n: Money(Decimal(n).scaleb(-8)))


@settings(max_examples=15)  # each makes a database
@given(
    results=st.lists(st.tuples(amounts, amounts, amounts), min_size=1, max_size=5),
    share=st.integers(1, 99),
    sharer=st.integers(0, 100),
    withdrawable=st.integers(0, 10**12),
)
def test_whatever_was_earned_the_books_balance_and_a_share_never_exceeds_its_profit(
    tmp_path_factory, results, share, sharer, withdrawable
):
    database = open_database(migrated_sqlite(tmp_path_factory.mktemp("money")))
    ratio = Money(Decimal(share).scaleb(-2))

    def work(session):
        leader = make_leader(
            session, share_ratio=ratio, sharer_ratio=Money(Decimal(sharer).scaleb(-2))
        )
        follow = make_follow(session, leader, sharer_account=AccountId("777"))
        lane = make_lane(session, follow)
        for pnl, fees, funding in results:
            make_position(
                session,
                lane,
                share_state=ShareState.DUE,
                realized_pnl=pnl,
                fees=fees,
                funding=funding,
            )
        rows = settle(
            session,
            follow,
            withdrawable=Money(Decimal(withdrawable).scaleb(-8)),
            is_last_call=True,
        )
        return follow, [row for row in rows if row is not None]

    follow, rows = database.write_and_wait(work)

    with database.read() as session:
        books = balances(session)
        profit = sum(pnl - fees - funding for pnl, fees, funding in results)
        paid = sum((row.share for row in rows), Decimal(0))
        assert sum(books.values()) == 0
        assert books.get(sub_account(follow.id), 0) == profit - paid
        for row in rows:
            assert 0 < row.share <= row.profit * ratio
            assert row.share <= Decimal(withdrawable).scaleb(-8)
        verify(session)
    database.close()


def payment_of(number, amount, at=NOW, symbol=BTC) -> FundingPayment:
    return FundingPayment(
        venue_payment_id=str(number),
        account=AccountId("s"),
        symbol=symbol,
        position_side=PositionSide.LONG,
        payment=money(amount),
        at=at,
    )


def test_funding_belongs_to_the_position_that_was_open_then_and_is_booked_once(database, follow):
    hour = timedelta(hours=1)

    def work(session):
        lane = make_lane(session, follow)
        first = make_position(
            session,
            lane,
            opened_at=NOW,
            closed_at=NOW + hour,
            funding=money(0),
            share_state=ShareState.DUE,
        )
        second = make_position(
            session,
            lane,
            opened_at=NOW + 2 * hour,
            closed_at=NOW + 3 * hour,
            funding=money(0),
            share_state=ShareState.DUE,
        )
        payments = [payment_of(1, "0.5", NOW + hour / 2), payment_of(2, "-0.2", NOW + 2.5 * hour)]
        counts = [
            book_funding(session, follow.id, payments[:1], at=NOW),
            book_funding(session, follow.id, [*payments, *payments], at=NOW),
            book_funding(session, follow.id, payments, at=NOW),
        ]
        settle(session, follow)
        return counts, first.funding, second.funding

    counts, first, second = database.write_and_wait(work)

    assert counts == [1, 1, 0]
    assert (first, second) == (money("0.5"), money("-0.2"))


def test_a_payment_that_is_told_after_a_later_one_is_asked_for_still(database, follow):
    minute = timedelta(minutes=1)

    def work(session):
        began = funding_asked_from(session, follow.id)
        book_funding(session, follow.id, [payment_of(1, "0.5", NOW + minute)], at=NOW)
        soon = funding_asked_from(session, follow.id)
        book_funding(session, follow.id, [payment_of(2, "0.5", NOW + 60 * minute)], at=NOW)
        return began, soon, funding_asked_from(session, follow.id)

    began, soon, later = database.write_and_wait(work)

    assert soon == began
    assert NOW + minute < later <= NOW + 55 * minute


def test_funding_that_comes_late_or_belongs_to_nothing_is_booked_by_itself(database, follow):
    def work(session):
        position = make_due(session, follow)
        settle(session, follow)
        before = balance(session, sub_account(follow.id))
        payments = [payment_of(1, "0.5"), payment_of(2, "-0.25", symbol=ETH), payment_of(3, "0")]
        book_funding(session, follow.id, payments, at=NOW)
        return balance(session, sub_account(follow.id)) - before, position.funding

    moved, funding = database.write_and_wait(work)

    assert moved == money("-0.25")
    assert funding == money("1.5")
    with database.read() as session:
        assert verify(session).entries == 4


def test_funding_that_comes_while_a_share_waits_is_booked_once_and_lowers_the_share(
    database, follow
):
    def work(session):
        position = make_due(session, follow)
        assert settle(session, follow, withdrawable="0") == [None]
        book_funding(session, follow.id, [payment_of(1, "0.5")], at=NOW)
        assert settle(session, follow, withdrawable="0") == [None]
        (row,) = settle(session, follow)
        return position.funding, row.profit, row.share, balance(session, result_account(follow.id))

    funding, profit, share, result = database.write_and_wait(work)

    assert funding == money("1.5")
    assert (profit, share) == (money("96.5"), money("9.65"))
    assert result == money("-96.5")
