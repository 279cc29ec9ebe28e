"""How a client says on a WebSocket who it is."""

from simexchange.server.bybit import errors
from simexchange.server.bybit.errors import WireError
from simexchange.server.bybit.messages import Message
from simexchange.server.keys import ApiKey
from simexchange.server.venue import Venue

_ARGUMENTS = 3


def key_of(venue: Venue, message: Message, address: str | None) -> ApiKey:
    """Return the key that signed an ``auth`` message: key, expiry, signature."""
    if len(message.args) != _ARGUMENTS:
        raise WireError(errors.PARAMETER, "Params Error")
    name, expires, signature = map(str, message.args)
    if not expires.isdecimal():
        raise WireError(errors.PARAMETER, "Params Error")
    if int(expires) * 1_000 <= venue.edge_now():
        raise WireError(errors.EXPIRED_REQUEST, "Request expired")
    key = venue.keys.find(name)
    if key is None:
        raise WireError(errors.INVALID_KEY)
    if not key.has_signed(f"GET/realtime{expires}".encode(), signature):
        raise WireError(errors.INVALID_SIGNATURE)
    if key.expires_at <= venue.edge_now():
        raise WireError(errors.EXPIRED_KEY)
    if address is not None and not key.may_come_from(address):
        raise WireError(errors.UNMATCHED_ADDRESS)
    return key
