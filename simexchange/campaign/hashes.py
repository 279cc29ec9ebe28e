"""The same seed in two processes that hash strings differently: the same events, or a fault."""

import os
import subprocess
import sys
from collections.abc import Callable

import msgspec

SEEDS_PER_PROCESS = 25


class HashReport(msgspec.Struct, frozen=True, kw_only=True):
    """How many seeds agreed; `different` lists those that did not, `problem` what went wrong."""

    seeds: int
    commands_per_seed: int
    processes: int
    distinct_hashes: int
    different: tuple[int, ...]
    problem: str | None

    @property
    def is_sound(self) -> bool:
        return not self.different and self.problem is None and self.distinct_hashes == self.seeds


def compare_hashes(
    *,
    seeds: int,
    first_seed: int = 1,
    commands_per_seed: int = 300,
    on_seeds: Callable[[int], None] = lambda _: None,
) -> HashReport:
    """Run each seed in two processes of different PYTHONHASHSEED and compare all hashes.

    Every pair of processes has hash seeds of its own. `on_seeds` is told the seeds compared.
    """
    different: list[int] = []
    hashes: set[str] = set()
    processes = compared = 0
    problem = None
    while compared < seeds and problem is None:
        first, count = first_seed + compared, min(SEEDS_PER_PROCESS, seeds - compared)
        pair = [
            _start(first, count, commands_per_seed, hash_seed=processes + number)
            for number in (1, 2)
        ]
        answers = [process.communicate() for process in pair]
        processes += len(pair)
        failed = [
            error
            for process, (_, error) in zip(pair, answers, strict=True)
            if process.returncode != 0
        ]
        if failed:
            problem = failed[0].strip()
            break
        one, two = ([line.split() for line in output.splitlines()] for output, _ in answers)
        different += [int(a[0]) for a, b in zip(one, two, strict=True) if a != b]
        hashes |= {line[1] for line in one}
        compared += count
        on_seeds(compared)
    return HashReport(
        seeds=compared,
        commands_per_seed=commands_per_seed,
        processes=processes,
        distinct_hashes=len(hashes),
        different=tuple(different),
        problem=problem,
    )


def _start(first: int, count: int, commands: int, *, hash_seed: int) -> "subprocess.Popen[str]":
    module = [sys.executable, "-m", "simexchange.campaign.hash_worker"]
    return subprocess.Popen(  # noqa: S603 - our own module
        [*module, str(first), str(count), str(commands)],
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
