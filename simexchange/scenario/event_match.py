"""Whether something happened: a pattern of one kind of event and some of its fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from simexchange.core.events import Event
from simexchange.core.instrument import Instrument
from simexchange.scenario.amounts import Number
from simexchange.scenario.document import Value
from simexchange.scenario.expected import Expected, expected_number
from simexchange.scenario.fields import Fields, chosen, converted
from simexchange.scenario.model import Mismatch
from simexchange.scenario.names import Names
from simexchange.scenario.problem import suggestion
from simexchange.scenario.reading import Reading
from simexchange.scenario.units import (
    EVENT_TYPES,
    FIELD_UNITS,
    Unit,
    field_text,
    is_number,
    number_of,
)
from simexchange.scenario.world import World

OWN_WORDS = ("type", "times", "since")
"""Words of a pattern that are no fields; a test sees to it that no event has such a field."""

_SINCE = {"start": False, "last_action": True}


@dataclass(frozen=True, slots=True)
class EventPattern:
    """Events of one type whose fields are as wanted.

    ``times``: how often it must have happened; None: at least once. ``is_recent``: only events of
    the latest action count.
    """

    type: str
    fields: dict[str, Expected | str]
    times: Expected | None = None
    is_recent: bool = False

    def __str__(self) -> str:
        fields = [
            f"{name}={want if isinstance(want, str) else want.text}"
            for name, want in self.fields.items()
        ]
        return " ".join([self.type, *fields])

    def matches(self, names: Names, event: Event) -> bool:
        return type(event).__name__ == self.type and all(
            _is_as_wanted(names, event, name, want) for name, want in self.fields.items()
        )

    def found(self, world: World) -> list[Event]:
        start = world.last_action_starts if self.is_recent else 0
        return [event for event in world.events[start:] if self.matches(world.names, event)]

    def check_happened(self, world: World) -> list[Mismatch]:
        count = len(self.found(world))
        if count if self.times is None else self.times.admits(count):
            return []
        expected = "at least once" if self.times is None else f"{self.times.text} times"
        return [Mismatch(f"event {self}", expected, f"{count} times{self._alike(world)}")]

    def check_did_not_happen(self, world: World) -> list[Mismatch]:
        found = self.found(world)
        if not found:
            return []
        return [Mismatch(f"event {self}", "not at all", world.wording.facts(found[0]))]

    def _alike(self, world: World) -> str:
        """Return the latest events of the same type, to see which field differs."""
        alike = [event for event in world.events if type(event).__name__ == self.type][-3:]
        if not alike:
            return f"; there was no {self.type} at all"
        return "".join(f"\n      there was {world.wording.facts(event)}" for event in alike)


def _is_as_wanted(names: Names, event: Any, name: str, want: Expected | str) -> bool:
    raw = getattr(event, name)
    if isinstance(want, str) or raw is None:
        return isinstance(want, str) and field_text(names, event, name) == want
    instrument: Instrument | None = names.instruments.get(getattr(event, "symbol", None) or "")
    return want.admits(number_of(FIELD_UNITS[name], raw, instrument))


def event_fields(event_type: str) -> tuple[str, ...]:
    fields = msgspec.structs.fields(EVENT_TYPES[event_type])
    return tuple(field.name for field in fields if field.name != "instrument")


def wanted_field(name: str, written: Number) -> Expected | str:
    """Return what ``written`` asks of an event's field, by the field's unit."""
    unit, text = FIELD_UNITS[name], str(written).strip()
    if not is_number(unit) or text == "none":
        return text
    return expected_number(written, name, is_rate=unit is Unit.RATE)


def pattern_of(
    event_type: str, fields: Mapping[str, Number], times: Number | None = None
) -> EventPattern:
    """Return the pattern that a test describes by keyword; a typo gets a suggestion."""
    if event_type not in EVENT_TYPES:
        raise ValueError(f"there is no event {event_type}; {suggestion(event_type, EVENT_TYPES)}")
    known = event_fields(event_type)
    for name in fields:
        if name not in known:
            raise ValueError(f"{event_type} has no {name}; {suggestion(name, known)}")
    return EventPattern(
        event_type,
        {name: wanted_field(name, written) for name, written in fields.items()},
        None if times is None else expected_number(times, "times"),
    )


class EventPatternReader:
    """Reads ``event`` and ``no_event`` of a scenario file."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def read(self, value: Value, what: str) -> EventPattern:
        every = [*OWN_WORDS, *FIELD_UNITS]
        loose = Fields(value, what, required=("type",), optional=every)
        event_type = chosen(loose.text("type"), "event", {name: name for name in EVENT_TYPES})
        known = event_fields(event_type)
        fields = Fields(value, event_type, required=("type",), optional=(*OWN_WORDS, *known))
        wanted = {
            name: self._wanted(fields, name)
            for name in fields.keys()  # noqa: SIM118 - Fields is no dict
            if name not in OWN_WORDS
        }
        times = fields.maybe("times", lambda text: expected_number(text, "times"))
        return EventPattern(
            event_type, wanted, times, fields.one_of("since", _SINCE, default=False)
        )

    def _wanted(self, fields: Fields, name: str) -> Expected | str:
        text = fields.text(name)
        if FIELD_UNITS[name] is Unit.ACCOUNT and text.text not in {"none", "the insurance fund"}:
            self._reading.account(fields, name)
        return converted(text, lambda written: wanted_field(name, written))
