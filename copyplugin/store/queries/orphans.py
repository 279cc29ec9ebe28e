"""Orphans as pages show them: positions in sub-accounts that no lane wants."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.follow import TERMINAL
from copyplugin.domain.identifiers import AccountId, FollowerId, FollowId, Symbol
from copyplugin.domain.money import Contracts
from copyplugin.store.rows import FollowRow, LeaderRow, OrphanRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Orphan:
    orphan_id: int
    follow_id: FollowId
    sub_account: AccountId | None
    leader_nickname: str
    symbol: Symbol
    position_side: PositionSide
    contracts: Contracts
    found_at: datetime
    close_asked_by: str | None
    can_close: bool  # by us: the follow has not ended

    @property
    def sentence(self) -> str:
        asked = "" if self.close_asked_by is None else f", asked to close by {self.close_asked_by}"
        return (
            f"follow {self.follow_id} (account {self.sub_account}) holds {self.contracts} contracts"
            f" of {self.symbol} {self.position_side} that no lane wants{asked}"
        )


def orphans_held(session: Session, follower_id: FollowerId | None = None) -> tuple[Orphan, ...]:
    """Return what is there now, of one follower or of all, oldest first."""
    query = (
        select(OrphanRow, FollowRow, LeaderRow.nickname)
        .join(FollowRow, FollowRow.id == OrphanRow.follow_id)
        .join(LeaderRow, LeaderRow.id == FollowRow.leader_id)
        .where(OrphanRow.gone_at.is_(None))
        .order_by(OrphanRow.id)
    )
    if follower_id is not None:
        query = query.where(FollowRow.follower_id == follower_id)
    return tuple(
        Orphan(
            orphan_id=row.id,
            follow_id=follow.id,
            sub_account=follow.sub_account,
            leader_nickname=nickname,
            symbol=row.symbol,
            position_side=row.position_side,
            contracts=row.contracts,
            found_at=row.found_at,
            close_asked_by=row.close_asked_by,
            can_close=follow.state not in TERMINAL,
        )
        for row, follow, nickname in session.execute(query)
    )
