"""One request on its way: who asks, what an endpoint is, how parameters are read."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from simexchange.core.types import PositionMode, PositionSide
from simexchange.server.amounts import Grid
from simexchange.server.binance import errors
from simexchange.server.binance.errors import WireError
from simexchange.server.keys import ApiKey
from simexchange.server.records.account import AccountRecords
from simexchange.server.venue import Venue

PUBLIC, KEYED, READ, TRADE, TRANSFER = "public", "keyed", "read", "trade", "transfer"
SIGNED = frozenset({READ, TRADE, TRANSFER})
_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
SIDES_BY_NAME = {
    "BOTH": PositionSide.NET,
    "LONG": PositionSide.LONG,
    "SHORT": PositionSide.SHORT,
}
NAMES_BY_SIDE = {side: name for name, side in SIDES_BY_NAME.items()}


class Params(msgspec.Struct, frozen=True, rename="camel"):
    """Base of all parameters; on the wire names are in camel case."""


class Nothing(Params, frozen=True):
    """An endpoint without parameters."""


class Call:
    """A request that passed signature, permission and limits."""

    __slots__ = ("_key", "venue")

    def __init__(self, venue: Venue, key: ApiKey | None) -> None:
        self.venue = venue
        self._key = key

    @property
    def account(self) -> int:
        assert self._key is not None, "a private endpoint was reached without a key"
        return self._key.account

    @property
    def records(self) -> AccountRecords:
        return self.venue.records.of(self.account)

    @property
    def position_mode(self) -> PositionMode:
        return self.venue.exchange.account(self.account).position_mode

    def grid(self, symbol: str | None) -> Grid:
        found = self.venue.grid(symbol) if symbol else None
        if found is None:
            raise WireError(errors.INVALID_SYMBOL)
        return found

    def grids(self, symbol: str | None) -> list[Grid]:
        """Return one instrument's texts, or those of all."""
        if symbol:
            return [self.grid(symbol)]
        return [self.grid(instrument.symbol) for instrument in self.venue.exchange.instruments]


class Endpoint(NamedTuple):
    """One path. ``scope``: who may call it; ``weight``: what it takes of the address's limit."""

    method: str
    path: str
    params: type[Params]
    handler: Callable[[Call, Any], object]
    scope: str = PUBLIC
    weight: int = 1
    is_order: bool = False


class Reader:
    """Reads the parameters of one endpoint; what it does not know is refused."""

    __slots__ = ("_names", "_refuses_unknown", "_type")

    def __init__(self, params: type[Params], *, refuses_unknown: bool) -> None:
        self._type = params
        self._names = frozenset(field.encode_name for field in msgspec.structs.fields(params))
        self._refuses_unknown = refuses_unknown

    def read(self, values: dict[str, str]) -> Params:
        unread = [name for name in values if name not in self._names]
        if unread and self._refuses_unknown:
            read = len(values) - len(unread)
            raise WireError(
                errors.UNREAD,
                f"Not all sent parameters were read; read '{read}' parameter(s) but was sent "
                f"'{len(values)}': {', '.join(unread)}.",
            )
        given = {name: text for name, text in values.items() if text != ""}
        try:
            return msgspec.convert(given, self._type, strict=False)
        except msgspec.ValidationError as error:
            raise WireError(errors.MANDATORY, f"{errors.MANDATORY.message} ({error})") from error


def client_id(text: str | None) -> str | None:
    if not text:
        return None
    if _CLIENT_ID.fullmatch(text) is None:
        raise WireError(errors.CLIENT_ID)
    return text


def price_of(grid: Grid, text: str) -> int:
    try:
        ticks = grid.prices.count(text)
    except ValueError as error:
        raise WireError(errors.OFF_TICK, f"{errors.OFF_TICK.message} ({error})") from error
    if ticks < 1:
        raise WireError(errors.PRICE_TOO_LOW)
    return ticks


def contracts_of(grid: Grid, text: str) -> int:
    try:
        contracts = grid.quantities.count(text)
    except ValueError as error:
        raise WireError(errors.OFF_STEP, f"{errors.OFF_STEP.message} ({error})") from error
    if contracts % grid.instrument.contracts_step:
        raise WireError(errors.OFF_STEP)
    if contracts < 1:
        raise WireError(errors.QUANTITY_TOO_SMALL)
    return contracts


def position_side(name: str | None, mode: PositionMode) -> PositionSide:
    side = SIDES_BY_NAME[name or "BOTH"]
    if (side is PositionSide.NET) is not (mode is PositionMode.ONE_WAY):
        raise WireError(errors.SIDE_MISMATCH)
    return side
