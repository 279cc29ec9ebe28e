"""`simexchange replay` and `simexchange crash-test`."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from simexchange.journal.crash_test import CrashReport, run_crash_test
from simexchange.journal.records import JournalError
from simexchange.journal.replay import JournalReplay, replay_journal
from simexchange.journal.writer import Durability
from simexchange.output import STANDARD_OUTPUT, BadInput, write_json


@click.command("replay", short_help="Repeat a run from its journal.")
@click.argument("journal", type=click.Path(path_type=Path))
@click.option("--until", type=click.IntRange(min=1), metavar="N", help="Stop after command N.")
@click.option("--expect", metavar="HASH", help="Fail unless the run comes to this event hash.")
@click.option("--json", "json_target", metavar="FILE", help="Write the report as JSON (-: stdout).")
@click.pass_context
def replay_command(
    context: click.Context,
    journal: Path,
    until: int | None,
    expect: str | None,
    json_target: str | None,
) -> None:
    """Repeat a run from its journal, command by command, to the same event hash.

    JOURNAL is a file that an exchange wrote. It is only read: a torn tail is left out and nothing
    is repaired. Snapshots beside it are compared with the run where it passes them.

    Exit code 0: all agrees; 1: the hash, a snapshot or the ledger does not; 2: JOURNAL is damaged
    or none.
    """
    try:
        report = replay_journal(journal, until=until)
    except JournalError as error:
        raise BadInput(str(error)) from error
    if json_target is not None:
        write_json(json_target, report)
    if json_target != STANDARD_OUTPUT:
        click.echo("\n".join(_replay_lines(report, expect)))
    context.exit(0 if report.is_sound and expect in {None, report.event_hash} else 1)


def _replay_lines(report: JournalReplay, expect: str | None) -> list[str]:
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in report.commands.items())
    lines = [
        f"{report.journal}: {report.records:,} commands, {report.replayed:,} replayed",
        f"commands: {kinds or 'none'}",
    ]
    if report.torn_bytes:
        lines.append(f"torn tail: {report.torn_bytes:,} bytes that belong to no whole command")
    verdicts = {True: "agrees", False: "DIFFERS", None: "not reached"}
    lines += [
        f"snapshot of command {check.sequence:,}: {verdicts[check.agrees]}"
        for check in report.snapshots
    ]
    lines += [f"unusable: {sentence}" for sentence in report.unusable_snapshots]
    balance = "balanced" if report.ledger_residue == 0 else f"OFF BY {report.ledger_residue} units"
    lines += [
        f"ledger: {balance}",
        f"state hash: {report.state_hash}",
        f"event hash: {report.event_hash}",
    ]
    if expect is not None and expect != report.event_hash:
        lines.append(f"expected:   {expect}: THE RUN IS ANOTHER ONE")
    return lines


@click.command("crash-test", short_help="Kill a journaled exchange again and again.")
@click.option(
    "--kills", type=click.IntRange(1, 100_000), default=200, show_default=True, help="How many."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True)
@click.option(
    "--durability",
    type=click.Choice([choice.value for choice in Durability]),
    default=Durability.COMMAND.value,
    show_default=True,
    help="When the journal is forced to the disk.",
)
@click.option("--json", "json_target", metavar="FILE", help="Write the report as JSON (-: stdout).")
@click.pass_context
def crash_test_command(
    context: click.Context, kills: int, seed: int, durability: str, json_target: str | None
) -> None:
    """Kill a journaled exchange with SIGKILL while commands arrive, and count what was lost.

    After each kill a new process recovers from the journal and its snapshots and goes on. In the
    end the run must have every acknowledged command and the hashes of one that nobody disturbed.

    Exit code 0: nothing lost, hashes equal; 1: otherwise.
    """
    with TemporaryDirectory(prefix="simexchange-crash-") as directory:
        report = run_crash_test(
            Path(directory), kills=kills, seed=seed, durability=Durability(durability)
        )
    if json_target is not None:
        write_json(json_target, report)
    if json_target != STANDARD_OUTPUT:
        click.echo("\n".join(_crash_lines(report)))
    context.exit(0 if report.is_sound else 1)


def _crash_lines(report: CrashReport) -> list[str]:
    return [
        f"{report.kills:,} processes killed with SIGKILL while they worked",
        (
            f"{report.acknowledged_before_kills:,} commands acknowledged before them,"
            f" {report.lost:,} lost; {report.unacknowledged_kept:,} kept that had not been"
            " acknowledged yet"
        ),
        f"{report.recovered_by_snapshot:,} recoveries from a snapshot",
        *(f"fault: {fault}" for fault in report.faults),
        f"event hash after {report.commands:,} commands: {report.event_hash}",
        f"event hash of the undisturbed run: {report.undisturbed_event_hash}",
        "sound" if report.is_sound else "NOT SOUND",
    ]
