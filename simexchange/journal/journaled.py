"""An exchange that comes back: every command is in its journal before it counts."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from simexchange.core.commands import Command
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import Event
from simexchange.core.exchange import Exchange
from simexchange.history import History
from simexchange.journal import snapshots
from simexchange.journal.graph import GraphError
from simexchange.journal.records import JournalError, read
from simexchange.journal.writer import Durability, JournalWriter

OWN_FIELDS = frozenset(
    {"_journal", "_snapshot_every", "_is_behind", "_is_broken", "recovery", "snapshot_problem"}
)


class Recovery(msgspec.Struct, frozen=True):
    """How an exchange came back: `records` in the journal, from which snapshot, what was cut."""

    records: int
    snapshot_sequence: int
    replayed: int
    torn_bytes: int
    passed_over: tuple[str, ...]


class JournaledExchange(Exchange):
    """An exchange whose commands are appended to a journal before they are applied.

    When `apply` has returned, the command survives the death of the process, and with
    `Durability.COMMAND` a power cut too. Opening the same journal again gives the same exchange:
    the newest usable snapshot, and the records after it. `recovery` says how it went.
    A `history` comes back with it, whole: it is in the snapshots and hears what is replayed. Take
    the snapshots by hand then (`snapshot_every=0`), when it has heard of the latest command.
    `snapshot_problem` says why the latest snapshot that fell due was not written, if it was not:
    nothing is lost then, only the next recovery takes longer.
    """

    def __init__(
        self,
        path: Path | str,
        config: ExchangeConfig | None = None,
        *,
        durability: Durability = Durability.COMMAND,
        snapshot_every: int = 100_000,
        is_replayed_later: bool = False,
        history: History | None = None,
    ) -> None:
        """Open or begin the journal at `path`; a snapshot is taken each `snapshot_every` commands.

        0 takes none. `is_replayed_later`: the exchange comes back only when `replay` is called,
        for whoever must hear every event again. Raises JournalError for a journal that is damaged,
        in use, or begun with another config; nothing was changed then.
        """
        config = config or ExchangeConfig()
        super().__init__(config)
        assert history is None or not snapshot_every, "it would lack the latest command's events"
        self.history = history
        self._is_broken = False
        self._snapshot_every = snapshot_every
        self.snapshot_problem: str | None = None
        self._journal = JournalWriter(Path(path), config, durability=durability)
        try:
            self._is_behind = is_replayed_later
            if not is_replayed_later:
                self.recovery = self._recover()
        except BaseException:
            self._journal.close()
            raise

    @property
    def sequence(self) -> int:
        """How many commands the journal holds."""
        return self._journal.sequence

    def apply(self, command: Command, at: int) -> list[Event]:
        """Journal and apply one command; when this returns, it will still have happened later.

        Raises JournalError, and changes nothing, when the journal cannot be written.
        """
        assert not self._is_behind, "replay the journal before the first command"
        if self._is_broken:
            raise JournalError("an earlier command failed half-way; open the journal again")
        self._journal.append(at, command)
        try:
            events = super().apply(command, at)
        except BaseException:  # whatever it was, the state is half-changed: forget the command
            self._is_broken = True
            self._journal.retract()
            raise
        if self._snapshot_every and self._journal.sequence % self._snapshot_every == 0:
            self._take_due_snapshot()
        return events

    @property
    def latest_at(self) -> int:
        """The time of the journal's last command in microseconds, 0 when there is none."""
        latest = 0
        for _, entry in read(self._journal.path):
            latest = entry.at
        return latest

    def replay(self) -> Iterator[tuple[int, Command, list[Event]]]:
        """Apply every command of the journal again; yield each with its place and its events."""
        assert self._is_behind, "the journal was replayed already"
        for place, entry in read(self._journal.path):
            yield place, entry.command, super().apply(entry.command, entry.at)
        file = self._journal.file
        self.recovery = Recovery(file.records, 0, file.records, file.torn_bytes, ())
        self._is_behind = False

    def take_snapshot(self) -> Path:
        """Write the state beside the journal, after everything the journal holds is on the disk."""
        self._journal.sync()
        return snapshots.save(
            self._journal.path,
            self,
            sequence=self._journal.sequence,
            offset=self._journal.bytes_written,
            leave_out=OWN_FIELDS,
        )

    def _take_due_snapshot(self) -> None:
        """Take a snapshot; a failure is no failure of the command, which has happened."""
        try:
            self.take_snapshot()
        except (GraphError, OSError) as error:
            self.snapshot_problem = f"no snapshot after command {self.sequence}: {error}"
        else:
            self.snapshot_problem = None

    def close(self) -> None:
        """Bring everything to the disk and let go of the journal."""
        self._journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _recover(self) -> Recovery:
        file = self._journal.file
        passed_over: list[str] = []
        sequence, offset = 0, None
        for snapshot in snapshots.usable(file.path):
            if isinstance(snapshot, snapshots.SnapshotError):
                passed_over.append(str(snapshot))
            elif snapshot.sequence > file.records or snapshot.offset > file.whole_bytes:
                passed_over.append(
                    f"the snapshot of record {snapshot.sequence} is of a longer journal"
                )
            elif problem := self._restored(snapshot):
                passed_over.append(problem)
            else:
                sequence, offset = snapshot.sequence, snapshot.offset
                break
        replayed = 0
        for _, entry in read(file.path, offset=offset, after=sequence):
            events = super().apply(entry.command, entry.at)
            if self.history is not None:
                self.history.listen(events)
            replayed += 1
        assert sequence + replayed == file.records, "what was scanned was not what was read"
        return Recovery(file.records, sequence, replayed, file.torn_bytes, tuple(passed_over))

    def _restored(self, snapshot: snapshots.Snapshot) -> str | None:
        """Take on the snapshot's state and return None, or return why not, the state untouched."""
        trial = Exchange(self.config)
        try:
            snapshots.restore(snapshot, trial)
            snapshots.restore(snapshot, self)
        except snapshots.SnapshotError as error:
            return str(error)
        return None
