"""Reading what one was told, and choosing what one is told: a page writes nothing by itself."""

from copyplugin.domain.actor import STAFF, Role, role_of
from copyplugin.domain.notice import (
    TOLD_TO,
    Audience,
    Choice,
    NoticeKind,
    Way,
    may_be_silenced,
    ways_to,
)
from copyplugin.engine.done import Asked, Done
from copyplugin.errors import Refused
from copyplugin.store import notice_choices, notices

ROLES = {Audience.FOLLOWER: Role.FOLLOWER, Audience.LEADER: Role.LEADER}


def read_notices(asked: Asked) -> Done:
    """Let everything up to a number be read by whom it is for."""
    audience = asked.given.choice("audience", Audience)
    number = asked.given.number("audience_id")
    refuse_other_readers(asked.row.actor, audience, number)
    count = notices.read_up_to(
        asked.session,
        audience,
        number,
        asked.given.number("up_to"),
        at=asked.around.clock.now(),
    )
    return Done(message="All of it is marked as read.", result={"read": count})


def choose_notices(asked: Asked) -> Done:
    """Let just what is listed, each as `way:kind`, be told no more; all else is told."""
    audience = asked.given.choice("audience", Audience)
    number = asked.given.number("audience_id")
    refuse_other_readers(asked.row.actor, audience, number)
    off = [choice_from(text, audience) for text in sorted(asked.given.texts("off"))]
    notice_choices.silence(asked.session, audience, number, off)
    told = f"{len(off)} switched off" if off else "nothing is switched off"
    return Done(message=f"Your choice is kept: {told}.", result={"off": len(off)})


def choice_from(text: str, audience: Audience) -> Choice:
    """Read `way:kind`; raises `Refused` for what is not told so, or must be."""
    way, _, kind = text.partition(":")
    ways, kinds = ways_to(audience), [kind for kind in NoticeKind if kind in TOLD_TO[audience]]
    if way not in ways or kind not in kinds:
        raise Refused(
            f"{text!r} names no notice: write WAY:KIND, of the ways {', '.join(ways)} and the "
            f"kinds {', '.join(kinds)}."
        )
    choice = Choice(NoticeKind(kind), Way(way))
    if not may_be_silenced(audience, choice.kind, choice.way):
        raise Refused(
            f"{kind.replace('_', ' ').capitalize()} concerns money and stays on the page: other "
            "ways can be switched off."
        )
    return choice


def refuse_other_readers(actor: str, audience: Audience, number: int) -> None:
    """Refuse to read for somebody else; a host that names no role answers for its users."""
    role = role_of(actor)
    if role is None or (audience is Audience.OPERATOR and role in STAFF):
        return
    is_own = role is ROLES.get(audience) and actor.partition(":")[2] == str(number)
    if not is_own:
        raise Refused("These notices are not for you.")
