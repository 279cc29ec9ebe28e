"""Medians of rounds, in CPU time of one thread; instructions by valgrind where it is installed."""

import gc
import os
import re
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from statistics import median

from simexchange.bench.ticks import calm_tick_us, crowded_exchange, rough_event_us
from simexchange.bench.workload import Workload, mixed_workload, prepared_exchange
from simexchange.core.types import MarginMode

DEEP_RESTING = 20_000
_INSTRUCTION_RUNS = (2_000, 6_000)
_IREFS = re.compile(r"Collected\s*:\s*(\d+)")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure. `long_orders` 0 leaves the long run out."""

    orders: int
    rounds: int
    accounts: int
    long_orders: int
    positions: tuple[int, ...]
    ticks: int
    seed: int
    instructions: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """What `simexchange bench --json` prints. Times are CPU microseconds, medians of the rounds.

    `deep_ratio`: cost of an order with 20,000 resting ones, over that in a shallow book.
    `late_ratio`: the last 30 % of the long run over its first. `instructions_per_order` is None
    where valgrind is not installed or was not asked for. `event_hash` is of the measured stream.
    """

    orders_per_second: int
    us_per_order: float
    instructions_per_order: int | None
    deep_us_per_order: float
    deep_ratio: float
    late_ratio: float | None
    tick_us: dict[str, float]
    tick_growth: float
    cross_tick_us: dict[str, float]
    event_us: float
    events_measured: int
    peak_mib: float
    orders: int
    rounds: int
    python: str
    event_hash: str


def measure(effort: Effort) -> Figures:
    """Measure everything, shallow and deep book in turn so that drift touches both alike."""
    flow = mixed_workload(orders=effort.orders, seed=effort.seed, accounts=effort.accounts)
    deep = mixed_workload(
        orders=effort.orders, seed=effort.seed, accounts=effort.accounts, resting=DEEP_RESTING
    )
    flows: list[float] = []
    deeps: list[float] = []
    ratios: list[float] = []
    event_hash = ""
    for _ in range(effort.rounds):
        us, event_hash = _us_per_order(flow)
        deep_us, _ = _us_per_order(deep)
        flows.append(us)
        deeps.append(deep_us)
        ratios.append(deep_us / us)
    tick_us = {str(n): _calm(n, effort, MarginMode.ISOLATED) for n in effort.positions}
    cross_us = {str(n): _calm(n, effort, MarginMode.CROSS) for n in effort.positions}
    event_us, events = rough_event_us(crowded_exchange(effort.positions[-1]), 60)
    first, last = tick_us[str(effort.positions[0])], tick_us[str(effort.positions[-1])]
    return Figures(
        orders_per_second=round(1e6 / median(flows)),
        us_per_order=round(median(flows), 3),
        instructions_per_order=_instructions(effort) if effort.instructions else None,
        deep_us_per_order=round(median(deeps), 3),
        deep_ratio=round(median(ratios), 3),
        late_ratio=_late_ratio(effort) if effort.long_orders else None,
        tick_us=tick_us,
        tick_growth=round(last / first, 2),
        cross_tick_us=cross_us,
        event_us=round(event_us, 3),
        events_measured=events,
        peak_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        orders=effort.orders,
        rounds=effort.rounds,
        python=sys.version.split()[0],
        event_hash=event_hash,
    )


def _us_per_order(workload: Workload) -> tuple[float, str]:
    exchange = prepared_exchange(workload)
    apply, commands = exchange.apply, workload.measured
    with _FrozenHeap():
        start = time.thread_time_ns()
        for at, command in enumerate(commands):
            apply(command, at)
        spent = time.thread_time_ns() - start
    return spent / len(commands) / 1_000, exchange.event_hash


def _late_ratio(effort: Effort) -> float:
    """Return what the last 30 % of a long run cost over the first 30 %."""
    workload = mixed_workload(
        orders=effort.long_orders, seed=effort.seed + 1, accounts=effort.accounts
    )
    exchange = prepared_exchange(workload)
    part = len(workload.measured) * 3 // 10
    with _FrozenHeap():
        spent = [
            _spent_ns(exchange.apply, commands, at)
            for commands, at in (
                (workload.measured[:part], 0),
                (workload.measured[part:-part], part),
                (workload.measured[-part:], len(workload.measured) - part),
            )
        ]
    return round(spent[2] / spent[0], 3)


def _spent_ns(apply: object, commands: tuple[object, ...], at: int) -> int:
    assert callable(apply)
    start = time.thread_time_ns()
    for n, command in enumerate(commands, start=at):
        apply(command, n)
    return time.thread_time_ns() - start


def _calm(positions: int, effort: Effort, margin_mode: MarginMode) -> float:
    exchange = crowded_exchange(positions, margin_mode)
    with _FrozenHeap():
        times = [calm_tick_us(exchange, effort.ticks) for _ in range(effort.rounds)]
    return round(median(times), 3)


class _FrozenHeap:
    """Keep the collector from walking what was set up; what the run makes is collected as ever."""

    def __enter__(self) -> None:
        gc.collect()
        gc.freeze()

    def __exit__(self, *_: object) -> None:
        gc.unfreeze()


def _instructions(effort: Effort) -> int | None:
    """Return the instructions of one order: the slope between two lengths under callgrind."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    counts = [_count_instructions(valgrind, orders, effort) for orders in _INSTRUCTION_RUNS]
    short, long = _INSTRUCTION_RUNS
    return round((counts[1] - counts[0]) / (long - short))


def _count_instructions(valgrind: str, orders: int, effort: Effort) -> int:
    run = subprocess.run(  # noqa: S603 - our own interpreter under valgrind
        [
            valgrind,
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            sys.executable,
            "-m",
            "simexchange.bench.once",
            str(orders),
            str(max(_INSTRUCTION_RUNS)),
            str(effort.seed),
            str(effort.accounts),
        ],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = _IREFS.search(run.stderr)
    assert found is not None, run.stderr
    return int(found[1])
