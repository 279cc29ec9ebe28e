"""`copyplugin statement`: everything that moved money in a follow, to be added up by anybody."""

from collections.abc import Iterator
from contextlib import closing

import click

from copyplugin.command_line.base import DATABASE, NUMBER, BadInput, database_or_refusal
from copyplugin.domain.identifiers import FollowId
from copyplugin.errors import UnknownFollow
from copyplugin.store.follows import get_follow
from copyplugin.store.queries.follow_statement import (
    FollowStatement,
    LineKind,
    StatementLine,
    follow_statement,
)
from copyplugin.store.queries.statement_csv import statement_csv


@click.command("statement")
@DATABASE
@click.option("--follow", "follow_id", type=NUMBER, required=True, metavar="N", help="Its number.")
@click.option("--csv", "as_csv", is_flag=True, help="As a file for a spreadsheet.")
@click.pass_context
def statement_command(
    context: click.Context, *, database_url: str | None, follow_id: int, as_csv: bool
) -> None:
    """Print everything that moved money in a follow; its sum is the ledger's balance."""
    with closing(database_or_refusal(database_url)) as database, database.read() as session:
        try:
            follow = get_follow(session, FollowId(follow_id))
        except UnknownFollow as error:
            raise BadInput(error.sentence) from error
        statement = follow_statement(session, follow.id)
    if as_csv:
        for text in statement_csv(statement):
            click.echo(text, nl=False)
    else:
        for text in _summary(statement):
            click.echo(text)
    if statement.difference:
        click.echo(f"The ledger has {statement.difference:f} USDT more than the lines.", err=True)
        context.exit(1)


def _summary(statement: FollowStatement) -> Iterator[str]:
    for line in statement.lines:
        mark = "" if line.is_booked else "  (not booked yet)"
        yield f"{line.at:%Y-%m-%d %H:%M:%S}  {_words(line):<44}{line.money:>20f}{mark}"
    yield ""
    for name, money in (
        ("paid in", statement.sum_of(LineKind.PAID_IN)),
        ("result: fills, fees, funding", statement.result),
        ("leader shares", statement.sum_of(LineKind.SHARE)),
        ("paid out", statement.sum_of(LineKind.PAID_OUT)),
        ("sum of the booked lines", statement.sum_of()),
        ("the ledger says", statement.balance),
    ):
        yield f"{name:<65}{money:>20f}"


def _words(line: StatementLine) -> str:
    words = [line.kind.value.replace("_", " ")]
    if line.contracts is not None and line.order_side is not None:
        words += [line.order_side.value, str(line.contracts)]
    if line.symbol is not None and line.position_side is not None:
        words += [line.symbol, line.position_side.value]
    if line.price is not None:
        words.append(f"at {line.price:f}")
    return " ".join(words)
