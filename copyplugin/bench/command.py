"""`copyplugin bench`: what copying costs on this machine, as text or one JSON object."""

import asyncio
import json
import multiprocessing
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from copyplugin.bench import measures
from copyplugin.bench.settling import settling_cost
from copyplugin.bench.stage import Stage
from copyplugin.bench.two_workers import one_and_two

Figures = dict[str, Any]

FEW = 1_000
"""Followers that a large crowd is compared with."""

PARTS = ("cost", "delay", "slow", "shared", "settling", "many")


@click.command("bench")
@click.option("--followers", type=click.IntRange(100), default=10_000, show_default=True)
@click.option(
    "--many",
    type=click.IntRange(0),
    default=100_000,
    show_default=True,
    help="Followers of the large crowd that is compared with one of 1,000; 0 leaves it out.",
)
@click.option(
    "--shared",
    type=click.IntRange(0),
    default=2_000,
    show_default=True,
    help="Followers that workers share, on PostgreSQL; 0 leaves it out.",
)
@click.option(
    "--rounds",
    type=click.IntRange(1),
    default=3,
    show_default=True,
    help="So often each part is measured; the median is printed.",
)
@click.option(
    "--delays",
    type=click.IntRange(10),
    default=200,
    show_default=True,
    help="Leader orders that 100 followers copy, one after the other.",
)
@click.option("--latency-ms", type=click.IntRange(1), default=20, show_default=True)
@click.option(
    "--part",
    "parts",
    type=click.Choice(PARTS),
    multiple=True,
    help="Measure only this: cost of an order, delay of 100 followers, a slow venue, workers that "
    "share followers, settling of 1,000, a large crowd. May be given several times; without it, "
    "all are measured.",
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def bench_command(  # noqa: PLR0913, PLR0917 - the options of the command
    followers: int,
    many: int,
    shared: int,
    rounds: int,
    delays: int,
    latency_ms: int,
    parts: tuple[str, ...],
    as_json: bool,  # noqa: FBT001 - a switch
) -> None:
    """Measure decisions, bookkeeping, delays, workers and memory of the copy engine.

    Every part runs in a process of its own with the simulated exchange in it, on SQLite (workers:
    on PostgreSQL); each figure stands beside that of the venue's calls alone, or of fewer.
    """
    measured: dict[str, Callable[[], Figures]] = {
        "cost": partial(_apart, _cost, followers, rounds),
        "delay": partial(_apart, _delay, 100, delays),
        "slow": partial(_apart, _slow, followers, latency_ms, rounds),
        "shared": partial(_apart, _shared, shared, rounds) if shared else dict,
        "settling": partial(_apart, _settling, FEW),
        "many": partial(_growth, many) if many else dict,
    }
    figures: Figures = {"followers": followers, "rounds": rounds}
    for part in PARTS:
        if not parts or part in parts:
            figures |= measured[part]()
    if as_json:
        click.echo(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        click.echo(f"{name:34} {value}")


def _apart(part: Callable[..., Figures], *given: int) -> Figures:
    """Run one part in a new process, so that none finds what another has left in memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(part, given)


def _cost(followers: int, rounds: int) -> Figures:
    def measured(stage: Stage) -> Figures:
        cost = asyncio.run(measures.fanout_cost(stage, rounds))
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


def _delay(followers: int, delays: int) -> Figures:
    def measured(stage: Stage) -> Figures:
        copied, bare = asyncio.run(measures.delays_ms(stage, delays))
        return {
            "delay_ms_p50_100": round(statistics.median(copied), 2),
            "delay_ms_p99_100": round(statistics.quantiles(copied, n=100)[98], 2),
            "bare_delay_ms_p50_100": round(statistics.median(bare), 2),
            "bare_delay_ms_p99_100": round(statistics.quantiles(bare, n=100)[98], 2),
        }

    return _on_stage(followers, measured)


def _slow(followers: int, latency_ms: int, rounds: int) -> Figures:
    def measured(stage: Stage) -> Figures:
        latency = latency_ms / 1000
        copied, bare = asyncio.run(measures.fanout_seconds(stage, latency=latency, rounds=rounds))
        ratios = [ours / alone for ours, alone in zip(copied, bare, strict=True)]
        return {
            f"fanout_seconds_{followers}": round(statistics.median(copied), 3),
            f"bare_fanout_seconds_{followers}": round(statistics.median(bare), 3),
            f"ratio_to_bare_fanout_{followers}": round(statistics.median(ratios), 3),
        }

    return _on_stage(followers, measured)


def _shared(followers: int, rounds: int) -> Figures:
    one, two = asyncio.run(one_and_two(followers, latency_ms=100, rounds=rounds))
    ratios = [alone / both for alone, both in zip(one.seconds, two.seconds, strict=True)]
    return {
        "two_workers_ratio": round(statistics.median(ratios), 3),
        "one_worker_seconds": round(statistics.median(one.seconds), 3),
        "two_workers_seconds": round(statistics.median(two.seconds), 3),
        "one_worker_cpu_us_per_order": round(one.cpu_us(followers), 1),
        "two_workers_cpu_us_per_order": round(two.cpu_us(followers), 1),
    }


def _settling(followers: int) -> Figures:
    def measured(stage: Stage) -> Figures:
        cost = asyncio.run(settling_cost(stage))
        return {
            "settling_us_per_share": round(cost.us, 1),
            "shares_settled": cost.shares,
            "shares_left_due": cost.left,
            "settling_ledger_balanced": measures.books_balance(stage),
        }

    return _on_stage(followers, measured)


def _growth(many: int) -> Figures:
    """Compare a large crowd with small ones before and after it: the machine may have changed."""
    name = "engine_us_per_order"
    before, large, after = (_apart(_cost, each, 1) for each in (FEW, many, FEW))
    few = statistics.fmean([before[name], after[name]])
    return {
        f"cost_ratio_{many}": round(large[name] / few, 3),
        f"{name}_{FEW}": round(few, 1),
        f"{name}_{many}": large[name],
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
