"""`copyplugin what-if`: what a visitor would have had, had he followed a leader (B6)."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import click

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.identifiers import NUMBER_MAX, LeaderId
from copyplugin.domain.money import Ratio
from copyplugin.errors import ConfigurationError, Refused
from copyplugin.replay.command import BadInput, amount_from, check_target, print_report
from copyplugin.replay.follow_spec import TERMS, parse_follow
from copyplugin.replay.report import report_on_follows
from copyplugin.replay.what_if_stage import WhatIf, WhatIfStage
from copyplugin.replay.what_if_text import WhatIfReport, as_json, as_lines
from copyplugin.settings import PREFIX, load_settings
from copyplugin.store.database import open_database
from copyplugin.store.leader_past import LeaderPast, leader_past

SLIPPAGE_MAX = Decimal("0.05")
FUNDING_MAX = Decimal("0.02")


@click.command("what-if")
@click.option(
    "--database",
    "database_url",
    metavar="URL",
    help=f"The database, for example sqlite:///copyplugin.db.  [default: {PREFIX}DATABASE_URL]",
)
@click.option(
    "--leader",
    "leader_id",
    type=click.IntRange(-NUMBER_MAX, NUMBER_MAX),
    required=True,
    metavar="ID",
    help="Whom to follow.",
)
@click.option(
    "--follow",
    "follow_texts",
    multiple=True,
    required=True,
    metavar="KEY=VALUE,…",
    help=f"The visitor's settings: mode={'|'.join(CopyMode)}, amount=USDT; also bound=RATIO, "
    f"instruments=A+B and {', '.join(TERMS)}. Several are compared.",
)
@click.option("--since", metavar="DATE", help="Follow from this day or time on (UTC).")
@click.option("--until", metavar="DATE", help="... and until this one; its own fills are out.")
@click.option(
    "--slippage",
    metavar="RATIO",
    help="How much worse than the leader's the prices are.  [default: the median his followers "
    "have measured, else 0]",
)
@click.option(
    "--funding-rate",
    default="0",
    show_default=True,
    metavar="RATIO",
    help="What longs pay to shorts every 8 hours (below 0: shorts to longs).",
)
@click.option(
    "--leader-balance", metavar="USDT", help="What the leader had wherever no row tells it."
)
@click.option(
    "--json", "json_target", metavar="FILE", help="Write the report as JSON (- : stdout)."
)
@click.pass_context
def what_if_command(  # noqa: PLR0913 - click passes one argument per option
    context: click.Context,
    *,
    database_url: str | None,
    leader_id: int,
    follow_texts: tuple[str, ...],
    since: str | None,
    until: str | None,
    slippage: str | None,
    funding_rate: str,
    leader_balance: str | None,
    json_target: str | None,
) -> None:
    """Replay a leader's stored fills with a visitor's own settings, fees and share included.

    The real engine copies them on the simulated exchange, with the venue's own steps, minimums and
    fees. Nothing is written to the database.

    Exit code 0: everything adds up; 1: something does not; 2: the input cannot be used.
    """
    try:
        check_target(json_target)
        specs = [parse_follow(text) for text in follow_texts]
        past = _past(database_url, LeaderId(leader_id), since, until)
        asked = WhatIf(
            past=past,
            follows=specs,
            slippage=_slippage(slippage, past),
            funding_rate=_ratio(
                "--funding-rate", funding_rate, least=-FUNDING_MAX, most=FUNDING_MAX
            ),
            leader_balance=(
                None if leader_balance is None else amount_from("--leader-balance", leader_balance)
            ),
        )
        _require_balance(asked)
        report = asyncio.run(_run(asked))
    except Refused as refusal:
        raise BadInput(refusal.sentence) from refusal
    except ConfigurationError as error:
        raise BadInput(str(error)) from error
    print_report(json_target, as_json(asked, report), as_lines(asked, report))
    context.exit(1 if report.faults else 0)


async def _run(asked: WhatIf) -> WhatIfReport:
    stage = WhatIfStage(asked)
    try:
        facts = await stage.play()
        found, proof = await report_on_follows(stage.room, {asked.past.leader.nickname: facts})
        return WhatIfReport(
            begins_at=asked.past.fills[0].at,
            ends_at=stage.venue.now(),
            result=facts.result,
            fees=stage.fees,
            follows=found,
            proof=proof,
        )
    finally:
        stage.close()


def _past(
    database_url: str | None, leader_id: LeaderId, since: str | None, until: str | None
) -> LeaderPast:
    begin = None if since is None else _time("--since", since)
    end = None if until is None else _time("--until", until)
    if begin is not None and end is not None and end <= begin:
        raise Refused(f"--until must be after --since: {until} is not after {since}.")
    database = open_database(load_settings().database_url if database_url is None else database_url)
    try:
        with database.read() as session:
            past = leader_past(session, leader_id, begin, end)
    finally:
        database.close()
    if not past.fills:
        when = "" if since is None else f" since {since}"
        when += "" if until is None else f" until {until}"
        advice = (
            "" if not when else ": choose another time" if until else ": choose an earlier date"
        )
        raise Refused(f"No fill of leader {leader_id} is stored{when}{advice}.")
    return past


def _time(name: str, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(f"{name} must be a date like 2026-01-31, not {text!r}.") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _slippage(text: str | None, past: LeaderPast) -> Ratio:
    if text is None:
        measured = past.slippage or Ratio(Decimal(0))
        return Ratio(max(measured, Decimal(0)))
    return _ratio("--slippage", text, least=Decimal(0), most=SLIPPAGE_MAX)


def _ratio(name: str, text: str, *, least: Decimal, most: Decimal) -> Ratio:
    try:
        ratio = Decimal(text)
    except InvalidOperation as error:
        raise Refused(f"{name} must be a number, not {text!r}.") from error
    if not ratio.is_finite() or not least <= ratio <= most or ratio != round(ratio, 8):
        raise Refused(
            f"{name} must be between {least} and {most} with at most 8 decimals, not {text}."
        )
    return Ratio(ratio)


def _require_balance(asked: WhatIf) -> None:
    """Refuse a mode that rests on what nobody knows of the leader, instead of skipping all."""
    if asked.leader_balance is not None:
        return
    fills, modes = asked.past.fills, {spec.mode for spec in asked.follows}
    without_balance = CopyMode.PROPORTIONAL in modes and not any(
        fill.available_after is not None for fill in fills
    )
    without_equity = CopyMode.EQUITY_RATIO in modes and not any(
        asked.past.equity_at(fill) is not None for fill in fills
    )
    if without_balance or without_equity:
        mode = CopyMode.PROPORTIONAL if without_balance else CopyMode.EQUITY_RATIO
        raise Refused(
            f"The mode {mode} rests on what the leader has, which no stored row tells: "
            "give --leader-balance."
        )
