"""A running hash that can be put aside and taken up again by another process."""

import hashlib

LINK_BYTES = 65_536
"""How many bytes of the stream one link of the chain covers."""


class HashChain:
    """SHA-256 over a stream, link by link, with hashlib's ``update``, ``copy`` and ``hexdigest``.

    Each link is SHA-256 over the link before and the next ``LINK_BYTES`` of the stream, however
    the stream was cut into updates. A running ``hashlib.sha256`` gives its state to nobody, so a
    snapshot of the exchange could not go on with the hash; a link and the bytes since can be
    written down like any other field.
    """

    __slots__ = ("_link", "_rest")

    def __init__(self) -> None:
        self._link = b""
        self._rest = bytearray()

    def update(self, content: bytes | bytearray) -> None:
        rest = self._rest
        rest += content
        start = 0
        while len(rest) - start >= LINK_BYTES:
            self._link = hashlib.sha256(self._link + rest[start : start + LINK_BYTES]).digest()
            start += LINK_BYTES
        del rest[:start]

    def copy(self) -> "HashChain":
        other = HashChain()
        other._link = self._link
        other._rest = self._rest.copy()
        return other

    def hexdigest(self) -> str:
        return hashlib.sha256(self._link + self._rest).hexdigest()
