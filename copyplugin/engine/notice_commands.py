"""Reading what one was told: a page writes nothing by itself."""

from copyplugin.domain.actor import STAFF, Role, role_of
from copyplugin.domain.notice import Audience
from copyplugin.engine.done import Asked, Done
from copyplugin.errors import Refused
from copyplugin.store import notices

ROLES = {Audience.FOLLOWER: Role.FOLLOWER, Audience.LEADER: Role.LEADER}


def read_notices(asked: Asked) -> Done:
    """Let everything up to a number be read by whom it is for."""
    audience = asked.given.choice("audience", Audience)
    number = asked.given.number("audience_id")
    _refuse_others(asked.row.actor, audience, number)
    count = notices.read_up_to(
        asked.session,
        audience,
        number,
        asked.given.number("up_to"),
        at=asked.around.clock.now(),
    )
    return Done(message="All of it is marked as read.", result={"read": count})


def _refuse_others(actor: str, audience: Audience, number: int) -> None:
    """Refuse to read for somebody else; a host that names no role answers for its users."""
    role = role_of(actor)
    if role is None or (audience is Audience.OPERATOR and role in STAFF):
        return
    is_own = role is ROLES.get(audience) and actor.partition(":")[2] == str(number)
    if not is_own:
        raise Refused("These notices are not for you.")
