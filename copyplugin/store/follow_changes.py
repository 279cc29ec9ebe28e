"""What a change of a follow's settings has to know and to lock."""

from collections.abc import Collection

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import FollowId, LaneId, SignalId, Symbol
from copyplugin.domain.money import NO_CONTRACTS
from copyplugin.domain.order import CopyOrderState
from copyplugin.errors import UnknownFollow
from copyplugin.store.rows import CopyOrderRow, FollowRow, LaneRow, SignalRow


def lock_follow(session: Session, follow_id: FollowId) -> FollowRow:
    """Return the follow; nobody decides an order for it until the transaction ends.

    Raises `UnknownFollow`.
    """
    query = select(FollowRow).where(FollowRow.id == follow_id).with_for_update()
    row = session.scalars(query).one_or_none()
    if row is None:
        raise UnknownFollow(f"There is no follow number {follow_id}.")
    return row


def latest_signal(session: Session) -> SignalId:
    """Return the number of the latest leader order that is known; 0 before the first."""
    return session.scalar(select(func.max(SignalRow.id))) or SignalId(0)


def symbols_open(session: Session, follow_id: FollowId) -> list[Symbol]:
    """Return in what the follow holds something, wants something or has an order on its way."""
    in_doubt = exists().where(
        CopyOrderRow.lane_id == LaneRow.id, CopyOrderRow.state == CopyOrderState.SENT
    )
    query = (
        select(LaneRow.symbol)
        .where(
            LaneRow.follow_id == follow_id,
            or_(LaneRow.actual != NO_CONTRACTS, LaneRow.target != NO_CONTRACTS, in_doubt),
        )
        .distinct()
        .order_by(LaneRow.symbol)
    )
    return list(session.scalars(query))


def lanes_in(session: Session, follow_id: FollowId, symbols: Collection[Symbol]) -> list[LaneId]:
    query = select(LaneRow.id).where(LaneRow.follow_id == follow_id, LaneRow.symbol.in_(symbols))
    return list(session.scalars(query))
