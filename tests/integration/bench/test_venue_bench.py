"""What trading through ccxt costs is measured and printed as JSON."""

import json

from click.testing import CliRunner

from copyplugin.cli import main


def test_clients_orders_and_streams_are_measured():
    words = ["bench-venue", "--accounts", "60", "--sockets", "5"]
    answer = CliRunner().invoke(main, words)

    figures = json.loads(answer.output)
    assert figures["clients"] == figures["orders"] == 60
    assert figures["sockets"] == 5
    assert figures["client_kib"] < 100
    assert figures["cpu_ratio"] < 3
    assert figures["fill_told_ms"] > 0
