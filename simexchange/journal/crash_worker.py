"""The process that the crash test kills: it recovers, goes on where it was, and says so.

Run as `python -m simexchange.journal.crash_worker JOURNAL SEED DURABILITY COMMANDS`. It writes a
line `recovered N SNAPSHOT`, then the number of each command as soon as it is applied, then `done
EVENT_HASH STATE_HASH`.
"""

import os
import sys
from pathlib import Path

from simexchange.journal.crash_stream import crash_command
from simexchange.journal.journaled import JournaledExchange
from simexchange.journal.writer import Durability

SNAPSHOT_EVERY = 100
STANDARD_OUTPUT = 1


def main(arguments: list[str]) -> None:
    path, seed, durability, commands = arguments
    with JournaledExchange(
        Path(path), durability=Durability(durability), snapshot_every=SNAPSHOT_EVERY
    ) as exchange:
        recovery = exchange.recovery
        assert not recovery.passed_over, recovery.passed_over  # a kill never spoils a snapshot
        say(f"recovered {recovery.records} {recovery.snapshot_sequence}")
        while exchange.sequence < int(commands):
            at, command = crash_command(int(seed), exchange.sequence + 1)
            exchange.apply(command, at)
            assert exchange.snapshot_problem is None, exchange.snapshot_problem
            say(str(exchange.sequence))
        exchange.check()
        say(f"done {exchange.event_hash} {exchange.state_hash()}")


def say(line: str) -> None:
    os.write(STANDARD_OUTPUT, f"{line}\n".encode())  # at once: what is said must be true already


if __name__ == "__main__":
    main(sys.argv[1:])
