"""`copyplugin bench`: what copying costs on this machine, as text or one JSON object."""

import asyncio
import json
import multiprocessing
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from copyplugin.bench import measures
from copyplugin.bench.stage import Stage

Figures = dict[str, Any]


@click.command("bench")
@click.option("--followers", type=click.IntRange(100), default=10_000, show_default=True)
@click.option(
    "--many",
    type=click.IntRange(0),
    default=100_000,
    show_default=True,
    help="Followers of the large crowd that is compared with one of 1,000; 0 leaves it out.",
)
@click.option("--rounds", type=click.IntRange(10), default=200, show_default=True)
@click.option("--latency-ms", type=click.IntRange(1), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def bench_command(
    *, followers: int, many: int, rounds: int, latency_ms: int, as_json: bool
) -> None:
    """Measure decisions, bookkeeping, delays and memory of the copy engine.

    Every part runs in a process of its own, on SQLite, with the simulated exchange in that process;
    each figure stands beside that of the venue's calls alone.
    """
    figures: Figures = {"followers": followers}
    figures |= _apart(_cost, followers)
    figures |= _apart(_delay, 100, rounds)
    figures |= _apart(_slow, followers, latency_ms)
    if many:
        figures |= _growth(many)
    if as_json:
        click.echo(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        click.echo(f"{name:34} {value}")


def _apart(part: Callable[..., Figures], *given: int) -> Figures:
    """Run one part in a new process, so that none finds what another has left in memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(part, given)


def _cost(followers: int) -> Figures:
    def measured(stage: Stage) -> Figures:
        cost = asyncio.run(measures.fanout_cost(stage))
        return {
            "ratio_to_bare_calls": round(cost.ratio_to_bare_calls, 3),
            "decision_us_per_order": round(cost.decision_us, 1),
            "call_us_per_order": round(cost.calls_us, 1),
            "bookkeeping_us_per_order": round(cost.bookkeeping_us, 1),
            "engine_us_per_order": round(cost.engine_us, 1),
            "ledger_balanced": measures.books_balance(stage),
            "peak_mib": round(measures.peak_mib(), 1),
        }

    return _on_stage(followers, measured)


def _delay(followers: int, rounds: int) -> Figures:
    def measured(stage: Stage) -> Figures:
        copied, bare = asyncio.run(measures.delays_ms(stage, rounds))
        return {
            "delay_ms_p50_100": round(statistics.median(copied), 2),
            "delay_ms_p99_100": round(statistics.quantiles(copied, n=100)[98], 2),
            "bare_delay_ms_p50_100": round(statistics.median(bare), 2),
            "bare_delay_ms_p99_100": round(statistics.quantiles(bare, n=100)[98], 2),
        }

    return _on_stage(followers, measured)


def _slow(followers: int, latency_ms: int) -> Figures:
    def measured(stage: Stage) -> Figures:
        copied, bare = asyncio.run(measures.fanout_seconds(stage, latency=latency_ms / 1000))
        return {
            f"fanout_seconds_{followers}": round(copied, 3),
            f"bare_fanout_seconds_{followers}": round(bare, 3),
            f"ratio_to_bare_fanout_{followers}": round(copied / bare, 3),
        }

    return _on_stage(followers, measured)


def _growth(many: int) -> Figures:
    few = _apart(_cost, 1_000)["engine_us_per_order"]
    large = _apart(_cost, many)
    return {
        "engine_us_per_order_1000": few,
        f"engine_us_per_order_{many}": large["engine_us_per_order"],
        f"ratio_{many}_to_1000": round(large["engine_us_per_order"] / few, 3),
        f"peak_mib_{many}": large["peak_mib"],
    }


def _on_stage(followers: int, measured: Callable[[Stage], Figures]) -> Figures:
    with tempfile.TemporaryDirectory(prefix="copyplugin-bench-") as folder:
        stage = Stage(f"sqlite:///{Path(folder) / 'bench.db'}", followers)
        try:
            asyncio.run(stage.prepare())
            return measured(stage)
        finally:
            stage.close()
