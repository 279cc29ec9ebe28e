"""Halting opens and resuming them: of a follow, of a leader's followers, of everybody (P5)."""

from copyplugin.domain.follow import COPIES_OPENS
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.identifiers import FollowId, LeaderId
from copyplugin.engine.done import Asked, Done
from copyplugin.engine.permissions import may_lift
from copyplugin.errors import Refused
from copyplugin.store import follows, halts, leaders, marking, protection
from copyplugin.store.database import Session
from copyplugin.store.rows import FollowProtectionRow

WHOM = {
    HaltScope.GLOBAL: "everybody",
    HaltScope.LEADER: "this leader's followers",
    HaltScope.FOLLOW: "this follow",
}


def halt_copying(asked: Asked) -> Done:
    """Open nothing new; with `close`, close what is open at market too."""
    scope, scope_id = _whose(asked)
    now = asked.around.clock.now()
    reason = asked.given.text("reason") if "reason" in asked.given else "halted by hand"
    actor = asked.row.actor
    known = halts.halt_in_force(asked.session, scope, scope_id, now=now)
    if known is not None and may_lift(actor, known.actor) and not may_lift(known.actor, actor):
        # What staff halts stays halted until staff resumes, whoever had paused it before.
        why = f"halted by staff: {reason}"
        halts.lift(asked.session, scope, scope_id, actor=actor, reason=why, at=now)
    is_new = halts.halt(
        asked.session, scope, scope_id, actor=actor, reason=reason, until=None, at=now
    )
    closes = "close" in asked.given and asked.given.truth("close")
    if not is_new and not closes:
        raise Refused(f"Copying is halted for {WHOM[scope]} already.")
    if is_new and scope is HaltScope.FOLLOW:
        _note(asked, FollowId(scope_id), f"paused: {reason}")
    shards = marking.aim_scope_at_nothing(asked.session, scope, scope_id) if closes else set[int]()
    what = "; what is open is closed at market" if closes else ""
    return Done(
        message=f"Nothing new is opened for {WHOM[scope]} until you resume{what}.",
        shards=shards,
        follow_ids=(FollowId(scope_id),) if scope is HaltScope.FOLLOW else (),
    )


def resume_copying(asked: Asked) -> Done:
    """Copy opens again; the reason, where one is given, is kept with the halt."""
    scope, scope_id = _whose(asked)
    now, actor = asked.around.clock.now(), asked.row.actor
    reason = asked.given.text("reason") if "reason" in asked.given else None
    known = halts.halt_in_force(asked.session, scope, scope_id, now=now)
    if known is not None and not may_lift(actor, known.actor):
        raise Refused(f"An operator halted this follow ({known.reason}): only one can resume it.")
    if not halts.lift(asked.session, scope, scope_id, actor=actor, reason=reason, at=now):
        raise Refused(f"Copying is not halted for {WHOM[scope]}.")
    if scope is HaltScope.FOLLOW:
        _note(asked, FollowId(scope_id), "resumed" if reason is None else f"resumed: {reason}")
        _count_anew(asked, FollowId(scope_id))
    return Done(message=f"Opens are copied again for {WHOM[scope]}.")


def refuse_where_halted(asked: Asked, leader_id: LeaderId) -> None:
    """Raise `Refused` where a new follow of this leader would copy nothing."""
    found = halts.halt_of(
        asked.session, follow_id=None, leader_id=leader_id, now=asked.around.clock.now()
    )
    if found is not None:
        raise Refused(f"Copying is halted for {WHOM[found.scope]} now: try again later.")


def _whose(asked: Asked) -> tuple[HaltScope, int]:
    scope = asked.given.choice("scope", HaltScope)
    if scope is HaltScope.GLOBAL:
        return scope, halts.EVERYBODY
    if scope is HaltScope.LEADER:
        leader_id = LeaderId(asked.given.number("leader_id"))
        return scope, leaders.get_leader(asked.session, leader_id).id
    follow = follows.get_follow(asked.session, FollowId(asked.given.number("follow_id")))
    if follow.state not in COPIES_OPENS:
        raise Refused("This follow has ended or is ending: it opens nothing new.")
    return scope, follow.id


def _note(asked: Asked, follow_id: FollowId, reason: str) -> None:
    follow = follows.get_follow(asked.session, follow_id)
    follows.write_history(
        asked.session,
        follow,
        before=follow.state,
        actor=asked.row.actor,
        reason=reason,
        at=asked.around.clock.now(),
    )


def _count_anew(asked: Asked, follow_id: FollowId) -> None:
    """Measure the day and the losing positions from now on: else he would be halted at once."""
    terms = _terms(asked.session, follow_id)
    if terms is not None:
        terms.runs_counted_from = asked.around.clock.now()
        terms.day_start_value = terms.last_value


def _terms(session: Session, follow_id: FollowId) -> FollowProtectionRow | None:
    guarded = protection.guarded(session, follow_id)
    return None if guarded is None else guarded.terms
