"""A running hash that can be put aside and taken up again by another process."""

from blake3 import blake3

LINK_BYTES = 65_536
"""How many bytes of the stream one link of the chain covers."""


class HashChain:
    """BLAKE3 over a stream, link by link, with hashlib's ``update``, ``copy`` and ``hexdigest``.

    Each link is BLAKE3 over the link before and the next ``LINK_BYTES`` of the stream, however
    the stream was cut into updates. A running hash gives its state to nobody, so a snapshot of the
    exchange could not go on with it; a link and the bytes since can be written down like any other
    field. BLAKE3 takes many blocks of a link at once: an eighth of the time of BLAKE2b.
    """

    __slots__ = ("_end", "_filled", "_link")

    def __init__(self) -> None:
        self._link = bytearray(LINK_BYTES + blake3.digest_size)  # never grows: nothing is moved
        self._filled = 0  # bytes of it that count: the link before, if there is one, and more
        self._end = LINK_BYTES  # where the link is full

    def update(self, content: bytes | bytearray) -> None:
        at = self._filled
        after = at + len(content)
        if after < self._end:
            self._link[at:after] = content
            self._filled = after
        else:
            self._close_links(content)

    def _close_links(self, content: bytes | bytearray) -> None:
        taken = 0
        while len(content) - taken >= (room := self._end - self._filled):
            self._link[self._filled : self._end] = content[taken : taken + room]
            taken += room
            with memoryview(self._link) as view, view[: self._end] as whole:  # not a copy
                link = blake3(whole).digest()
            self._link[: len(link)] = link
            self._filled = len(link)
            self._end = len(link) + LINK_BYTES
        self.update(content[taken:])

    def copy(self) -> "HashChain":
        other = HashChain()
        other._link = self._link.copy()
        other._filled = self._filled
        other._end = self._end
        return other

    def hexdigest(self) -> str:
        with memoryview(self._link) as view, view[: self._filled] as whole:
            return blake3(whole).hexdigest()
