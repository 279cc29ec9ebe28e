"""Leader shares that were settled, reckoned again with another part of the profit (N12)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import FollowerId, FollowId, LeaderId
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, money_total
from copyplugin.domain.share import leader_share
from copyplugin.store.rows import FollowRow, SettlementRow


@dataclass(frozen=True, kw_only=True, slots=True)
class ShareAgain:
    """Of one follow: what was settled, what was taken back among it, and what would have been."""

    follow_id: FollowId
    follower_id: FollowerId
    paid: Money
    would_be: Money


def shares_again(
    session: Session, leader_id: LeaderId, ratio: Ratio, *, since: datetime
) -> list[ShareAgain]:
    """Return the shares settled since then, by follow; real money only."""
    query = (
        select(SettlementRow, FollowRow.follower_id)
        .join(FollowRow, FollowRow.id == SettlementRow.follow_id)
        .where(
            SettlementRow.leader_id == leader_id,
            SettlementRow.at >= since,
            FollowRow.paper.is_(False),
        )
        .order_by(SettlementRow.id)
    )
    found: dict[FollowId, ShareAgain] = {}
    for row, follower_id in session.execute(query):
        before = found.get(row.follow_id)
        found[row.follow_id] = ShareAgain(
            follow_id=row.follow_id,
            follower_id=follower_id,
            paid=money_total(
                before.paid if before else ZERO_MONEY,
                leader_share(row.profit, row.share_ratio),
            ),
            would_be=money_total(
                before.would_be if before else ZERO_MONEY, leader_share(row.profit, ratio)
            ),
        )
    return list(found.values())
