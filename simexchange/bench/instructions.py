"""Instructions of one order, counted by valgrind: no load on the machine changes them."""

import os
import re
import shutil
import subprocess
import sys

_RUNS = (2_000, 6_000)
_IREFS = re.compile(r"Collected\s*:\s*(\d+)")


def instructions_per_order(*, seed: int, accounts: int) -> int | None:
    """Return the slope between two lengths under callgrind; None where valgrind is missing."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    counts = [_count(valgrind, orders, seed, accounts) for orders in _RUNS]
    return round((counts[1] - counts[0]) / (_RUNS[1] - _RUNS[0]))


def _count(valgrind: str, orders: int, seed: int, accounts: int) -> int:
    run = subprocess.run(  # noqa: S603 - our own interpreter under valgrind
        [
            valgrind,
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            sys.executable,
            "-m",
            "simexchange.bench.once",
            str(orders),
            str(max(_RUNS)),
            str(seed),
            str(accounts),
        ],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    found = _IREFS.search(run.stderr)
    assert found is not None, run.stderr
    return int(found[1])
