"""A few real kills; `copyplugin kill-test` does a hundred rounds of large ones."""

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("where", [["--sqlite"], []], ids=["sqlite", "postgresql"])
def test_kills_lose_no_order_and_send_none_twice(where):
    words = ["kill-test", "--rounds", "2", "--followers", "20", "--seed", "7", *where]

    ran = subprocess.run(
        [sys.executable, "-m", "copyplugin", *words], capture_output=True, timeout=280, check=False
    )

    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    answer = json.loads(ran.stdout)
    assert sum(answer["kills"].values()) == answer["rounds"] == 2
    assert [answer[name] for name in ("lost", "stuck", "sent_twice", "ledger_faults")] == [0] * 4
