"""Appending to a journal: one writer, and a promise about what survives."""

import fcntl
import os
from enum import StrEnum
from pathlib import Path
from time import monotonic_ns
from types import TracebackType
from typing import Self

from simexchange.core.commands import Command
from simexchange.core.config import ExchangeConfig
from simexchange.journal.records import (
    JournalError,
    JournalFile,
    cut_tail,
    encode_header,
    encode_record,
    scan,
)

NANOSECONDS_PER_MS = 1_000_000


class Durability(StrEnum):
    """When a record is forced to the disk.

    Every record is handed to the operating system before its command counts, so killing the
    process loses nothing in any of these. They differ in what a power cut may take.
    """

    COMMAND = "command"  # nothing: each command waits for the disk
    INTERVAL = "interval"  # at most the last `interval_ms`
    SYSTEM = "system"  # what the operating system had not yet written


class JournalWriter:
    """The one writer of a journal; others are kept out by a lock that ends with the process."""

    def __init__(
        self,
        path: Path,
        config: ExchangeConfig,
        *,
        durability: Durability = Durability.COMMAND,
        interval_ms: int = 100,
    ) -> None:
        """Open or create the journal and cut a torn tail.

        Raises JournalError when the journal is damaged, locked, or was begun with another config.
        """
        self.path = path
        self.durability = durability
        self._interval_ns = interval_ms * NANOSECONDS_PER_MS
        self._descriptor = _open_locked(path)
        try:
            self.file = self._prepared(config)
        except BaseException:
            os.close(self._descriptor)
            raise
        self.sequence = self.file.records
        self.bytes_written = self.file.whole_bytes
        self._last_bytes = 0
        self._synced_at_ns = monotonic_ns()

    def _prepared(self, config: ExchangeConfig) -> JournalFile:
        header = encode_header(config)
        begun = os.pread(self._descriptor, len(header), 0)
        if len(begun) < len(header) and header.startswith(begun):  # new, or killed at its birth
            os.ftruncate(self._descriptor, 0)
            _write_all(self._descriptor, header)
            os.fsync(self._descriptor)
            sync_directory(self.path.parent)
            return JournalFile(self.path, config, 0, len(header), 0)
        file = scan(self.path)
        if file.config != config:
            raise JournalError(
                f"{self.path} was begun with {file.config}, not with {config}; use the same"
                " settings or another journal"
            )
        if file.torn_bytes:
            cut_tail(file)
        return file

    def append(self, at: int, command: Command) -> int:
        """Write one command and return its place; afterwards it survives the process.

        Raises JournalError when the disk does not take it; the journal is then as it was before.
        """
        record = encode_record(self.sequence + 1, at, command)
        try:
            _write_all(self._descriptor, record)
        except OSError as error:
            os.ftruncate(self._descriptor, self.bytes_written)
            raise JournalError(f"cannot write {self.path}: {error.strerror}") from error
        self.sequence += 1
        self.bytes_written += len(record)
        self._last_bytes = len(record)
        if self.durability is Durability.COMMAND:
            os.fdatasync(self._descriptor)
        elif self.durability is Durability.INTERVAL:
            now_ns = monotonic_ns()
            if now_ns - self._synced_at_ns >= self._interval_ns:
                os.fdatasync(self._descriptor)
                self._synced_at_ns = now_ns
        return self.sequence

    def retract(self) -> None:
        """Take back the record just appended, whose command could not be applied."""
        assert self._last_bytes, "nothing was appended since the last record was taken back"
        self.bytes_written -= self._last_bytes
        self.sequence -= 1
        self._last_bytes = 0
        os.ftruncate(self._descriptor, self.bytes_written)
        os.fsync(self._descriptor)

    def sync(self) -> None:
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _open_locked(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(f"cannot open {path}: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise JournalError(f"{path} is in use by another process; stop it first") from error
    return descriptor


def _write_all(descriptor: int, content: bytes) -> None:
    written = os.write(descriptor, content)
    while written < len(content):
        written += os.write(descriptor, memoryview(content)[written:])


def sync_directory(path: Path) -> None:
    """Make a new or renamed name in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
