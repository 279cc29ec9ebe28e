"""`copyplugin leaders`: who leads, and what it came to."""

from contextlib import closing

import click

from copyplugin.command_line.base import DATABASE, database_or_refusal, print_table
from copyplugin.store.directory import leader_lines

TITLES = ("id", "account", "nickname", "status", "following", "copy amount", "profit")


@click.command("leaders")
@DATABASE
def leaders_command(database_url: str | None) -> None:
    """List the leaders with their followers, copy amounts and profit."""
    with closing(database_or_refusal(database_url)) as database, database.read() as session:
        lines = leader_lines(session)
    if not lines:
        click.echo("There are no leaders yet.")
        return
    rows = [
        (
            str(line.leader_id),
            line.account,
            line.nickname,
            line.status.value,
            str(line.following),
            f"{line.copy_amount:.2f}",
            "–" if line.profit is None else f"{line.profit:.2f}",
        )
        for line in lines
    ]
    print_table([TITLES, *rows])
