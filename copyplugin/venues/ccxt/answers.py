"""Answers of a venue as they were written: decimal numbers stay texts."""

from typing import Any

import msgspec

Row = dict[str, Any]
"""What the venue says, with its own names; amounts are texts."""

_decode = msgspec.json.Decoder(float_hook=str).decode


def exact_json(text: str) -> object:
    """Read JSON with decimal numbers as the texts they are; raises ValueError as ccxt expects."""
    try:
        return _decode(text)
    except msgspec.DecodeError as error:
        raise ValueError(str(error)) from error
