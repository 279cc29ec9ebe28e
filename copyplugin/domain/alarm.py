"""What an operator has to see at once, until it is over."""

from enum import StrEnum


class AlarmKind(StrEnum):
    UNPROTECTED = "unprotected"  # a stop loss is set and none rests at the venue
    STOP_BEYOND_LIQUIDATION = "stop_beyond_liquidation"  # it rests where it comes too late
    EXIT_REFUSED = "exit_refused"  # the venue refuses to close again and again
    LEADER_MARGIN = "leader_margin"  # the leader changed margin or leverage; his follower has not
