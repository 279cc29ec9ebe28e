"""Who may ask: keys, signatures, the receive window, permissions."""

from simexchange.server.binance import errors
from simexchange.server.binance.call import TRADE, TRANSFER, Endpoint
from simexchange.server.binance.errors import WireError
from simexchange.server.binance.parameters import missing
from simexchange.server.keys import ApiKey
from simexchange.server.venue import Venue

_WINDOW_DEFAULT_MS, _WINDOW_MOST_MS, _AHEAD_MS = 5_000, 60_000, 1_000


def admit(venue: Venue, name: str, address: str | None, endpoint: Endpoint) -> ApiKey:
    """Return the key of a request, if it may do this from where it comes."""
    if not name:
        raise WireError(errors.BAD_KEY_FORMAT)
    key = venue.keys.find(name)
    if key is None or key.expires_at <= venue.edge_now():
        raise WireError(errors.REJECTED_KEY)
    if key.account in venue.members.frozen:
        raise WireError(errors.REJECTED_KEY)
    if address is not None and not key.may_come_from(address):
        raise WireError(errors.REJECTED_KEY)
    grant = key.grant
    if (endpoint.scope == TRADE and not grant.trade) or (
        endpoint.scope == TRANSFER and not grant.transfer
    ):
        raise WireError(errors.REJECTED_KEY)
    return key


def check_signature(venue: Venue, key: ApiKey, values: dict[str, str], payload: str) -> None:
    """Refuse what the key has not signed, or not now."""
    _check_times_given(values)
    if not values.get("signature"):
        raise missing("signature")
    if not key.has_signed(payload.encode(), values["signature"]):
        raise WireError(errors.INVALID_SIGNATURE)
    _check_window(venue, values)


def check_time(venue: Venue, values: dict[str, str]) -> None:
    """Refuse what does not say when it was sent, or came too late."""
    _check_times_given(values)
    _check_window(venue, values)


def _check_times_given(values: dict[str, str]) -> None:
    window = values.get("recvWindow", "")
    if not values.get("timestamp", "").isdecimal():
        raise missing("timestamp")
    if window and not window.partition(".")[0].isdecimal():
        raise missing("recvWindow")


def _check_window(venue: Venue, values: dict[str, str]) -> None:
    stamp, window = values["timestamp"], values.get("recvWindow", "")
    window_ms = int(window.partition(".")[0]) if window else _WINDOW_DEFAULT_MS
    now_ms = venue.edge_now() // 1_000
    if int(stamp) >= now_ms + _AHEAD_MS:
        raise WireError(
            errors.OUTSIDE_WINDOW,
            "Timestamp for this request was 1000ms ahead of the server's time.",
        )
    if int(stamp) < now_ms - min(window_ms, _WINDOW_MOST_MS):
        raise WireError(errors.OUTSIDE_WINDOW)
