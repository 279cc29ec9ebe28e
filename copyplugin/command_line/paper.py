"""`copyplugin paper`: following with play money, from the command line (B6)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from copyplugin.command_line.base import DATABASE, NUMBER, BadInput, opened, print_table
from copyplugin.command_line.halts import BY
from copyplugin.command_line.operator_desk import written_down
from copyplugin.domain.actor import Role, actor_of
from copyplugin.domain.command import CommandKind, EndHow
from copyplugin.domain.identifiers import FollowId, LeaderId
from copyplugin.errors import Refused
from copyplugin.replay.follow_spec import FollowSpec, parse_follow
from copyplugin.store.follows import get_follow
from copyplugin.store.leaders import get_leader, symbols_of
from copyplugin.store.queries.paper import PaperLine, paper_lines

TITLES = (
    "follow",
    "follower",
    "leader",
    "state",
    "amount",
    "positions",
    "before share",
    "share",
    "after share",
)


@click.group("paper")
def paper_group() -> None:
    """Follow with play money: the same rules, prices, fees and share, and no order at the venue."""


@paper_group.command("start")
@DATABASE
@click.option(
    "--leader", "leader_id", type=NUMBER, required=True, metavar="N", help="Whom to follow."
)
@click.option("--follower", "follower_id", type=NUMBER, required=True, metavar="N", help="Who.")
@click.option(
    "--follow",
    "text",
    required=True,
    metavar="KEY=VALUE,…",
    help="The settings as for `what-if`, for example mode=fixed,amount=1000.",
)
@BY
def start_command(
    *, database_url: str | None, leader_id: int, follower_id: int, text: str, name: str
) -> None:
    """Start a follow with play money; `amount` is how much of it."""
    try:
        spec = parse_follow(text)
    except Refused as refusal:
        raise BadInput(refusal.sentence) from refusal
    with opened(database_url) as (database, settings):
        with database.read() as session:
            get_leader(session, LeaderId(leader_id))
            offered = sorted(symbols_of(session, LeaderId(leader_id)))
        given = _arguments(spec, offered) | {"leader_id": leader_id, "follower_id": follower_id}
        number = written_down(
            database,
            database_url or settings.database_url,
            CommandKind.START_PAPER_FOLLOW,
            given,
            actor=actor_of(Role.ADMINISTRATOR, name),
        )
    click.echo(f"Written down as command {number}: the engine does it with its next sweep.")


@paper_group.command("stop")
@DATABASE
@click.option("--follow", "follow_id", type=NUMBER, required=True, metavar="N", help="Its number.")
@click.option(
    "--how",
    type=click.Choice([how.value for how in EndHow]),
    default=EndHow.CLOSE_NOW.value,
    show_default=True,
    help="What becomes of what is open.",
)
@BY
def stop_command(*, database_url: str | None, follow_id: int, how: str, name: str) -> None:
    """End a follow with play money."""
    with opened(database_url) as (database, settings):
        with database.read() as session:
            is_paper = get_follow(session, FollowId(follow_id)).paper
        if not is_paper:
            raise BadInput(f"Follow {follow_id} is with real money: end it on its own pages.")
        number = written_down(
            database,
            database_url or settings.database_url,
            CommandKind.END_FOLLOW,
            {"follow_id": follow_id, "how": how},
            actor=actor_of(Role.ADMINISTRATOR, name),
        )
    click.echo(f"Written down as command {number}: the engine does it with its next sweep.")


@paper_group.command("list")
@DATABASE
@click.option("--json", "as_json", is_flag=True, help="As a JSON array; amounts are text.")
def list_command(*, database_url: str | None, as_json: bool) -> None:
    """List the follows with play money, newest first, with their results at the marks."""
    with opened(database_url) as (database, _), database.read() as session:
        lines = paper_lines(session)
    if as_json:
        click.echo(json.dumps([_fields(line) for line in lines], indent=2, ensure_ascii=False))
    elif not lines:
        click.echo("Nobody follows with play money.")
    else:
        print_table([TITLES, *(tuple(map(str, _fields(line).values())) for line in lines)])


def _arguments(spec: FollowSpec, offered: Sequence[str]) -> dict[str, Any]:
    given: dict[str, Any] = {
        "mode": spec.mode.value,
        "copy_amount": f"{spec.amount:f}",
        "instruments": sorted(spec.instruments or offered),
        **spec.terms,
    }
    if spec.bound is not None:
        given["price_protection"] = f"{spec.bound:f}"
    return given


def _fields(line: PaperLine) -> Mapping[str, object]:
    follow = line.follow
    return {
        "follow_id": follow.follow_id,
        "follower": line.follower_name,
        "leader": follow.leader_nickname,
        "state": follow.state.value,
        "copy_amount": f"{follow.copy_amount:f}",
        "positions": follow.positions_open + follow.positions_closed,
        "profit_before_share": f"{follow.profit:f}",
        "share": f"{follow.share:f}",
        "profit_after_share": f"{follow.profit_after_share:f}",
    }
