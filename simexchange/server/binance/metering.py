"""What requests take of the venue's limits: weight of an address, orders of an account."""

from simexchange.core.types import SECOND_US
from simexchange.server.binance import errors
from simexchange.server.binance.call import Endpoint
from simexchange.server.binance.errors import Code, WireError
from simexchange.server.limits import Bans, Quota, Standing
from simexchange.server.venue import Venue

_MINUTE_US = 60 * SECOND_US
WEIGHT = Quota(2_400, _MINUTE_US)
_SPOT_WEIGHT = Quota(12_000, _MINUTE_US)
ORDERS_TEN_SECONDS = Quota(300, 10 * SECOND_US)
ORDERS_MINUTE = Quota(1_200, _MINUTE_US)
_PATIENCE, _FIRST_BAN_US = 100, 120 * SECOND_US
_INTERVALS = {
    "X-MBX-USED-WEIGHT-1M": ("REQUEST_WEIGHT", "MINUTE", 1),
    "X-SAPI-USED-IP-WEIGHT-1M": ("REQUEST_WEIGHT", "MINUTE", 1),
    "X-MBX-ORDER-COUNT-10S": ("ORDERS", "SECOND", 10),
    "X-MBX-ORDER-COUNT-1M": ("ORDERS", "MINUTE", 1),
}


class Usage:
    """How the limits stand after one request, as headers and as rows."""

    __slots__ = ("retry_after_s", "standings")

    def __init__(self) -> None:
        self.standings: dict[str, Standing] = {}
        self.retry_after_s: int | None = None

    def headers(self) -> dict[str, str]:
        said = {name: str(standing.used) for name, standing in self.standings.items()}
        if self.retry_after_s is not None:
            said["Retry-After"] = str(self.retry_after_s)
        return said

    def rows(self) -> list[dict[str, object]]:
        """Return the limits as a socket's answers tell them."""
        return [
            {
                "rateLimitType": _INTERVALS[name][0],
                "interval": _INTERVALS[name][1],
                "intervalNum": _INTERVALS[name][2],
                "limit": standing.limit,
                "count": standing.used,
            }
            for name, standing in self.standings.items()
        ]


class Meter:
    """Takes what requests use, and refuses those that are too many."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self._bans = Bans(patience=_PATIENCE, window_us=_MINUTE_US, first_us=_FIRST_BAN_US)

    def take_weight(self, endpoint: Endpoint, address: str | None, units: int, to: Usage) -> None:
        """Use an address's weight; 429 when it is used up, 418 for who does not stop then."""
        now = self._venue.edge_now()
        if self._venue.limits.is_on:
            self._refuse_banned(address, now, to)
        is_spot = endpoint.path.startswith("/sapi/")
        quota, name = (
            (_SPOT_WEIGHT, "X-SAPI-USED-IP-WEIGHT-1M")
            if is_spot
            else (WEIGHT, "X-MBX-USED-WEIGHT-1M")
        )
        used = to.standings[name] = self._venue.limits.take(address, name, quota, now, units)
        if not used.is_allowed:
            self._bans.note_refusal(address, now)
            self._refuse_banned(address, now, to)
            to.retry_after_s = _seconds(used.resets_at - now)
            raise WireError(
                errors.TOO_MANY_REQUESTS,
                f"Too many requests; current limit of IP({address}) is {quota.limit} requests "
                "per minute. Please use the websocket for live updates to avoid polling the API.",
            )

    def _refuse_banned(self, address: str | None, now: int, to: Usage) -> None:
        until = self._bans.until(address, now)
        if until is None:
            return
        to.retry_after_s = _seconds(until - now)
        raise WireError(
            errors.BANNED,
            f"Way too many requests; IP({address}) banned until {until // 1_000}. Please use the "
            "websocket for live updates to avoid bans.",
        )

    def take_orders(self, endpoint: Endpoint, account: int, to: Usage) -> None:
        """Use an account's orders of ten seconds and of a minute."""
        now = self._venue.edge_now()
        for name, quota, units in (
            ("X-MBX-ORDER-COUNT-10S", ORDERS_TEN_SECONDS, endpoint.orders[0]),
            ("X-MBX-ORDER-COUNT-1M", ORDERS_MINUTE, endpoint.orders[1]),
        ):
            if not units:
                continue
            sent = self._venue.limits.take(account, name, quota, now, units)
            to.standings[name] = sent
            if not sent.is_allowed:
                to.retry_after_s = _seconds(sent.resets_at - now)
                _refuse_orders(quota)

    def standing_orders(self, account: int) -> list[dict[str, object]]:
        """Return how the limits of an account's orders stand, using nothing of them."""
        usage, now = Usage(), self._venue.edge_now()
        for name, quota in (
            ("X-MBX-ORDER-COUNT-10S", ORDERS_TEN_SECONDS),
            ("X-MBX-ORDER-COUNT-1M", ORDERS_MINUTE),
        ):
            usage.standings[name] = self._venue.limits.take(account, name, quota, now, 0)
        return usage.rows()


def _refuse_orders(quota: Quota) -> None:
    seconds = quota.window_us // SECOND_US
    said = f"Too many new orders; current limit is {quota.limit} orders per {seconds} seconds."
    raise WireError(Code(errors.TOO_MANY_ORDERS_SENT.number, said, 429))


def _seconds(microseconds: int) -> int:
    return max(1, -(-microseconds // SECOND_US))
