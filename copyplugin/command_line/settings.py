"""`copyplugin settings`: what holds and where it comes from; changes at run time, by two (N12)."""

from collections.abc import Mapping
from datetime import datetime

import click

from copyplugin.changeable_settings import (
    NOT_PROPORTIONAL,
    assignments,
    setting_named,
    setting_text,
    setting_value,
    with_changes,
)
from copyplugin.command_line.base import DATABASE, NUMBER, BadInput, opened, settings_or_refusal
from copyplugin.command_line.halts import BY
from copyplugin.command_line.operator_desk import written_down
from copyplugin.command_line.settings_try import try_command
from copyplugin.domain.actor import Role, actor_of
from copyplugin.domain.command import CommandKind
from copyplugin.domain.setting_change import (
    CHANGEABLE,
    Safer,
    SettingChangeState,
    SettingName,
)
from copyplugin.errors import ConfigurationError, Refused
from copyplugin.settings import PREFIX, Settings
from copyplugin.store import setting_changes
from copyplugin.store.database import open_database
from copyplugin.store.rows import SettingChangeRow
from copyplugin.store.settings import IS_OPEN_SCALE, get_setting
from copyplugin.system_clock import SystemClock

CHANGES_SHOWN = 50
DIRECTIONS = {
    Safer.LOWER: "a lower value holds at once, a higher one needs two",
    Safer.HIGHER: "true holds at once, false needs two",
    Safer.NEITHER: "a change needs two",
}


@click.group("settings", invoke_without_command=True)
@DATABASE
@click.pass_context
def settings_group(context: click.Context, database_url: str | None) -> None:
    """Print every setting with its value, where it comes from, and its meaning."""
    if context.invoked_subcommand is None:
        _print_settings(database_url)
    elif database_url is not None:
        raise BadInput("Give --database after the name of the command, not before it.")


@settings_group.command("change")
@DATABASE
@BY
@click.option("--reason", required=True, help="Why; whoever approves it reads it.")
@click.option("--as-configured", is_flag=True, help="Give the NAME alone: back to its own value.")
@click.argument("change", metavar="NAME=VALUE")
def settings_change(
    *, database_url: str | None, name: str, reason: str, as_configured: bool, change: str
) -> None:
    """Change a setting while copying goes on: at once where it lowers the risk, else by two."""
    try:
        if as_configured:
            given: dict[str, object] = {"name": setting_named(change).value}
        else:
            [(word, text)] = assignments([change]).items()
            setting = setting_named(word)
            setting_value(setting, text)
            given = {"name": setting.value, "value": text}
    except Refused as refusal:
        raise BadInput(refusal.sentence) from refusal
    _tell_engine(database_url, CommandKind.PROPOSE_SETTING, name, {**given, "reason": reason})


@settings_group.command("approve")
@DATABASE
@BY
@click.option("--reason", default="approved", show_default=True)
@click.argument("proposal", type=NUMBER)
def settings_approve(*, database_url: str | None, name: str, reason: str, proposal: int) -> None:
    """Approve what somebody else has proposed; it holds from then on."""
    given = {"proposal": proposal, "reason": reason}
    _tell_engine(database_url, CommandKind.APPROVE_SETTING, name, given)


@settings_group.command("reject")
@DATABASE
@BY
@click.option("--reason", required=True)
@click.argument("proposal", type=NUMBER)
def settings_reject(*, database_url: str | None, name: str, reason: str, proposal: int) -> None:
    """Reject a proposal, or take one's own back."""
    given = {"proposal": proposal, "reason": reason}
    _tell_engine(database_url, CommandKind.REJECT_SETTING, name, given)


@settings_group.command("proposals")
@DATABASE
@click.option("--all", "also_decided", is_flag=True, help="Those that were decided, too.")
def settings_proposals(*, database_url: str | None, also_decided: bool) -> None:
    """List what waits for a second person."""
    now = SystemClock().now()
    with opened(database_url) as (database, _), database.read() as session:
        found = (
            setting_changes.latest_changes(session, limit=CHANGES_SHOWN)
            if also_decided
            else setting_changes.open_proposals(session, now=now)
        )
        lines = [line_of(row, now=now) for row in found]
    for line in lines or ["Nothing waits for a second person."]:
        click.echo(line)


settings_group.add_command(try_command)


def line_of(row: SettingChangeRow, *, now: datetime) -> str:
    """Return one change as a line."""
    to = "as configured" if row.value is None else row.value
    what = (
        f"{row.id}: {row.name} from {row.value_before} to {to}, proposed "
        f"{row.proposed_at:%Y-%m-%d %H:%M} UTC by {row.proposed_by} ({row.reason})"
    )
    if row.state is SettingChangeState.PROPOSED:
        word = "expired" if row.expires_at <= now else "waits until"
        return f"{what}; {word} {row.expires_at:%Y-%m-%d %H:%M} UTC"
    by = "" if row.decided_by is None else f" by {row.decided_by} ({row.decision})"
    return f"{what}; {row.state} {row.decided_at:%Y-%m-%d %H:%M} UTC{by}"


def _print_settings(database_url: str | None) -> None:
    configured = settings_or_refusal()
    changes: Mapping[SettingName, SettingChangeRow] = {}
    scale: str | None = None
    try:
        changes, scale = _changes(database_url or configured.database_url)
    except ConfigurationError as error:
        if database_url is not None:
            raise BadInput(str(error)) from error
        click.echo(f"What was changed at run time is not known here: {error}", err=True)
    changed = {name: row.value for name, row in changes.items() if row.value is not None}
    try:
        now = with_changes(configured, changed)
    except Refused as refusal:
        raise BadInput(refusal.sentence) from refusal
    for name, field in Settings.model_fields.items():
        value, own = getattr(now, name), getattr(configured, name)
        notes = [] if own == field.default else [f"default {field.default}"]
        if name in changed:
            notes = [f"changed {_when(changes[SettingName(name)])}; configured {setting_text(own)}"]
        click.echo(f"{PREFIX}{name.upper()}={value}{f' ({notes[0]})' if notes else ''}")
        click.echo(f"    {field.description}{_rule(name)}")
    click.echo(f"{IS_OPEN_SCALE}={scale or NOT_PROPORTIONAL}")
    click.echo(
        "    1: the proportional mode is offered; kept in the database"
        f"{_rule(SettingName.IS_OPEN_SCALE)}"
    )


def _changes(database_url: str) -> tuple[Mapping[SettingName, SettingChangeRow], str | None]:
    database = open_database(database_url)
    try:
        with database.read() as session:
            found = setting_changes.in_force_rows(session, at=SystemClock().now())
            return found, get_setting(session, IS_OPEN_SCALE)
    finally:
        database.close()


def _when(row: SettingChangeRow) -> str:
    return (
        f"{row.in_force_from:%Y-%m-%d %H:%M} UTC by {row.proposed_by}, {row.decision}"
        if row.decided_by == row.proposed_by
        else f"{row.in_force_from:%Y-%m-%d %H:%M} UTC by {row.proposed_by} and {row.decided_by}"
    )


def _rule(name: str) -> str:
    """Return whether it can be changed at run time, and by how many."""
    found = next((each for each in CHANGEABLE if each == name), None)
    if found is None:
        return ""
    if not CHANGEABLE[found].is_about_money:
        return "; can be changed at run time, by one"
    return f"; can be changed at run time: {DIRECTIONS[CHANGEABLE[found].safer]}"


def _tell_engine(
    database_url: str | None, kind: CommandKind, name: str, given: Mapping[str, object]
) -> None:
    with opened(database_url) as (database, settings):
        number = written_down(
            database,
            database_url or settings.database_url,
            kind,
            given,
            actor=actor_of(Role.ADMINISTRATOR, name),
        )
    click.echo(
        f"Written down as command {number}: the engine does it as soon as it looks; "
        "copyplugin settings proposals --all says what came of it."
    )
