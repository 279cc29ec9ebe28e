"""Changes of settings while copying goes on: who proposed them, who decided, what is in force."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from copyplugin.domain.setting_change import SettingChangeState, SettingName
from copyplugin.errors import Refused
from copyplugin.store.columns import utc_bound
from copyplugin.store.rows import SettingChangeRow
from copyplugin.store.statement import Statement

_IN_FORCE = Statement(
    "SELECT name, value FROM setting_change AS c WHERE in_force_from <= :now"
    " AND NOT EXISTS (SELECT 1 FROM setting_change AS later WHERE later.name = c.name"
    " AND later.in_force_from <= :now AND later.sequence > c.sequence)"
)


def values_in_force(session: Session, *, at: datetime) -> dict[SettingName, str]:
    """Return what was changed and is in force then; all others are as configured."""
    found = _IN_FORCE.run(session, now=utc_bound(at))
    return {SettingName(name): value for name, value in found if value is not None}


def changes_made(session: Session) -> list[SettingChangeRow]:
    """Return every change that was approved, in the order of the decisions."""
    query = select(SettingChangeRow).where(SettingChangeRow.in_force_from.is_not(None))
    return list(session.scalars(query.order_by(SettingChangeRow.sequence)))


def in_force_rows(session: Session, *, at: datetime) -> dict[SettingName, SettingChangeRow]:
    """Return the latest change of each setting that is in force then."""
    return {
        row.name: row
        for row in changes_made(session)
        if row.in_force_from is not None and row.in_force_from <= at
    }


def open_proposals(session: Session, *, now: datetime) -> list[SettingChangeRow]:
    """Return what waits for a second person, the oldest first."""
    query = select(SettingChangeRow).where(
        SettingChangeRow.state == SettingChangeState.PROPOSED, SettingChangeRow.expires_at > now
    )
    return list(session.scalars(query.order_by(SettingChangeRow.id)))


def latest_changes(session: Session, *, limit: int) -> list[SettingChangeRow]:
    """Return the latest changes, whatever became of them, the newest first."""
    query = select(SettingChangeRow).order_by(SettingChangeRow.id.desc()).limit(limit)
    return list(session.scalars(query))


def propose(  # noqa: PLR0913 - who changes what, why, until when
    session: Session,
    name: SettingName,
    value: str | None,
    *,
    value_before: str,
    reason: str,
    actor: str,
    at: datetime,
    expires_at: datetime,
) -> SettingChangeRow:
    """Store a proposal; raises `Refused` where one for this setting waits already."""
    _expire(session, now=at)
    waiting = [row for row in open_proposals(session, now=at) if row.name is name]
    if waiting:
        raise Refused(
            f"A change of {name} is proposed already (number {waiting[0].id}, by "
            f"{waiting[0].proposed_by}): approve or reject that one first."
        )
    row = _stored(session, name, value, value_before, reason, actor, at, expires_at)
    session.flush()
    return row


def change_at_once(  # noqa: PLR0913 - who changes what, and why
    session: Session,
    name: SettingName,
    value: str | None,
    *,
    value_before: str,
    reason: str,
    actor: str,
    decision: str,
    at: datetime,
) -> SettingChangeRow:
    """Store a change that one person may make, in force from now."""
    sequence = _next_sequence(session)
    row = _stored(session, name, value, value_before, reason, actor, at, at)
    row.state = SettingChangeState.APPROVED
    row.decided_by, row.decided_at, row.decision = actor, at, decision
    row.in_force_from, row.sequence = at, sequence
    session.flush()
    return row


def get_proposal(session: Session, number: int, *, now: datetime) -> SettingChangeRow:
    """Return a change that waits for a second person; raises `Refused` where none does."""
    row = session.get(SettingChangeRow, number, with_for_update=True, populate_existing=True)
    if row is None:
        raise Refused(f"There is no proposal number {number}: see copyplugin settings proposals.")
    if row.state is SettingChangeState.PROPOSED and row.expires_at <= now:
        raise Refused(
            f"Proposal {number} expired on {row.expires_at:%Y-%m-%d %H:%M} UTC: propose it anew."
        )
    if row.state is not SettingChangeState.PROPOSED:
        by = "" if row.decided_by is None else f" by {row.decided_by}"
        raise Refused(f"Proposal {number} was {row.state}{by} already: nothing was done again.")
    return row


def decide(
    session: Session,
    row: SettingChangeRow,
    state: SettingChangeState,
    *,
    actor: str,
    decision: str,
    at: datetime,
) -> None:
    """Approve or reject a proposal, once: whoever comes second is refused."""
    approves = state is SettingChangeState.APPROVED
    decided = session.execute(
        update(SettingChangeRow)
        .where(SettingChangeRow.id == row.id, SettingChangeRow.state == SettingChangeState.PROPOSED)
        .values(
            state=state,
            decided_by=actor,
            decided_at=at,
            decision=decision,
            in_force_from=at if approves else None,
            sequence=_next_sequence(session) if approves else None,
        )
        .returning(SettingChangeRow.id)
        .execution_options(synchronize_session=False)
    )
    if decided.first() is None:
        raise Refused(f"Proposal {row.id} was decided already: nothing was done again.")
    session.refresh(row)


def _stored(  # noqa: PLR0913, PLR0917 - the columns of a row
    session: Session,
    name: SettingName,
    value: str | None,
    value_before: str,
    reason: str,
    actor: str,
    at: datetime,
    expires_at: datetime,
) -> SettingChangeRow:
    row = SettingChangeRow(
        name=name,
        value=value,
        value_before=value_before,
        reason=reason,
        proposed_by=actor,
        proposed_at=at,
        expires_at=expires_at,
    )
    session.add(row)
    return row


def _expire(session: Session, *, now: datetime) -> None:
    """Write down that proposals whose time is over have expired then."""
    session.execute(
        update(SettingChangeRow)
        .where(
            SettingChangeRow.state == SettingChangeState.PROPOSED,
            SettingChangeRow.expires_at <= now,
        )
        .values(state=SettingChangeState.EXPIRED, decided_at=SettingChangeRow.expires_at)
        .execution_options(synchronize_session=False)
    )


def _next_sequence(session: Session) -> int:
    """Return the place of the next decision: the last one counts, though a clock was set back."""
    return (session.scalar(select(func.max(SettingChangeRow.sequence))) or 0) + 1
