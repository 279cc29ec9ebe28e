"""The benchmark of the adapter runs and says what it measured."""

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["bybit", "binance"])
def test_the_fan_out_is_measured_beside_bare_ccxt(dialect):
    command = [sys.executable, "-m", "tests.venues.measure_fan_out", "--dialect", dialect]

    done = subprocess.run(
        [*command, "--accounts", "30", "--rounds", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["dialect"], found["accounts"], found["rounds"]) == (dialect, 30, 1)
    assert found["adapter_cpu_us_an_order"] > 0
    assert found["bare_cpu_us_an_order"] > 0
    assert found["cpu_ratio"] == found["cpu_ratios"][0]
