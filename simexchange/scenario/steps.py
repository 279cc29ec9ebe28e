"""Reads one step: one verb with its mapping, and what may stand beside it."""

from simexchange.scenario.actions import ACTIONS
from simexchange.scenario.amounts import (
    duration_text,
    duration_us,
    later,
    moment_text,
    moment_us,
)
from simexchange.scenario.document import Entries, Items, Text, Value
from simexchange.scenario.expectations import expectation
from simexchange.scenario.fields import chosen, converted, entries_of, gathered, text_of
from simexchange.scenario.model import Act, Check, Expectation, Market, Move, Step, Switch
from simexchange.scenario.problem import Place, refuse, suggestion
from simexchange.scenario.reading import REJECT_REASONS, Reading

OTHER_VERBS = ("advance", "at", "run_market", "faults", "expect")
REJECTED = "rejected"
STRIDE = "in_steps_of"


def read_step(reading: Reading, value: Value) -> Step:
    """Return one step; ``reading`` learns the names it gives and the time it takes."""
    entries = entries_of(value, "a step")
    verbs = [key for key in entries.entries if key not in {REJECTED, STRIDE}]
    if len(verbs) != 1:
        meant = " and ".join(verbs) or "none"
        raise refuse(entries.place, f"a step has one verb, this has {meant}; begin another dash")
    verb = verbs[0]
    place, what = entries.key_places[verb], entries.entries[verb]
    known = (*ACTIONS, *OTHER_VERBS)
    if verb not in known:
        raise refuse(place, f"there is no action {verb}; {suggestion(verb, known)}")
    _refuse_beside(entries, verb)
    if verb in ACTIONS:
        return _act(reading, entries, verb)
    if verb == "expect":
        return Check(place, tuple(_expectations(reading, what)))
    if verb == "faults":
        return _switch(reading, text_of(what, verb))
    if verb == "run_market":
        return _run_market(reading, text_of(what, verb))
    return _move(reading, entries, verb)


def _refuse_beside(entries: Entries, verb: str) -> None:
    if REJECTED in entries.entries and (verb not in ACTIONS or verb == "note"):
        raise refuse(entries.key_places[REJECTED], f"{verb} cannot be rejected")
    if STRIDE in entries.entries and verb not in {"advance", "at"}:
        raise refuse(entries.key_places[STRIDE], f"{STRIDE} belongs to advance and at")


def _act(reading: Reading, entries: Entries, verb: str) -> Act:
    value = entries.entries[verb]
    rejected = None
    if REJECTED in entries.entries:
        text = text_of(entries.entries[REJECTED], REJECTED)
        rejected = chosen(text, "reason for a rejection", REJECT_REASONS)
    commands = ACTIONS[verb](reading, value)
    return Act(entries.key_places[verb], f"{verb} {written(value)}", commands, rejected)


def _move(reading: Reading, entries: Entries, verb: str) -> Move:
    text = text_of(entries.entries[verb], verb)
    stride = None
    if STRIDE in entries.entries:
        stride = converted(text_of(entries.entries[STRIDE], STRIDE), duration_us)
        if stride == 0:
            raise refuse(text.place, f"{STRIDE} must be longer than nothing")
    if verb == "advance":
        reading.now = converted(text, lambda lasting: later(reading.now, duration_us(lasting)))
        told = f"advance {text.text} to {moment_text(reading.now)}"
        return Move(text.place, told, reading.now, stride)
    at = converted(text, lambda moment: moment_us(moment, reading.now))
    if at < reading.now:
        raise refuse(
            text.place, f"it is {moment_text(reading.now)} by then, and time does not go back"
        )
    reading.now = at
    return Move(text.place, f"at {moment_text(at)}", at, stride)


def _run_market(reading: Reading, text: Text) -> Market:
    if not reading.market_symbols:
        raise refuse(text.place, "run_market needs the section market")
    lasting = converted(text, duration_us)
    reading.now = converted(text, lambda _: later(reading.now, lasting))
    told = f"run_market {duration_text(lasting)} to {moment_text(reading.now)}"
    return Market(text.place, told, reading.now)


def _switch(reading: Reading, text: Text) -> Switch:
    is_on = chosen(text, "state of the faults", {"on": True, "off": False})
    if not reading.has_fault_plan:
        raise refuse(text.place, "there is no section faults to switch on or off")
    return Switch(text.place, f"faults {text.text}", is_on)


def _expectations(reading: Reading, value: Value) -> list[Expectation]:
    """Read one mapping of expectations, or a list of such mappings."""
    mappings = value.items if isinstance(value, Items) else (value,)
    pairs: list[tuple[Place, str, Value]] = []
    for mapping in mappings:
        entries = entries_of(mapping, "an expectation")
        pairs += [(entries.key_places[key], key, item) for key, item in entries.entries.items()]
    if not pairs:
        raise refuse(value.place, "expect says nothing; say for example ledger: balanced")

    def reader(place: Place, kind: str, item: Value) -> Expectation:
        return expectation(reading, Text(place, kind), item)

    return gathered([lambda pair=pair: reader(*pair) for pair in pairs])


def written(value: Value) -> str:
    """Return a value as it would stand on one line."""
    if isinstance(value, Text):
        return value.text
    if isinstance(value, Items):
        return "[" + ", ".join(map(written, value.items)) + "]"
    return ", ".join(f"{key} {written(item)}" for key, item in value.entries.items())
