"""`copyplugin halt`, `resume` and `halts`: the kill switch, and who used it (P5)."""

import getpass
import os
from collections.abc import Mapping

import click

from copyplugin.command_line.base import DATABASE, NUMBER, opened
from copyplugin.command_line.operator_desk import written_down
from copyplugin.domain.actor import Role, actor_of
from copyplugin.domain.command import CommandKind
from copyplugin.domain.halt import HaltScope
from copyplugin.store import halts
from copyplugin.store.rows import HaltRow
from copyplugin.system_clock import SystemClock

LEADER = click.option(
    "--leader", "leader_id", type=NUMBER, metavar="N", help="His followers only; else everybody."
)


def login_name() -> str:
    """Return who is at the keyboard; the number where the computer has no name for him."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # before and since Python 3.13
        return f"uid {os.getuid()}"


BY = click.option(
    "--by",
    "name",
    default=login_name,
    show_default="your login name",
    help="Who does it; it is kept.",
)


@click.command("halt")
@DATABASE
@LEADER
@BY
@click.option("--close", is_flag=True, help="Close what is open at market, too.")
@click.option("--reason", default="halted by an operator", show_default=True)
def halt_command(
    *, database_url: str | None, leader_id: int | None, name: str, close: bool, reason: str
) -> None:
    """Open nothing new until `resume`; closes are still copied."""
    _tell_engine(
        database_url, CommandKind.HALT_COPYING, leader_id, name, {"reason": reason, "close": close}
    )


@click.command("resume")
@DATABASE
@LEADER
@BY
@click.option("--reason", help="Why; it is kept with the halt.")
def resume_command(
    *, database_url: str | None, leader_id: int | None, name: str, reason: str | None
) -> None:
    """Copy opens again after `halt`."""
    given = {"reason": reason} if reason and reason.strip() else {}
    _tell_engine(database_url, CommandKind.RESUME_COPYING, leader_id, name, given)


@click.command("halts")
@DATABASE
@click.option("--all", "also_lifted", is_flag=True, help="Those that were lifted, too.")
def halts_command(*, database_url: str | None, also_lifted: bool) -> None:
    """List what is halted: since when, by whom and why; and who resumed, and why."""
    now = SystemClock().now()
    with opened(database_url) as (database, _), database.read() as session:
        found = (
            halts.all_halts(session)
            if also_lifted
            else halts.halts_in_force(session, frozenset(HaltScope), now=now)
        )
    for row in found:
        click.echo(line_of(row))
    if not found:
        click.echo("Nothing is halted.")


def line_of(row: HaltRow) -> str:
    """Return one halt as a line."""
    whose = {
        HaltScope.GLOBAL: "everybody",
        HaltScope.LEADER: f"followers of leader {row.scope_id}",
        HaltScope.FOLLOW: f"follow {row.scope_id}",
    }[row.scope]
    until = "" if row.until is None else f", until {row.until:%Y-%m-%d %H:%M} UTC"
    lifted = ""
    if row.lifted_at is not None:
        why = "" if row.lift_reason is None else f" ({row.lift_reason})"
        lifted = f"; resumed {row.lifted_at:%Y-%m-%d %H:%M} UTC by {row.lifted_by}{why}"
    since = f"{row.halted_at:%Y-%m-%d %H:%M} UTC"
    return f"{whose}: halted {since} by {row.actor} ({row.reason}){until}{lifted}"


def _tell_engine(
    database_url: str | None,
    kind: CommandKind,
    leader_id: int | None,
    name: str,
    more: Mapping[str, object],
) -> None:
    """Write the command down for the engine; whoever has the database is its administrator."""
    scope = HaltScope.GLOBAL if leader_id is None else HaltScope.LEADER
    given = {"scope": scope.value, "leader_id": leader_id, **more}
    if leader_id is None:
        del given["leader_id"]
    with opened(database_url) as (database, settings):
        number = written_down(
            database,
            database_url or settings.database_url,
            kind,
            given,
            actor=actor_of(Role.ADMINISTRATOR, name),
        )
    click.echo(f"Written down as command {number}: the engine does it as soon as it looks.")
