"""Parameters of requests: what an endpoint takes, and which error answers what is wrong with them.

On the wire every value is a text. The order of the checks is the venue's: what is missing, what is
empty, what is unreadable, what is not known.
"""

from typing import Literal

import msgspec

from simexchange.server.amounts import is_decimal
from simexchange.server.binance import errors
from simexchange.server.binance.errors import Code, WireError

_WHOLE = "^[0-9]{1,20}$"
_DECIMAL = "^([0-9]{1,20})(\\.[0-9]{1,20})?$"
_INVALID: dict[str, Code] = {
    "side": errors.BAD_SIDE,
    "timeInForce": errors.BAD_TIME_IN_FORCE,
    "positionSide": errors.BAD_POSITION_SIDE,
    "reduceOnly": errors.BAD_REDUCE_ONLY,
    "newOrderRespType": errors.BAD_RESPONSE_TYPE,
    "selfTradePreventionMode": errors.BAD_PREVENTION,
    "priceMatch": errors.BAD_PRICE_MATCH,
}


WireFlag = Literal["true", "false"]


class Params(msgspec.Struct, frozen=True, rename="camel"):
    """Base of all parameters; on the wire names are in camel case."""


class Nothing(Params, frozen=True):
    """An endpoint without parameters."""


class Reader:
    """Reads the parameters of one endpoint; what it does not know is refused."""

    __slots__ = ("_fields", "_flags", "_names", "_refuses_unknown", "_type")

    def __init__(self, params: type[Params], *, refuses_unknown: bool) -> None:
        self._type = params
        self._fields = msgspec.structs.fields(params)
        self._names = frozenset(field.encode_name for field in self._fields)
        self._flags = tuple(
            field.encode_name for field in self._fields if field.type in (WireFlag, WireFlag | None)
        )
        self._refuses_unknown = refuses_unknown

    def read(self, values: dict[str, str]) -> Params:
        """Return the parameters; WireError says what is wrong with them."""
        if "" in values.values():
            values = self._without_empty(values)
        for name in self._flags:  # the venue takes them in capitals too, as Python writes them
            if name in values:
                values[name] = values[name].lower()
        try:
            read = msgspec.convert(values, self._type, strict=False)
        except msgspec.ValidationError as error:
            raise self._diagnosis(values) from error
        if self._refuses_unknown and not self._names.issuperset(values):
            unread = [name for name in values if name not in self._names]
            raise WireError(
                errors.UNREAD,
                f"Not all sent parameters were read; read '{len(values) - len(unread)}' "
                f"parameter(s) but was sent '{len(values)}'. (not read: {', '.join(unread)})",
            )
        return read

    def _without_empty(self, values: dict[str, str]) -> dict[str, str]:
        """Return what was sent with a value; strictly, an empty text is an error."""
        empty = [name for name, text in values.items() if not text]
        mandatory = {field.encode_name for field in self._fields if field.required}
        for name in empty:
            if name in mandatory:
                raise missing(name)
            if self._refuses_unknown and name in self._names:
                raise WireError(errors.EMPTY, f"Parameter '{name}' was empty.")
        return {name: text for name, text in values.items() if text}

    def _diagnosis(self, values: dict[str, str]) -> WireError:
        """Return the error of the first field that could not be read."""
        for field in self._fields:
            if field.required and field.encode_name not in values:
                return missing(field.encode_name)
        for field in self._fields:
            name = field.encode_name
            if name not in values:
                continue
            try:
                msgspec.convert(values[name], field.type, strict=False)
            except msgspec.ValidationError:
                return _unreadable(name, is_whole=field.type in (int, int | None))
        raise AssertionError(f"{self._type} could not be read, and each of its fields can")


def missing(name: str) -> WireError:
    """Return the error of a parameter that is mandatory, by itself or beside the others."""
    return WireError(
        errors.MANDATORY,
        f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
    )


def _unreadable(name: str, *, is_whole: bool) -> WireError:
    if is_whole:
        return _illegal(name, _WHOLE)
    code = _INVALID.get(name)
    return invalid(name) if code is None else WireError(code)


def _illegal(name: str, legal: str) -> WireError:
    return WireError(
        errors.ILLEGAL,
        f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.",
    )


def invalid(name: str) -> WireError:
    """Return the error of a value that is readable and not among those that are allowed."""
    return WireError(errors.INVALID_DATA, f"Data sent for parameter '{name}' is not valid.")


def not_required(name: str) -> WireError:
    return WireError(errors.NOT_REQUIRED, f"Parameter '{name}' sent when not required.")


def decimal(name: str, text: str) -> str:
    """Return ``text`` if it is a plain decimal number."""
    if not is_decimal(text):
        raise _illegal(name, _DECIMAL)
    return text


def at_most(limit: int, most: int) -> int:
    """Return how many rows are asked for, between one and ``most``."""
    if not 1 <= limit <= most:
        raise invalid("limit")
    return limit


def between_us(start_ms: int | None, end_ms: int | None) -> tuple[int, int]:
    """Return a span of time in microseconds, both ends included, open where nothing is said."""
    if start_ms is not None and end_ms is not None and start_ms > end_ms:
        raise WireError(errors.START_AFTER_END)
    start = -1 if start_ms is None else start_ms * 1_000
    return start, 2**62 if end_ms is None else end_ms * 1_000 + 999
