"""Contracts that went without an order of ours: booked, and what the lane wants after that.

The venue liquidated or deleveraged, a plan order fired, or the follower closed by himself. Mostly
it is found after the fact, and by then the leader may have gone on.
"""

from datetime import datetime, timedelta

from copyplugin.domain.client_order_id import client_order_id
from copyplugin.domain.fill import LeaderFill, PositionSide
from copyplugin.domain.lost_position import Loss, taken_by
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, total
from copyplugin.domain.order import CopyOrderState, OrderPurpose
from copyplugin.domain.round_trip import RoundTrip
from copyplugin.domain.skip import Skip, SkipReason, numbers
from copyplugin.engine.booking import close_books, round_trip_of, write_round_trip
from copyplugin.engine.surroundings import Surroundings
from copyplugin.store import decisions, lane_work, marking
from copyplugin.store.database import Session
from copyplugin.store.leader_moves import leader_move
from copyplugin.store.rows import CopiedPositionRow, CopyOrderRow, LaneRow, OrderFillRow


def take_away(
    session: Session, lane: LaneRow, fill: LeaderFill, around: Surroundings, *, now: datetime
) -> None:
    """Book contracts that the venue took from a lane without an order of ours.

    What it realised is the venue's figure; the value follows from it, because a bankruptcy price is
    not on the grid. The lane does not want them back.
    """
    position = lane_work.open_positions(session, {lane.id})[lane.id]
    prefix = around.settings.client_order_prefix
    order = CopyOrderRow(
        lane_id=lane.id,
        sequence=lane.next_sequence,
        client_order_id=client_order_id(lane.id, lane.next_sequence, prefix=prefix),
        purpose=OrderPurpose.REPAIR,
        order_side=fill.side,
        reduce_only=True,
        contracts=fill.contracts,
        state=CopyOrderState.DONE,
        filled=fill.contracts,
        fee=fill.fee,
        realized_pnl=fill.realized_pnl,
        venue_order_id=fill.order_id,
        reject_reason=taken_by(fill.cause),
        decided_at=now,
        filled_at=fill.at,
        copied_position_id=position.id,
    )
    trip = round_trip_of(position)
    then = _round_trip_then(session, position, fill)
    order.filled_value = value_that_realizes(then, fill.contracts, fill.realized_pnl)
    lane.next_sequence += 1
    session.add(order)
    session.flush()
    session.add(
        OrderFillRow(
            order_id=order.id,
            venue_fill_id=fill.venue_fill_id,
            contracts=fill.contracts,
            price=fill.price,
            fee=fill.fee,
            realized_pnl=fill.realized_pnl,
            liquidity=fill.liquidity,
            at=fill.at,
        )
    )
    trip = trip.closed(fill.contracts, order.filled_value, fee=fill.fee)
    lose(session, lane, position, trip, around, at=fill.at, now=now)


def lose(  # noqa: PLR0913 - what was lost, of what, and when
    session: Session,
    lane: LaneRow,
    position: CopiedPositionRow,
    trip: RoundTrip,
    around: Surroundings,
    *,
    at: datetime,
    now: datetime,
) -> None:
    """Let the position be what `trip` says, and the lane want what it would had we known at once.

    What the leader opened since is left in the target where it is not too late; every open that
    goes with the loss is skipped with its reason. The sweep sends what is wanted: what a plan order
    that fired ends has the first word.
    """
    lost = Contracts(lane.actual - trip.contracts)
    later = decisions.taken_after(session, lane.id, at)
    opened, closed = decisions.filled_for(session, lane.id, [signal.id for _, signal in later])
    loss = Loss(
        target=lane.target,
        actual=lane.actual,
        lost=lost,
        later=[(leader_move(signal), decisions.decision_from(row)) for row, signal in later],
        opened=opened,
        closed=closed,
    )
    write_round_trip(position, trip)
    lane.actual = loss.actual_after
    lane.target = loss.target_after(around.instruments.get(lane.symbol))
    lane.failures, lane.retry_at, lane.marked = 0, None, True
    if loss.never_had:
        row = decisions.latest_open(session, lane.id, until=at)
        if row is not None:
            skip = Skip(reason=SkipReason.POSITION_LOST, detail=numbers(lost=lost))
            decisions.leave_out_of(row, loss.never_had, skip)
    _refuse_where_late(session, lane, around, now=now)
    if trip.contracts == 0:
        close_books(position, at=at)
        marking.forget_residue(session, [lane.id])
    session.flush()


def _refuse_where_late(
    session: Session, lane: LaneRow, around: Surroundings, *, now: datetime
) -> None:
    """Open nothing for a leader order so old that it would not be copied were it new."""
    missing = lane.target - lane.actual
    if missing <= 0 or lane.opening_signal_id is None:
        return
    signal = lane_work.signals(session, [lane.opening_signal_id])[lane.opening_signal_id]
    late = now - signal.last_fill_at
    if late <= timedelta(seconds=around.settings_at(session, now).signal_late_seconds):
        return
    row = lane_work.decision(session, signal.id, lane.id)
    assert row is not None, f"lane {lane.id} opens for signal {signal.id}, which it never saw"
    skip = Skip(
        reason=SkipReason.EXPIRED, detail={"seconds_late": str(late // timedelta(seconds=1))}
    )
    decisions.leave_out_of(row, missing, skip)
    lane.target = lane.actual


def _round_trip_then(session: Session, position: CopiedPositionRow, fill: LeaderFill) -> RoundTrip:
    """Return what the venue held when it took this: what was opened later cost something else.

    Where times are equal, or two clocks disagree, it is the one of which just this much was open.
    """
    trip = RoundTrip(position_side=position.position_side)
    for order in lane_work.filled_orders(session, position.id, until=fill.at):
        if order.filled_at == fill.at and trip.contracts == fill.contracts:
            return trip
        contracts, value, fee = order.filled, order.filled_value, order.fee
        if order.order_side is position.position_side.opening_side:
            trip = trip.opened(contracts, value, fee=fee)
        elif order.purpose is OrderPurpose.REPAIR:
            trip = trip.taken(contracts, value, realized=order.realized_pnl, fee=fee)
        else:
            trip = trip.closed(contracts, value, fee=fee)
    return trip if trip.contracts >= fill.contracts else round_trip_of(position)


def value_that_realizes(trip: RoundTrip, contracts: Contracts, realized: Money) -> Money:
    """Return the value at which closing so many contracts realises just this; at least zero."""
    cost = trip.cost_of(contracts)
    gain = realized if trip.position_side is PositionSide.LONG else Money(-realized)
    return max(Money(total(cost, gain)), ZERO_MONEY)
