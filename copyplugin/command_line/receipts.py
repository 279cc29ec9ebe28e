"""`copyplugin receipts`: what became of each order of a leader in one follow (N1, C13)."""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta

import click

from copyplugin.command_line.base import DATABASE, NUMBER, BadInput, opened, print_table
from copyplugin.domain.identifiers import FollowId
from copyplugin.domain.statistics import percent, shown
from copyplugin.store.follows import get_follow
from copyplugin.store.queries.receipts_csv import receipt_fields, receipts_csv
from copyplugin.store.receipts import Receipt, receipts_of_follow

TITLES = ("leader filled at", "leader did", "his price", "filled", "price", "slippage", "ms", "")
PERCENT_PLACES = 3
PRICE_PLACES = 8


@click.command("receipts")
@DATABASE
@click.option("--follow", "follow_id", type=NUMBER, required=True, metavar="N", help="Its number.")
@click.option("--csv", "as_csv", is_flag=True, help="As a file for a spreadsheet.")
@click.option("--json", "as_json", is_flag=True, help="As a JSON array.")
def receipts_command(
    *, database_url: str | None, follow_id: int, as_csv: bool, as_json: bool
) -> None:
    """Print what became of each leader order for a follow: prices, delay, slippage, or why not."""
    if as_csv and as_json:
        raise BadInput("Choose one of --csv and --json.")
    with opened(database_url) as (database, _), database.read() as session:
        follow = get_follow(session, FollowId(follow_id))
        receipts = list(receipts_of_follow(session, follow.id))
    if as_csv:
        for text in receipts_csv(receipts):
            click.echo(text, nl=False)
    elif as_json:
        click.echo(json.dumps([receipt_fields(each) for each in receipts], indent=1))
    elif receipts:
        print_table([TITLES, *_rows(receipts)])
    else:
        click.echo("This follow has no receipts yet.")


def _rows(receipts: Sequence[Receipt]) -> Iterator[tuple[str, ...]]:
    for each in receipts:
        side = each.position_side.value
        yield (
            f"{each.leader_filled_at:%Y-%m-%d %H:%M:%S}",
            f"{each.effect.value} {each.leader_contracts} {each.symbol} {side}",
            f"{each.leader_price.normalize():f}",
            f"{each.filled} of {each.wanted}",
            _price(each),
            "–" if each.slippage is None else f"{percent(each.slippage, PERCENT_PLACES)} %",
            "–" if each.delay is None else str(-(-each.delay // timedelta(milliseconds=1))),
            each.standing.value.replace("_", " ")
            + (f": {each.skip_reason.sentence}" if each.skip_reason else ""),
        )


def _price(receipt: Receipt) -> str:
    if receipt.average_price is None:
        return "–"
    return f"{shown(receipt.average_price, PRICE_PLACES).normalize():f}"
