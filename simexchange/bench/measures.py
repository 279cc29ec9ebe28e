"""Medians of rounds, in CPU time of one thread; instructions by valgrind where it is installed."""

import resource
import sys
from dataclasses import dataclass
from functools import partial
from statistics import median

from simexchange.bench.apart import measured_apart
from simexchange.bench.instructions import instructions_per_order
from simexchange.bench.journaling import journal_figures
from simexchange.bench.ticks import calm_tick_us, crowded_exchange, rough_event_us
from simexchange.bench.timing import FrozenHeap, arrival_us, late_ratio
from simexchange.bench.workload import workload_made_apart
from simexchange.core import trading
from simexchange.core.types import MarginMode

DEEP_RESTING = 20_000


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

    `command_us`: what whoever receives a command pays on top, to make it of bytes and let it go.
    `deep_ratio`: cost of an order of the same stream with 20,000 resting ones, over that in a
    shallow book; `cold_ratio`: where these are cancelled, too, of which little is in the cache.
    `late_ratio`: the last 30 % of the long run over its first. `instructions_per_order` is None
    where valgrind is not installed or was not asked for. `journal_us_per_command` and
    `snapshot_ms` come on top where there is a journal. `event_hash` is of the measured stream.
    `is_compiled`: the build that `simexchange bench --compiled` makes; snapshots are not for it.
    """

    orders_per_second: int
    us_per_order: float
    instructions_per_order: int | None
    command_us: float
    deep_us_per_order: float
    deep_ratio: float
    cold_us_per_order: float
    cold_ratio: float
    late_ratio: float | None
    tick_us: dict[str, float]
    tick_growth: float
    cross_tick_us: dict[str, float]
    event_us: float
    events_measured: int
    journal_us_per_command: float | None
    snapshot_ms: float | None
    snapshot_mib: float | None
    peak_mib: float
    orders: int
    rounds: int
    python: str
    is_compiled: bool
    event_hash: str


def measure(effort: Effort) -> Figures:
    """Measure everything, the books in turn so that drift touches all alike."""
    mixed = partial(
        workload_made_apart, orders=effort.orders, seed=effort.seed, accounts=effort.accounts
    )
    flow, deep = mixed(), mixed(resting=DEEP_RESTING)
    cold = mixed(resting=DEEP_RESTING, cancels_any=True)
    flows: list[float] = []
    deep_ratios: list[float] = []
    cold_ratios: list[float] = []
    arrivals: list[float] = []
    event_hash = ""
    with (
        measured_apart(flow) as shallow_round,
        measured_apart(deep) as deep_round,
        measured_apart(cold) as cold_round,
    ):
        for _ in range(effort.rounds):
            us, event_hash = shallow_round()
            flows.append(us)
            deep_ratios.append(deep_round()[0] / us)
            cold_ratios.append(cold_round()[0] / us)
            arrivals.append(arrival_us(flow.measured))
    is_compiled = not trading.__file__.endswith(".py")
    journal_us, snapshot_ms, snapshot_mib = (
        (None, None, None) if is_compiled else journal_figures(flow, rounds=effort.rounds)
    )
    tick_us = {str(n): _calm(n, effort, MarginMode.ISOLATED) for n in effort.positions}
    cross_us = {str(n): _calm(n, effort, MarginMode.CROSS) for n in effort.positions}
    event_us, events = rough_event_us(crowded_exchange(effort.positions[-1]), 60)
    first, last = tick_us[str(effort.positions[0])], tick_us[str(effort.positions[-1])]
    return Figures(
        orders_per_second=round(1e6 / median(flows)),
        us_per_order=round(median(flows), 3),
        instructions_per_order=_instructions(effort),
        command_us=round(median(arrivals), 3),
        deep_us_per_order=round(median(flows) * median(deep_ratios), 3),
        deep_ratio=round(median(deep_ratios), 3),
        cold_us_per_order=round(median(flows) * median(cold_ratios), 3),
        cold_ratio=round(median(cold_ratios), 3),
        late_ratio=_late(effort),
        tick_us=tick_us,
        tick_growth=round(last / first, 2),
        cross_tick_us=cross_us,
        event_us=round(event_us, 3),
        events_measured=events,
        journal_us_per_command=journal_us,
        snapshot_ms=snapshot_ms,
        snapshot_mib=snapshot_mib,
        peak_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        orders=effort.orders,
        rounds=effort.rounds,
        python=sys.version.split()[0],
        is_compiled=is_compiled,
        event_hash=event_hash,
    )


def _calm(positions: int, effort: Effort, margin_mode: MarginMode) -> float:
    exchange = crowded_exchange(positions, margin_mode)
    with FrozenHeap():
        times = [calm_tick_us(exchange, effort.ticks) for _ in range(effort.rounds)]
    return round(median(times), 3)


def _instructions(effort: Effort) -> int | None:
    if not effort.instructions:
        return None
    return instructions_per_order(seed=effort.seed, accounts=effort.accounts)


def _late(effort: Effort) -> float | None:
    if not effort.long_orders:
        return None
    return late_ratio(orders=effort.long_orders, seed=effort.seed + 1, accounts=effort.accounts)
