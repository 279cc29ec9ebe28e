"""What people are told without asking: once, until it is over; and how it reaches them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from copyplugin.domain.identifiers import AccountId, FollowId


class Audience(StrEnum):
    FOLLOWER = "follower"
    LEADER = "leader"
    OPERATOR = "operator"


class NoticeKind(StrEnum):
    """Members in order of urgency."""

    TAKEN = "taken"  # the venue liquidated or deleveraged a copied position
    UNPROTECTED = "unprotected"  # a stop loss is set and none rests at the venue
    STOP_BEYOND_LIQUIDATION = "stop_beyond_liquidation"  # it rests where it comes too late
    EXIT_REFUSED = "exit_refused"  # the venue refuses to close again and again
    ORPHAN = "orphan"  # a sub-account holds what no lane wants, or has lost what it should hold
    LEDGER_DIFFERS = "ledger_differs"  # from the venue, or from itself
    JOB_FAILED = "job_failed"
    JOB_BEHIND = "job_behind"  # it leaves more undone than the operator allows
    SHARE_OWED = "share_owed"  # a leader share that could not be paid
    HALTED = "halted"  # opens are copied no more, of a leader or for all
    FOLLOW_ENDED = "follow_ended"  # not by its follower
    FOLLOW_PAUSED = "follow_paused"  # by one of its limits
    LEADER_MARGIN = "leader_margin"  # the leader changed margin or leverage; his follower has not
    PROTECTION_FIRED = "protection_fired"  # a stop loss or take profit has closed what it should
    SHARE_SETTLED = "share_settled"  # a share of profit was paid, held or given back

    @property
    def is_urgent(self) -> bool:
        """Tell whether money is at risk while nobody looks."""
        return self in _URGENT


_URGENT = frozenset(
    {
        NoticeKind.TAKEN,
        NoticeKind.UNPROTECTED,
        NoticeKind.STOP_BEYOND_LIQUIDATION,
        NoticeKind.EXIT_REFUSED,
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


class Way(StrEnum):
    """By which somebody is told: the page, and the ways out."""

    PAGE = "page"
    WEBHOOK = "webhook"
    EMAIL = "email"


class Choice(NamedTuple):
    """One kind of notice by one way."""

    kind: NoticeKind
    way: Way


TOLD_TO = {
    Audience.FOLLOWER: frozenset(
        {
            NoticeKind.TAKEN,
            NoticeKind.UNPROTECTED,
            NoticeKind.STOP_BEYOND_LIQUIDATION,
            NoticeKind.EXIT_REFUSED,
            NoticeKind.ORPHAN,
            NoticeKind.HALTED,
            NoticeKind.FOLLOW_ENDED,
            NoticeKind.FOLLOW_PAUSED,
            NoticeKind.LEADER_MARGIN,
            NoticeKind.PROTECTION_FIRED,
            NoticeKind.SHARE_SETTLED,
        }
    ),
    Audience.LEADER: frozenset({NoticeKind.HALTED}),
    Audience.OPERATOR: frozenset(
        {
            NoticeKind.UNPROTECTED,
            NoticeKind.STOP_BEYOND_LIQUIDATION,
            NoticeKind.EXIT_REFUSED,
            NoticeKind.ORPHAN,
            NoticeKind.LEDGER_DIFFERS,
            NoticeKind.JOB_FAILED,
            NoticeKind.JOB_BEHIND,
            NoticeKind.SHARE_OWED,
            NoticeKind.HALTED,
        }
    ),
}

STAYS_ON_THE_PAGE = frozenset(
    {
        NoticeKind.TAKEN,  # his money is gone
        NoticeKind.UNPROTECTED,  # he relies on a stop that is not there
        NoticeKind.STOP_BEYOND_LIQUIDATION,  # as above
        NoticeKind.EXIT_REFUSED,  # he believes that it is closed
        NoticeKind.ORPHAN,  # it may lose money that nothing watches
        NoticeKind.LEDGER_DIFFERS,  # money may be missing
        NoticeKind.JOB_FAILED,  # what protects and settles may be standing still
        NoticeKind.SHARE_OWED,  # somebody waits for his money
        NoticeKind.HALTED,  # nothing is opened: he would look for the mistake in his settings
        NoticeKind.FOLLOW_ENDED,  # positions are closed and money goes home without his doing
    }
)


def may_be_silenced(audience: Audience, kind: NoticeKind, way: Way) -> bool:
    """Return whether somebody may switch this kind off by this way.

    What concerns his money stays on the page, where he finds it when he looks.
    """
    if kind not in TOLD_TO[audience] or way not in ways_to(audience):
        return False
    return way is not Way.PAGE or kind not in STAYS_ON_THE_PAGE


def ways_to(audience: Audience) -> tuple[Way, ...]:
    """Return the ways by which this audience can be told, the page first."""
    return (Way.PAGE, *(Way(channel) for channel in Channel if audience in CARRIES[channel]))


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
