"""`copyplugin follow-settings`: what is set for a follow, and changing it while it runs."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import click

from copyplugin.command_line.base import DATABASE, NUMBER, BadInput, opened
from copyplugin.command_line.halts import BY
from copyplugin.command_line.operator_desk import written_down
from copyplugin.domain.actor import Role, actor_of
from copyplugin.domain.command import CommandKind
from copyplugin.domain.identifiers import FollowId
from copyplugin.store.follow_settings import CAPS, LIMITS, OF_A_RULE, changes_of, settings_of
from copyplugin.store.follows import get_follow

NOTHING = "none"
COUNTS = frozenset({"open_positions_max", "orders_per_day_max", "losing_positions"})
TRUTHS = {"true": True, "false": False}
OF_PROTECTION = ("take_profit", "stop_loss", *LIMITS, "trigger_by", "mirrors_margin")
NAMES = (*OF_A_RULE, *CAPS, "price_protection", *OF_PROTECTION)
OF_AN_INSTRUMENT = (
    *OF_A_RULE,
    *(name for name in CAPS if name not in {"total_value_max", *COUNTS}),
)


@click.command("follow-settings")
@DATABASE
@click.option("--follow", "follow_id", type=NUMBER, required=True, metavar="N", help="Its number.")
@BY
@click.option(
    "--set",
    "wishes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change one setting; `none` takes it away. A setting of one instrument is named "
    "INSTRUMENT.NAME. May be given many times; all of it is changed at once or nothing.",
)
def follow_settings_command(
    *, database_url: str | None, follow_id: int, name: str, wishes: tuple[str, ...]
) -> None:
    """Print the settings of a follow, or change some; ratios are parts: 0.05 is 5 %."""
    with opened(database_url) as (database, settings):
        with database.read() as session:
            follow = get_follow(session, FollowId(follow_id))
            given = settings_of(session, follow).arguments()
            seen = changes_of(session, follow.id)
        if not wishes:
            for line in _lines(given):
                click.echo(line)
            return
        number = written_down(
            database,
            database_url or settings.database_url,
            CommandKind.CHANGE_FOLLOW,
            _changed(given, wishes) | {"follow_id": follow_id, "changes_seen": seen},
            actor=actor_of(Role.ADMINISTRATOR, name),
        )
    click.echo(f"Written down as command {number}: the engine does it with its next sweep.")


def _lines(given: Mapping[str, Any]) -> Iterator[str]:
    for name in NAMES:
        yield f"{name}={_word(given.get(name))}"
    for symbol, terms in given.get("per_instrument", {}).items():
        for name, value in terms.items():
            yield f"{symbol}.{name}={_word(value)}"


def _word(value: object) -> str:
    if value is None:
        return NOTHING
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _changed(given: Mapping[str, Any], wishes: Iterable[str]) -> dict[str, Any]:
    """Return all settings with the wishes carried out; raises `BadInput` for an unknown name."""
    changed = dict(given)
    own = {symbol: dict(terms) for symbol, terms in given.get("per_instrument", {}).items()}
    for wish in wishes:
        path, is_given, text = wish.partition("=")
        symbol, _, name = path.rpartition(".")
        known = OF_AN_INSTRUMENT if symbol else NAMES
        if not is_given or name not in known:
            raise BadInput(f"{wish!r} sets nothing: write NAME=VALUE, of {', '.join(known)}.")
        _put(own.setdefault(symbol, {}) if symbol else changed, name, text)
    changed["per_instrument"] = own
    return {name: value for name, value in changed.items() if value not in (None, {})}


def _put(settings: dict[str, Any], name: str, text: str) -> None:
    if text == NOTHING:
        settings.pop(name, None)
        return
    settings[name] = _value(name, text)


def _value(name: str, text: str) -> str | int | bool:
    if name in COUNTS:
        if not (text.isascii() and text.isdecimal()):
            raise BadInput(f"{name} must be a whole number, not {text!r}.")
        return int(text)
    if name == "mirrors_margin":
        if text not in TRUTHS:
            raise BadInput(f"{name} must be true or false, not {text!r}.")
        return TRUTHS[text]
    return text
