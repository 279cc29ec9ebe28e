"""Databases of both kinds for tests: a new one each, made as fast as the kind allows."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from copyplugin.bench.local_postgres import LocalPostgres, drop_database, make_database
from copyplugin.store.database import new_database_file, upgrade_database

KINDS = ("sqlite", "postgresql")
SERVER = "POSTGRES_URL"
"""Names a server to use instead of one that is started here; its user may make databases."""


class PostgresServer:
    """Makes databases on a server: empty ones, and ones with our tables, copied from a template."""

    def __init__(self, server: str, *, is_ours: bool = False) -> None:
        self._server = server
        self._is_ours = is_ours
        self._numbers = itertools.count(1)
        self._template: str | None = None
        self._made: list[str] = []

    def empty(self) -> str:
        return self._make("template0")

    def migrated(self) -> str:
        if self._template is None:
            url = self._make("template0")
            upgrade_database(url)
            self._template = self._made[-1]
        return self._make(self._template)

    @contextmanager
    def borrowed(self, *, is_migrated: bool) -> Iterator[str]:
        """Make one and drop it after use; the server removes its thousand files faster than we."""
        url, name = (self.migrated if is_migrated else self.empty)(), self._made[-1]
        yield url
        self._made.remove(name)
        drop_database(self._server, name)

    def close(self) -> None:
        for name in reversed(self._made):
            drop_database(self._server, name)

    def _make(self, template: str) -> str:
        name = f"copyplugin_test_{os.getpid()}_{next(self._numbers)}"
        make_database(self._server, name, template=template, copies_files=self._is_ours)
        self._made.append(name)
        address, _, query = self._server.partition("?")
        return f"{address.rpartition('/')[0]}/{name}?{query}".rstrip("?")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Yield the server that the environment names, else one of our own."""
    given = os.environ.get(SERVER)
    if given:
        server = PostgresServer(given)
        yield server
        server.close()
        return
    with LocalPostgres() as local:
        yield PostgresServer(local.url(), is_ours=True)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'plugin.db'}"


def migrated_sqlite(folder: Path) -> str:
    """Return the address of a new database with our tables and nothing in them."""
    return new_database_file(folder / "plugin.db")
