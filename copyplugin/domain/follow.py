"""The life of a follow: its states, the moves between them, and how it ended."""

from enum import StrEnum

from copyplugin.errors import IllegalTransition


class FollowState(StrEnum):
    STARTING = "starting"  # the copy amount is on its way; holds a place, shown to nobody yet
    VOID = "void"  # starting failed and the money is back: to its follower it never existed
    PENDING = "pending"  # nothing open, the next open is copied
    COPYING = "copying"  # something is open, opens and closes are copied
    WINDING_DOWN = "winding_down"  # ended: no opens, the leader's closes are still followed
    HANDED_OVER = "handed_over"  # ended: positions and stops stay, they are the follower's own
    CLOSING = "closing"  # ended: everything is closed at market
    ABORTING = "aborting"  # copying is impossible: what is open is closed when the venue answers
    SETTLING = "settling"  # flat: the share is paid, then the money goes home
    CLOSED = "closed"
    ABORTED = "aborted"


class EndKind(StrEnum):
    """How an ended follow ended, in the words of the operator's trade data (K6)."""

    POSITION_CLOSED = "position_closed"
    ENDED_AFTER_OPENING = "ended_after_opening"
    ENDED_BEFORE_OPEN = "ended_before_open"
    ABORTED = "aborted"


_S = FollowState

ALLOWED: dict[FollowState, frozenset[FollowState]] = {
    _S.STARTING: frozenset({_S.PENDING, _S.VOID}),
    _S.VOID: frozenset(),
    _S.PENDING: frozenset({_S.COPYING, _S.WINDING_DOWN, _S.HANDED_OVER, _S.CLOSING, _S.ABORTING}),
    _S.COPYING: frozenset({_S.PENDING, _S.WINDING_DOWN, _S.HANDED_OVER, _S.CLOSING, _S.ABORTING}),
    _S.WINDING_DOWN: frozenset({_S.HANDED_OVER, _S.CLOSING, _S.SETTLING, _S.ABORTING}),
    _S.HANDED_OVER: frozenset({_S.CLOSING, _S.SETTLING}),
    _S.CLOSING: frozenset({_S.SETTLING, _S.ABORTING}),
    _S.SETTLING: frozenset({_S.CLOSED, _S.ABORTING}),
    _S.ABORTING: frozenset({_S.ABORTED}),
    _S.CLOSED: frozenset(),
    _S.ABORTED: frozenset(),
}

TERMINAL = frozenset(state for state, moves in ALLOWED.items() if not moves)
COPIES_OPENS = frozenset({_S.PENDING, _S.COPYING})
FOLLOWS_CLOSES = frozenset({_S.PENDING, _S.COPYING, _S.WINDING_DOWN})
# These count against a leader's maximum of followers and his total copy amount (K2).
HOLDS_A_PLACE = frozenset({_S.STARTING, _S.PENDING, _S.COPYING})
# A share above a high-water mark is reckoned at a set period while the follow is one of these.
RECKONED = frozenset({_S.PENDING, _S.COPYING, _S.WINDING_DOWN, _S.CLOSING})
# A follow that is not yet paid for, or never was, is on no page.
VISIBLE = frozenset(ALLOWED) - {_S.STARTING, _S.VOID}
SHOWN_AS_COPYING = VISIBLE - TERMINAL - {_S.ABORTING}


def check_move(before: FollowState, after: FollowState) -> None:
    """Raise `IllegalTransition` unless the table allows this move."""
    if after not in ALLOWED[before]:
        raise IllegalTransition(f"a follow that is {before} cannot become {after}")
