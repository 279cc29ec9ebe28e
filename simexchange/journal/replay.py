"""A journal from its first record to its last: what the run came to, and whether it repeats."""

from collections import Counter
from pathlib import Path

import msgspec

from simexchange.core.exchange import Exchange
from simexchange.journal.records import read, scan
from simexchange.journal.snapshots import SnapshotError, usable
from simexchange.market.audit import residue


class SnapshotCheck(msgspec.Struct, frozen=True):
    """Whether the replay came by the hashes of a snapshot; `agrees` None: it was not reached."""

    sequence: int
    agrees: bool | None


class JournalReplay(msgspec.Struct, frozen=True, kw_only=True):
    """What a journal holds and comes to. Times in microseconds; `ledger_residue` in money units."""

    journal: str
    records: int
    replayed: int
    torn_bytes: int
    first_at: int | None
    last_at: int | None
    commands: dict[str, int]
    event_hash: str
    state_hash: str
    ledger_residue: int
    snapshots: tuple[SnapshotCheck, ...]
    unusable_snapshots: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        return self.ledger_residue == 0 and all(s.agrees is not False for s in self.snapshots)


def replay_journal(path: Path, *, until: int | None = None) -> JournalReplay:
    """Apply every command of a journal (or the first `until`) to a new exchange.

    Neither the journal nor its snapshots are changed; a torn tail is left out. Raises JournalError
    for a journal that is damaged or none.
    """
    file = scan(path)
    found = list(usable(path))
    expected = {s.sequence: s for s in found if not isinstance(s, SnapshotError)}
    agrees: dict[int, bool | None] = dict.fromkeys(sorted(expected))
    exchange = Exchange(file.config)
    kinds: Counter[str] = Counter()
    first_at: int | None = None
    sequence = 0
    for sequence, entry in read(path):
        first_at = entry.at if first_at is None else first_at
        kinds[type(entry.command).__name__] += 1
        exchange.apply(entry.command, entry.at)
        if snapshot := expected.get(sequence):
            hashes = exchange.event_hash, exchange.state_hash()
            agrees[sequence] = hashes == (snapshot.event_hash, snapshot.state_hash)
        if sequence == until:
            break
    exchange.check()
    return JournalReplay(
        journal=str(path),
        records=file.records,
        replayed=sequence,
        torn_bytes=file.torn_bytes,
        first_at=first_at,
        last_at=exchange.now if sequence else None,
        commands=dict(sorted(kinds.items())),
        event_hash=exchange.event_hash,
        state_hash=exchange.state_hash(),
        ledger_residue=residue(exchange),
        snapshots=tuple(SnapshotCheck(*pair) for pair in agrees.items()),
        unusable_snapshots=tuple(str(s) for s in found if isinstance(s, SnapshotError)),
    )
