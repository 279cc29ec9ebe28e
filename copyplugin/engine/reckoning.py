"""Shares that are of no single position: above a mark, at a hand-over, in escrow (M3, M9, L13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from copyplugin.domain.account import VenuePosition
from copyplugin.domain.follow import RECKONED
from copyplugin.domain.identifiers import CopiedPositionId
from copyplugin.domain.leader import ShareBasis
from copyplugin.domain.money import ZERO_MONEY, Money, money_total
from copyplugin.store import escrow, lane_work, results, settlements
from copyplugin.store.database import Session
from copyplugin.store.rows import FollowRow
from copyplugin.store.shares import Purse


def owes_beyond_positions(follow: FollowRow) -> bool:
    """Return whether the follow owes, or may owe, a share that is of no single position."""
    return (
        follow.share_basis is ShareBasis.HIGH_WATER_MARK
        or follow.share_owed is not None
        or settlements.is_hand_over_due(follow)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Reckoner:
    """One follow as it is settled, inside a transaction; `positions` as the venue has them now."""

    session: Session
    follow: FollowRow
    positions: Sequence[VenuePosition]
    withdrawable: Money
    is_last_call: bool
    purse: Purse
    period: timedelta
    now: datetime

    def reckon(self) -> int:
        """Take what is due, give back and release what was held; return how much was to move."""
        taken = self._take()
        reviewed = settlements.review_escrow(
            self.session, self.follow, self.purse, result=self._result(), at=self.now
        )
        released = escrow.release(
            self.session, self.follow, self.purse, is_over=self._is_over, at=self.now
        )
        return taken + reviewed + released

    @property
    def _is_over(self) -> bool:
        """Return whether nothing can change the result that the leader has a part in."""
        return self.is_last_call or self.follow.handed_over_at is not None

    def _take(self) -> int:
        follow = self.follow
        if settlements.is_hand_over_due(follow):
            row = settlements.settle_hand_over(
                self.session,
                follow,
                unrealized=self._unrealized_by_position(),
                withdrawable=self.withdrawable,
                purse=self.purse,
                at=self.now,
            )
        elif follow.share_owed is not None:
            row = settlements.settle_owed(
                self.session,
                follow,
                profit=ZERO_MONEY,
                results=(ZERO_MONEY, ZERO_MONEY),
                withdrawable=self.withdrawable,
                purse=self.purse,
                at=self.now,
            )
        elif self._is_reckoned_now():
            row = settlements.settle_mark(
                self.session,
                follow,
                unrealized=self._unrealized(),
                withdrawable=self.withdrawable,
                is_last_call=self.is_last_call,
                purse=self.purse,
                at=self.now,
            )
        else:
            row = None
        return row is not None

    def _is_reckoned_now(self) -> bool:
        follow = self.follow
        is_above_mark = follow.share_basis is ShareBasis.HIGH_WATER_MARK
        if not is_above_mark or follow.handed_over_at is not None:
            return False
        last = follow.share_settled_at or follow.started_at
        assert last is not None, "a follow that is settled has started"
        return self.is_last_call or (follow.state in RECKONED and last <= self.now - self.period)

    def _result(self) -> Money:
        """Return the result that shares in escrow are held against."""
        if self.follow.share_basis is ShareBasis.HIGH_WATER_MARK:
            return results.result_with(self.session, self.follow, unrealized=self._unrealized())
        return results.booked_result(self.session, self.follow.id)

    def _unrealized(self) -> Money:
        return money_total(ZERO_MONEY, *(held.unrealized_pnl for held in self.positions))

    def _unrealized_by_position(self) -> dict[CopiedPositionId, Money]:
        by_leg = {(held.symbol, held.position_side): held for held in self.positions}
        return {
            row.id: by_leg[row.symbol, row.position_side].unrealized_pnl
            for row in lane_work.open_positions_of(self.session, self.follow.id)
            if (row.symbol, row.position_side) in by_leg
        }
