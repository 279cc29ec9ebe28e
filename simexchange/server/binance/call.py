"""One request on its way: who asks, what an endpoint is, and the texts of prices and sizes."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from simexchange.core.events import Event
from simexchange.core.types import PositionMode, PositionSide, RejectReason
from simexchange.server.amounts import Grid, money_from
from simexchange.server.binance import errors
from simexchange.server.binance.errors import WireError, refusal_error
from simexchange.server.binance.parameters import Params, decimal
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


class Call:
    """A request that passed signature, permission and limits."""

    __slots__ = ("_key", "venue")

    def __init__(self, venue: Venue, key: ApiKey | None) -> None:
        self.venue = venue
        self._key = key

    @property
    def key(self) -> ApiKey:
        assert self._key is not None, "a private endpoint was reached without a key"
        return self._key

    @property
    def account(self) -> int:
        return self.key.account

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


Weight = int | Callable[[dict[str, str]], int]
"""What a request takes of its address's limit; some ask for more when they ask for more."""


class Endpoint(NamedTuple):
    """One path. ``scope``: who may call it; ``orders``: what it takes of the account's limits.

    ``orders`` are counts of orders in ten seconds and in a minute.
    """

    method: str
    path: str
    params: type[Params]
    handler: Callable[[Call, Any], object]
    scope: str = PUBLIC
    weight: Weight = 1
    orders: tuple[int, int] = (0, 0)

    def weight_of(self, values: dict[str, str]) -> int:
        return self.weight if isinstance(self.weight, int) else self.weight(values)


def by_symbol(one: int, every: int) -> Callable[[dict[str, str]], int]:
    """Return the weight of a question about one instrument, or about all of them."""
    return lambda values: one if values.get("symbol") else every


def by_limit(
    default: int, steps: tuple[tuple[int, int], ...], most: int
) -> Callable[[dict[str, str]], int]:
    """Return a weight that grows with ``limit``: ``steps`` are (below which limit, weight)."""

    def weight(values: dict[str, str]) -> int:
        text = values.get("limit", "")
        limit = int(text) if text.isdecimal() else default
        return next((units for below, units in steps if limit < below), most)

    return weight


def client_id(text: str | None) -> str | None:
    if not text:
        return None
    if _CLIENT_ID.fullmatch(text) is None:
        raise WireError(errors.CLIENT_ID)
    return text


def price_of(grid: Grid, text: str, name: str = "price") -> int:
    """Return a price in ticks."""
    _check_places(decimal(name, text), grid.prices.places)
    try:
        ticks = grid.prices.count(text)
    except ValueError as error:
        raise WireError(errors.OFF_TICK, f"{errors.OFF_TICK.message} ({error})") from error
    if ticks < 1:
        raise WireError(errors.PRICE_TOO_LOW)
    return ticks


def contracts_of(grid: Grid, text: str) -> int:
    """Return a quantity, which is in the base asset, in contracts."""
    _check_places(decimal("quantity", text), grid.quantities.places)
    try:
        contracts = grid.quantities.count(text)
    except ValueError as error:
        raise WireError(errors.OFF_STEP, f"{errors.OFF_STEP.message} ({error})") from error
    if contracts < 1:
        raise WireError(errors.QUANTITY_TOO_SMALL)
    if contracts % grid.instrument.contracts_step:
        raise WireError(errors.OFF_STEP)
    return contracts


def _check_places(text: str, places: int) -> None:
    if len(text.partition(".")[2].rstrip("0")) > places:
        raise WireError(errors.TOO_PRECISE)


def money_of(text: str, name: str = "amount") -> int:
    """Return a decimal text as money."""
    try:
        return money_from(decimal(name, text))
    except ValueError as error:
        raise WireError(errors.TOO_PRECISE) from error


def check(call: Call, events: list[Event], codes: dict[RejectReason, errors.Code]) -> None:
    """Raise the error of a refusal among the events, if there is one; ``codes`` go first."""
    refusal = call.venue.refusal(events)
    if refusal is None:
        return
    code = codes.get(refusal.reason)
    if code is None:
        raise refusal_error(refusal.reason, refusal.message)
    raise WireError(code)


def position_side(name: str | None, mode: PositionMode) -> PositionSide:
    side = SIDES_BY_NAME[name or "BOTH"]
    if (side is PositionSide.NET) is not (mode is PositionMode.ONE_WAY):
        raise WireError(errors.SIDE_MISMATCH)
    return side
