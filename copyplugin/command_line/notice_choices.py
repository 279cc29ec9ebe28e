"""`copyplugin notice-choices`: what people are told and how, and changing it for the operators."""

from collections.abc import Iterator

import click

from copyplugin.command_line.base import DATABASE, NUMBER, BadInput, opened, print_table
from copyplugin.command_line.halts import BY
from copyplugin.command_line.operator_desk import written_down
from copyplugin.domain.actor import Role, actor_of
from copyplugin.domain.command import CommandKind
from copyplugin.domain.identifiers import FollowerId, LeaderId
from copyplugin.domain.notice import (
    TOLD_TO,
    Audience,
    Choice,
    NoticeKind,
    may_be_silenced,
    ways_to,
)
from copyplugin.engine.notice_commands import choice_from
from copyplugin.errors import Refused
from copyplugin.store.database import Session
from copyplugin.store.followers import get_follower
from copyplugin.store.leaders import get_leader
from copyplugin.store.notice_choices import silenced
from copyplugin.store.notices import OPERATORS


@click.command("notice-choices")
@DATABASE
@click.option("--follower", "follower_id", type=NUMBER, metavar="N", help="What he is told.")
@click.option("--leader", "leader_id", type=NUMBER, metavar="N", help="What he is told.")
@click.option(
    "--off", multiple=True, metavar="WAY:KIND", help="Tell operators no more, as email:job_behind."
)
@click.option("--on", multiple=True, metavar="WAY:KIND", help="Tell operators again.")
@BY
def notice_choices_command(
    *,
    database_url: str | None,
    follower_id: int | None,
    leader_id: int | None,
    off: tuple[str, ...],
    on: tuple[str, ...],
    name: str,
) -> None:
    """Print what operators are told by which ways, or switch single ones off and on again.

    Followers and leaders choose on their own page; what they chose can be printed.
    """
    if follower_id is not None and leader_id is not None:
        raise BadInput("Give a follower or a leader, not both.")
    if (off or on) and (follower_id is not None or leader_id is not None):
        raise BadInput(
            "Everybody chooses for himself, on his page of notices: leave --off and --on away."
        )
    with opened(database_url) as (database, settings):
        with database.read() as session:
            audience, number = _reader(session, follower_id, leader_id)
            before = silenced(session, audience, number)
        if not off and not on:
            print_table([("kind", *ways_to(audience)), *_rows(audience, before)])
            return
        wanted = (before | _choices(off)) - _choices(on)
        if both := _choices(off) & _choices(on):
            raise BadInput(f"{_word(min(both))} is switched both off and on: choose one.")
        command = written_down(
            database,
            database_url or settings.database_url,
            CommandKind.CHOOSE_NOTICES,
            {
                "audience": audience.value,
                "audience_id": number,
                "off": [_word(choice) for choice in sorted(wanted)],
            },
            actor=actor_of(Role.ADMINISTRATOR, name),
        )
    click.echo(f"Written down as command {command}: the engine does it with its next sweep.")


def _reader(
    session: Session, follower_id: int | None, leader_id: int | None
) -> tuple[Audience, int]:
    if follower_id is not None:
        return Audience.FOLLOWER, get_follower(session, FollowerId(follower_id)).id
    if leader_id is not None:
        return Audience.LEADER, get_leader(session, LeaderId(leader_id)).id
    return Audience.OPERATOR, OPERATORS


def _choices(texts: tuple[str, ...]) -> frozenset[Choice]:
    try:
        return frozenset(choice_from(text, Audience.OPERATOR) for text in texts)
    except Refused as refusal:
        raise BadInput(refusal.sentence) from refusal


def _rows(audience: Audience, off: frozenset[Choice]) -> Iterator[tuple[str, ...]]:
    for kind in NoticeKind:
        if kind not in TOLD_TO[audience]:
            continue
        words = [kind.value]
        for way in ways_to(audience):
            if not may_be_silenced(audience, kind, way):
                words.append("always")
            else:
                words.append("off" if Choice(kind, way) in off else "on")
        yield tuple(words)


def _word(choice: Choice) -> str:
    return f"{choice.way}:{choice.kind}"
