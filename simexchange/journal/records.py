"""The journal's file: a header, then one record a command, each with its own checksum.

A record is a head of 16 bytes (length of the payload, its place in the journal counted from 1,
CRC-32 over both and the payload; little endian) and the payload: the command's time and the
command, as MessagePack, or as JSON where a number is beyond 64 bits.

What a crash can do is leave the end unfinished: a torn tail is cut. Anything else that does not
read is damage, and nothing is guessed: a record that is broken while whole ones follow it is
refused with its place and offset.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from zlib import crc32

import msgspec

from simexchange.core.commands import Command
from simexchange.core.config import ExchangeConfig

MAGIC = b"SIMEXCHANGE JOURNAL 1\n"
HEAD = Struct("<IQI")
PREFIX = Struct("<IQ")
LONGEST_PAYLOAD = 16 * 1024 * 1024
MSGPACK, JSON = b"M", b"J"


class JournalError(Exception):
    """A journal cannot be used as it is; the message says where and what can be done."""


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """One command and its time in microseconds."""

    at: int
    command: Command


_packed = msgspec.msgpack.Encoder()
_unpack = msgspec.msgpack.Decoder(Entry)
_unpack_json = msgspec.json.Decoder(Entry)


@dataclass(frozen=True, slots=True)
class JournalFile:
    """What a scan of a journal found. `torn_bytes` at the end belong to no whole record."""

    path: Path
    config: ExchangeConfig
    records: int
    whole_bytes: int
    torn_bytes: int


def encode_header(config: ExchangeConfig) -> bytes:
    return MAGIC + framed(0, msgspec.msgpack.encode(config))


def encode_record(sequence: int, at: int, command: Command) -> bytes:
    entry = Entry(at, command)
    try:
        payload = MSGPACK + _packed.encode(entry)
    except OverflowError:  # beyond MessagePack's 64 bits; the exchange says what it thinks of it
        payload = JSON + msgspec.json.encode(entry)
    if len(payload) > LONGEST_PAYLOAD:
        raise JournalError(f"a command of {len(payload)} bytes is too long; split the batch")
    return framed(sequence, payload)


def framed(sequence: int, payload: bytes) -> bytes:
    prefix = PREFIX.pack(len(payload), sequence)
    return prefix + crc32(payload, crc32(prefix)).to_bytes(4, "little") + payload


def decode_payload(payload: bytes) -> Entry:
    decoder = _unpack if payload[:1] == MSGPACK else _unpack_json
    return decoder.decode(memoryview(payload)[1:])


def scan(path: Path) -> JournalFile:
    """Check every record of a journal and return what it holds.

    Raises JournalError for a file that is no journal, and for one damaged before its end.
    """
    content = _content(path)
    config, position = _header(path, content)
    sequence = 0
    while (end := _record_end(content, position, sequence + 1)) is not None:
        position, sequence = end, sequence + 1
    if position < len(content):
        _refuse_damage(path, content, position, sequence + 1)
    return JournalFile(path, config, sequence, position, len(content) - position)


def read(path: Path, *, offset: int | None = None, after: int = 0) -> Iterator[tuple[int, Entry]]:
    """Yield the whole records as (place, entry) after the place `after`, which ends at `offset`.

    Read the file with `scan` first: damage is told there, and here the first record that is not
    whole is the end.
    """
    content = _content(path)
    position = _header(path, content)[1] if offset is None else offset
    sequence = after + 1
    while (end := _record_end(content, position, sequence)) is not None:
        try:
            entry = decode_payload(content[position + HEAD.size : end])
        except msgspec.MsgspecError as error:
            raise JournalError(
                f"{path}: record {sequence} at byte {position} is whole but holds no command that"
                f" this version knows ({error}); replay it with the version that wrote it"
            ) from error
        yield sequence, entry
        position, sequence = end, sequence + 1


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise JournalError(f"cannot read {path}: {error.strerror}") from error


def _header(path: Path, content: bytes) -> tuple[ExchangeConfig, int]:
    if not content.startswith(MAGIC):
        raise JournalError(f"{path} is not a journal of this exchange")
    end = _record_end(content, len(MAGIC), 0)
    if end is None:
        raise JournalError(f"{path} is damaged at byte {len(MAGIC)}: its header does not read")
    payload = content[len(MAGIC) + HEAD.size : end]
    try:
        return msgspec.msgpack.decode(payload, type=ExchangeConfig), end
    except msgspec.MsgspecError as error:
        raise JournalError(f"{path}: its header is of another version ({error})") from error


def _record_end(content: bytes, position: int, sequence: int) -> int | None:
    """Return where the record at `position` ends if it is whole and has this place."""
    start = position + HEAD.size
    if start > len(content):
        return None
    length, place, checksum = HEAD.unpack_from(content, position)
    end = start + length
    if place != sequence or end > len(content) or length > LONGEST_PAYLOAD:
        return None
    prefix = content[position : position + PREFIX.size]
    return end if crc32(memoryview(content)[start:end], crc32(prefix)) == checksum else None


def _refuse_damage(path: Path, content: bytes, broken_at: int, sequence: int) -> None:
    """Raise JournalError if a whole record with a later place stands behind `broken_at`."""
    most = sequence + (len(content) - broken_at) // HEAD.size + 1
    for position in range(broken_at + 1, len(content) - HEAD.size + 1):
        _, place, _ = HEAD.unpack_from(content, position)
        if not sequence < place <= most or _record_end(content, position, place) is None:
            continue
        raise JournalError(
            f"{path} is damaged: record {sequence} at byte {broken_at} does not read, but record"
            f" {place} at byte {position} is whole. Nothing was changed. Restore the file from a"
            f" copy, or cut it to {broken_at} bytes to accept losing record {sequence} and all"
            " after it"
        )


def cut_tail(file: JournalFile) -> None:
    """Cut the torn end off, so that the next record follows the last whole one."""
    with file.path.open("r+b") as journal:
        journal.truncate(file.whole_bytes)
        os.fsync(journal.fileno())
