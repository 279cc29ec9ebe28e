"""How many contracts a follower should hold for what the leader did (C4 to C6)."""

from enum import StrEnum


class CopyMode(StrEnum):
    FIXED = "fixed"  # as many contracts as the leader opens (C4)
    PROPORTIONAL = "proportional"  # the same part of the balance as the leader uses (C5)
