"""What a user or an operator asks the engine to do."""

from enum import StrEnum


class CommandKind(StrEnum):
    ADD_LEADER = "add_leader"
    EDIT_LEADER = "edit_leader"
    PROHIBIT_LEADER = "prohibit_leader"
    RESTORE_LEADER = "restore_leader"
    PIN_LEADER = "pin_leader"
    REGISTER_FOLLOWER = "register_follower"
    START_FOLLOW = "start_follow"
    START_PAPER_FOLLOW = "start_paper_follow"
    END_FOLLOW = "end_follow"
    CLOSE_POSITION = "close_position"
    END_FROM_POSITION = "end_from_position"
    CHANGE_FOLLOW = "change_follow"
    SET_PROTECTION = "set_protection"
    WHAT_IF = "what_if"
    HALT_COPYING = "halt_copying"
    RESUME_COPYING = "resume_copying"
    CLOSE_ORPHAN = "close_orphan"
    READ_NOTICES = "read_notices"
    MARK_PAID = "mark_paid"
    CHOOSE_NOTICES = "choose_notices"
    NAME_ACCOUNT = "name_account"
    PROPOSE_SETTING = "propose_setting"
    APPROVE_SETTING = "approve_setting"
    REJECT_SETTING = "reject_setting"


class CommandState(StrEnum):
    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"


class EndHow(StrEnum):
    """How a follow is ended (L13): at once, with the leader's closes, or left to the follower."""

    CLOSE_NOW = "close_now"
    FOLLOW_CLOSES = "follow_closes"
    HAND_OVER = "hand_over"
