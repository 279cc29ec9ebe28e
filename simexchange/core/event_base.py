"""What all events have in common."""

import msgspec

_LETTERS = {"OrderAccepted": "A", "Filled": "F", "OrderCancelled": "C"}
"""What the commonest events are called where they are encoded; the others go by their names."""


def _tag(name: str) -> str:
    return _LETTERS.get(name, name)


class ExchangeEvent(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=_tag):
    """Base of all events; ``at`` is when it happened."""

    at: int
