"""A leader's equity over time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import LeaderId
from copyplugin.domain.money import Money
from copyplugin.store.rows import LeaderEquityRow


@dataclass(frozen=True, kw_only=True, slots=True)
class EquityPoint:
    at: datetime
    equity: Money
    profit: Money  # realised since he began to lead, net of fees and funding


def equity_of(session: Session, leader_id: LeaderId, points_max: int) -> tuple[EquityPoint, ...]:
    """Return the whole series, oldest first, thinned evenly to at most so many points."""
    return equity_of_many(session, [leader_id], since=None, points_max=points_max)[leader_id]


def equity_of_many(
    session: Session,
    leaders: Collection[LeaderId],
    *,
    since: datetime | None,
    points_max: int,
) -> Mapping[LeaderId, tuple[EquityPoint, ...]]:
    """Return each leader's series, oldest first, thinned evenly to at most so many points.

    The last point is always there: it is the newest figure.
    """
    from_end = (
        func.row_number()
        .over(partition_by=LeaderEquityRow.leader_id, order_by=LeaderEquityRow.at.desc())
        .label("from_end")
    )
    count = func.count().over(partition_by=LeaderEquityRow.leader_id).label("points")
    chosen = select(LeaderEquityRow, from_end, count).where(LeaderEquityRow.leader_id.in_(leaders))
    if since is not None:
        chosen = chosen.where(LeaderEquityRow.at >= since)
    points = chosen.subquery()
    every = (points.c.points + points_max - 1) // points_max  # rounds up, so at least 1
    kept = (
        select(points.c.leader_id, points.c.at, points.c.equity, points.c.profit)
        .where((points.c.from_end - 1) % every == 0)
        .order_by(points.c.leader_id, points.c.at)
    )
    series: dict[LeaderId, list[EquityPoint]] = {leader_id: [] for leader_id in leaders}
    for leader_id, at, equity, profit in session.execute(kept):
        series[leader_id].append(EquityPoint(at=at, equity=equity, profit=profit))
    return {leader_id: tuple(found) for leader_id, found in series.items()}
