"""The leader share of closed positions: computed, booked and planned in one transaction, once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from copyplugin.domain.follow import RECKONED, FollowState
from copyplugin.domain.high_water_mark import Reckoning, reckon
from copyplugin.domain.identifiers import CopiedPositionId, FollowId
from copyplugin.domain.leader import NOT_BOOKED, ShareBasis, TradeState
from copyplugin.domain.money import ZERO_MONEY, Money, money_total, total, truncate_money
from copyplugin.domain.share import SHARE_PLACES, leader_share, position_profit
from copyplugin.store.escrow import floor_of, take_back
from copyplugin.store.results import booked_result, mark_of, result_with
from copyplugin.store.rows import CopiedPositionRow, FollowRow, SettlementRow
from copyplugin.store.shares import Claim, Purse, take_share_alone


@dataclass(frozen=True, kw_only=True, slots=True)
class DuePosition:
    """A closed position whose result and share are not booked yet, and its follow."""

    position: CopiedPositionRow
    follow: FollowRow


def due_positions(
    session: Session, follow_ids: Collection[FollowId] | None = None
) -> list[DuePosition]:
    """Return what is to be settled, of these follows or of all, in order of closing."""
    query = (
        select(CopiedPositionRow, FollowRow)
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .where(
            CopiedPositionRow.state == TradeState.CLOSED,
            CopiedPositionRow.share_state.in_(NOT_BOOKED),
        )
        .order_by(CopiedPositionRow.closed_at, CopiedPositionRow.id)
    )
    if follow_ids is not None:
        query = query.where(CopiedPositionRow.follow_id.in_(follow_ids))
    return [
        DuePosition(position=position, follow=follow) for position, follow in session.execute(query)
    ]


def follows_due(session: Session) -> set[FollowId]:
    """Return the follows of which a closed position is to be settled."""
    query = select(CopiedPositionRow.follow_id).where(
        CopiedPositionRow.state == TradeState.CLOSED,
        CopiedPositionRow.share_state.in_(NOT_BOOKED),
    )
    return set(session.scalars(query))


def positions_due(session: Session) -> int:
    """Return how many closed positions are not settled yet."""
    query = select(func.count()).where(
        CopiedPositionRow.state == TradeState.CLOSED,
        CopiedPositionRow.share_state.in_(NOT_BOOKED),
    )
    return session.scalar(query) or 0


def settled(session: Session) -> tuple[int, Money]:
    """Return how many settlements there were, and what all shares come to."""
    query = select(func.count(), func.sum(SettlementRow.share))
    count, money = session.execute(query).one()
    return count, money or ZERO_MONEY


def settle_mark(  # noqa: PLR0913 - one reckoning in all its parts
    session: Session,
    follow: FollowRow,
    *,
    unrealized: Money,
    withdrawable: Money,
    is_last_call: bool,
    purse: Purse,
    at: datetime,
) -> SettlementRow | None:
    """Take the share above the high-water mark (M3), and back what is held too much (M9).

    While less can be withdrawn than the share, nothing is settled and the mark stays: the next
    reckoning starts from the value it finds. At the last call what there is is taken.
    """
    result = result_with(session, follow, unrealized=unrealized)
    mark = mark_of(session, follow, at=at)
    review_escrow(session, follow, purse, result=result, at=at)
    payable = max(truncate_money(withdrawable, SHARE_PLACES), ZERO_MONEY)
    reckoning = reckon(result, mark=mark.mark, share_ratio=follow.share_ratio, payable=payable)
    if reckoning is None:
        if not is_last_call:
            return None
        reckoning = Reckoning(share=payable, mark=result)
    follow.share_settled_at = at
    before, mark.mark, mark.updated_at = mark.mark, reckoning.mark, at
    if reckoning.share == 0:
        return None
    claim = Claim(
        follow=follow,
        reference=f"follow:{follow.id}:{_settlements(session, follow.id) + 1}",
        copied_position_id=None,
        profit=Money(total(result, -before)),
        share=reckoning.share,
        result_before=before,
        result_after=result,
    )
    return take_share_alone(session, claim, purse, at=at)


def review_escrow(
    session: Session, follow: FollowRow, purse: Purse, *, result: Money, at: datetime
) -> bool:
    """Give back what is held too much at this result (M9); the mark goes down with it."""
    floor = floor_of(session, follow.id, now=at)
    if floor is None or not take_back(session, follow, purse, result=result, at=at):
        return False
    if follow.share_basis is ShareBasis.HIGH_WATER_MARK:
        mark_of(session, follow, at=at).mark = max(result, floor)  # it may be earned anew
    return True


def settle_hand_over(
    session: Session,
    follow: FollowRow,
    *,
    unrealized: Mapping[CopiedPositionId, Money],
    withdrawable: Money,
    purse: Purse,
    at: datetime,
) -> SettlementRow | None:
    """Take the share at this moment's value (L13); what cannot be withdrawn yet stays owed.

    Above a mark it is taken of the value, else of each open position's profit so far. Nothing that
    happens from now on changes it.
    """
    if follow.share_basis is ShareBasis.HIGH_WATER_MARK:
        mark = mark_of(session, follow, at=at)
        result = result_with(session, follow, unrealized=money_total(*unrealized.values()))
        reckoning = reckon(result, mark=mark.mark, share_ratio=follow.share_ratio)
        assert reckoning is not None, "nothing limits it"
        before, profit, share = mark.mark, Money(total(result, -mark.mark)), reckoning.share
        mark.mark, mark.updated_at = reckoning.mark, at
    else:
        profits = _profits_so_far(session, follow, unrealized)
        shares = [leader_share(each, follow.share_ratio) for each in profits]
        before = booked_result(session, follow.id)
        profit, share = money_total(*profits), money_total(*shares)
        result = Money(total(before, profit))
    follow.share_settled_at = at
    follow.share_owed = share
    return settle_owed(
        session,
        follow,
        profit=profit,
        results=(before, result),
        withdrawable=withdrawable,
        purse=purse,
        at=at,
    )


def settle_owed(  # noqa: PLR0913 - one settlement in all its parts
    session: Session,
    follow: FollowRow,
    *,
    profit: Money,
    results: tuple[Money, Money],
    withdrawable: Money,
    purse: Purse,
    at: datetime,
) -> SettlementRow | None:
    """Take of what a hand-over left owed as much as can be withdrawn."""
    assert follow.share_owed is not None
    payable = max(truncate_money(withdrawable, SHARE_PLACES), ZERO_MONEY)
    share = min(follow.share_owed, payable)
    if share == 0:
        return None
    follow.share_owed = Money(total(follow.share_owed, -share)) or None
    claim = Claim(
        follow=follow,
        reference=f"follow:{follow.id}:{_settlements(session, follow.id) + 1}",
        copied_position_id=None,
        profit=profit,
        share=share,
        result_before=results[0],
        result_after=results[1],
    )
    return take_share_alone(session, claim, purse.holding_nothing, at=at)


def is_hand_over_due(follow: FollowRow) -> bool:
    """Return whether the follow was handed over and its share is not reckoned yet."""
    handed = follow.handed_over_at
    settled = follow.share_settled_at
    return handed is not None and (settled is None or settled < handed)


def due_hand_overs(session: Session) -> list[FollowId]:
    """Return the follows that were handed over and whose share is not reckoned or not paid."""
    query = (
        select(FollowRow.id)
        .where(
            FollowRow.state == FollowState.HANDED_OVER,
            or_(
                FollowRow.share_settled_at.is_(None),
                FollowRow.share_settled_at < FollowRow.handed_over_at,
                FollowRow.share_owed.is_not(None),
            ),
        )
        .order_by(FollowRow.id)
    )
    return list(session.scalars(query))


def _profits_so_far(
    session: Session, follow: FollowRow, unrealized: Mapping[CopiedPositionId, Money]
) -> list[Money]:
    query = select(CopiedPositionRow).where(
        CopiedPositionRow.follow_id == follow.id, CopiedPositionRow.state == TradeState.OPEN
    )
    return [
        position_profit(
            realized_pnl=Money(total(row.realized_pnl, unrealized.get(row.id, ZERO_MONEY))),
            fees=row.fees,
            funding=row.funding,
        )
        for row in session.scalars(query.order_by(CopiedPositionRow.id))
    ]


def due_reckonings(session: Session, *, settled_before: datetime) -> list[FollowId]:
    """Return the live follows above a mark that were last settled, or started, before this."""
    query = (
        select(FollowRow.id)
        .where(
            FollowRow.share_basis == ShareBasis.HIGH_WATER_MARK,
            FollowRow.state.in_(RECKONED),
            func.coalesce(FollowRow.share_settled_at, FollowRow.started_at) <= settled_before,
        )
        .order_by(FollowRow.id)
    )
    return list(session.scalars(query))


def _settlements(session: Session, follow_id: FollowId) -> int:
    query = (
        select(func.count()).select_from(SettlementRow).where(SettlementRow.follow_id == follow_id)
    )
    return session.scalar(query) or 0
