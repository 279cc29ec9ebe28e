"""`copyplugin settings try`: what changed settings would have done to what was copied (N12)."""

import json
from decimal import Decimal

import click

from copyplugin.changeable_settings import assignments
from copyplugin.command_line.base import DATABASE, NUMBER, BadInput, opened, print_table
from copyplugin.domain.identifiers import FollowId, LeaderId
from copyplugin.domain.money import Money
from copyplugin.errors import Refused
from copyplugin.setting_trial import ASSUMPTIONS, Sum, TrialReport, try_settings
from copyplugin.store.database import Session
from copyplugin.store.directory import leader_lines
from copyplugin.store.follows import get_follow
from copyplugin.store.leaders import get_leader
from copyplugin.system_clock import SystemClock
from copyplugin.trial_words import tried_from

HOURS_MAX = 8760


@click.command("try")
@DATABASE
@click.option(
    "--hours",
    type=click.IntRange(1, HOURS_MAX),
    default=24,
    show_default=True,
    help="How far back.",
)
@click.option("--leader", "leader_id", type=NUMBER, metavar="N", help="His followers only.")
@click.option("--follow", "follow_id", type=NUMBER, metavar="N", help="This follow only.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object; money is text.")
@click.argument("words", metavar="NAME=VALUE...", nargs=-1)
def try_command(
    *,
    database_url: str | None,
    hours: int,
    leader_id: int | None,
    follow_id: int | None,
    as_json: bool,
    words: tuple[str, ...],
) -> None:
    """Say what these settings would have made of the last hours' copies; nothing is changed.

    Of the settings price_bound_major, price_bound_other and signal_late_seconds; for every follow
    order_margin_max, instrument_value_max, total_value_max, leverage_max, open_positions_max,
    orders_per_day_max (a number or none) and below_minimum; and share_ratio. Without any it proves
    that the recorded decisions come out as they were taken.
    """
    with opened(database_url) as (database, settings), database.read() as session:
        try:
            tried = tried_from(assignments(words))
            leaders = _leaders(session, leader_id, follow_id)
            report = try_settings(
                session,
                settings,
                tried,
                hours=hours,
                now=SystemClock().now(),
                leaders=leaders,
                follow_id=None if follow_id is None else FollowId(follow_id),
            )
        except Refused as refusal:
            raise BadInput(refusal.sentence) from refusal
    if as_json:
        click.echo(json.dumps(report.as_json()))
        return
    for line in lines_of(report):
        click.echo(line)
    if report.leaders:
        click.echo()
        print_table(table_of(report))
    click.echo()
    for sentence in ASSUMPTIONS:
        click.echo(f"* {sentence}")


def lines_of(report: TrialReport) -> list[str]:
    """Return the report of all follows in sentences."""
    found = report.sum
    words = (
        ", ".join(f"{name}={value}" for name, value in report.tried.items()) or "nothing changed"
    )
    taken = f"{found.decisions} decisions were taken again, {found.unlike} of them did not come out"
    opened = f"{_money(found.value_not_made)} USDT less would have been opened of what was made"
    others = (
        f"Of these would have been skipped {found.would_be_skipped}, smaller "
        f"{found.would_be_smaller}, larger {found.would_be_larger}"
    )
    lines = [
        f"{report.since:%Y-%m-%d %H:%M} to {report.until:%Y-%m-%d %H:%M} UTC with {words}:",
        f"{taken} as recorded and were left as they were.",
        f"Copies made: {found.made}, worth {_money(found.value_made)} USDT.",
        f"{others}, made anew {found.would_be_made}.",
        f"{opened}, and about {_money(found.value_estimated)} USDT anew (an estimate).",
        f"The followers' result would have been different by {_range(found)} USDT.",
    ]
    if "share_ratio" in report.tried:
        lines.append(
            f"Leader shares of {_money(found.share_paid)} USDT would have been "
            f"{_money(found.share_would_be)} USDT."
        )
    return lines


def table_of(report: TrialReport) -> list[tuple[str, ...]]:
    """Return a line for each leader and for each of his follows."""
    rows: list[tuple[str, ...]] = [
        ("leader", "follow", "made", "skipped", "smaller", "larger", "anew", "result", "unlike")
    ]
    for leader in report.leaders:
        rows.append((f"{leader.leader_id} {leader.nickname}", "all", *_cells(leader.sum)))
        rows += [("", str(line.follow_id), *_cells(line.sum)) for line in leader.follows]
    return rows


def _cells(found: Sum) -> tuple[str, ...]:
    return (
        str(found.made),
        str(found.would_be_skipped),
        str(found.would_be_smaller),
        str(found.would_be_larger),
        str(found.would_be_made),
        _range(found),
        str(found.unlike),
    )


def _range(found: Sum) -> str:
    least, most = _money(found.result_least), _money(found.result_most)
    return least if least == most else f"{least} to {most}"


def _money(money: Money) -> str:
    text = f"{money:.2f}"
    return text.removeprefix("-") if not Decimal(text) else text


def _leaders(
    session: Session, leader_id: int | None, follow_id: int | None
) -> list[tuple[LeaderId, str]]:
    if follow_id is not None:
        follow = get_follow(session, FollowId(follow_id))
        if leader_id is not None and follow.leader_id != leader_id:
            raise Refused(
                f"Follow {follow_id} is of leader {follow.leader_id}, not {leader_id}: "
                "give one of the two."
            )
        leader_id = follow.leader_id
    if leader_id is not None:
        leader = get_leader(session, LeaderId(leader_id))
        return [(leader.id, leader.nickname)]
    return [(line.leader_id, line.nickname) for line in leader_lines(session)]
