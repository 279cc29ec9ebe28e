"""A running hash that can be put aside and taken up again by another process."""

import hashlib

LINK_BYTES = 65_536
"""How many bytes of the stream one link of the chain covers."""

DIGEST_BYTES = 32


class HashChain:
    """BLAKE2b over a stream, link by link, with hashlib's ``update``, ``copy`` and ``hexdigest``.

    Each link is BLAKE2b over the link before and the next ``LINK_BYTES`` of the stream, however
    the stream was cut into updates. A running hash of ``hashlib`` gives its state to nobody, so a
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
            self._link = _hash(self._link + rest[start : start + LINK_BYTES]).digest()
            start += LINK_BYTES
        del rest[:start]

    def copy(self) -> "HashChain":
        other = HashChain()
        other._link = self._link
        other._rest = self._rest.copy()
        return other

    def hexdigest(self) -> str:
        return _hash(self._link + self._rest).hexdigest()


def _hash(content: bytes | bytearray) -> "hashlib.blake2b":
    """BLAKE2b: half the instructions of SHA-256 on a processor without its own for that."""
    return hashlib.blake2b(content, digest_size=DIGEST_BYTES)
