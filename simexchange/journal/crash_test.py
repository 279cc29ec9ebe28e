"""Kill an exchange again and again, and see that it lost nothing and came out the same."""

import subprocess
import sys
from pathlib import Path
from signal import SIGKILL

import msgspec

from simexchange.core.exchange import Exchange
from simexchange.journal.crash_stream import crash_command
from simexchange.journal.writer import Durability
from simexchange.market.chance import Chance

COMMANDS_PER_KILL = 40  # about as many are acknowledged before a kill
COMMANDS_AFTER = 200
WITHOUT_END = 10**12


class CrashReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the kills did.

    `kills`: processes that died of SIGKILL at work. `unacknowledged_kept`: kills that fell between
    a command's record and its acknowledgement. `lost`: acknowledged commands that were gone.
    `faults`: what is wrong, in sentences.
    """

    kills: int
    commands: int
    acknowledged_before_kills: int
    recovered_by_snapshot: int
    unacknowledged_kept: int
    lost: int
    event_hash: str
    undisturbed_event_hash: str
    faults: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        return not self.faults and self.event_hash == self.undisturbed_event_hash


class _Rounds:
    """One journal, one process after another."""

    def __init__(self, journal: Path, seed: int, durability: Durability) -> None:
        worker = [sys.executable, "-m", "simexchange.journal.crash_worker"]
        self._arguments = [*worker, str(journal), str(seed), durability]
        self.acknowledged = self.kills = 0
        self.by_snapshot = self.unacknowledged_kept = self.lost = 0
        self.faults: list[str] = []
        self.hashes: list[str] = []

    def kill(self, after: int) -> None:
        """Let a process work and kill it once it has acknowledged `after` more commands."""
        with self._worker(WITHOUT_END) as worker:
            assert worker.stdout is not None
            target = self.acknowledged + after
            for line in worker.stdout:  # to the end of what the killed process had still said
                self._hear(line)
                if self.acknowledged >= target:
                    worker.kill()
        self.kills += worker.returncode == -SIGKILL
        if worker.returncode != -SIGKILL:
            self.faults.append(f"a process ended by itself, with code {worker.returncode}")

    def finish(self, commands: int) -> None:
        """Let a process work up to `commands` and end in peace."""
        with self._worker(commands) as worker:
            assert worker.stdout is not None
            for line in worker.stdout:
                self._hear(line)
        if worker.returncode != 0:
            self.faults.append(f"the last process ended with code {worker.returncode}")

    def _worker(self, commands: int) -> "subprocess.Popen[str]":
        return subprocess.Popen(  # noqa: S603 - our own module
            [*self._arguments, str(commands)], stdout=subprocess.PIPE, text=True
        )

    def _hear(self, line: str) -> None:
        word, *rest = line.split()
        if word == "recovered":
            self._recovered(int(rest[0]), int(rest[1]))
        elif word == "done":
            self.hashes = rest
        elif int(word) != self.acknowledged + 1:
            self.faults.append(f"command {word} was acknowledged after {self.acknowledged}")
        else:
            self.acknowledged = int(word)

    def _recovered(self, records: int, snapshot: int) -> None:
        self.by_snapshot += snapshot > 0
        if records < self.acknowledged:
            self.lost += self.acknowledged - records
            self.faults.append(f"of {self.acknowledged} acknowledged commands {records} were there")
        elif records > self.acknowledged + 1:
            self.faults.append(
                f"after {self.acknowledged} acknowledged commands {records} were there"
            )
        self.unacknowledged_kept += records - self.acknowledged == 1
        self.acknowledged = records


def run_crash_test(
    directory: Path, *, kills: int, seed: int, durability: Durability = Durability.COMMAND
) -> CrashReport:
    """Kill a journaled exchange `kills` times at random and compare it with one left in peace.

    `directory` must hold no journal yet. Every process is killed with SIGKILL while it works.
    """
    rounds = _Rounds(directory / "crash.journal", seed, durability)
    chance = Chance(seed, "kills")
    for kill in range(kills):
        rounds.kill(chance.between(0, 2 * COMMANDS_PER_KILL, "after", kill))
        if rounds.faults:
            break  # one fault is enough; what follows from it would only hide it
    before = rounds.acknowledged
    commands = before + COMMANDS_AFTER
    rounds.finish(commands)
    twin = Exchange()
    for number in range(1, commands + 1):
        at, command = crash_command(seed, number)
        twin.apply(command, at)
    event_hash, state_hash = rounds.hashes or ["none", "none"]
    if state_hash != twin.state_hash():
        rounds.faults.append("the state differs from that of the undisturbed run")
    return CrashReport(
        kills=rounds.kills,
        commands=commands,
        acknowledged_before_kills=before,
        recovered_by_snapshot=rounds.by_snapshot,
        unacknowledged_kept=rounds.unacknowledged_kept,
        lost=rounds.lost,
        event_hash=event_hash,
        undisturbed_event_hash=twin.event_hash,
        faults=tuple(rounds.faults),
    )
