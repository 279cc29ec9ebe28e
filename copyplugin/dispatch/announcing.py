"""Waking the processes of an installation from one that serves nothing: pages, the command line.

The message is written in the caller's own transaction, so that it is there when the work is. It is
only a wake-up: whoever serves that name looks at the rows, and the sweep finds what no message told
of.
"""

from collections.abc import Collection, Mapping
from typing import Any

from procrastinate import App, SyncPsycopgConnector
from sqlalchemy import text
from sqlalchemy.orm import Session

SCHEMA = "procrastinate"
TASK = "wake"
KEYS_IN_ONE = 500
"""So many keys share a message, where nothing else is said: a message costs more than a key."""


class Announcer:
    """`conninfo` is the database as libpq writes it; no connection of its own is opened."""

    def __init__(self, conninfo: str, *, keys_in_one: Mapping[str, int] | None = None) -> None:
        self._keys_in_one = keys_in_one or {}
        self._app = App(connector=SyncPsycopgConnector(conninfo=conninfo))  # never opened

    def announce_within(self, transaction: Session, name: str, keys: Collection[int] = ()) -> None:
        """Let whoever serves that name look, once the transaction has been committed."""
        transaction.execute(text(f"SET LOCAL search_path = public, {SCHEMA}"))
        connection = transaction.connection().connection.driver_connection
        task = self._app.configure_task(TASK, queue=name, connection=connection)
        task.batch_defer(*self.messages(name, keys))

    def messages(self, name: str, keys: Collection[int]) -> list[dict[str, Any]]:
        """Return the arguments of the messages that tell of these keys; at least one."""
        size, ordered = self._keys_in_one.get(name, KEYS_IN_ONE), sorted(keys)
        parts = [ordered[first : first + size] for first in range(0, len(ordered), size)]
        return [{"name": name, "keys": part} for part in parts or [[]]]


def announcer_of(conninfo: str | None) -> Announcer | None:
    """Return what wakes the processes on a database server.

    None on SQLite, where nothing does: an engine elsewhere finds the row with its next sweep.
    """
    return None if conninfo is None else Announcer(conninfo)
