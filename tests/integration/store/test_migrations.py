import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from copyplugin.domain.command import CommandKind
from copyplugin.domain.copy_rule import CopyMode, CopyRule
from copyplugin.domain.fill import MarginMode
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.identifiers import AccountId, SignalId, Symbol
from copyplugin.domain.ledger import main_account, moved, sub_account
from copyplugin.domain.margin_parity import Backing
from copyplugin.domain.money import Contracts, Ratio
from copyplugin.domain.notice import Audience, Channel, Choice, NoticeKind, Way
from copyplugin.ports import MovesMoney
from copyplugin.store import schema
from copyplugin.store.commands import submit_command
from copyplugin.store.database import open_database, upgrade_database, writing_engine
from copyplugin.store.follow_rules import add_rule, change_rules, rules_of
from copyplugin.store.followers import paper_twin
from copyplugin.store.follows import start
from copyplugin.store.halts import all_halts, halt, lift
from copyplugin.store.leader_margins import Attempt, begin_attempt, want_mirror
from copyplugin.store.ledger import post
from copyplugin.store.notice_choices import silence, silenced
from copyplugin.store.places import PAPER_SHARD
from copyplugin.store.rows import DeliveryRow, FollowRow, NoticeRow, Row
from copyplugin.store.rows.follow_rule import EVERY_INSTRUMENT
from copyplugin.store.venue_terms import (
    Allotment,
    VenueTerms,
    find_allotment,
    put_allotment,
    put_venue_terms,
    venue_terms,
)
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

SOL = Symbol("SOLUSDT")
ROOT = Path(__file__).resolve().parents[3]
LEFT_BEHIND = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT proname FROM pg_proc WHERE proname = 'refuse_change'",
}


@pytest.fixture
def engine(url):
    engine = writing_engine(url)
    schema.upgrade(engine)
    yield engine
    engine.dispose()


def conditions_of(index) -> list[tuple[str, str]]:
    return [(name, str(value)) for name, value in index["dialect_options"].items()]


def shape_of(connection) -> dict[str, object]:
    """Return what `compare_metadata` does not look at: checks, and the conditions of indexes."""
    inspector = inspect(connection)
    return {
        table: (
            sorted((c["name"], c["sqltext"]) for c in inspector.get_check_constraints(table)),
            sorted(
                (i["name"], tuple(i["column_names"]), i["unique"], conditions_of(i))
                for i in inspector.get_indexes(table)
            ),
            sorted(
                (f["name"], tuple(f["constrained_columns"]), f["referred_table"])
                for f in inspector.get_foreign_keys(table)
            ),
            inspector.get_pk_constraint(table),
        )
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_the_migrations_make_the_tables_that_the_rows_describe(engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})

        assert compare_metadata(context, Row.metadata) == []


def test_the_migrations_make_the_checks_and_indexes_that_the_rows_describe(engine):
    with engine.connect() as connection:
        migrated = shape_of(connection)
    schema.downgrade(engine, schema.EMPTY)
    Row.metadata.create_all(engine)

    with engine.connect() as connection:
        assert migrated == shape_of(connection)


def keep_attempt(session, position):
    want_mirror(
        session,
        position.id,
        extra=money(50),
        contracts=Contracts(10),
        leverage=Ratio(Decimal(5)),
        at=NOW,
    )
    before = Backing(
        contracts=Contracts(10),
        entry_cost=money(100),
        margin=money(20),
        leverage=Ratio(Decimal(5)),
        margin_mode=MarginMode.ISOLATED,
    )
    attempt = Attempt(asked=money(50), before=before, decided_at=NOW)
    assert begin_attempt(session, position.id, attempt)
    assert not begin_attempt(session, position.id, attempt), "one is in doubt"


def test_every_step_goes_down_and_up_again_with_rows_in_the_tables(url, engine):
    def fill(session):
        follow = make_follow(session, make_leader(session))
        position = make_position(session, make_lane(session, follow))
        keep_attempt(session, position)
        postings = moved(main_account("1"), sub_account(follow.id), money(100))
        post(session, kind="fund", reference="1", postings=postings, at=NOW)

    database = open_database(url)
    database.write_and_wait(fill)
    database.close()

    for revision in (
        "0025",
        "0024",
        "0023",
        "0022",
        "0021",
        "0020",
        "0019",
        "0018",
        "0017",
        "0016",
        "0015",
        "0014",
        "0013",
        "0012",
        "0011",
        "0010",
        "0009",
        "0008",
        "0007",
        "0006",
        "0005",
        "0004",
        "0003",
        "0002",
        "0001",
        schema.EMPTY,
    ):
        schema.downgrade(engine, revision)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
        assert connection.execute(text(LEFT_BEHIND[engine.dialect.name])).all() == []
    upgrade_database(url)

    open_database(url).close()


def test_going_down_forgets_choices_and_what_an_older_program_cannot_read(url, engine):
    follower, page = Audience.FOLLOWER, Way.PAGE

    def fill(session):
        leader = make_leader(session)
        make_position(session, make_lane(session, make_follow(session, leader)))
        silence(session, follower, 1, [Choice(NoticeKind.LEADER_MARGIN, page)])
        put_venue_terms(
            session,
            VenueTerms(name="still", moves_money=MovesMoney.NONE, escrow_seconds=0),
            at=NOW,
        )
        put_allotment(
            session, AccountId("1"), Allotment(account=AccountId("7"), held=money(100), at=NOW)
        )
        for number, kind in enumerate((NoticeKind.TAKEN, NoticeKind.HALTED)):
            row = NoticeRow(
                audience=follower,
                audience_id=1,
                kind=kind,
                subject=f"{number}",
                sentence="It is so.",
                raised_at=NOW,
            )
            session.add(row)
            session.flush()
            session.add(DeliveryRow(notice_id=row.id, channel=Channel.WEBHOOK, next_at=NOW))
        for kind in (CommandKind.CHOOSE_NOTICES, CommandKind.NAME_ACCOUNT, CommandKind.WHAT_IF):
            submit_command(session, kind, {}, actor="a:1", idempotency_key=kind, at=NOW)

    database = open_database(url)
    database.write_and_wait(fill)
    database.close()

    schema.downgrade(engine, "0019")

    with engine.connect() as connection:
        assert connection.scalars(text("SELECT kind FROM notice")).all() == ["halted"]
        assert connection.scalars(text("SELECT count(*) FROM delivery")).all() == [1]
        assert connection.scalars(text("SELECT kind FROM command")).all() == ["what_if"]
        assert "notice_silence" not in inspect(connection).get_table_names()
    upgrade_database(url)
    database = open_database(url)
    with database.read() as session:
        assert silenced(session, follower, 1) == frozenset()
        assert (venue_terms(session), find_allotment(session, AccountId("1"))) == (None, None)
    database.close()


def test_halts_survive_going_down_and_up_without_why_they_were_lifted(url, engine):
    def fill(session):
        given = {"actor": "operator:ann", "reason": "odd", "at": NOW}
        halt(session, HaltScope.LEADER, 1, until=None, **given)
        lift(session, HaltScope.LEADER, 1, actor="administrator:bob", reason="right", at=NOW)
        halt(session, HaltScope.GLOBAL, 0, until=None, **given)

    database = open_database(url)
    database.write_and_wait(fill)
    database.close()

    schema.downgrade(engine, "0023")
    upgrade_database(url)

    database = open_database(url)
    with database.read() as session:
        found = [(row.reason, row.lifted_by, row.lift_reason) for row in all_halts(session)]
    database.close()
    assert found == [("odd", None, None), ("odd", "administrator:bob", None)]


def test_going_down_leaves_paper_follows_that_do_nothing(url, engine):
    def fill(session):
        leader = make_leader(session)
        make_position(session, make_lane(session, make_follow(session, leader)))
        twin = paper_twin(session, make_follower(session).id, at=NOW)
        paper = reserve(session, leader, twin)
        start(session, paper, sub_account=AccountId("paper-cp-follow-2"), at=NOW)
        make_position(session, make_lane(session, paper))
        assert (paper.paper, paper.shard) == (True, PAPER_SHARD)

    database = open_database(url)
    database.write_and_wait(fill)
    database.close()

    schema.downgrade(engine, "0014")

    with engine.connect() as connection:
        follows = connection.execute(text("SELECT state, sub_account FROM follow ORDER BY id"))
        assert [tuple(row) for row in follows] == [("pending", "s20001-1"), ("void", None)]
        for table in ("lane", "copied_position"):
            left = connection.execute(text(f"SELECT follow_id FROM {table}"))
            assert [row[0] for row in left] == [1]
    upgrade_database(url)
    open_database(url).close()


def test_a_step_that_fails_leaves_the_schema_as_it_was(url, engine):
    schema.downgrade(engine, "0003")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE leader_statistics (x INTEGER)"))

    with pytest.raises(Exception, match="already exists"):
        upgrade_database(url)

    with engine.connect() as connection:
        assert schema.current(connection) == "0003"
        assert "command" not in inspect(connection).get_table_names()


def test_numbers_in_old_rows_survive_going_up(url, engine):
    schema.downgrade(engine, "0003")
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO leader (id, account, nickname, signature, kind, status, share_ratio,"
                " share_basis, sharer_ratio, min_copy_amount, max_copy_amount, leading_since,"
                " created_at) VALUES (1, '7', 'Ada', '', 'trader', 'active', '0.1',"
                " 'per_position', '0', 1, 100000000000, 0, 0)"
            )
        )
        connection.execute(text("INSERT INTO follower VALUES (1, '8', 'Bob', 0)"))
        connection.execute(
            text(
                "INSERT INTO follow (id, leader_id, follower_id, state, mode, copy_amount,"
                " share_ratio, share_basis, shard, refusals_in_a_row, created_at)"
                " VALUES (1, 1, 1, 'pending', 'fixed', 12345678901, '0.1', 'per_position', 3, 0, 0)"
            )
        )
    upgrade_database(url)

    database = open_database(url)
    with database.read() as session:
        assert session.get(FollowRow, 1).copy_amount == Decimal("123.45678901")
    database.close()


def test_rules_survive_going_up_and_those_that_count_now_survive_going_down(url, engine):
    def fill(session):
        follow = make_follow(session, make_leader(session))
        add_rule(session, follow.id, SOL, multiple("2"))
        change_rules(
            session,
            follow,
            {EVERY_INSTRUMENT: multiple("3"), SOL: multiple("4")},
            after=SignalId(7),
        )

    database = open_database(url)
    database.write_and_wait(fill)
    database.close()
    schema.downgrade(engine, "0013")
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT symbol, factor FROM follow_rule ORDER BY symbol"))
        assert kept.all() == [("", "3"), ("SOLUSDT", "4")]
    upgrade_database(url)

    database = open_database(url)
    with database.read() as session:
        follow = session.get(FollowRow, 1)
        book = rules_of(session, {follow.id})
        assert book.rule_of(follow, SOL, SignalId(1)) == multiple("4")
    database.close()


def multiple(factor: str) -> CopyRule:
    return CopyRule(mode=CopyMode.MULTIPLE, factor=Ratio(Decimal(factor)))


def test_the_migrations_run_from_where_they_are_installed_and_from_any_folder(url, tmp_path):
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    for package in ("copyplugin", "migrations"):
        shutil.copytree(ROOT / package, site / package)
    elsewhere.mkdir()
    program = (
        "import migrations; print(migrations.__file__); "
        "from copyplugin.store.database import upgrade_database; "
        f"upgrade_database({url!r})"
    )
    others = [path for path in sys.path if path and Path(path).resolve() != ROOT]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), *others])}

    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=elsewhere,
        env=environment,
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )

    assert ran.stdout.strip() == str(site / "migrations" / "__init__.py")
    open_database(url).close()
