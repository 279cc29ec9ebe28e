"""`copyplugin bench`: one object with every figure, and books that balance after it."""

import json
import subprocess
import sys


def test_a_small_run_prints_every_figure():
    sizes = ["--followers", "100", "--many", "200", "--shared", "20"]
    words = ["bench", *sizes, "--rounds", "1", "--delays", "10", "--json"]

    ran = subprocess.run(
        [sys.executable, "-m", "copyplugin", *words],
        check=True,
        capture_output=True,
        timeout=100,
    )

    figures = json.loads(ran.stdout)
    assert figures["ledger_balanced"] is True
    assert figures["ratio_to_bare_calls"] > 1
    assert figures["bookkeeping_us_per_order"] > 0
    assert figures["delay_ms_p99_100"] > figures["bare_delay_ms_p50_100"]
    assert figures["ratio_to_bare_fanout_100"] > 1
    assert figures["two_workers_ratio"] > 0
    assert figures["two_workers_cpu_us_per_order"] > 0
    assert figures["cost_ratio_200"] > 0
    assert figures["peak_mib"] > 0
