"""What a server must remember beside the exchange's journal: keys, members, words, the clock.

The notes stand in a file of their own, one JSON text a line, each with the number of commands that
the exchange's journal held when it was written. Read together the two give the server back as it
was. What a crash can do is leave the last line unfinished, or a note of a command that was never
journaled: both are cut. A line that does not read before the end is damage, and is refused.
"""

import os
from pathlib import Path

import msgspec

from simexchange.journal.records import JournalError
from simexchange.server.grants import Grant
from simexchange.server.records.rows import KeptOrder


class _Note(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of all notes."""


class Begun(_Note, frozen=True):
    """The first note: what the server was started with."""

    seed: str
    market: str


class KeyMade(_Note, frozen=True):
    number: int
    key: str
    secret: str
    account: int
    grant: Grant
    created_at: int
    name: str
    addresses: tuple[str, ...]
    expires_at: int
    public_key: str = ""


class KeyChanged(_Note, frozen=True):
    key: str
    grant: Grant
    addresses: tuple[str, ...]


class KeyRevoked(_Note, frozen=True):
    key: str


class MemberSet(_Note, frozen=True):
    """A sub-account was frozen, freed or closed."""

    account: int
    state: str


class CrossSet(_Note, frozen=True):
    """New instruments of an account start in cross margin, or do so no longer."""

    account: int
    is_cross: bool


class Described(_Note, frozen=True):
    """Words that belong to the order which the next command places."""

    account: int
    words: dict[str, str]


class Refused(_Note, frozen=True):
    """An order that was acknowledged on the wire and refused by the exchange."""

    order: KeptOrder


class Steered(_Note, frozen=True):
    """The clock showed ``at`` when its base showed ``base``, and ran on at ``speed``."""

    speed: int
    at: int
    base: int


Note = (
    Begun | KeyMade | KeyChanged | KeyRevoked | MemberSet | CrossSet | Described | Refused | Steered
)


class Line(msgspec.Struct, frozen=True):
    """One note, and how many commands there had been."""

    after: int
    note: Note


_decoder = msgspec.json.Decoder(Line)


class NoteBook:
    """The file of the notes; what is written survives the death of the process."""

    def __init__(self, path: Path) -> None:
        """Open or begin the file and read it; JournalError where it is damaged."""
        self.path = path
        try:
            self._descriptor = os.open(
                path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600
            )
        except OSError as error:
            raise JournalError(f"cannot open {path}: {error.strerror}") from error
        self.lines = self._read()

    def _read(self) -> list[Line]:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self._descriptor, whole)
        lines: list[Line] = []
        for number, text in enumerate(content[:whole].splitlines(), start=1):
            try:
                lines.append(_decoder.decode(text))
            except msgspec.MsgspecError as error:
                raise JournalError(f"{self.path}: line {number} is damaged ({error})") from error
        return lines

    def forget_last(self) -> None:
        """Take the last note out of the file."""
        self.lines.pop()
        content = self.path.read_bytes()
        os.ftruncate(self._descriptor, content.rfind(b"\n", 0, len(content) - 1) + 1)

    def write(self, after: int, note: Note) -> None:
        os.write(self._descriptor, msgspec.json.encode(Line(after, note)) + b"\n")

    def close(self) -> None:
        if self._descriptor >= 0:
            os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1
