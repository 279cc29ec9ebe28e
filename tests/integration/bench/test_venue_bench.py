"""What trading through ccxt costs is measured and printed as JSON."""

import json

import pytest
from click.testing import CliRunner

from copyplugin.cli import main


@pytest.mark.parametrize("dialect", ["bybit", "binance"])
def test_clients_orders_and_streams_are_measured(dialect):
    sizes = ["--accounts", "40", "--sockets", "5", "--rounds", "2"]
    answer = CliRunner().invoke(main, ["bench-venue", "--dialect", dialect, *sizes])

    figures = json.loads(answer.output)
    assert figures["dialect"] == dialect
    assert figures["clients"] == figures["orders"] == 40
    assert figures["sockets"] == 5
    assert figures["client_kib"] < 100
    assert figures["cpu_ratio"] < 3
    assert figures["cpu_ratio"] == pytest.approx(sum(figures["cpu_ratios"]) / 2, abs=0.002)
    assert figures["server_cpu_us_per_order"] > 0
    assert figures["fill_told_ms"] > 0
