"""`copyplugin ledger`: whether the books add up."""

from contextlib import closing

import click

from copyplugin.command_line.base import DATABASE, database_or_refusal
from copyplugin.errors import LedgerBroken
from copyplugin.store import escrow, ledger, payables


@click.group("ledger")
def ledger_group() -> None:
    """Look after the books."""


@ledger_group.command("verify")
@DATABASE
@click.pass_context
def ledger_verify(context: click.Context, database_url: str | None) -> None:
    """Prove the books from the first entry to the last."""
    with closing(database_or_refusal(database_url)) as database, database.read() as session:
        try:
            head = ledger.verify(session)
            payables.verify(session)
            escrow.verify(session)
        except LedgerBroken as error:
            click.echo(f"The ledger is broken: {error}", err=True)
            context.exit(1)
    click.echo(f"The ledger adds up: {head.entries} entries, the last one's hash is {head.hash}.")
