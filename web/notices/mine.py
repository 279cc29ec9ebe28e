"""For whom the notices are that a visitor sees."""

from dataclasses import dataclass

from copyplugin.domain.actor import Role, actor_of
from copyplugin.domain.notice import Audience
from web.identity import current_follower
from web.roles import current_leader, current_staff
from web.services import services

OPERATORS = 0


@dataclass(frozen=True)
class Reader:
    audience: Audience
    number: int
    actor: str


def reader() -> Reader | None:
    """Return who reads; None where nobody is signed in."""
    follower, leader = current_follower(), current_leader()
    if follower is not None:
        number = int(follower.follower_id)
        return Reader(Audience.FOLLOWER, number, actor_of(Role.FOLLOWER, number))
    if leader is not None:
        number = int(leader.leader_id)
        return Reader(Audience.LEADER, number, actor_of(Role.LEADER, number))
    staff = current_staff()
    return None if staff is None else Reader(Audience.OPERATOR, OPERATORS, staff.actor)


def unread_notices() -> int:
    """Return how many notices whoever is signed in has not read."""
    who = reader()
    return 0 if who is None else services().queries.unread_notices(who.audience, who.number)
