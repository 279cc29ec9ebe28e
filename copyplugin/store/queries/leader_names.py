"""Who leads, those who left the list included: for signing in and for headings."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import AccountId, LeaderId
from copyplugin.domain.leader import LeaderStatus, ShareBasis
from copyplugin.domain.money import Ratio
from copyplugin.store.rows import LeaderRow


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderName:
    leader_id: LeaderId
    account: AccountId
    nickname: str
    status: LeaderStatus
    share_ratio: Ratio
    share_basis: ShareBasis
    sharer_ratio: Ratio


def leader_names(session: Session) -> tuple[LeaderName, ...]:
    """Return every leader, by number."""
    return tuple(_name(row) for row in session.scalars(select(LeaderRow).order_by(LeaderRow.id)))


def leader_name(session: Session, leader_id: LeaderId) -> LeaderName | None:
    row = session.get(LeaderRow, leader_id)
    return None if row is None else _name(row)


def _name(row: LeaderRow) -> LeaderName:
    return LeaderName(
        leader_id=row.id,
        account=row.account,
        nickname=row.nickname,
        status=row.status,
        share_ratio=row.share_ratio,
        share_basis=row.share_basis,
        sharer_ratio=row.sharer_ratio,
    )
