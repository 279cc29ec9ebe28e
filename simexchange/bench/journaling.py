"""What the journal and its snapshots add to a command."""

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from simexchange.bench.timing import FrozenHeap, spent_ns
from simexchange.bench.workload import Workload, prepared_exchange
from simexchange.journal.journaled import JournaledExchange
from simexchange.journal.writer import Durability

MIB = 2**20


def journal_figures(workload: Workload, *, rounds: int) -> tuple[float, float, float]:
    """Return (µs a command that the journal adds, ms of one snapshot, its size in MiB).

    CPU time. Each record goes to the operating system before its command counts; waiting for the
    disk as well (`Durability.COMMAND`) is no CPU time and depends on the disk alone.
    """
    added: list[float] = []
    snapshots: list[float] = []
    size = 0
    for _ in range(rounds):
        without = prepared_exchange(workload.setting_up)
        with FrozenHeap():
            plain_ns = spent_ns(without, workload.measured)
        with (
            TemporaryDirectory(prefix="simexchange-bench-") as directory,
            JournaledExchange(
                Path(directory) / "journal", durability=Durability.SYSTEM, snapshot_every=0
            ) as exchange,
        ):
            prepared_exchange(workload.setting_up, exchange)
            with FrozenHeap():
                journaled_ns = spent_ns(exchange, workload.measured)
            start = time.thread_time_ns()
            path = exchange.take_snapshot()
            snapshots.append((time.thread_time_ns() - start) / 1e6)
            size = path.stat().st_size
            assert exchange.event_hash == without.event_hash, "the journal changed the run"
        added.append((journaled_ns - plain_ns) / len(workload.measured) / 1_000)
    return round(median(added), 3), round(median(snapshots), 1), round(size / MIB, 2)
