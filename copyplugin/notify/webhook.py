"""Notices as signed messages to an address of the host exchange, or of an operator's own."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import aiohttp

from copyplugin.domain.notice import Message
from copyplugin.errors import DeliveryFailed

SECONDS_MAX = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class WebhookNotifier:
    """Posts one JSON object for each message.

    Signed as a host's messages to us are: HMAC-SHA256 (RFC 2104) of `timestamp + "." + body` under
    the shared secret, in lower-case hexadecimal digits, the timestamp in milliseconds. `number` is
    the message's own: what comes twice with one number is one message.
    """

    def __init__(self, url: str, secret: str, now: Callable[[], datetime]) -> None:
        self._url, self._secret, self._now = url, secret.encode(), now

    async def send(self, message: Message) -> None:
        body = body_of(message)
        timestamp = str((self._now() - _EPOCH) // timedelta(milliseconds=1))
        headers = {
            "Content-Type": "application/json",
            "X-Copyplugin-Timestamp": timestamp,
            "X-Copyplugin-Signature": sign(self._secret, timestamp, body),
            "X-Copyplugin-Message": str(message.number),
        }
        limit = aiohttp.ClientTimeout(total=SECONDS_MAX)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.post(
                    self._url, data=body, headers=headers, allow_redirects=False
                ) as answer,
            ):
                status = answer.status
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            # What aiohttp says may name the address, and an address may carry a key.
            raise DeliveryFailed(f"the webhook gave no answer ({type(error).__name__})") from error
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise DeliveryFailed(f"the webhook answered {status}")


def body_of(message: Message) -> bytes:
    """Return the message as it is sent: always the same bytes for the same message."""
    return json.dumps(
        {
            "number": message.number,
            "kind": message.kind.value,
            "is_urgent": message.kind.is_urgent,
            "audience": message.audience.value,
            "account": message.account,
            "follow_id": message.follow_id,
            "sentence": message.sentence,
            "raised_at": message.raised_at.isoformat(),
        },
        ensure_ascii=False,
        sort_keys=True,
    ).encode()


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    return hmac.digest(secret, timestamp.encode() + b"." + body, hashlib.sha256).hex()
