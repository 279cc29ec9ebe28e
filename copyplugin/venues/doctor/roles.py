"""What an account that an operator has connected is for."""

from enum import StrEnum

from copyplugin.venues.ccxt.keys import KnownAccount


class Role(StrEnum):
    MAIN = "account"  # leads with a key that reads, follows with one that trades
    SUB = "sub-account"  # of a follow
    SPARE = "spare account"  # of the pool: a follow may be given it


def role_of(known: KnownAccount) -> Role:
    if known.is_pooled and not known.label:
        return Role.SPARE
    return Role.MAIN if known.owner is None and not known.is_pooled else Role.SUB
