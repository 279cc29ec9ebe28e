"""How requests are read: declared once per endpoint, checked strictly, refused with a sentence."""

import re
from typing import Any, Literal, TypeVar
from urllib.parse import parse_qsl

import msgspec

from simexchange.core.types import PositionMode, PositionSide
from simexchange.server.bybit import errors
from simexchange.server.bybit.errors import WireError

Category = Literal["linear", "inverse", "spot", "option"]
Text = str | None
Flag = bool | None
Whole = int | None

P = TypeVar("P", bound=msgspec.Struct)
_LINK_ID = re.compile(r"[A-Za-z0-9_-]{1,36}")


class Params(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Base of all parameters. On the wire names are in camel case; empty texts mean none."""


class Nothing(Params, frozen=True):
    """An endpoint without parameters."""


class Reader:
    """Reads the parameters of one endpoint."""

    __slots__ = ("_decoder", "_names", "_refuses_unknown", "_type")

    def __init__(self, params: type[Params], *, refuses_unknown: bool) -> None:
        self._type = params
        self._decoder = msgspec.json.Decoder(params, strict=False)
        self._names = frozenset(params.__struct_encode_fields__)
        self._refuses_unknown = refuses_unknown

    def query(self, query: str) -> Params:
        """Read a query string."""
        pairs = parse_qsl(query, keep_blank_values=False, encoding="utf-8") if query else []
        values = dict(pairs)
        if len(values) != len(pairs):
            raise WireError(errors.PARAMETER, "Request parameter error: a parameter is repeated")
        return self.mapping(values)

    def body(self, body: bytes) -> Params:
        """Read a JSON body."""
        try:
            return self._decoder.decode(body or b"{}")
        except msgspec.ValidationError:
            # text where none was given is no value; decided apart because it is rare
            return self.mapping(msgspec.json.decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise WireError(errors.PARAMETER, f"Request parameter error: {error}") from error

    def mapping(self, values: Any) -> Params:
        """Read names and values."""
        if isinstance(values, dict):
            given: dict[str, Any] = {name: value for name, value in values.items() if value != ""}
            if not self._refuses_unknown:
                given = {name: value for name, value in given.items() if name in self._names}
            values = given
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
