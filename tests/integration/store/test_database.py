import asyncio
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from copyplugin.errors import ConfigurationError
from copyplugin.store import schema
from copyplugin.store.database import open_database, upgrade_database, writing_engine
from copyplugin.store.rows import FollowerRow, LeaderInstrumentRow, LeaderRow
from tests.integration.store.store_builders import make_follower, make_leader, money

HEAD = schema.head()


def pragma(session, name):
    return session.execute(text(f"PRAGMA {name}")).scalar()


@pytest.mark.parametrize("kind", ["sqlite"])
def test_writers_are_durable_and_strict(database):
    def work(session):
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        return {name: pragma(session, name) for name in names}

    full = 2
    assert database.write_and_wait(work) == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": 1,
        "busy_timeout": 5000,
    }


def test_what_raises_leaves_nothing_behind(database):
    def work(session):
        make_follower(session)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.write_and_wait(work)

    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(FollowerRow)) == 0


async def test_writes_from_many_tasks_wait_for_one_another(database):
    accounts = [str(number) for number in range(50)]

    await asyncio.gather(
        *(database.write(lambda s, a=account: make_follower(s, a)) for account in accounts)
    )

    with database.read() as session:
        assert sorted(session.scalars(select(FollowerRow.account))) == sorted(accounts)


@pytest.mark.parametrize("kind", ["sqlite"])  # PostgreSQL lets both write at once
def test_a_second_process_waits_for_the_first_instead_of_failing(url, database):
    other = open_database(url)

    def work(session):
        before = session.scalar(select(func.count()).select_from(FollowerRow))
        make_follower(session, f"after-{before}")

    async def both():
        await asyncio.gather(*(base.write(work) for base in (database, other) * 20))

    asyncio.run(both())
    other.close()

    with database.read() as session:
        accounts = set(session.scalars(select(FollowerRow.account)))
    assert accounts == {f"after-{number}" for number in range(40)}


def test_a_reader_sees_one_moment_and_cannot_write(database):
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(FollowerRow)) == 0
        database.write_and_wait(make_follower)
        assert session.scalar(select(func.count()).select_from(FollowerRow)) == 0

        with pytest.raises(DBAPIError, match=r"read-?only"):
            make_follower(session, "2")


def test_a_row_that_refers_to_nothing_is_refused(database):
    with pytest.raises(IntegrityError, match=r"(?i)foreign key"):
        database.write_and_wait(lambda s: s.add(LeaderInstrumentRow(leader_id=9, symbol="X")))


def test_work_that_waits_for_itself_is_a_bug_that_shows_at_once(database):
    with pytest.raises(AssertionError, match="wait for itself"):
        database.write_and_wait(lambda _: database.write_and_wait(make_follower))


def test_a_database_without_tables_says_what_to_run(url, tmp_path):
    (tmp_path / "plugin.db").touch()  # as a server has an empty database

    with pytest.raises(ConfigurationError, match="no tables yet: run `copyplugin db upgrade`"):
        open_database(url)


def test_a_database_at_an_older_schema_says_what_to_run(url):
    upgrade_database(url)
    engine = writing_engine(url)
    schema.downgrade(engine, "0003")
    engine.dispose()

    with pytest.raises(ConfigurationError, match=f"schema 0003 .* needs {HEAD}: run"):
        open_database(url)


def test_a_database_of_a_newer_program_is_left_alone(url):
    upgrade_database(url)
    engine = writing_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()

    with pytest.raises(ConfigurationError, match="9999, which this program does not know"):
        open_database(url)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("mysql://localhost/x", "use sqlite or postgresql"),
        ("nonsense", "is no database URL"),
    ],
)
def test_a_url_that_cannot_work_is_refused_with_what_to_write(url, sentence):
    with pytest.raises(ConfigurationError, match=sentence):
        open_database(url)


def test_the_database_is_made_with_the_folder_it_lies_in(tmp_path):
    url = f"sqlite:///{tmp_path / 'new folder' / '100%' / 'plugin.db'}"

    upgrade_database(url)

    open_database(url).close()


def test_a_missing_database_says_what_to_run_and_is_not_made(tmp_path):
    file = tmp_path / "nowhere" / "plugin.db"

    with pytest.raises(ConfigurationError, match="run `copyplugin db upgrade`"):
        open_database(f"sqlite:///{file}")

    assert not file.parent.exists()


def test_what_is_stored_comes_back_as_it_was(database):
    at = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)

    def work(session):
        leader = make_leader(session, min_copy_amount=money("0.00000001"))
        leader.pinned_at = at
        return leader.id

    leader_id = database.write_and_wait(work)

    with database.read() as session:
        row = session.get(LeaderRow, leader_id)
        assert row.min_copy_amount == Decimal("0.00000001")
        assert row.pinned_at == at
