"""What all events have in common."""

import msgspec


class ExchangeEvent(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """Base of all events; ``at`` is when it happened."""

    at: int
