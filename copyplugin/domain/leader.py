"""The words for a leader: what he is, whether he is followed, what his share is taken of."""

from enum import StrEnum


class LeaderKind(StrEnum):
    TRADER = "trader"
    STRATEGY = "strategy"  # a program or signal source that owns the account (K10)


class LeaderStatus(StrEnum):
    ACTIVE = "active"
    PROHIBITED = "prohibited"


class ShareBasis(StrEnum):
    """What the leader's share is taken of (M3)."""

    PER_POSITION = "per_position"
    HIGH_WATER_MARK = "high_water_mark"


class TradeState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class ShareState(StrEnum):
    """Where the leader share of a copied position stands."""

    NONE = "none"  # open still, or closed without profit
    DUE = "due"
    SETTLED = "settled"
