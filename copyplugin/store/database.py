"""The database: one thread that writes, any number that read, and a schema that must be ours.

Work is short and never spans a call to a venue. A function given to `write` runs in one
transaction: all of it is committed, or none.
"""

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.orm import Session

from copyplugin.errors import ConfigurationError
from copyplugin.store import schema
from copyplugin.store.dialect import lost_to_another, prepare_sqlite
from copyplugin.store.writer_thread import WriterThread

__all__ = [
    "Database",
    "Session",
    "new_database_file",
    "open_database",
    "upgrade_database",
    "writing_engine",
]

T = TypeVar("T")

_READERS = 8
_TRIES = 8
"""So often work is done anew that another process stood in the way of; nothing of it was kept."""


class Database:
    """Opened by `open_database`; `close` waits for what is being written."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        self._reader = reader
        self._thread = WriterThread()
        self._writing = threading.local()

    async def write(self, work: Callable[[Session], T], *, urgent: bool = False) -> T:
        """Run the work in the writer thread, in one transaction, and return what it returns.

        What is urgent goes first: leaders' fills, the turns of lanes, what a person asked for.
        Once started it runs to its end, even if the caller is cancelled meanwhile: a caller who is
        cancelled does not know whether it was committed. The rows do.
        """
        return await asyncio.wrap_future(
            self._thread.submit(partial(self._write, work), urgent=urgent)
        )

    def write_and_wait(self, work: Callable[[Session], T], *, urgent: bool = False) -> T:
        """Do as `write` for a caller without an event loop."""
        assert not getattr(self._writing, "now", False), "the work would wait for itself"
        return self._thread.submit(partial(self._write, work), urgent=urgent).result()

    @contextmanager
    def read(self) -> Generator[Session]:
        """Open a session for reading: one consistent view; what it changes is never committed."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    def close(self) -> None:
        """Finish what is being written and let go of the database."""
        self._thread.close()
        self._writer.dispose()
        self._reader.dispose()

    def _write(self, work: Callable[[Session], T]) -> T:
        self._writing.now = True
        try:
            for _ in range(_TRIES):
                try:
                    return self._write_once(work)
                except DBAPIError as error:
                    if not lost_to_another(error):
                        raise
            return self._write_once(work)
        finally:
            self._writing.now = False

    def _write_once(self, work: Callable[[Session], T]) -> T:
        with Session(self._writer, expire_on_commit=False) as session, session.begin():
            return work(session)


def open_database(url: str) -> Database:
    """Open the database; raises `ConfigurationError` where it is not at the schema we need."""
    file = _file(url)
    if file is not None and not file.exists():
        raise ConfigurationError(f"there is no database {file}: run `copyplugin db upgrade`")
    writer = writing_engine(url)
    try:
        schema.check(writer)
    except OperationalError as error:
        writer.dispose()
        raise _unusable(error) from error
    except ConfigurationError:
        writer.dispose()
        raise
    return Database(writer, _reading_engine(url))


def _unusable(error: OperationalError) -> ConfigurationError:
    """Return what is wrong in the database's own first words, which name the place."""
    words = str(error.orig).strip().splitlines()
    return ConfigurationError(
        f"the database cannot be used: {words[0] if words else 'it did not answer'}; check its "
        "address, whether it runs, and who may use it"
    )


def upgrade_database(url: str) -> None:
    """Bring the database's schema to what this program needs, making the database if need be."""
    file = _file(url)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    engine = writing_engine(url)
    try:
        schema.upgrade(engine)
    except OperationalError as error:
        raise _unusable(error) from error
    finally:
        engine.dispose()


def new_database_file(file: Path) -> str:
    """Make a database in that file, at the newest schema, and return its address.

    Only a process's first goes through all migrations; the others are copies of it as it was then.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(_newest_schema())
    return f"sqlite:///{file}"


@cache
def _newest_schema() -> bytes:
    with TemporaryDirectory(prefix="copyplugin-schema-") as folder:
        file = Path(folder, "empty.db")
        upgrade_database(f"sqlite:///{file}")
        return file.read_bytes()


def writing_engine(url: str) -> Engine:
    """Return an engine with one connection, which writes."""
    parsed = _parsed(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_size=1, max_overflow=0, pool_pre_ping=True)
    engine = create_engine(parsed, pool_size=1, max_overflow=0)
    prepare_sqlite(engine, begin="IMMEDIATE", query_only=False)
    return engine


def _reading_engine(url: str) -> Engine:
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, pool_size=_READERS)
        prepare_sqlite(engine, begin="DEFERRED", query_only=True)
        return engine
    return create_engine(
        parsed,
        pool_size=_READERS,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
    )


def libpq_address(url: str) -> str | None:
    """Return a server's address as libpq writes it; None for a file."""
    parsed = _parsed(url)
    if parsed.get_backend_name() == "sqlite":
        return None
    return parsed.set(drivername="postgresql").render_as_string(hide_password=False)


def _file(url: str) -> Path | None:
    """Return the file an SQLite database lies in; None for a server."""
    parsed = _parsed(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    assert parsed.database is not None
    return Path(parsed.database)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(
            f"{url!r} is no database URL: write for example sqlite:///copyplugin.db"
        ) from error
    backend = parsed.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise ConfigurationError(f"{backend} is not supported: use sqlite or postgresql")
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")  # the one driver that is installed
    if parsed.database in {None, "", ":memory:"}:
        raise ConfigurationError(
            "a database in memory is lost with its connection: name a file, "
            "for example sqlite:///copyplugin.db"
        )
    return parsed
