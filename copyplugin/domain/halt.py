"""Copying halted: nothing new is opened, closes are still copied (P5)."""

from enum import StrEnum

from copyplugin.domain.actor import STAFF, Role


class HaltScope(StrEnum):
    """Whose opens are halted. The narrower ones are named by the number of their row."""

    GLOBAL = "global"
    LEADER = "leader"
    FOLLOW = "follow"


MAY_HALT = {
    HaltScope.GLOBAL: STAFF,
    HaltScope.LEADER: STAFF,
    HaltScope.FOLLOW: STAFF | {Role.FOLLOWER},  # his own
}
"""To halt protects: whoever watches at night may do it."""

MAY_RESUME = {
    HaltScope.GLOBAL: frozenset({Role.ADMINISTRATOR}),
    HaltScope.LEADER: STAFF,
    HaltScope.FOLLOW: STAFF | {Role.FOLLOWER},  # his own, unless staff halted it
}
