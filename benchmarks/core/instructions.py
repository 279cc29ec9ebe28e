"""Instructions of one operation of the mixed workload: independent of load and of the clock.

    python benchmarks/core/instructions.py [operations]

Runs itself twice under valgrind's callgrind, with half and with all operations, and prints the
slope. Needs valgrind on PATH.
"""

import json
import os
import re
import subprocess
import sys

from mixed import prepare
from workload import Maker


def play(operations: int) -> None:
    maker = Maker(1, 0)
    commands = maker.stream(TOTAL)[:operations]
    exchange, at = prepare(maker)
    for command in commands:
        at += 1_000
        exchange.apply(command, at)
    os._exit(0)  # taking the interpreter down would count as well


def counted(operations: int) -> int:
    done = subprocess.run(
        [
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            sys.executable,
            __file__,
            "--play",
            str(operations),
        ],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "0"},
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found, done.stderr
    return int(found.group(1))


TOTAL = 6_000

if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        play(int(sys.argv[2]))
    else:
        few, many = TOTAL // 3, TOTAL
        counted(few)  # the first run after a change also compiles
        slope = (counted(many) - counted(few)) / (many - few)
        print(json.dumps({"instructions_per_order": round(slope)}))
