"""The section ``faults`` of a scenario, or a file of its own, as a fault plan."""

from collections.abc import Callable
from typing import TypeVar

from simexchange.core.types import RATE_SCALE
from simexchange.faults import ALWAYS, Fault, FaultPlan, FaultRule
from simexchange.scenario.amounts import contracts_of, duration_us, moment_us, rate_of, whole_of
from simexchange.scenario.document import Items, Text, Value
from simexchange.scenario.fields import (
    Fields,
    chosen,
    converted,
    entries_of,
    gathered,
    items_of,
    text_of,
)
from simexchange.scenario.problem import refuse
from simexchange.scenario.reading import Reading

_T = TypeVar("_T")

_FAULTS = {fault.value: fault for fault in Fault}
_OF_ACCOUNTS = {Fault.REJECT_ORDERS, Fault.REJECT_PLANS, Fault.FAIL_PLANS, Fault.PARTIAL_FILLS}


def fault_plan(reading: Reading, value: Value, seed: int) -> FaultPlan:
    """Read ``faults``: a list of rules, or a mapping with a seed of its own and the rules."""
    if isinstance(value, Items):
        rules = value
    else:
        fields = Fields(value, "faults", required=("rules",), optional=("seed",))
        seed = fields.get("seed", lambda written: whole_of(written, "seed"), seed)
        rules = items_of(fields.value("rules"), "rules")
    return FaultPlan(
        seed=seed,
        rules=tuple(gathered([lambda item=item: _rule(reading, item) for item in rules.items])),
    )


def _rule(reading: Reading, value: Value) -> FaultRule:
    entries = entries_of(value, "a fault")
    if len(entries.entries) != 1:
        raise refuse(entries.place, "a fault is one word with its mapping; begin another dash")
    ((word, detail),) = entries.entries.items()
    place = entries.key_places[word]
    fault = chosen(Text(place, word), "fault", _FAULTS)
    optional = ["chance", "at_most", "symbols", "since", "until"]
    optional += ["accounts"] if fault in _OF_ACCOUNTS else []
    required = {Fault.LATE_MARKS: ["delay"], Fault.JUMPING_MARKS: ["jump"]}.get(fault, [])
    fields = Fields(detail, word, required=required, optional=optional)
    return converted(
        Text(place, word),
        lambda _: FaultRule(
            fault=fault,
            chance=fields.get("chance", _chance_of, ALWAYS),
            at_most=fields.maybe("at_most", contracts_of),
            accounts=_listed(fields, "accounts", reading.names.account),
            symbols=_listed(fields, "symbols", lambda name: reading.names.instrument(name).symbol),
            since=fields.maybe("since", lambda text: moment_us(text, reading.now)),
            until=fields.maybe("until", lambda text: moment_us(text, reading.now)),
            delay_us=fields.get("delay", duration_us, 0),
            jump=fields.get("jump", rate_of, 0),
        ),
    )


def _chance_of(text: str) -> int:
    chance = rate_of(text, "chance")
    if not 0 <= chance <= RATE_SCALE:
        raise ValueError(f"chance is between 0% and 100%, not {text}")
    return chance


def _listed(fields: Fields, key: str, conversion: Callable[[str], _T]) -> tuple[_T, ...] | None:
    """Return the converted items of a list, or None where the key is left out."""
    if key not in fields:
        return None
    items = items_of(fields.value(key), key)
    return tuple(converted(text_of(item, key), conversion) for item in items.items)
