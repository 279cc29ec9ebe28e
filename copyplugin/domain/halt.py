"""Copying halted: nothing new is opened, closes are still copied (P5)."""

from enum import StrEnum


class HaltScope(StrEnum):
    """Whose opens are halted. The narrower ones are named by the number of their row."""

    GLOBAL = "global"
    LEADER = "leader"
    FOLLOW = "follow"
