"""Who asks for something: a role and a name, as commands and histories keep it."""

from enum import StrEnum

from copyplugin.domain.identifiers import FollowerId


class Role(StrEnum):
    FOLLOWER = "follower"
    LEADER = "leader"
    OPERATOR = "operator"
    AUDITOR = "auditor"  # reads only
    ADMINISTRATOR = "administrator"


STAFF = frozenset({Role.OPERATOR, Role.ADMINISTRATOR})


def actor_of(role: Role, name: str | int) -> str:
    """Return how somebody of that role is written: `operator:ann`, `follower:7`."""
    return f"{role}:{name}"


def role_of(actor: str) -> Role | None:
    """Return the role of whoever asks; None for the engine, and for a host that names none."""
    word, mark, name = actor.partition(":")
    if not mark or not name:
        return None
    return next((role for role in Role if role == word), None)


def follower_of(actor: str) -> FollowerId | None:
    """Return the number of the follower who asks; None where it is not a follower."""
    number = actor.partition(":")[2]
    if role_of(actor) is not Role.FOLLOWER or not number.isdecimal():
        return None
    return FollowerId(int(number))
