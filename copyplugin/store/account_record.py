"""A leader's account point by point: its equity, what was brought in, what a unit is worth."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import LeaderId
from copyplugin.domain.money import ZERO_MONEY, Money, money_total
from copyplugin.domain.unit_value import FIRST, UnitValue
from copyplugin.store.dialect import put
from copyplugin.store.rows import LeaderDayRow, LeaderEquityRow, LeaderFillRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """What the venue said of one moment, all of it of the same moment.

    `wallet` is the equity without open results; `last_fill_id` the newest fill stored then, and the
    newest there was; `funding` what was paid since the point before (received where negative).
    """

    wallet: Money
    last_fill_id: int
    funding: Money
    last_funding_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    at: datetime
    day: date
    equity: Money
    profit: Money  # realised since he began to lead, net of fees and funding


def last_point(session: Session, leader_id: LeaderId) -> LeaderEquityRow | None:
    """Return the latest point that has a unit value; None before the first."""
    query = (
        select(LeaderEquityRow)
        .where(LeaderEquityRow.leader_id == leader_id, LeaderEquityRow.unit_value.is_not(None))
        .order_by(LeaderEquityRow.at.desc())
        .limit(1)
    )
    return session.scalars(query).first()


def last_fill_id(session: Session, leader_id: LeaderId) -> int:
    """Return the number of the newest fill stored; 0 where there is none."""
    query = select(func.max(LeaderFillRow.id)).where(LeaderFillRow.leader_id == leader_id)
    return session.scalar(query) or 0


def add_point(session: Session, leader_id: LeaderId, point: Point, watched: Watched | None) -> None:
    """Add a point; without what was watched it is one of the chart only.

    What was brought in since the point before is the change of the wallet that neither fills nor
    funding account for. One of the same instant adds nothing, nor one before it, as of a clock that
    was set back: what a point rests on is kept, and the next one has all that came since.
    """
    before = last_point(session, leader_id)
    if before is not None and point.at <= before.at:
        return
    values: dict[str, Any] = {
        "leader_id": leader_id,
        "at": point.at,
        "equity": point.equity,
        "profit": point.profit,
    }
    if watched is not None:
        flow = ZERO_MONEY if before is None else _flow(session, before, watched)
        unit = FIRST if before is None else _unit(before, point.equity, flow)
        values |= {
            "wallet": watched.wallet,
            "flow": flow,
            "unit_value": unit.value,
            "unit_value_peak": unit.peak,
            "drawdown_max": unit.drawdown_max,
            "last_fill_id": watched.last_fill_id,
            "last_funding_at": watched.last_funding_at,
        }
        today = {"leader_id": leader_id, "day": point.day, "unit_value": unit.value}
        put(session, LeaderDayRow, [today])
    put(session, LeaderEquityRow, [values])


def _flow(session: Session, before: LeaderEquityRow, watched: Watched) -> Money:
    assert before.wallet is not None
    realized_pnl, fees = session.execute(
        select(func.sum(LeaderFillRow.realized_pnl), func.sum(LeaderFillRow.fee)).where(
            LeaderFillRow.leader_id == before.leader_id,
            LeaderFillRow.id > before.last_fill_id,
            LeaderFillRow.id <= watched.last_fill_id,
        )
    ).one()
    earned = money_total(
        realized_pnl or ZERO_MONEY, Money(-(fees or ZERO_MONEY)), Money(-watched.funding)
    )
    return money_total(watched.wallet, Money(-before.wallet), Money(-earned))


def _unit(before: LeaderEquityRow, equity: Money, flow: Money) -> UnitValue:
    assert before.unit_value is not None
    assert before.unit_value_peak is not None
    assert before.drawdown_max is not None
    known = UnitValue(
        value=before.unit_value, peak=before.unit_value_peak, drawdown_max=before.drawdown_max
    )
    return known.after(equity_before=before.equity, equity=equity, flow=flow)
