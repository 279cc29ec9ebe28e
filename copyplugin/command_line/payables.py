"""`copyplugin payables`: shares that the venue does not move between people (V6)."""

import click

from copyplugin.command_line.base import DATABASE, BadInput, opened, print_table
from copyplugin.command_line.halts import BY
from copyplugin.command_line.operator_desk import written_down
from copyplugin.domain.actor import Role, actor_of
from copyplugin.domain.command import CommandKind
from copyplugin.domain.identifiers import TransferId
from copyplugin.errors import Refused
from copyplugin.store.payables import get_payable
from copyplugin.store.queries.payables import Payable, owed, owed_and_paid, total_of


@click.group("payables")
def payables_group() -> None:
    """Shares that followers owe because the venue does not move money between people."""


@payables_group.command("list")
@DATABASE
@click.option("--all", "also_paid", is_flag=True, help="Those that were marked as paid, too.")
def payables_list(*, database_url: str | None, also_paid: bool) -> None:
    """List what is owed, by whom and to whom."""
    with opened(database_url) as (database, _), database.read() as session:
        found = owed_and_paid(session) if also_paid else owed(session)
    if not found:
        click.echo("Nothing is owed.")
        return
    print_table(
        [
            ("id", "follow", "from", "waits in", "to", "USDT", "since", "paid"),
            *(_cells(each) for each in found),
        ]
    )
    open_ones = [each for each in found if each.paid_at is None]
    click.echo(f"Owed in all: {total_of(open_ones).normalize():f} USDT.")


@payables_group.command("paid")
@DATABASE
@BY
@click.option("--reference", required=True, help="How it was paid: a transaction, a receipt.")
@click.option(
    "--from-sub-account",
    is_flag=True,
    help="It was taken by hand out of the sub-account where it waited.",
)
@click.argument("payable_id")
def payables_paid(
    *,
    database_url: str | None,
    name: str,
    reference: str,
    from_sub_account: bool,
    payable_id: str,
) -> None:
    """Mark a share as paid by other ways; the books move it from owed to paid, once."""
    with opened(database_url) as (database, settings):
        try:
            database.write_and_wait(lambda session: get_payable(session, TransferId(payable_id)))
        except Refused as refusal:
            raise BadInput(refusal.sentence) from refusal
        number = written_down(
            database,
            database_url or settings.database_url,
            CommandKind.MARK_PAID,
            {
                "transfer_id": payable_id,
                "reference": reference,
                "from_sub_account": from_sub_account,
            },
            actor=actor_of(Role.ADMINISTRATOR, name),
        )
    click.echo(f"Written down as command {number}: the engine does it as soon as it looks.")


def _cells(payable: Payable) -> tuple[str, ...]:
    paid = ""
    if payable.paid_at is not None:
        paid = f"{payable.paid_at:%Y-%m-%d} by {payable.paid_by} ({payable.reference})"
    return (
        payable.transfer_id,
        str(payable.follow_id),
        payable.follower_account,
        payable.sub_account or "",
        payable.to_account,
        f"{payable.money.normalize():f}",
        f"{payable.since:%Y-%m-%d}",
        paid,
    )
