"""What people are told without asking: once, until it is over; and how it reaches them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from copyplugin.domain.identifiers import AccountId, FollowId


class Audience(StrEnum):
    FOLLOWER = "follower"
    LEADER = "leader"
    OPERATOR = "operator"


class NoticeKind(StrEnum):
    """Members in order of urgency."""

    UNPROTECTED = "unprotected"  # a stop loss is set and none rests at the venue
    STOP_BEYOND_LIQUIDATION = "stop_beyond_liquidation"  # it rests where it comes too late
    ORPHAN = "orphan"  # a sub-account holds what no lane wants, or has lost what it should hold
    LEDGER_DIFFERS = "ledger_differs"  # from the venue, or from itself
    JOB_FAILED = "job_failed"
    JOB_BEHIND = "job_behind"  # it leaves more undone than the operator allows
    SHARE_OWED = "share_owed"  # a leader share that could not be paid
    HALTED = "halted"  # opens are copied no more, of a leader or for all
    FOLLOW_ENDED = "follow_ended"  # not by its follower
    FOLLOW_PAUSED = "follow_paused"  # by one of its limits
    LEADER_MARGIN = "leader_margin"  # the leader changed margin or leverage; his follower has not

    @property
    def is_urgent(self) -> bool:
        """Tell whether money is at risk while nobody looks."""
        return self in _URGENT


_URGENT = frozenset(
    {
        NoticeKind.UNPROTECTED,
        NoticeKind.STOP_BEYOND_LIQUIDATION,
        NoticeKind.ORPHAN,
        NoticeKind.LEDGER_DIFFERS,
        NoticeKind.JOB_FAILED,
    }
)


class Channel(StrEnum):
    """A way out; the page is none of them, it reads the rows."""

    WEBHOOK = "webhook"
    EMAIL = "email"


CARRIES = {
    Channel.WEBHOOK: frozenset(Audience),
    Channel.EMAIL: frozenset({Audience.OPERATOR}),  # no other address is known
}


class DeliveryState(StrEnum):
    WAITING = "waiting"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A notice on its way. The same number twice is the same message: tried again, not new.

    `account` is the venue's UID of the follower or leader it is for; None for operators.
    """

    number: int
    kind: NoticeKind
    audience: Audience
    account: AccountId | None
    follow_id: FollowId | None
    sentence: str
    raised_at: datetime


FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many tries that failed: twice as long each time."""
    assert attempts > 0
    doublings = min(attempts - 1, 20)  # more is the longest anyway
    return min(FIRST_PAUSE * 2**doublings, LONGEST_PAUSE)
