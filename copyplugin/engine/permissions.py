"""Who may ask for what. Pages show nobody what is not his; the engine does not rely on it.

A host exchange that names no role for an actor answers for its own users, but for halts: these say
who they are.
"""

from collections.abc import Collection

from copyplugin.domain.actor import STAFF, Role, follower_of, role_of
from copyplugin.domain.command import CommandKind
from copyplugin.domain.halt import MAY_HALT, MAY_RESUME, HaltScope
from copyplugin.domain.identifiers import CopiedPositionId, FollowerId, FollowId
from copyplugin.engine.done import Asked
from copyplugin.errors import Refused
from copyplugin.store import follows, lane_work, orphans
from copyplugin.store.followers import get_follower, person_of

FOR_STAFF = frozenset(
    {
        CommandKind.ADD_LEADER,
        CommandKind.EDIT_LEADER,
        CommandKind.PROHIBIT_LEADER,
        CommandKind.RESTORE_LEADER,
        CommandKind.PIN_LEADER,
    }
)
CHANGES_SETTINGS = frozenset(
    {CommandKind.PROPOSE_SETTING, CommandKind.APPROVE_SETTING, CommandKind.REJECT_SETTING}
)
HALTS = {CommandKind.HALT_COPYING: MAY_HALT, CommandKind.RESUME_COPYING: MAY_RESUME}
WHAT = {CommandKind.HALT_COPYING: "halt", CommandKind.RESUME_COPYING: "resume"}
WHOM = {
    HaltScope.GLOBAL: "everybody",
    HaltScope.LEADER: "a leader's followers",
    HaltScope.FOLLOW: "a follow",
}


def refuse_strangers(asked: Asked) -> None:
    """Raise `Refused` where whoever asks may not ask for this."""
    kind, role = asked.row.kind, role_of(asked.row.actor)
    if role is Role.AUDITOR:
        raise Refused("An auditor reads only: ask an operator to do it.")
    if kind in HALTS:
        _refuse_halt(asked, role)
    elif kind in FOR_STAFF and role not in STAFF | {None}:
        raise Refused("Only operators and administrators look after leaders.")
    elif kind is CommandKind.MARK_PAID and role not in STAFF:
        raise Refused("Only operators and administrators mark a share as paid.")
    elif kind in CHANGES_SETTINGS and role not in STAFF:
        raise Refused("Only operators and administrators change settings.")
    if role is Role.FOLLOWER:
        _refuse_unless_own(asked)


def _refuse_halt(asked: Asked, role: Role | None) -> None:
    scope = asked.given.choice("scope", HaltScope)
    allowed = HALTS[asked.row.kind][scope]
    if role not in allowed:
        raise Refused(
            f"Only {_any_of(allowed)} may {WHAT[asked.row.kind]} copying for {WHOM[scope]}: "
            f"{asked.row.actor!r} may not."
        )


def _refuse_unless_own(asked: Asked) -> None:
    owner = _owner(asked)
    if owner is not None and owner != follower_of(asked.row.actor):
        raise Refused("This is not a follow of yours.")


def _owner(asked: Asked) -> FollowerId | None:
    """Return whose follow the command is about; None where it is about none.

    A follow with play money is the person's for whom it stands.
    """
    follower_id = _follower(asked)
    if follower_id is None:
        return None
    return person_of(asked.session, get_follower(asked.session, follower_id)).id


def _follower(asked: Asked) -> FollowerId | None:
    if "follower_id" in asked.given:
        return FollowerId(asked.given.number("follower_id"))
    if "copied_position_id" in asked.given:
        number = CopiedPositionId(asked.given.number("copied_position_id"))
        follow_id = lane_work.get_position(asked.session, number).follow_id
    elif "orphan_id" in asked.given:
        follow_id = orphans.get_orphan(asked.session, asked.given.number("orphan_id")).follow_id
    elif "follow_id" in asked.given:
        follow_id = FollowId(asked.given.number("follow_id"))
    else:
        return None
    return follows.get_follow(asked.session, follow_id).follower_id


def _any_of(roles: Collection[Role]) -> str:
    *others, last = [f"{role}s" for role in Role if role in roles]
    words = f"{', '.join(others)} and {last}" if others else last
    return words.replace("followers", "its follower")


def may_lift(actor: str, halted_by: str) -> bool:
    """Return whether somebody may end a halt of one follow: what staff halted only staff."""
    return role_of(actor) in STAFF or role_of(halted_by) not in STAFF
