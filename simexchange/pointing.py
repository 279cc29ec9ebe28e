"""Pointing clients of real venues at a served exchange, without changing the clients."""

import re
from typing import Any, Protocol, cast

_SCHEME_AND_HOST = re.compile(r"^(https?|wss?)://[^/]+")
_SECTIONS = ("api", "test", "demo", "demotrading")


class CcxtClient(Protocol):
    """What is needed of a ccxt client, be it sync, async or pro."""

    urls: dict[str, Any]
    exceptions: dict[str, Any]


def point_ccxt(client: CcxtClient, url: str) -> None:
    """Let a ccxt client talk to the exchange at ``url`` and to nobody else.

    All of the client's addresses are turned, those of sandboxes too, so that no switch of the
    client leads back to the venue. A client whose error table depends on the venue's address
    (Binance) gets the table of the linear market.
    """
    for section in _SECTIONS:
        if section in client.urls:
            client.urls[section] = redirected(client.urls[section], url)
    linear = client.exceptions.get("linear")
    if linear is not None and "exact" in linear:
        exact = {**client.exceptions["exact"], **linear["exact"]}
        client.exceptions = {**client.exceptions, "exact": exact}


def redirected(urls: Any, url: str) -> Any:
    """Return a tree of addresses with the scheme and host of ``url`` in all of them."""
    if isinstance(urls, dict):
        tree = cast("dict[str, Any]", urls)
        return {name: redirected(value, url) for name, value in tree.items()}
    if not isinstance(urls, str):
        return urls
    host = url.rstrip("/").partition("://")[2]
    is_secure = url.startswith("https")

    def turned(found: re.Match[str]) -> str:
        scheme = "ws" if found[1].startswith("ws") else "http"
        return f"{scheme}s://{host}" if is_secure else f"{scheme}://{host}"

    return _SCHEME_AND_HOST.sub(turned, urls)
