"""Snapshots: the whole state after some record, so that recovery need not replay all of them.

A snapshot is never needed: the journal holds everything. One that is damaged, torn or of another
version of the code is passed over, and recovery takes the one before or replays from the start.
"""

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from simexchange.core.exchange import Exchange
from simexchange.journal.graph import GraphError, read_graph, write_graph
from simexchange.journal.writer import sync_directory

MAGIC = b"SIMEXCHANGE SNAPSHOT 1\n"
KEPT = 2
DIGITS = 12
CHECKSUM_BYTES = 4


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """The state after record `sequence`, which ends at byte `offset` of the journal."""

    sequence: int
    offset: int
    event_hash: str
    state_hash: str
    graph: bytes


class SnapshotError(Exception):
    """A snapshot cannot be used; recovery does without it."""


def paths_of(journal: Path) -> list[Path]:
    """Return the snapshots beside a journal, the newest first."""
    return sorted(journal.parent.glob(f"{journal.name}.snapshot-{'[0-9]' * DIGITS}"), reverse=True)


def save(
    journal: Path, exchange: Exchange, *, sequence: int, offset: int, leave_out: frozenset[str]
) -> Path:
    """Write a snapshot beside the journal, whole or not at all, and forget the oldest ones."""
    snapshot = Snapshot(
        sequence,
        offset,
        exchange.event_hash,
        exchange.state_hash(),
        zlib.compress(write_graph(exchange, leave_out=leave_out), 1),
    )
    body = msgspec.msgpack.encode(snapshot)
    path = journal.with_name(f"{journal.name}.snapshot-{sequence:0{DIGITS}}")
    unfinished = path.with_name(f"{path.name}.unfinished")
    with unfinished.open("wb") as file:
        file.write(MAGIC + zlib.crc32(body).to_bytes(CHECKSUM_BYTES, "little") + body)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_directory(path.parent)
    for old in paths_of(journal)[KEPT:]:
        old.unlink()
    return path


def load(path: Path) -> Snapshot:
    """Return a snapshot; raise SnapshotError when it is damaged or none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SnapshotError(f"{path} cannot be read: {error.strerror}") from error
    start = len(MAGIC) + CHECKSUM_BYTES
    checksum = int.from_bytes(content[len(MAGIC) : start], "little")
    if not content.startswith(MAGIC) or zlib.crc32(content[start:]) != checksum:
        raise SnapshotError(f"{path} is damaged")
    try:
        return msgspec.msgpack.decode(content[start:], type=Snapshot)
    except msgspec.MsgspecError as error:
        raise SnapshotError(f"{path} is of another version: {error}") from error


def restore(snapshot: Snapshot, exchange: Exchange) -> None:
    """Set `exchange` to the state of the snapshot; raise SnapshotError when the hashes differ.

    After an error the exchange is in no usable state.
    """
    try:
        read_graph(zlib.decompress(snapshot.graph), exchange)
    except (GraphError, zlib.error) as error:
        raise SnapshotError(f"the snapshot of record {snapshot.sequence}: {error}") from error
    hashes = exchange.event_hash, exchange.state_hash()
    if hashes != (snapshot.event_hash, snapshot.state_hash):
        raise SnapshotError(f"the snapshot of record {snapshot.sequence} does not give its hash")


def usable(journal: Path) -> Iterator[Snapshot | SnapshotError]:
    """Yield the snapshots of a journal, the newest first, or why one of them cannot be used."""
    for path in paths_of(journal):
        try:
            yield load(path)
        except SnapshotError as error:
            yield error
