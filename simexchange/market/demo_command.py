"""`simexchange demo-market`: the synthetic market on its own, in figures."""

from pathlib import Path

import click

from simexchange.journal.records import JournalError
from simexchange.market.demo import as_lines, run_demo_market
from simexchange.output import STANDARD_OUTPUT, BadInput, write_json

LONGEST_SECONDS = 7 * 24 * 3600


@click.command("demo-market", short_help="Run the synthetic market and print figures.")
@click.option(
    "--seconds",
    type=click.IntRange(1, LONGEST_SECONDS),
    default=60,
    show_default=True,
    help="How much of the market's own time to run.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=1, show_default=True, help="Same seed, same run."
)
@click.option(
    "--journal",
    type=click.Path(path_type=Path),
    help="Write every command to this new file, for `simexchange replay`.",
)
@click.option(
    "--json", "json_target", metavar="FILE", help="Write the figures as JSON (-: to stdout)."
)
@click.pass_context
def demo_market_command(
    context: click.Context,
    seconds: int,
    seed: int,
    journal: Path | None,
    json_target: str | None,
) -> None:
    """Run the synthetic market and print what happened in it.

    Three instruments with a seeded index, two market makers, leaders and takers trade on one
    exchange, as fast as the machine can. The event hash covers every event: the same seed and
    length give the same hash on every machine.

    Exit code 0: the ledger balances; 1: it does not; 2: the journal cannot be written.
    """
    try:
        figures = run_demo_market(seconds=seconds, seed=seed, journal=journal)
    except JournalError as error:
        raise BadInput(str(error)) from error
    if json_target is not None:
        write_json(json_target, figures)
    if json_target != STANDARD_OUTPUT:
        click.echo("\n".join(as_lines(figures)))
    context.exit(0 if figures.ledger_residue == 0 else 1)
