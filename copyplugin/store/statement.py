"""Statements for the driver itself, for the path of every order: no object watches what they read.

SQLAlchemy's own layers cost several times what these statements cost in the database. They are
written once, in the words both databases share, and run inside the session's transaction.
"""

import json
import re
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy.orm import Session

from copyplugin.store.dialect import is_sqlite

_LIST = re.compile(r"\bIN :(\w+)")
_NAME = re.compile(r":(\w+)")
_LOCK = re.compile(r"\s+FOR (UPDATE|SHARE) OF [\w, ]+")


_NOW = "NOW_US"
_NOW_SQLITE = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"
_NOW_POSTGRESQL = "CAST(extract(epoch FROM statement_timestamp()) * 1000000 AS bigint)"


class Statement:
    """`:name` is a value, `IN :name` a list of numbers, `NOW_US` the database's clock.

    `FOR UPDATE OF` says whose rows nobody else may change until the transaction ends; on SQLite
    a writer is alone anyway.
    """

    def __init__(self, text: str) -> None:
        self._lists = frozenset(_LIST.findall(text))
        sqlite = _LIST.sub(r"IN (SELECT value FROM json_each(:\1))", _LOCK.sub("", text))
        self._sqlite = sqlite.replace(_NOW, _NOW_SQLITE)
        postgresql = _LIST.sub(r"= ANY(CAST(:\1 AS bigint[]))", text)
        self._postgresql = _NAME.sub(r"%(\1)s", postgresql).replace(_NOW, _NOW_POSTGRESQL)

    def run(self, session: Session, **values: Any) -> list[tuple[Any, ...]]:
        """Return the rows found; a list that is empty finds none."""
        if any(not values[name] for name in self._lists):
            return []
        connection = driver_connection(session)
        if not is_sqlite(session):
            given = {n: list(v) if n in self._lists else v for n, v in values.items()}
            return connection.execute(self._postgresql, given).fetchall()
        given = {n: json.dumps(list(v)) if n in self._lists else v for n, v in values.items()}
        return connection.execute(self._sqlite, given).fetchall()


def driver_connection(session: Session) -> Any:
    """Return the driver's connection inside the session's transaction, what was pending written."""
    session.flush()
    return session.connection().connection.driver_connection


def take_numbers(session: Session, table: str, count: int) -> list[int]:
    """Return numbers for new rows of a table whose rows are never removed."""
    if not count:
        return []
    connection = driver_connection(session)
    if is_sqlite(session):  # a writer is alone from its BEGIN on
        query = f"SELECT coalesce(max(id), 0) FROM {table}"  # noqa: S608 - our names
        last: int = connection.execute(query).fetchone()[0]
        return list(range(last + 1, last + 1 + count))
    query = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"
    return [row[0] for row in connection.execute(query, (table, count)).fetchall()]


def insert_rows(
    session: Session,
    table: str,
    columns: Sequence[tuple[str, str]],
    rows: Collection[Sequence[Any]],
) -> None:
    """Insert rows of bound values; `columns` are their names with PostgreSQL's types."""
    if not rows:
        return
    names = ", ".join(name for name, _ in columns)
    if is_sqlite(session):
        marks = ", ".join("?" for _ in columns)
        statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - our names
        driver_connection(session).executemany(statement, rows)
        return
    values, source = _unnested(columns)
    statement = f"INSERT INTO {table} ({names}) SELECT {values} FROM {source}"  # noqa: S608 - our names
    driver_connection(session).execute(statement, _columns(rows))


def update_rows(
    session: Session,
    table: str,
    columns: Sequence[tuple[str, str]],
    keys: Sequence[tuple[str, str]],
    rows: Collection[Sequence[Any]],
) -> None:
    """Write rows of bound values, the columns first and then their key. Each must exist."""
    if not rows:
        return
    if is_sqlite(session):
        changes = ", ".join(f"{name} = ?" for name, _ in columns)
        places = " AND ".join(f"{name} = ?" for name, _ in keys)
        statement = f"UPDATE {table} SET {changes} WHERE {places}"  # noqa: S608 - our names
        done = driver_connection(session).executemany(statement, rows).rowcount
    else:
        _, source = _unnested([*columns, *keys])
        changes = ", ".join(f"{name} = {_value(name, kind)}" for name, kind in columns)
        places = " AND ".join(f"{table}.{name} = v.{name}" for name, _ in keys)
        statement = f"UPDATE {table} SET {changes} FROM {source} WHERE {places}"  # noqa: S608 - our names
        done = driver_connection(session).execute(statement, _columns(rows)).rowcount
    assert done == len(rows), f"{len(rows)} rows of {table} were to be written, {done} were there"


def _unnested(columns: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return the values to select and where from: one array a column, for any number of rows."""
    arrays = ", ".join(f"%s::{_array_type(kind)}[]" for _, kind in columns)
    names = ", ".join(name for name, _ in columns)
    return ", ".join(_value(*column) for column in columns), f"unnest({arrays}) AS v({names})"


def _value(name: str, kind: str) -> str:
    return f"v.{name}::json" if kind == "JSON" else f"v.{name}"


def _array_type(kind: str) -> str:
    return "text" if kind == "JSON" else kind


def _columns(rows: Collection[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
