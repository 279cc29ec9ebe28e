"""What an API key may do."""

import msgspec


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a key may do. Every key may read; the rest is off unless it is given.

    ``scopes`` are the venue's own words for single permissions, as the key's owner gave them.
    """

    trade: bool = False
    transfer: bool = False
    withdraw: bool = False
    scopes: tuple[tuple[str, tuple[str, ...]], ...] = ()
