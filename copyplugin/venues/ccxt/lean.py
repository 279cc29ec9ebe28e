"""Orders past ccxt's general machinery: the same request and the same errors, for less CPU.

ccxt signs and sends whatever a venue has; a POST that places or cancels needs little of it. What is
answered is judged by ccxt: its table of errors, its classes.
"""

import hashlib
import hmac
import inspect
import socket
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import aiohttp
import ccxt
import yarl

from copyplugin.venues.ccxt.answers import Row, exact_json


class Signed(NamedTuple):
    """A request as it goes out."""

    url: yarl.URL
    headers: Mapping[str, str]
    body: bytes


class Signer:
    """Signs with one secret; keeps what the hash begins with."""

    __slots__ = ("_mac",)

    def __init__(self, secret: str) -> None:
        is_shared = "PRIVATE KEY" not in secret
        self._mac = hmac.new(secret.encode(), digestmod=hashlib.sha256) if is_shared else None

    @property
    def can_sign(self) -> bool:
        """Return whether the secret is a shared one; ccxt signs with the others."""
        return self._mac is not None

    def signature(self, payload: bytes) -> str:
        """Return HMAC-SHA256 in hexadecimal."""
        assert self._mac is not None, "ccxt was to sign this"
        mac = self._mac.copy()
        mac.update(payload)
        return mac.hexdigest()


class Routes:
    """Addresses of a venue's endpoints by ccxt's names of them."""

    def __init__(self, section: str, prefix: str) -> None:
        self._section = section
        self._prefix = prefix
        self._urls: dict[tuple[str, str], yarl.URL] = {}

    def url(self, exchange: Any, method: str) -> yarl.URL | None:
        """Return where a method posts to; None for what is none of this section's."""
        if not method.startswith(self._prefix):
            return None
        base: str = exchange.urls["api"][self._section]
        known = self._urls.get((base, method))
        if known is None:
            path = inspect.getattr_static(cast("type[object]", type(exchange)), method).path
            address = f"{exchange.implode_hostname(base)}/{path}"
            known = self._urls[base, method] = yarl.URL(address, encoded=True)
        return known


def patience_of(seconds: float) -> aiohttp.ClientTimeout:
    """Return the same patience that ccxt has."""
    return aiohttp.ClientTimeout(total=seconds, sock_connect=seconds, sock_read=seconds)


async def post(exchange: Any, signed: Signed, patience: aiohttp.ClientTimeout) -> Row:
    """Send it; raise what ccxt raises."""
    address = str(signed.url)
    details = f"{exchange.id} POST {address}"
    if exchange.session is None:
        raise ccxt.ExchangeClosedByUser(details)
    try:
        async with exchange.session.post(
            signed.url, data=signed.body, headers=signed.headers, timeout=patience
        ) as response:
            raw = await response.read()
    except socket.gaierror as error:
        raise ccxt.ExchangeNotAvailable(details) from error
    except TimeoutError as error:
        raise ccxt.RequestTimeout(details) from error
    except aiohttp.ClientConnectionError as error:
        raise ccxt.ExchangeNotAvailable(details) from error
    except aiohttp.ClientError as error:
        raise ccxt.ExchangeError(details) from error
    return _judged(exchange, signed, response, raw)


def _judged(exchange: Any, signed: Signed, response: aiohttp.ClientResponse, raw: bytes) -> Row:
    """Return the answer, or raise what ccxt takes it for."""
    text = raw.decode("utf-8", "replace").strip()
    answer: object = None
    if text.startswith(("{", "[")):
        try:
            answer = exact_json(text)
        except ValueError:
            answer = None
    status, reason, url = response.status, response.reason or "", str(signed.url)
    headers = signed.headers
    exchange.handle_errors(
        status, reason, url, "POST", response.headers, text, answer, headers, signed.body
    )
    exchange.handle_http_status_code(status, reason, url, "POST", text)
    if not isinstance(answer, dict):
        raise ccxt.BadResponse(f"{exchange.id} POST {url} answered without an object")
    return cast("Row", answer)
