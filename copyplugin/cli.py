"""The command line: what an operator does at night.

Exit code 0: all is well; 1: something does not add up; 2: what was given cannot be used.
"""

import click

from copyplugin.command_base import DATABASE, BadInput, print_table
from copyplugin.errors import ConfigurationError, LedgerBroken, UnknownFollow
from copyplugin.lazy_group import LazyGroup
from copyplugin.settings import PREFIX, Settings, load_settings
from copyplugin.statement_command import print_statement, statement_of
from copyplugin.store import ledger, payables
from copyplugin.store.database import Database, open_database, upgrade_database
from copyplugin.store.directory import leader_lines
from copyplugin.store.statistics_proof import statistics_differences
from copyplugin.system_clock import SystemClock

FOUND_IN = {
    "bench": "copyplugin.bench.command:bench_command",
    "bench-venue": "copyplugin.bench.venue_command:bench_venue_command",
    "doctor": "copyplugin.venue_commands:doctor_command",
    "engine": "copyplugin.process_commands:engine_command",
    "halt": "copyplugin.halt_command:halt_command",
    "halts": "copyplugin.halt_command:halts_command",
    "keys": "copyplugin.engine_command:keys_group",
    "follow-settings": "copyplugin.follow_settings_command:follow_settings_command",
    "leader-centre": "copyplugin.leader_centre_command:leader_centre_command",
    "kill-test": "copyplugin.bench.kill_command:kill_test_command",
    "orphans": "copyplugin.orphans_command:orphans_group",
    "paper": "copyplugin.paper_command:paper_group",
    "notices": "copyplugin.notices_command:notices_command",
    "notify-test": "copyplugin.notices_command:notify_test_command",
    "payables": "copyplugin.payables_command:payables_group",
    "receipts": "copyplugin.receipts_command:receipts_command",
    "replay": "copyplugin.replay.command:replay_command",
    "venues": "copyplugin.venue_commands:venues_command",
    "resume": "copyplugin.halt_command:resume_command",
    "what-if": "copyplugin.replay.what_if:what_if_command",
    "worker": "copyplugin.process_commands:worker_command",
}


@click.group(
    cls=LazyGroup,
    found_in=FOUND_IN,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def main() -> None:
    """Copy trading for perpetual exchanges."""
    if not __debug__:
        raise BadInput("python -O removes the checks this program relies on: run it without -O")


@main.group("db")
def database_group() -> None:
    """Make the database, bring it up to date, look whether it is."""


@database_group.command("upgrade")
@DATABASE
def database_upgrade(database_url: str | None) -> None:
    """Make the tables, or bring them to what this program needs."""
    url = _url(database_url)
    try:
        upgrade_database(url)
    except ConfigurationError as error:
        raise BadInput(str(error)) from error
    click.echo("The database is up to date.")


@database_group.command("check")
@DATABASE
def database_check(database_url: str | None) -> None:
    """Say whether the database is what this program needs."""
    _open(database_url).close()
    click.echo("The database is what this program needs.")


@main.command("leaders")
@DATABASE
def leaders_command(database_url: str | None) -> None:
    """List the leaders with their followers, copy amounts and profit."""
    database = _open(database_url)
    try:
        with database.read() as session:
            lines = leader_lines(session)
    finally:
        database.close()
    if not lines:
        click.echo("There are no leaders yet.")
        return
    rows = [("id", "account", "nickname", "status", "following", "copy amount", "profit")]
    rows += [
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
    print_table(rows)


@main.group("ledger")
def ledger_group() -> None:
    """Look after the books."""


@ledger_group.command("verify")
@DATABASE
@click.pass_context
def ledger_verify(context: click.Context, database_url: str | None) -> None:
    """Prove the books from the first entry to the last."""
    database = _open(database_url)
    try:
        with database.read() as session:
            head = ledger.verify(session)
            payables.verify(session)
    except LedgerBroken as error:
        click.echo(f"The ledger is broken: {error}", err=True)
        context.exit(1)
    finally:
        database.close()
    click.echo(f"The ledger adds up: {head.entries} entries, the last one's hash is {head.hash}.")


@main.group("statistics")
def statistics_group() -> None:
    """Look after the leaders' figures."""


@statistics_group.command("verify")
@DATABASE
@click.pass_context
def statistics_verify(context: click.Context, database_url: str | None) -> None:
    """Compute the leaders' figures anew from raw rows and compare them with those that are kept."""
    settings = _settings()
    database = _open(database_url)
    try:
        differences = database.write_and_wait(
            lambda session: statistics_differences(
                session, now=SystemClock().now(), zone=settings.zone
            )
        )
    finally:
        database.close()
    for difference in differences:
        click.echo(difference, err=True)
    if differences:
        context.exit(1)
    click.echo("The leaders' figures are what the rows give.")


@main.command("statement")
@DATABASE
@click.option("--follow", "follow_id", type=int, required=True, metavar="N", help="Its number.")
@click.option("--csv", "as_csv", is_flag=True, help="As a file for a spreadsheet.")
@click.pass_context
def statement_command(
    context: click.Context, *, database_url: str | None, follow_id: int, as_csv: bool
) -> None:
    """Print everything that moved money in a follow; its sum is the ledger's balance."""
    database = _open(database_url)
    try:
        statement = statement_of(database, follow_id)
    except UnknownFollow as error:
        raise BadInput(error.sentence) from error
    finally:
        database.close()
    if not print_statement(statement, as_csv=as_csv):
        context.exit(1)


@main.command("settings")
def settings_command() -> None:
    """Print every setting with its value and meaning."""
    settings = _settings()
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        mark = "" if value == field.default else f" (default {field.default})"
        click.echo(f"{PREFIX}{name.upper()}={value}{mark}")
        click.echo(f"    {field.description}")


def _settings() -> Settings:
    try:
        return load_settings()
    except ConfigurationError as error:
        raise BadInput(str(error)) from error


def _url(given: str | None) -> str:
    return given if given is not None else _settings().database_url


def _open(given: str | None) -> Database:
    try:
        return open_database(_url(given))
    except ConfigurationError as error:
        raise BadInput(str(error)) from error
