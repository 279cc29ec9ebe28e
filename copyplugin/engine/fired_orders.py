"""Booking the orders that plan orders of ours became."""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from copyplugin.domain.identifiers import ClientOrderId
from copyplugin.domain.money import Contracts, Money, money_floor, total
from copyplugin.domain.order import OrderPurpose, OrderReport, OwnFill
from copyplugin.engine.booking import close_order, round_trip_of
from copyplugin.engine.losses import lose
from copyplugin.engine.surroundings import Surroundings
from copyplugin.store import lane_work
from copyplugin.store.database import Session
from copyplugin.store.rows import CopiedPositionRow, CopyOrderRow, LaneRow, OrderFillRow


def book_fired(  # noqa: PLR0913 - what fired, of what, and when
    session: Session,
    lane: LaneRow,
    position: CopiedPositionRow | None,
    report: OrderReport,
    around: Surroundings,
    *,
    client_order_id: ClientOrderId,
    now: datetime,
) -> bool:
    """Book an order that a plan order of the lane became; it can only have closed.

    What was booked already, because somebody compared our books with the venue's first, is not
    booked again. Returns whether the fills account for all of it; else the venue is to be asked.
    """
    known = lane_work.fill_ids(session, lane.id)
    fills = [fill for fill in report.fills if fill.venue_fill_id not in known]
    contracts = Contracts(sum(fill.contracts for fill in fills))
    if sum(fill.contracts for fill in report.fills) != report.filled or contracts > lane.actual:
        return False
    if contracts == 0:
        return True
    assert position is not None, f"lane {lane.id} holds {lane.actual} without a position"
    order = CopyOrderRow(
        lane_id=lane.id,
        sequence=lane.next_sequence,
        client_order_id=client_order_id,
        purpose=OrderPurpose.PROTECT,
        order_side=lane.position_side.closing_side,
        reduce_only=True,
        contracts=contracts,
        decided_at=now,
        copied_position_id=position.id,
    )
    close_order(order, report)
    if len(fills) < len(report.fills):
        order.filled = contracts
        order.fee = Money(total(*(fill.fee for fill in fills)))
        order.realized_pnl = Money(total(*(fill.realized_pnl for fill in fills)))
        order.filled_value = _part_of_value(report, fills)
    lane.next_sequence += 1
    session.add(order)
    session.flush()
    session.add_all(_fill_row(order, fill) for fill in fills)
    trip = round_trip_of(position).closed(contracts, order.filled_value, fee=order.fee)
    lose(session, lane, position, trip, around, at=order.filled_at or now, now=now)
    return True


def _part_of_value(report: OrderReport, fills: Sequence[OwnFill]) -> Money:
    """Return what these of the order's fills were worth: price × contracts × contract size."""
    part, whole = (
        sum(Fraction(fill.price) * fill.contracts for fill in each)
        for each in (fills, report.fills)
    )
    return money_floor(Fraction(report.filled_value) * part / whole)


def _fill_row(order: CopyOrderRow, fill: OwnFill) -> OrderFillRow:
    return OrderFillRow(
        order_id=order.id,
        venue_fill_id=fill.venue_fill_id,
        contracts=fill.contracts,
        price=fill.price,
        fee=fill.fee,
        realized_pnl=fill.realized_pnl,
        liquidity=fill.liquidity,
        at=fill.at,
    )
