"""`copyplugin bench`: one object with every figure, and books that balance after it."""

import json
import subprocess
import sys

import pytest


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


@pytest.mark.slow
def test_workers_and_a_large_crowd_are_measured_beside_one_worker_and_small_ones():
    sizes = ["--followers", "100", "--many", "1500", "--shared", "100", "--delays", "10"]

    figures = figures_of(*sizes, seconds=400)

    seconds = figures["one_worker_seconds"], figures["two_workers_seconds"]
    assert figures["two_workers_ratio"] == pytest.approx(seconds[0] / seconds[1], rel=0.01)
    assert seconds[0] > 100 / 20 * 0.1  # so many at once, each a tenth of a second
    assert figures["two_workers_cpu_us_per_order"] > 0
    large, few = figures["engine_us_per_order_1500"], figures["engine_us_per_order_1000"]
    assert figures["cost_ratio_1500"] == pytest.approx(large / few, rel=0.01)
