"""Every event can be expected and told in human units."""

from typing import get_args

import msgspec
import pytest

from simexchange.core.events import Event
from simexchange.core.types import RejectReason
from simexchange.scenario.event_match import OWN_WORDS, event_fields, pattern_of
from simexchange.scenario.reading import REJECT_REASONS
from simexchange.scenario.units import EVENT_TYPES, FIELD_UNITS, REJECTION_TYPES

EVENTS = get_args(Event)


@pytest.mark.parametrize("event_type", EVENTS)
def test_every_field_of_every_event_has_a_unit(event_type):
    missing = [
        field.name for field in msgspec.structs.fields(event_type) if field.name not in FIELD_UNITS
    ]

    assert not missing, f"{event_type.__name__}: say in scenario/units.py what {missing} count"


@pytest.mark.parametrize("event_type", EVENTS)
def test_no_event_has_a_field_that_a_pattern_uses_for_itself(event_type):
    assert not set(event_fields(event_type.__name__)) & set(OWN_WORDS)


def test_every_refusal_is_known_as_one():
    refusals = [name for name, event in EVENT_TYPES.items() if "message" in event.__struct_fields__]

    assert sorted(refusals) == sorted([*REJECTION_TYPES, "PlanOrderFailed"])


def test_every_reason_for_a_rejection_can_be_expected():
    assert set(REJECT_REASONS.values()) == set(RejectReason)


def test_a_pattern_refuses_what_an_event_does_not_have():
    with pytest.raises(ValueError, match="Filled has no prize; did you mean price"):
        pattern_of("Filled", {"prize": 1})
    with pytest.raises(ValueError, match="there is no event Filed; did you mean Filled"):
        pattern_of("Filed", {})
