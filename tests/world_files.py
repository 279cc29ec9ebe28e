"""Databases of worlds: real SQLite files on which thousands of worlds live one after another.

A file, its connections and what SQLAlchemy has compiled for them outlast a world and the processes
that die in it. What is written is written before anybody else has a turn, so that one seed is one
world.
"""

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any

from copyplugin.store.database import Database, open_database
from copyplugin.store.writer_thread import WriterThread
from tests.databases import migrated_sqlite

MEMORY = Path("/dev/shm")


class AtOnce(WriterThread):
    """Does what it is given while it is given, in the thread that gives it."""

    def submit(self, work: Callable[[], Any], *, urgent: bool) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001 - it reaches whoever asks for the result
            done.set_exception(error)
        return done


class HeldDatabase(Database):
    """One process's hold on a world's database: its end leaves the connections to the next one."""

    def __init__(self, database: Database, thread: WriterThread) -> None:
        self.__dict__.update(database.__dict__)
        self._thread = thread

    def close(self) -> None:
        """Finish what is being written, and leave the connections open for the next process."""
        self._thread.close()


class WorldFile:
    """A migrated file with its connections, for one world at a time."""

    def __init__(self, folder: Path) -> None:
        self.url = migrated_sqlite(folder)
        self._empty = sqlite3.connect(":memory:", check_same_thread=False)
        with sqlite3.connect(self.url.removeprefix("sqlite:///")) as file:
            file.backup(self._empty)
        file.close()
        self._database = open_database(self.url)

    def hold(self) -> Database:
        """Return the database of a stepped process: it writes while it is told to."""
        return HeldDatabase(self._database, AtOnce())

    def hold_with_writer(self) -> Database:
        """Return the database of a process with threads: one of them writes, as in earnest."""
        return HeldDatabase(self._database, WriterThread())

    def clear(self) -> None:
        """Make it what it was before its first world."""
        connection = self._database._writer.raw_connection()
        driver = connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        self._empty.backup(driver)
        connection.close()

    def dispose(self) -> None:
        self._database.close()
        self._empty.close()


class WorldFiles:
    """Files of this process, in memory where the machine has a place for them."""

    def __init__(self) -> None:
        place = MEMORY if MEMORY.is_dir() else None
        self._folder = Path(tempfile.mkdtemp(prefix="copyplugin-worlds-", dir=place))
        self._free: list[WorldFile] = []
        self._made: list[WorldFile] = []
        atexit.register(self._remove)

    def take(self) -> WorldFile:
        if self._free:
            file = self._free.pop()
            file.clear()
            return file
        file = WorldFile(self._folder / str(len(self._made)))
        self._made.append(file)
        return file

    def give_back(self, file: WorldFile) -> None:
        assert file not in self._free
        self._free.append(file)

    def _remove(self) -> None:
        for file in self._made:
            file.dispose()
        shutil.rmtree(self._folder, ignore_errors=True)  # the machine forgets it at its next start


@cache
def world_files() -> WorldFiles:
    return WorldFiles()
