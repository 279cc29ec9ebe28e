"""What differs between SQLite and PostgreSQL; no other file may tell them apart."""

from collections.abc import Callable, Mapping, Sequence
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import Connection, Engine, Table, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from copyplugin.store.rows import Row

BUSY_TIMEOUT_MS = 5000
READER_CACHE_KIB = 2_000  # of each connection
WRITER_CACHE_KIB = 64_000
"""Pages that the one writer keeps at hand, as far as it meets them; SQLite's own 2 MB are few."""

# PostgreSQL names a lock by a number; whoever adds to the ledger's chain holds this one.
_LEDGER_LOCK = 7_201


def is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def insert(session: Session, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if is_sqlite(session) else postgresql.insert(table)


def put(session: Session, row: type[Row], values: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows, each replacing the one that has its key; all have the same columns."""
    if not values:
        return
    table = _table(row)
    keys = [column.name for column in table.primary_key]
    statement = insert(session, table)
    changed = {name: statement.excluded[name] for name in values[0] if name not in keys}
    session.execute(
        statement.on_conflict_do_update(index_elements=keys, set_=changed), list(values)
    )


def lost_to_another(error: DBAPIError) -> bool:
    """Return whether PostgreSQL ended a transaction for another's sake: it may be done anew."""
    return getattr(error.orig, "sqlstate", None) in {"40001", "40P01"}


def lock_ledger(session: Session) -> None:
    """Let nobody else add to the ledger until this transaction ends.

    SQLite's writers are alone from their BEGIN IMMEDIATE on.
    """
    if not is_sqlite(session):
        session.execute(select(func.pg_advisory_xact_lock(_LEDGER_LOCK)))


def prepare_sqlite(engine: Engine, *, begin: str, query_only: bool) -> None:
    """Make every connection durable and strict, and every transaction begin as told.

    FULL, because in WAL mode NORMAL may lose the last commits at a power cut, and a lost 'sent' is
    the mark that keeps an order from being sent twice. IMMEDIATE for writers, because a transaction
    that reads first and then wants to write fails at once when another has written in between.
    """

    def connected(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        assert isinstance(connection, SqliteConnection)
        connection.isolation_level = None  # the driver leaves BEGIN to us
        cache_kib = READER_CACHE_KIB if query_only else WRITER_CACHE_KIB
        pragmas: dict[str, Any] = {
            "busy_timeout": BUSY_TIMEOUT_MS,  # first: the next one may have to wait
            "journal_mode": "WAL",
            "synchronous": "FULL",
            "foreign_keys": "ON",
            "query_only": "ON" if query_only else "OFF",
            "cache_size": -cache_kib,
        }
        for name, value in pragmas.items():
            connection.execute(f"PRAGMA {name} = {value}")

    def began(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {begin}")

    _listen(engine, "connect", connected)
    _listen(engine, "begin", began)


def _table(row: type[Row]) -> Table:
    return row.metadata.tables[row.__tablename__]


def _listen(engine: Engine, name: str, listener: Callable[..., None]) -> None:
    event.listen(engine, name, listener)
