"""A leader's account point by point: its equity, what was brought in, what a unit is worth."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from itertools import pairwise
from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import FundingPayment
from copyplugin.domain.days import day_of
from copyplugin.domain.identifiers import LeaderId
from copyplugin.domain.money import ZERO_MONEY, Money, money_total
from copyplugin.domain.unit_value import FIRST, UnitValue
from copyplugin.store.dialect import put
from copyplugin.store.leader_record import FUNDING_GRACE
from copyplugin.store.rows import LeaderDayRow, LeaderEquityRow, LeaderFillRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """What the venue said of one moment, all of it of the same moment.

    `wallet` is the equity without open results; `last_fill_id` the newest fill stored then, and the
    newest there was; `payments` all funding that is told from `funding_asked_from` on, `asked_at`
    the time by our clock before it was asked.
    """

    wallet: Money
    last_fill_id: int
    payments: Sequence[FundingPayment]
    asked_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Point:
    at: datetime
    day: date
    equity: Money
    profit: Money  # realised since he began to lead, net of fees and funding


def last_point(session: Session, leader_id: LeaderId) -> LeaderEquityRow | None:
    """Return the latest point that has a unit value; None before the first."""
    return session.scalars(_points(leader_id).limit(1)).first()


def funding_asked_from(session: Session, leader_id: LeaderId) -> datetime | None:
    """Return where to ask from, so that payments told late are found; None before the first point.

    They may belong to any point that was young when the latest one was made.
    """
    points = _young_points(session, leader_id)
    return points[-1].last_funding_at if points else None


def _young_points(session: Session, leader_id: LeaderId) -> list[LeaderEquityRow]:
    """Return the points whose funding may have been told since, latest first, and one before."""
    last = last_point(session, leader_id)
    if last is None:
        return []
    query, old = _points(leader_id), last.at - FUNDING_GRACE
    young = session.scalars(query.where(LeaderEquityRow.at > old)).all()
    return [*young, *session.scalars(query.where(LeaderEquityRow.at <= old).limit(1))]


def _points(leader_id: LeaderId) -> Select[LeaderEquityRow]:
    """Select the points that have a unit value, latest first."""
    return (
        select(LeaderEquityRow)
        .where(LeaderEquityRow.leader_id == leader_id, LeaderEquityRow.unit_value.is_not(None))
        .order_by(LeaderEquityRow.at.desc())
    )


def last_fill_id(session: Session, leader_id: LeaderId) -> int:
    """Return the number of the newest fill stored; 0 where there is none."""
    query = select(func.max(LeaderFillRow.id)).where(LeaderFillRow.leader_id == leader_id)
    return session.scalar(query) or 0


def add_point(
    session: Session,
    leader_id: LeaderId,
    point: Point,
    watched: Watched | None,
    *,
    zone: tzinfo,
) -> None:
    """Add a point; without what was watched it is one of the chart only.

    What was brought in since the point before is the change of the wallet that neither fills nor
    funding account for. One of the same instant adds nothing, nor one before it, as of a clock that
    was set back: what a point rests on is kept, and the next one has all that came since. Points
    whose wallet had moved by a payment that is told only now are left to the chart, too, and this
    one rests on the one before them: else the payment would look like money taken out.
    """
    points = _young_points(session, leader_id)
    if points and point.at <= points[0].at:
        return
    values: dict[str, Any] = {
        "leader_id": leader_id,
        "at": point.at,
        "equity": point.equity,
        "profit": point.profit,
    }
    if watched is not None:
        before = _borne_out(session, points, watched.payments, zone) if points else None
        since = watched.asked_at if before is None else _funded_until(before)
        new = [payment for payment in watched.payments if payment.at > since]
        flow = ZERO_MONEY if before is None else _flow(session, before, watched, _sum(new))
        unit = FIRST if before is None else _unit(before, point.equity, flow)
        values |= {
            "wallet": watched.wallet,
            "flow": flow,
            "unit_value": unit.value,
            "unit_value_peak": unit.peak,
            "drawdown_max": unit.drawdown_max,
            "last_fill_id": watched.last_fill_id,
            "last_funding_at": max([since, *(payment.at for payment in new)]),
        }
        today = {"leader_id": leader_id, "day": point.day, "unit_value": unit.value}
        put(session, LeaderDayRow, [today])
    put(session, LeaderEquityRow, [values])


def _borne_out(
    session: Session,
    points: Sequence[LeaderEquityRow],
    payments: Sequence[FundingPayment],
    zone: tzinfo,
) -> LeaderEquityRow:
    """Return the latest of these points that no payment told since belongs to; drop those after.

    They stay points of the chart. The oldest of them is not doubted.
    """
    doubted = 0
    for place, (point, before) in enumerate(pairwise(points), start=1):
        if _lacks_a_payment(session, before, point, payments):
            doubted = place
    found = points[doubted]
    for point in points[:doubted]:
        point.wallet = point.flow = point.last_fill_id = point.last_funding_at = None
        point.unit_value = point.unit_value_peak = point.drawdown_max = None
    session.flush()
    _correct_days(session, found, {day_of(point.at, zone) for point in points[:doubted]}, zone)
    return found


def _lacks_a_payment(
    session: Session,
    before: LeaderEquityRow,
    point: LeaderEquityRow,
    payments: Sequence[FundingPayment],
) -> bool:
    """Return whether a payment told now was made before the point and is not counted in it.

    One made just before it may have moved the wallet after it: then it is doubted for nothing, and
    the next point has all.
    """
    assert point.wallet is not None
    assert point.flow is not None
    assert before.wallet is not None
    until = _funded_until(point)
    if any(until < payment.at <= point.at for payment in payments):
        return True
    told = _sum(each for each in payments if _funded_until(before) < each.at <= until)
    earned = _earned(session, before, point.last_fill_id or 0)
    counted = money_total(point.flow, before.wallet, Money(-point.wallet), earned)
    return told != counted


def _correct_days(
    session: Session, last: LeaderEquityRow, days: Iterable[date], zone: tzinfo
) -> None:
    """Let days whose last points were dropped end with the last point there is, if it is theirs."""
    for day in days:
        if day == day_of(last.at, zone):
            value = {"leader_id": last.leader_id, "day": day, "unit_value": last.unit_value}
            put(session, LeaderDayRow, [value])
            continue
        of_day = (LeaderDayRow.leader_id == last.leader_id, LeaderDayRow.day == day)
        session.execute(delete(LeaderDayRow).where(*of_day))


def _funded_until(point: LeaderEquityRow) -> datetime:
    assert point.last_funding_at is not None
    return point.last_funding_at


def _sum(payments: Iterable[FundingPayment]) -> Money:
    return money_total(*(payment.payment for payment in payments))


def _flow(session: Session, before: LeaderEquityRow, watched: Watched, funding: Money) -> Money:
    assert before.wallet is not None
    earned = _earned(session, before, watched.last_fill_id)
    return money_total(watched.wallet, Money(-before.wallet), Money(-earned), funding)


def _earned(session: Session, before: LeaderEquityRow, last_fill_id: int) -> Money:
    """Return what the fills after a point and up to that one have earned, net of fees."""
    realized_pnl, fees = session.execute(
        select(func.sum(LeaderFillRow.realized_pnl), func.sum(LeaderFillRow.fee)).where(
            LeaderFillRow.leader_id == before.leader_id,
            LeaderFillRow.id > before.last_fill_id,
            LeaderFillRow.id <= last_fill_id,
        )
    ).one()
    return money_total(realized_pnl or ZERO_MONEY, Money(-(fees or ZERO_MONEY)))


def _unit(before: LeaderEquityRow, equity: Money, flow: Money) -> UnitValue:
    assert before.unit_value is not None
    assert before.unit_value_peak is not None
    assert before.drawdown_max is not None
    known = UnitValue(
        value=before.unit_value, peak=before.unit_value_peak, drawdown_max=before.drawdown_max
    )
    return known.after(equity_before=before.equity, equity=equity, flow=flow)
