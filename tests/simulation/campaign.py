"""`python -m tests.simulation.campaign --worlds N --first NUMBER`: worlds by the thousand.

A world's number says its kind and everything in it; it lives the same life wherever it runs. Prints
one JSON object; exit code 1 where a world broke a law, with its number and the law.
"""

import asyncio
import json
import multiprocessing
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import click

from tests.simulation import stories, worlds, worlds_of_parts, worlds_of_rules
from tests.simulation.worlds import Kind, Tally

KINDS: Mapping[str, Kind] = {
    "twins": worlds.twins,
    "moving prices": worlds.moving_prices,
    "slow calls": worlds.slow_calls,
    "slow calls that fail": worlds.slow_calls_that_fail,
    "stops while killed": worlds.stops_while_killed,
    "stops whatever fails": worlds.stops_whatever_fails,
    "stops at rest": worlds.stops_at_rest,
    "rules": worlds_of_rules.rules,
    "shares": worlds_of_rules.shares,
    "liquidations": worlds_of_rules.liquidations,
    "commands": worlds_of_rules.commands,
    "orders in parts": worlds_of_parts.orders_in_parts,
    "between parts": worlds_of_parts.between_parts,
    "killed at an await": stories.killed_at_an_await,
    "killed beside a stop": stories.killed_beside_a_stop,
}

FAULTS = frozenset(
    {
        "request lost", "answer lost", "venue unavailable", "order refused", "wake-up lost",
        "wake-up repeated", "page cut short", "call held up", "killed at the venue",
        "killed before a commit", "killed after a commit",
    }
)  # fmt: skip
"""Every kind of fault there is; a campaign of any size has them all."""

CHUNK = 10


@dataclass
class Campaign:
    """What came of so many worlds."""

    worlds: int = 0
    by_kind: Counter[str] = field(default_factory=Counter[str])
    tally: Tally = field(default_factory=Tally)
    failures: list[dict[str, object]] = field(default_factory=list[dict[str, object]])
    processor_seconds: float = 0.0

    def add(self, other: "Campaign") -> None:
        self.worlds += other.worlds
        self.by_kind += other.by_kind
        self.tally.add(other.tally)
        self.failures += other.failures
        self.processor_seconds += other.processor_seconds

    def as_json(self) -> dict[str, Any]:
        return {
            "worlds": self.worlds,
            "by_kind": dict(sorted(self.by_kind.items())),
            **asdict(self.tally),
            "faults": dict(sorted(self.tally.faults.items())),
            "failures": self.failures,
            "processor_seconds": round(self.processor_seconds, 1),
        }


def kind_of(number: int) -> str:
    return tuple(KINDS)[number % len(KINDS)]


def run_worlds(numbers: Iterable[int], kind: str | None = None) -> Campaign:
    """Let these worlds live, one after another; what breaks a law is told, not raised.

    Each is of its number's kind, or of the one that is given.
    """
    campaign, began = Campaign(), time.process_time()
    for number in numbers:
        lived = kind or kind_of(number)
        campaign.worlds += 1
        campaign.by_kind[lived] += 1
        try:
            campaign.tally.add(asyncio.run(_lived(KINDS[lived], number)))
        except Exception as error:  # noqa: BLE001 - told with its number; the campaign goes on
            campaign.failures.append(
                {
                    "world": number,
                    "kind": lived,
                    "law": f"{type(error).__name__}: {error}"[:500],
                    "where": traceback.format_exc(limit=-3).splitlines()[-8:],
                }
            )
    campaign.processor_seconds = time.process_time() - began
    return campaign


async def _lived(kind: Kind, number: int) -> Tally:
    return await kind(number)


def run_all(numbers: Sequence[int], jobs: int) -> Campaign:
    """Run worlds in so many processes; none of them knows of another."""
    chunks = [numbers[first : first + CHUNK] for first in range(0, len(numbers), CHUNK)]
    campaign = Campaign()
    if jobs == 1:
        for chunk in chunks:
            campaign.add(run_worlds(chunk))
            _tell(campaign, len(numbers))
        return campaign
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for part in pool.imap_unordered(run_worlds, chunks):
            campaign.add(part)
            _tell(campaign, len(numbers))
    return campaign


def _tell(campaign: Campaign, of: int) -> None:
    sys.stderr.write(f"\r{campaign.worlds} of {of} worlds, {len(campaign.failures)} failed ")
    sys.stderr.flush()


@click.command()
@click.option("--worlds", "count", type=click.IntRange(1), default=200, show_default=True)
@click.option("--first", type=click.IntRange(0), default=1, show_default=True, help="A number.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--kind", type=click.Choice(tuple(KINDS)), help="Only worlds of this kind.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path))
def main(*, count: int, first: int, jobs: int, kind: str | None, path: Path | None) -> None:
    """Let so many worlds live, from a number on."""
    numbers = range(first, first + count)
    if kind is not None:
        start = first + (tuple(KINDS).index(kind) - first) % len(KINDS)
        numbers = range(start, start + count * len(KINDS), len(KINDS))
    began = time.monotonic()
    campaign = run_all(numbers, jobs)
    sys.stderr.write("\n")
    answer = {
        "first": numbers[0],
        "last": numbers[-1],
        **campaign.as_json(),
        "seconds": round(time.monotonic() - began, 1),
    }
    text = json.dumps(answer, indent=2, default=str)
    if path is not None:
        path.write_text(text)
    click.echo(text)
    sys.exit(1 if campaign.failures else 0)


if __name__ == "__main__":
    main()
