"""`copyplugin leader-centre`: a leader's overview, shares and followers (T2 to T5)."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime, tzinfo
from decimal import Decimal
from fractions import Fraction
from typing import Any

import click

from copyplugin.command_line.base import DATABASE, NUMBER, BadInput, opened, print_table
from copyplugin.domain.identifiers import LeaderId
from copyplugin.domain.statistics import shown
from copyplugin.store.database import Session
from copyplugin.store.queries.leader_centre import (
    FollowerList,
    Overview,
    ShareList,
    follower_list,
    overview,
    share_list,
)
from copyplugin.store.queries.leader_names import leader_name
from copyplugin.system_clock import SystemClock

PLACES = 2
MONEY_PLACES = 8
SHARES_SHOWN = 20


@click.command("leader-centre")
@DATABASE
@click.option("--leader", "leader_id", type=NUMBER, required=True, metavar="N", help="His number.")
@click.option("--json", "as_json", is_flag=True, help="One object, money in full.")
def leader_centre_command(*, database_url: str | None, leader_id: int, as_json: bool) -> None:
    """Print what a leader earns, his latest shares, and who follows him."""
    with opened(database_url) as (database, settings), database.read() as session:
        found = _centre(session, LeaderId(leader_id), SystemClock().now(), settings.zone)
    if as_json:
        click.echo(json.dumps(_json(*found), indent=1))
        return
    figures, shares, followers = found
    print_table([(name.replace("_", " "), _text(value)) for name, value in _named(figures)])
    _print_shares(shares)
    _print_followers(followers)


def _print_shares(shares: ShareList) -> None:
    click.echo(f"\nshares in all {shares.total:f}, of that in escrow {shares.held:f} USDT")
    rows = [("settled at", "follower", "of", "his part", "in escrow until")]
    for line in shares.lines:
        until = line.release_at if line.is_held else None
        rows.append(
            (
                f"{line.at:%Y-%m-%d %H:%M:%S}",
                line.follower_account,
                line.symbol or "the follow",
                f"{line.shown:f}",
                "" if until is None else f"{until:%Y-%m-%d %H:%M}",
            )
        )
    if shares.lines:
        print_table(rows)


def _print_followers(followers: FollowerList) -> None:
    click.echo(f"\nfollowers {followers.followers}, with {followers.amount:f} USDT in all")
    for line in followers.lines:
        estimated = shown(line.estimated_share, PLACES)
        click.echo(
            f"  {line.follower_name}: {line.state.value}, {line.copy_amount:f}, share {estimated}"
        )


def _centre(
    session: Session, leader_id: LeaderId, now: datetime, zone: tzinfo
) -> tuple[Overview, ShareList, FollowerList]:
    if leader_name(session, leader_id) is None:
        raise BadInput(f"There is no leader number {leader_id}.")
    return (
        overview(session, leader_id, now=now, zone=zone),
        share_list(session, leader_id, page=1, page_size=SHARES_SHOWN),
        follower_list(session, leader_id),
    )


def _named(value: Any) -> list[tuple[str, Any]]:
    return [(field.name, getattr(value, field.name)) for field in fields(value)]


def _text(value: object) -> str:
    if value is None:
        return "–"
    return str(shown(value, PLACES)) if isinstance(value, Decimal | Fraction) else str(value)


def _json(figures: Overview, shares: ShareList, followers: FollowerList) -> Mapping[str, Any]:
    return {
        "overview": {name: _plain(value) for name, value in _named(figures)},
        "shares": {
            "total": _plain(shares.total),
            "held": _plain(shares.held),
            "taken_back": _plain(shares.taken_back),
            "settled": shares.page.found,
            "latest": [
                {name: _plain(value) for name, value in _named(line)} for line in shares.lines
            ],
        },
        "followers": {
            "followers": followers.followers,
            "amount": _plain(followers.amount),
            "estimated_share": _plain(followers.estimated_share),
            "follows": [
                {name: _plain(value) for name, value in _named(line)} for line in followers.lines
            ],
        },
    }


def _plain(value: object) -> object:
    """Return a value of JSON: money as text, in full; a fraction with as many decimals as money."""
    if isinstance(value, Fraction):
        return f"{shown(value, MONEY_PLACES):f}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else value
