import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from copyplugin.domain.ledger import (
    GENESIS_HASH,
    LedgerAccount,
    Posting,
    main_account,
    moved,
    sub_account,
)
from copyplugin.domain.money import ZERO_MONEY, Money
from copyplugin.domain.paper import is_paper
from copyplugin.errors import LedgerBroken
from copyplugin.store.database import open_database, writing_engine
from copyplugin.store.ledger import balance, balances, ledger_head, post, verify
from copyplugin.store.rows import LedgerEntryRow, LedgerPostingRow
from tests.databases import migrated_sqlite
from tests.integration.store.store_builders import NOW, money

MAIN, SUB, LEADER = main_account("1"), sub_account(1), LedgerAccount("leader:2")
amounts = st.integers(1, 10**15).map(lambda units: Money(money(units) * money("0.00000001")))
REAL = ["main:1", "sub:1", "sub:2", "result:1", "leader:9"]
real_accounts = st.sampled_from(REAL).map(LedgerAccount)
paper_accounts = st.sampled_from([f"paper-{name}" for name in REAL]).map(LedgerAccount)
pairs = st.one_of(st.tuples(each, each) for each in (real_accounts, paper_accounts))
movements = st.lists(
    st.tuples(pairs, amounts)
    .map(lambda drawn: (*drawn[0], drawn[1]))
    .filter(lambda parts: parts[0] != parts[1]),
    max_size=12,
)


def book(session, reference, source=MAIN, target=SUB, amount="100", kind="fund"):
    postings = moved(source, target, money(amount))
    return post(session, kind=kind, reference=str(reference), postings=postings, at=NOW)


@pytest.fixture(scope="module")
def database_for_laws(tmp_path_factory):
    """Return an empty ledger that no example changes."""
    opened = open_database(migrated_sqlite(tmp_path_factory.mktemp("books")))
    yield opened
    opened.close()


@pytest.fixture
def booked(database):
    """Return a ledger with five entries."""
    database.write_and_wait(lambda s: [book(s, number) for number in range(1, 6)])
    return database


@pytest.fixture
def tamper(url, booked):
    """Return a function that changes the tables behind our back, past triggers and keys."""

    def change(*statements):
        engine = writing_engine(url)
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
                for name in ("ledger_entry", "ledger_posting"):
                    for what in ("update", "delete"):
                        connection.exec_driver_sql(f"DROP TRIGGER {name}_no_{what}")
            else:
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            for statement in statements:
                connection.execute(text(statement))
        engine.dispose()

    return change


@settings(max_examples=10)  # each makes a database
@given(movements=movements)
def test_the_books_always_sum_to_nothing_and_a_balance_is_the_sum_of_its_postings(
    tmp_path_factory, movements
):
    database = open_database(migrated_sqlite(tmp_path_factory.mktemp("books")))
    expected: dict[str, Money] = {}
    for source, target, amount in movements:
        expected[source] = Money(expected.get(source, ZERO_MONEY) - amount)
        expected[target] = Money(expected.get(target, ZERO_MONEY) + amount)

    def work(session):
        for number, (source, target, amount) in enumerate(movements):
            post(
                session,
                kind="move",
                reference=str(number),
                postings=moved(source, target, amount),
                at=NOW,
            )

    database.write_and_wait(work)

    with database.read() as session:
        assert balances(session) == expected
        for paper in (True, False):
            of_a_kind = [
                money for name, money in balances(session).items() if is_paper(name) is paper
            ]
            assert sum(of_a_kind) == 0
        assert verify(session).entries == len(movements)
    database.close()


@given(source=real_accounts, target=paper_accounts, amount=amounts, turned=st.booleans())
def test_real_money_and_play_money_never_meet_in_an_entry(
    database_for_laws, source, target, amount, turned
):
    if turned:
        source, target = target, source

    with pytest.raises(AssertionError, match="mixes money"):
        database_for_laws.write_and_wait(
            lambda s: post(
                s, kind="x", reference="1", postings=moved(source, target, amount), at=NOW
            )
        )

    with database_for_laws.read() as session:
        assert balances(session) == {}


def test_an_entry_that_mixes_real_money_with_play_money_breaks_the_books(booked, monkeypatch):
    monkeypatch.setattr("copyplugin.store.ledger.is_mixed", lambda _: False)
    booked.write_and_wait(lambda s: book(s, "mixed", target=sub_account(1, paper=True)))
    monkeypatch.undo()

    with booked.read() as session, pytest.raises(LedgerBroken) as broken:
        verify(session)

    assert str(broken.value) == ("ledger entry 6 (fund mixed) mixes real money with play money")


def test_an_entry_is_booked_once_however_often_it_is_posted(database):
    numbers = [database.write_and_wait(lambda s: book(s, "t-1")) for _ in range(3)]

    with database.read() as session:
        assert numbers == [1, 1, 1]
        assert balance(session, SUB) == money(100)
        assert balance(session, LedgerAccount("nobody")) == money(0)


def test_booking_the_same_event_differently_is_a_bug(database):
    database.write_and_wait(lambda s: book(s, "t-1"))

    with pytest.raises(AssertionError, match="booked differently"):
        database.write_and_wait(lambda s: book(s, "t-1", amount="101"))


@pytest.mark.parametrize("given_and_taken", [(), ("1",), ("1", "-2"), ("0", "0"), ("1", "-1", "0")])
def test_an_entry_that_does_not_balance_is_a_bug(database, given_and_taken):
    postings = [
        Posting(account=LedgerAccount(f"a{number}"), money=money(amount))
        for number, amount in enumerate(given_and_taken)
    ]

    with pytest.raises(AssertionError, match="does not balance"):
        database.write_and_wait(
            lambda s: post(s, kind="x", reference="1", postings=postings, at=NOW)
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_posting SET money = money + 1 WHERE entry_id = 1",
        "DELETE FROM ledger_posting WHERE entry_id = 1",
        "UPDATE ledger_entry SET kind = 'x' WHERE id = 1",
        "DELETE FROM ledger_entry WHERE id = 5",
    ],
)
def test_the_database_refuses_to_change_what_is_booked(booked, statement):
    with pytest.raises(DBAPIError, match="append-only"):
        booked.write_and_wait(lambda s: s.execute(text(statement)))

    with booked.read() as session:
        assert verify(session).entries == 5


def test_the_chain_starts_from_nothing_and_each_entry_covers_the_one_before(booked):
    with booked.read() as session:
        rows = session.query(LedgerEntryRow).order_by(LedgerEntryRow.id).all()
        head = ledger_head(session)

    assert rows[0].previous_hash == GENESIS_HASH
    assert all(b.previous_hash == a.hash for a, b in itertools.pairwise(rows))
    assert (head.entries, head.hash) == (5, rows[-1].hash)


@pytest.mark.parametrize(
    ("statements", "sentence"),
    [
        (["UPDATE ledger_posting SET money = money * 2 WHERE entry_id = 3"], "3 .*not what was"),
        (["UPDATE ledger_posting SET money = 5 WHERE entry_id = 3 AND line = 1"], "3 .*balance"),
        (["UPDATE ledger_posting SET account = 'leader:9' WHERE entry_id = 2"], "2 .*not what"),
        (["UPDATE ledger_entry SET reference = 'x' WHERE id = 4"], "4 .*not what was written"),
        (["UPDATE ledger_entry SET at = at + 1 WHERE id = 4"], "4 .*not what was written"),
        (["UPDATE ledger_entry SET hash = 'x' WHERE id = 2"], "2 .*not what was written"),
        (["UPDATE ledger_entry SET previous_hash = 'x' WHERE id = 2"], "2 does not follow"),
        (["DELETE FROM ledger_posting WHERE entry_id = 3"], "3 .*does not balance"),
        (
            [
                "DELETE FROM ledger_posting WHERE entry_id = 3",
                "DELETE FROM ledger_entry WHERE id = 3",
            ],
            "3 is missing",
        ),
    ],
)
def test_verify_names_the_first_entry_that_was_changed(booked, tamper, statements, sentence):
    tamper(*statements)

    with booked.read() as session, pytest.raises(LedgerBroken, match=f"ledger entry {sentence}"):
        verify(session)


def test_verify_finds_postings_that_belong_to_no_entry(url, booked):
    engine = writing_engine(url)
    off = "PRAGMA foreign_keys = OFF"
    if engine.dialect.name != "sqlite":
        off = "SET session_replication_role = replica"
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        raw.execute(off)
        raw.execute("INSERT INTO ledger_posting VALUES (77, 1, 'sub:1', 5)")
        raw.commit()
    engine.dispose()

    with booked.read() as session, pytest.raises(LedgerBroken, match="entry 77 has postings"):
        verify(session)


def test_an_entry_may_have_many_postings_and_keeps_their_order(database):
    postings = [
        Posting(account=SUB, money=money("-10")),
        Posting(account=LEADER, money=money("9.00000001")),
        Posting(account=MAIN, money=money("0.99999999")),
    ]

    database.write_and_wait(
        lambda s: post(s, kind="share", reference="1", postings=postings, at=NOW)
    )

    with database.read() as session:
        rows = session.query(LedgerPostingRow).order_by(LedgerPostingRow.line).all()
        assert [row.account for row in rows] == [SUB, LEADER, MAIN]
        assert verify(session).entries == 1
