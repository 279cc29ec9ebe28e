"""What of a follower's leader shares is in escrow, and what came back to him out of it (M9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import CopiedPositionId, FollowerId, FollowId
from copyplugin.domain.money import ZERO_MONEY, Money, money_total
from copyplugin.store.rows import FollowRow, SettlementRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """Of one share, or of all of a follow. `release_at` is when the (next) held one is paid out."""

    held: Money
    taken_back: Money
    release_at: datetime | None  # None: nothing is held any more


@dataclass(frozen=True, kw_only=True, slots=True)
class Escrow:
    """Only what was ever held is in here."""

    positions: Mapping[CopiedPositionId, Held]
    follows: Mapping[FollowId, Held]


def escrow_of(session: Session, follower_id: FollowerId) -> Escrow:
    """Return the shares of this follower that were ever held."""
    query = (
        select(SettlementRow)
        .join(FollowRow, FollowRow.id == SettlementRow.follow_id)
        .where(FollowRow.follower_id == follower_id, SettlementRow.release_at.is_not(None))
        .order_by(SettlementRow.id)
    )
    rows = list(session.scalars(query))
    by_follow: dict[FollowId, list[SettlementRow]] = {}
    for row in rows:
        by_follow.setdefault(row.follow_id, []).append(row)
    return Escrow(
        positions={
            row.copied_position_id: _held([row])
            for row in rows
            if row.copied_position_id is not None
        },
        follows={follow_id: _held(mine) for follow_id, mine in by_follow.items()},
    )


def _held(rows: list[SettlementRow]) -> Held:
    waiting = [row.release_at for row in rows if row.held > ZERO_MONEY and row.release_at]
    return Held(
        held=money_total(*(row.held for row in rows)),
        taken_back=money_total(*(row.taken_back for row in rows)),
        release_at=min(waiting, default=None),
    )
