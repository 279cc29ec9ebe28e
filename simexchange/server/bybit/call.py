"""One request on its way: who asks, and what an endpoint is."""

from collections.abc import Callable
from typing import Any, NamedTuple

from simexchange.core.types import PositionMode
from simexchange.server.amounts import Grid
from simexchange.server.bybit import errors
from simexchange.server.bybit.errors import WireError
from simexchange.server.bybit.parameters import Params
from simexchange.server.keys import ApiKey
from simexchange.server.limits import Quota
from simexchange.server.records.account import AccountRecords
from simexchange.server.venue import Venue

PUBLIC, READ = "", "Read"
ORDER, POSITION = "Order", "Position"
ACCOUNT_TRANSFER, SUB_TRANSFER = "AccountTransfer", "SubMemberTransfer"


class Answer(NamedTuple):
    """What a handler answers when a plain result does not say it all."""

    result: object
    extra: object
    message: str = "OK"


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
        """Return the texts of an instrument; an unknown one is the client's error."""
        found = self.venue.grid(symbol) if symbol else None
        if found is None:
            raise WireError(errors.PARAMETER, errors.SYMBOL_INVALID)
        return found


Handler = Callable[[Call, Any], object]


class Endpoint(NamedTuple):
    """One path. ``scope`` is the permission it needs; ``quota`` is per account."""

    method: str
    path: str
    params: type[Params]
    handler: Handler
    scope: str = PUBLIC
    quota: Quota = Quota(50)


def require_linear(category: str) -> None:
    """Refuse what is not traded here."""
    if category != "linear":
        raise WireError(errors.PARAMETER, f"params error: category {category} is not traded here")
