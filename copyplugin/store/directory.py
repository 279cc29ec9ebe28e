"""Leaders at a glance, for the command line."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import AccountId, LeaderId
from copyplugin.domain.leader import LeaderStatus
from copyplugin.domain.money import Money
from copyplugin.store.places import placed_amount, places_taken
from copyplugin.store.rows import LeaderRow, LeaderStatisticsRow


@dataclass(frozen=True, kw_only=True, slots=True)
class LeaderLine:
    """`profit` is realised, net of fees and funding; None until it was computed once."""

    leader_id: LeaderId
    account: AccountId
    nickname: str
    status: LeaderStatus
    following: int
    copy_amount: Money
    profit: Money | None


def leader_lines(session: Session) -> list[LeaderLine]:
    """Return every leader, by number."""
    query = (
        select(LeaderRow, LeaderStatisticsRow.total_profit)
        .outerjoin(LeaderStatisticsRow, LeaderStatisticsRow.leader_id == LeaderRow.id)
        .order_by(LeaderRow.id)
    )
    return [
        LeaderLine(
            leader_id=leader.id,
            account=leader.account,
            nickname=leader.nickname,
            status=leader.status,
            following=places_taken(session, leader.id),
            copy_amount=placed_amount(session, leader.id),
            profit=profit,
        )
        for leader, profit in session.execute(query)
    ]
