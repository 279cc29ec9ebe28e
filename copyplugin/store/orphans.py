"""Orphans: found, asked to be closed, gone."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import FollowId, Symbol
from copyplugin.domain.money import Contracts
from copyplugin.errors import Refused
from copyplugin.store.rows import OrphanRow

Leg = tuple[Symbol, PositionSide]


def held_orphans(session: Session, follow_id: FollowId | None = None) -> list[OrphanRow]:
    """Return what is there now, of one follow or of all, oldest first."""
    query = select(OrphanRow).where(OrphanRow.gone_at.is_(None)).order_by(OrphanRow.id)
    if follow_id is not None:
        query = query.where(OrphanRow.follow_id == follow_id)
    return list(session.scalars(query))


def write_orphans(
    session: Session, follow_id: FollowId, found: Mapping[Leg, Contracts], *, at: datetime
) -> None:
    """Write down what a look at the sub-account found, and that what it did not find is gone."""
    known = {(row.symbol, row.position_side): row for row in held_orphans(session, follow_id)}
    for leg, row in known.items():
        if leg in found:
            row.contracts = found[leg]
        else:
            row.gone_at = at
    session.add_all(
        OrphanRow(
            follow_id=follow_id,
            symbol=symbol,
            position_side=side,
            contracts=contracts,
            found_at=at,
        )
        for (symbol, side), contracts in found.items()
        if (symbol, side) not in known
    )
    session.flush()


def get_orphan(session: Session, orphan_id: int) -> OrphanRow:
    """Return one that is there now; raises `Refused` where there is none."""
    row = session.get(OrphanRow, orphan_id)
    if row is None or row.gone_at is not None:
        raise Refused(f"There is no orphan number {orphan_id} now.")
    return row


def ask_to_close(session: Session, orphan_id: int, *, actor: str, at: datetime) -> OrphanRow:
    """Let an orphan be closed with the next look; raises `Refused` where there is none."""
    row = get_orphan(session, orphan_id)
    row.close_asked_by, row.close_asked_at = actor, at
    return row


def asked_legs(session: Session, follow_id: FollowId) -> set[Leg]:
    return {
        (row.symbol, row.position_side)
        for row in held_orphans(session, follow_id)
        if row.close_asked_at is not None
    }
