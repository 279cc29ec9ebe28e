"""`copyplugin orphans`: positions in sub-accounts that no lane wants."""

import click

from copyplugin.command_line.base import DATABASE, NUMBER, BadInput, opened, print_table
from copyplugin.command_line.halts import BY
from copyplugin.command_line.operator_desk import written_down
from copyplugin.domain.actor import Role, actor_of
from copyplugin.domain.command import CommandKind
from copyplugin.store.queries.orphans import orphans_held


@click.group("orphans")
def orphans_group() -> None:
    """Positions in sub-accounts that no lane wants: list them, close one."""


@orphans_group.command("list")
@DATABASE
def orphans_list(database_url: str | None) -> None:
    """List what was found when sub-accounts were last compared with the venue."""
    with opened(database_url) as (database, _), database.read() as session:
        found = orphans_held(session)
    if not found:
        click.echo("No sub-account holds anything that no lane wants.")
        return
    rows = [("id", "follow", "account", "instrument", "side", "contracts", "found", "")]
    rows += [
        (
            str(each.orphan_id),
            str(each.follow_id),
            each.sub_account or "",
            each.symbol,
            each.position_side.value,
            str(each.contracts),
            f"{each.found_at:%Y-%m-%d %H:%M} UTC",
            "" if each.close_asked_by is None else f"asked to close by {each.close_asked_by}",
        )
        for each in found
    ]
    print_table(rows)


@orphans_group.command("close")
@DATABASE
@BY
@click.argument("orphan_id", type=NUMBER)
def orphans_close(*, database_url: str | None, name: str, orphan_id: int) -> None:
    """Take one into the books and close it at market."""
    with opened(database_url) as (database, settings):
        with database.read() as session:
            numbers = {each.orphan_id for each in orphans_held(session)}
        if orphan_id not in numbers:
            raise BadInput(f"There is no orphan number {orphan_id} now: see orphans list.")
        number = written_down(
            database,
            database_url or settings.database_url,
            CommandKind.CLOSE_ORPHAN,
            {"orphan_id": orphan_id},
            actor=actor_of(Role.ADMINISTRATOR, name),
        )
    click.echo(f"Written down as command {number}: the engine does it as soon as it looks.")
