"""How requests are read: declared once per endpoint, checked strictly, refused with a sentence."""

import re
from decimal import Decimal
from typing import Any, Literal, cast
from urllib.parse import parse_qsl

import msgspec

from simexchange.core.types import PositionMode, PositionSide
from simexchange.server.bybit import errors
from simexchange.server.bybit.errors import WireError

Category = Literal["linear", "inverse", "spot", "option"]
Text = str | None
Flag = bool | None
Whole = int | None

_LOOSE = msgspec.json.Decoder(float_hook=Decimal)
_LINK_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")


class Params(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Base of all parameters. On the wire names are in camel case; empty texts mean none."""


class Nothing(Params, frozen=True):
    """An endpoint without parameters."""


_KNOWN_TO_BE_SENT = frozenset({"position_idx"})
"""Names that public clients send beside the right ones, and that the venue does not read."""


class Reader:
    """Reads the parameters of one endpoint.

    The venue ignores what a query has beside its parameters (clients send such), and takes
    numbers for decimal texts; an unknown name in a body is refused unless that is switched off.
    """

    __slots__ = ("_decoder", "_names", "_refuses_unknown", "_texts", "_type")

    def __init__(self, params: type[Params], *, refuses_unknown: bool) -> None:
        self._type = params
        self._decoder = msgspec.json.Decoder(params, strict=False)
        fields = msgspec.structs.fields(params)
        self._names = frozenset(field.encode_name for field in fields)
        self._texts = frozenset(f.encode_name for f in fields if f.type in (str, str | None))
        self._refuses_unknown = refuses_unknown

    def query(self, query: str) -> Params:
        """Read a query string; a parameter that comes twice is refused."""
        pairs = parse_qsl(query) if query else []
        values = {name: value for name, value in pairs if name in self._names}
        if sum(name in self._names for name, _ in pairs) != len(values):
            raise WireError(errors.PARAMETER, "Request parameter error: a parameter is repeated")
        return self._convert(values)

    def body(self, body: bytes) -> Params:
        """Read a JSON body."""
        body = body or b"{}"
        try:
            return self._decoder.decode(body)
        except msgspec.ValidationError:
            return self.mapping(_LOOSE.decode(body))  # empty texts, or numbers for texts
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise WireError(errors.PARAMETER, f"Request parameter error: {error}") from error

    def mapping(self, values: object) -> Params:
        """Read names and values."""
        if not isinstance(values, dict):
            raise WireError(errors.PARAMETER, "Request parameter error: an object is expected")
        named = cast("dict[str, object]", values)
        given = {
            name: self._as_text(name, value)
            for name, value in named.items()
            if value != "" and (name in self._names or self._is_refused(name))
        }
        return self._convert(given)

    def _is_refused(self, name: str) -> bool:
        """Say whether a name that is not known must not go unseen."""
        return self._refuses_unknown and name not in _KNOWN_TO_BE_SENT

    def _as_text(self, name: str, value: object) -> object:
        """Return a number as text where text is expected; a decimal keeps its digits."""
        if name not in self._texts or isinstance(value, bool):
            return value
        if isinstance(value, Decimal):
            return format(value, "f")
        return str(value) if isinstance(value, int) else value

    def _convert(self, values: dict[str, Any]) -> Params:
        try:
            return msgspec.convert(values, self._type, strict=False)
        except msgspec.ValidationError as error:
            raise WireError(errors.PARAMETER, f"Request parameter error: {error}") from error


def link_id(text: str | None) -> str | None:
    """Return a client order id that keeps the venue's rules, or None when there is none."""
    if not text:
        return None
    if _LINK_ID.fullmatch(text) is None:
        raise WireError(
            errors.PARAMETER,
            "Request parameter error: orderLinkId takes 1 to 36 letters, digits, - and _",
        )
    return text


def position_side(index: int | None, mode: PositionMode) -> PositionSide:
    """Return the position that ``positionIdx`` means in this position mode."""
    if mode is PositionMode.ONE_WAY:
        if index in (None, 0):
            return PositionSide.NET
    elif index == 1:
        return PositionSide.LONG
    elif index == 2:  # noqa: PLR2004 - the venue's number of the short leg
        return PositionSide.SHORT
    raise WireError(errors.IDX_MISMATCH)


def position_index(side: PositionSide) -> int:
    return {PositionSide.NET: 0, PositionSide.LONG: 1, PositionSide.SHORT: 2}[side]
