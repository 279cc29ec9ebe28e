"""`copyplugin replay`: what following recorded leaders would have come to."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.money import Money, Ratio
from copyplugin.domain.open_size import ASKS_FOR_BALANCE
from copyplugin.errors import Refused
from copyplugin.replay.follow_spec import TERMS, FollowSpec, parse_follow
from copyplugin.replay.report import Report, report_on
from copyplugin.replay.stage import Plot, Stage
from copyplugin.replay.text import as_json, as_lines
from copyplugin.venues.recorded import Assumptions, RecordedFills, read_record

FEES = {"on": (Decimal("0.0002"), Decimal("0.0005")), "off": (Decimal(0), Decimal(0))}
DEFAULT_FOLLOW = "mode=fixed,amount=1000"
STANDARD_OUTPUT = "-"


class BadInput(click.ClickException):
    """What was given cannot be used; the sentence says what to change."""

    exit_code = 2


@click.command("replay")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--leader", "leaders", multiple=True, metavar="ID", help="Whom to follow: all if none."
)
@click.option(
    "--follow",
    "follow_texts",
    multiple=True,
    metavar="KEY=VALUE,…",
    help=f"A follow of each leader: mode={'|'.join(CopyMode)}, amount=USDT; also bound=RATIO, "
    f"instruments=A+B and {', '.join(TERMS)}.  [default: {DEFAULT_FOLLOW}]",
)
@click.option("--leader-balance", metavar="USDT", help="What each leader had at the beginning.")
@click.option("--leverage", type=int, metavar="N", help="The leaders' leverage.")
@click.option("--fees", type=click.Choice(["on", "off"]), default="on", show_default=True)
@click.option("--share", default="0.10", show_default=True, help="The leaders' share of profit.")
@click.option(
    "--json", "json_target", metavar="FILE", help="Write the report as JSON (- : stdout)."
)
@click.pass_context
def replay_command(  # noqa: PLR0913 - click passes one argument per option
    context: click.Context,
    *,
    file: Path,
    leaders: tuple[str, ...],
    follow_texts: tuple[str, ...],
    leader_balance: str | None,
    leverage: int | None,
    fees: str,
    share: str,
    json_target: str | None,
) -> None:
    """Let recorded leaders trade on the simulated exchange and copy them with the real engine.

    FILE is a CSV of fills as `simexchange replay-fills` reads it, or a JSON file of round trips.
    The leaders trade the recorded sizes at the recorded prices; each follower is offered the same
    levels after them. What the record does not tell is assumed, and printed. Proportional mode
    needs --leader-balance and --leverage, the equity ratio --leader-balance.

    Exit code 0: everything adds up; 1: something does not; 2: the input cannot be used.
    """
    try:
        check_target(json_target)
        record = read_record(file)
        specs = [parse_follow(text) for text in follow_texts or (DEFAULT_FOLLOW,)]
        maker_fee, taker_fee = FEES[fees]
        balance = (
            None if leader_balance is None else amount_from("--leader-balance", leader_balance)
        )
        _require_assumptions(specs, balance, leverage)
        plot = Plot(
            record=record,
            leaders=_chosen(record, leaders),
            follows=specs,
            assumptions=Assumptions(
                leader_balance=balance,
                leverage=leverage,
                maker_fee=maker_fee,
                taker_fee=taker_fee,
            ),
            share_ratio=Ratio(amount_from("--share", share)),
        )
        report = asyncio.run(_run(plot))
    except Refused as refusal:
        raise BadInput(refusal.sentence) from refusal
    print_report(json_target, as_json(plot, report), as_lines(plot, report))
    context.exit(1 if report.faults else 0)


async def _run(plot: Plot) -> Report:
    stage = Stage(plot)
    try:
        await stage.play()
        return await report_on(stage)
    finally:
        stage.close()


def _chosen(record: RecordedFills, leaders: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in leaders if name not in record.leaders]
    if unknown:
        known = ", ".join(record.leaders)
        raise Refused(f"The record has no leader {unknown[0]}; it has {known}.")
    return tuple(dict.fromkeys(leaders)) or record.leaders


def _require_assumptions(
    specs: list[FollowSpec], balance: Money | None, leverage: int | None
) -> None:
    modes = {spec.mode for spec in specs}
    needed: dict[str, object] = {"--leader-balance": balance} if modes & ASKS_FOR_BALANCE else {}
    if CopyMode.PROPORTIONAL in modes:
        needed["--leverage"] = leverage
    missing = [name for name, value in needed.items() if value is None]
    if missing:
        mode = "Proportional" if CopyMode.PROPORTIONAL in modes else "Equity-ratio"
        raise Refused(
            f"{mode} mode rests on what the leader has, which the record does not tell: "
            f"give {' and '.join(missing)}."
        )


def amount_from(name: str, text: str) -> Money:
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise Refused(f"{name} must be a number, not {text!r}.") from error
    if not value.is_finite() or value <= 0 or value != round(value, 8):
        raise Refused(f"{name} must be above 0 with at most 8 decimals, not {text}.")
    return Money(value)


def print_report(target: str | None, figures: Mapping[str, Any], lines: Iterable[str]) -> None:
    """Write the figures as JSON where they are wanted, and the lines unless that is stdout."""
    if target is not None:
        text = json.dumps(figures, indent=2, ensure_ascii=False)
        if target == STANDARD_OUTPUT:
            click.echo(text)
            return
        Path(target).write_text(text + "\n", encoding="utf-8")
    for line in lines:
        click.echo(line)


def check_target(target: str | None) -> None:
    if target is None or target == STANDARD_OUTPUT:
        return
    path = Path(target)
    if path.is_dir() or not path.parent.is_dir():
        raise Refused(f"{path} cannot be written: name a file in a folder that exists.")
