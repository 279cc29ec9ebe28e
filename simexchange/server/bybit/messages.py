"""What a client says on a WebSocket."""

from typing import Any

import msgspec


class Message(msgspec.Struct, frozen=True):
    """One message; ``req_id`` and ``reqId`` are two names for the client's own number."""

    op: str
    args: list[Any] = []
    req_id: str | int = ""
    request_id: str | int = msgspec.field(name="reqId", default="")
    header: dict[str, Any] = {}


def message_from(text: str) -> Message | None:
    """Read a message; None when it is none."""
    try:
        return msgspec.json.decode(text, type=Message, strict=False)
    except msgspec.MsgspecError:
        return None
