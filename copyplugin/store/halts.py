"""Halts: whose opens are not copied now, since when, why and until when (P5)."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from copyplugin.domain.halt import HaltScope
from copyplugin.domain.identifiers import FollowId, LeaderId
from copyplugin.store.records import RecordTable
from copyplugin.store.rows import HaltRow
from copyplugin.store.statement import Statement

EVERYBODY = 0
"""The number under which the global halt is kept."""

_HALTS = RecordTable(HaltRow)
_HALTED = Statement(
    "SELECT scope, scope_id FROM halt WHERE lifted_at IS NULL AND (until IS NULL OR until > :now)"
    " AND (scope = 'global' OR scope = 'leader' AND scope_id IN :leaders"
    " OR scope = 'follow' AND scope_id IN :follows)"
)


def halt(  # noqa: PLR0913 - what a halt is
    session: Session,
    scope: HaltScope,
    scope_id: int,
    *,
    actor: str,
    reason: str,
    until: datetime | None,
    at: datetime,
) -> bool:
    """Halt opens; return whether they were not halted before. None: until somebody resumes."""
    lift_expired(session, now=at)
    known = session.scalars(select(HaltRow).where(_is(scope, scope_id), _in_force(at)))
    if known.one_or_none() is not None:
        return False
    session.add(
        HaltRow(
            scope=scope, scope_id=scope_id, actor=actor, reason=reason, halted_at=at, until=until
        )
    )
    session.flush()
    return True


def lift(
    session: Session,
    scope: HaltScope,
    scope_id: int,
    *,
    actor: str,
    reason: str | None = None,
    at: datetime,
) -> bool:
    """Let opens be copied again; return whether they were halted."""
    lift_expired(session, now=at)
    lifted = session.execute(
        update(HaltRow)
        .where(_is(scope, scope_id), _in_force(at))
        .values(lifted_at=at, lifted_by=actor, lift_reason=reason)
        .returning(HaltRow.id)
        .execution_options(synchronize_session=False)
    )
    return lifted.first() is not None


def lift_expired(session: Session, *, now: datetime) -> None:
    """Write down that halts whose time is over have ended then."""
    session.execute(
        update(HaltRow)
        .where(HaltRow.lifted_at.is_(None), HaltRow.until <= now)
        .values(lifted_at=HaltRow.until, lifted_by="engine")
        .execution_options(synchronize_session=False)
    )


def halted_among(
    session: Session, leaders: Mapping[FollowId, LeaderId], *, now: datetime
) -> set[FollowId]:
    """Return those of the follows, given with their leaders, whose opens are halted now."""
    found = set(
        _HALTED.run(
            session,
            now=_HALTS.bind("until", now),
            leaders=set(leaders.values()),
            follows=list(leaders),
        )
    )
    if (HaltScope.GLOBAL, EVERYBODY) in found:
        return set(leaders)
    return {
        follow_id
        for follow_id, leader_id in leaders.items()
        if (HaltScope.LEADER, leader_id) in found or (HaltScope.FOLLOW, follow_id) in found
    }


def halt_of(
    session: Session, *, follow_id: FollowId | None, leader_id: LeaderId, now: datetime
) -> HaltRow | None:
    """Return what halts a follow, or would halt a new one of that leader; the widest first."""
    which = [_is(HaltScope.GLOBAL, EVERYBODY), _is(HaltScope.LEADER, leader_id)]
    if follow_id is not None:
        which.append(_is(HaltScope.FOLLOW, follow_id))
    rows = list(session.scalars(select(HaltRow).where(or_(*which), _in_force(now))))
    order = [HaltScope.GLOBAL, HaltScope.LEADER, HaltScope.FOLLOW]
    return min(rows, key=lambda row: order.index(row.scope), default=None)


def halt_in_force(
    session: Session, scope: HaltScope, scope_id: int, *, now: datetime
) -> HaltRow | None:
    """Return the halt of just this scope that holds now."""
    return session.scalars(select(HaltRow).where(_is(scope, scope_id), _in_force(now))).first()


def all_halts(session: Session, *, limit: int | None = None) -> list[HaltRow]:
    """Return every halt there ever was, or so many, the latest first."""
    return list(session.scalars(select(HaltRow).order_by(HaltRow.id.desc()).limit(limit)))


def halts_in_force(
    session: Session, scopes: Collection[HaltScope], *, now: datetime
) -> list[HaltRow]:
    """Return the halts of these scopes that hold now, the latest first."""
    query = select(HaltRow).where(HaltRow.scope.in_(scopes), _in_force(now))
    return list(session.scalars(query.order_by(HaltRow.id.desc())))


def _is(scope: HaltScope, scope_id: int) -> ColumnElement[bool]:
    return and_(HaltRow.scope == scope, HaltRow.scope_id == scope_id)


def _in_force(now: datetime) -> ColumnElement[bool]:
    return and_(HaltRow.lifted_at.is_(None), or_(HaltRow.until.is_(None), HaltRow.until > now))
