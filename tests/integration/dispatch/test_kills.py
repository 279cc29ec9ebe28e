"""A few real kills and freezes; `copyplugin kill-test` does a hundred rounds of large ones."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("option", "counted"),
    [("--sqlite", "kills"), ("--fsync", "kills"), ("--freeze", "freezes")],
    ids=["killed on sqlite", "killed", "frozen"],
)
def test_who_is_killed_or_frozen_loses_no_order_and_sends_none_twice(option, counted):
    words = ["kill-test", "--rounds", "2", "--followers", "20", "--seed", "7", option]

    ran = subprocess.run(
        [sys.executable, "-m", "copyplugin", *words], capture_output=True, timeout=280, check=False
    )

    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    answer = json.loads(ran.stdout)
    assert sum(answer[counted].values()) == answer["rounds"] == 2
    assert [answer[name] for name in ("lost", "stuck", "sent_twice", "ledger_faults")] == [0] * 4
