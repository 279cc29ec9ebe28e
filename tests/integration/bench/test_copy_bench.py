"""`copyplugin bench`: one object with every figure, and books that balance after it."""

import asyncio
import json
import subprocess
import sys

import pytest

from copyplugin.bench import command
from copyplugin.bench.two_workers import IN_FLIGHT, one_and_two


def figures_of(*words, seconds):
    ran = subprocess.run(
        [sys.executable, "-m", "copyplugin", "bench", *words, "--rounds", "1", "--json"],
        check=True,
        capture_output=True,
        timeout=seconds,
    )
    return json.loads(ran.stdout)


def test_a_small_run_prints_every_figure_of_one_crowd_in_one_process():
    sizes = ["--followers", "100", "--many", "0", "--shared", "0", "--delays", "10"]

    figures = figures_of(*sizes, seconds=100)

    assert figures["ledger_balanced"] is True
    assert figures["ratio_to_bare_calls"] > 1
    assert figures["bookkeeping_us_per_order"] > 0
    assert figures["delay_ms_p99_100"] > figures["bare_delay_ms_p50_100"]
    assert figures["ratio_to_bare_fanout_100"] > 1
    assert figures["peak_mib"] > 0
    assert "two_workers_ratio" not in figures


def test_one_part_is_measured_alone():
    figures = figures_of("--part", "delay", "--delays", "10", seconds=60)

    assert figures["delay_ms_p50_100"] > figures["bare_delay_ms_p50_100"]
    assert not {"ratio_to_bare_calls", "cost_ratio_100000", "two_workers_ratio"} & figures.keys()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_workers_share_what_one_does_alone():
    one, two = asyncio.run(one_and_two(40, latency_ms=20, rounds=1))

    assert len(one.seconds) == len(two.seconds) == 1
    assert one.seconds[0] > 40 / IN_FLIGHT * 0.02
    assert one.cpu_us(40) > 0


def test_a_large_crowd_is_compared_with_small_ones_before_and_after_it(monkeypatch):
    costs = iter([100.0, 150.0, 140.0])
    crowds = []

    def cost(_, followers, rounds):
        crowds.append((followers, rounds))
        return {"engine_us_per_order": next(costs), "peak_mib": 7}

    monkeypatch.setattr(command, "_apart", cost)

    figures = command._growth(50_000)

    assert crowds == [(1_000, 1), (50_000, 1), (1_000, 1)]
    assert figures == {
        "cost_ratio_50000": 1.25,
        "engine_us_per_order_1000": 120.0,
        "engine_us_per_order_50000": 150.0,
        "peak_mib_50000": 7,
    }
