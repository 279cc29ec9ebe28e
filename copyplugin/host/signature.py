"""The proof that a message comes from the host, and is not an old one sent again.

The host signs `timestamp + "." + body` with HMAC-SHA256 (RFC 2104) under a secret that it shares
with the plugin, where the timestamp is milliseconds since the epoch in decimal digits and the body
the bytes as they are sent; the signature is written in lower-case hexadecimal digits.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

TOLERANCE = timedelta(seconds=30)
"""How far the host's clock and ours may be apart."""

_DIGITS_MAX = 15


class NotFromTheHost(Exception):
    """The signature or its time is wrong; the sentence says which."""


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature of a body sent at that time."""
    return hmac.digest(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hex()


def check(secret: str, timestamp: str, signature: str, body: bytes, *, now: datetime) -> None:
    """Raise `NotFromTheHost` unless the holder of the secret signed this body just now."""
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _DIGITS_MAX):
        raise NotFromTheHost("The timestamp is no number of milliseconds since 1970.")
    if not hmac.compare_digest(sign(secret, timestamp, body).encode(), signature.encode()):
        raise NotFromTheHost("The signature does not fit the timestamp and the body.")
    signed_at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(timestamp))
    if abs(now - signed_at) > TOLERANCE:
        raise NotFromTheHost(
            f"The message was signed at {signed_at.isoformat()}, which is more than"
            f" {TOLERANCE.seconds} s from our clock: set the clock, or sign it anew."
        )
