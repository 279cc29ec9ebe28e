"""`copyplugin notices` and `notify-test`: what operators are told, and whether it gets out."""

import asyncio
import json
from collections.abc import Iterator

import click

from copyplugin.command_line.base import DATABASE, BadInput, opened, print_table
from copyplugin.domain.notice import Audience, Channel, Message, NoticeKind
from copyplugin.errors import ConfigurationError, DeliveryFailed
from copyplugin.notify.ways_out import ways_out
from copyplugin.ports import Notifier
from copyplugin.settings import load_settings
from copyplugin.store.notices import OPERATORS
from copyplugin.store.queries.notices import Notice, notice_list
from copyplugin.system_clock import SystemClock

SHOWN = 100
TEST_NUMBER = 0
"""No notice has it: whoever takes the message knows that it tells nothing."""


@click.command("notices")
@DATABASE
@click.option("--all", "also_over", is_flag=True, help="What is over or has happened, too.")
@click.option("--json", "as_json", is_flag=True, help="As a JSON array.")
@click.pass_context
def notices_command(
    context: click.Context, *, database_url: str | None, also_over: bool, as_json: bool
) -> None:
    """Print what operators are told, the latest first; exit code 1 while something urgent lasts."""
    with opened(database_url) as (database, _), database.read() as session:
        every = notice_list(session, Audience.OPERATOR, OPERATORS, page=1, page_size=SHOWN).notices
    found = [notice for notice in every if also_over or notice.over_at is None]
    if as_json:
        click.echo(json.dumps([_fields(notice) for notice in found], indent=1))
    elif found:
        print_table([("since", "what", "state", "in words", "sent by"), *_rows(found)])
    else:
        click.echo("There is nothing to tell.")
    if any(notice.kind.is_urgent and notice.over_at is None for notice in found):
        context.exit(1)


@click.command("notify-test")
@click.pass_context
def notify_test_command(context: click.Context) -> None:
    """Send one message by every way out that the settings name, and say whether it was taken."""
    try:
        settings = load_settings()
    except ConfigurationError as error:
        raise BadInput(str(error)) from error
    clock = SystemClock()
    ways = ways_out(settings, clock)
    if not ways:
        raise BadInput("No way out is set: see COPYPLUGIN_WEBHOOK_URL and COPYPLUGIN_SMTP_HOST.")
    message = Message(
        number=TEST_NUMBER,
        kind=NoticeKind.JOB_BEHIND,
        audience=Audience.OPERATOR,
        account=None,
        follow_id=None,
        sentence="This is a test: nothing is behind.",
        raised_at=clock.now(),
    )
    taken = [asyncio.run(_is_taken(channel, way, message)) for channel, way in ways.items()]
    if not all(taken):
        context.exit(1)


async def _is_taken(channel: Channel, way: Notifier, message: Message) -> bool:
    try:
        await way.send(message)
    except DeliveryFailed as failure:
        click.echo(f"{channel.value}: {failure}", err=True)
        return False
    click.echo(f"{channel.value}: taken")
    return True


def _rows(found: list[Notice]) -> Iterator[tuple[str, ...]]:
    for notice in found:
        yield (
            f"{notice.raised_at:%Y-%m-%d %H:%M:%S}",
            notice.kind.value.replace("_", " "),
            _state(notice),
            notice.sentence,
            ", ".join(f"{way.channel.value} {way.state.value}" for way in notice.deliveries) or "–",
        )


def _state(notice: Notice) -> str:
    if notice.over_at is None:
        return "lasts"
    return "happened" if notice.is_event else f"over {notice.over_at:%Y-%m-%d %H:%M:%S}"


def _fields(notice: Notice) -> dict[str, object]:
    return {
        "number": notice.number,
        "kind": notice.kind.value,
        "is_urgent": notice.kind.is_urgent,
        "sentence": notice.sentence,
        "follow_id": notice.follow_id,
        "raised_at": notice.raised_at.isoformat(),
        "over_at": None if notice.over_at is None else notice.over_at.isoformat(),
        "deliveries": [
            {
                "channel": way.channel.value,
                "state": way.state.value,
                "attempts": way.attempts,
                "last_error": way.last_error,
            }
            for way in notice.deliveries
        ],
    }
