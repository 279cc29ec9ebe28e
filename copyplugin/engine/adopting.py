"""Fills in a sub-account that no order of ours made: booked one by one, as the venue tells them.

What opened something is an orphan's. It is told apart from the lane's own, or taken into the lane's
books, so that the lane holds more than it wants and lets go of it by an order like any other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from copyplugin.domain.client_order_id import client_order_id
from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.leader import ShareState
from copyplugin.domain.money import Contracts, Money, money_floor
from copyplugin.domain.order import CopyOrderState, OrderPurpose
from copyplugin.engine.booking import round_trip_of, write_round_trip
from copyplugin.engine.losses import take_away
from copyplugin.engine.surroundings import Surroundings
from copyplugin.store import lane_work
from copyplugin.store.database import Session
from copyplugin.store.rows import CopiedPositionRow, CopyOrderRow, LaneRow, OrderFillRow


def net_of(fills: Sequence[LeaderFill], lane: LaneRow) -> int:
    """Return by how many contracts these fills changed the lane's side."""
    closing = lane.position_side.closing_side
    return sum(-fill.contracts if fill.side is closing else fill.contracts for fill in fills)


@dataclass(frozen=True, kw_only=True, slots=True)
class Strangers:
    """Fills of one lane that are not ours, in the venue's order, inside a transaction."""

    session: Session
    lane: LaneRow
    fills: Sequence[LeaderFill]
    around: Surroundings
    now: datetime

    def keep_apart(self) -> Contracts:
        """Book what was taken from the lane and return what is an orphan's.

        What was opened by others is closed first: the lane's own stays whole as long as it can.
        """
        orphan = 0
        for fill in self.fills:
            if fill.side is not self.lane.position_side.closing_side:
                orphan += fill.contracts
                continue
            of_orphan = min(orphan, fill.contracts)
            orphan -= of_orphan
            ours = fill.contracts - of_orphan
            if ours:
                part = fill if ours == fill.contracts else part_of(fill, Contracts(ours))
                take_away(self.session, self.lane, part, self.around, now=self.now)
        return Contracts(orphan)

    def take_in(self, instrument: Instrument) -> None:
        """Book all of them: then the lane holds what the venue says."""
        for fill in self.fills:
            if fill.side is self.lane.position_side.closing_side:
                take_away(self.session, self.lane, fill, self.around, now=self.now)
            else:
                self._adopt(fill, instrument)

    def _adopt(self, fill: LeaderFill, instrument: Instrument) -> None:
        session, lane = self.session, self.lane
        position = lane_work.open_positions(session, {lane.id}).get(lane.id)
        if position is None:
            position = _position_of(lane, fill)
            session.add(position)
            session.flush()
        value = instrument.notional(fill.contracts, fill.price)
        prefix = self.around.settings.client_order_prefix
        order = CopyOrderRow(
            lane_id=lane.id,
            sequence=lane.next_sequence,
            client_order_id=client_order_id(lane.id, lane.next_sequence, prefix=prefix),
            purpose=OrderPurpose.REPAIR,
            order_side=fill.side,
            reduce_only=False,
            contracts=fill.contracts,
            state=CopyOrderState.DONE,
            filled=fill.contracts,
            filled_value=value,
            fee=fill.fee,
            realized_pnl=fill.realized_pnl,
            venue_order_id=fill.order_id,
            reject_reason="not an order of ours: taken in to be closed",
            decided_at=self.now,
            filled_at=fill.at,
            copied_position_id=position.id,
        )
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
        trip = round_trip_of(position).opened(fill.contracts, value, fee=fill.fee)
        write_round_trip(position, trip)
        lane.actual = Contracts(lane.actual + fill.contracts)
        lane.marked = True
        session.flush()


def part_of(fill: LeaderFill, contracts: Contracts) -> LeaderFill:
    """Return a part of a fill; its fee is rounded up and its profit down, against the lane."""
    part = Fraction(contracts, fill.contracts)
    return replace(
        fill,
        contracts=contracts,
        contracts_closed=None,
        fee=Money(-money_floor(Fraction(-fill.fee) * part)),
        realized_pnl=money_floor(Fraction(fill.realized_pnl) * part),
    )


def _position_of(lane: LaneRow, fill: LeaderFill) -> CopiedPositionRow:
    """Return the round trip of what nobody copied: its leader has no share in it."""
    return CopiedPositionRow(
        follow_id=lane.follow_id,
        lane_id=lane.id,
        symbol=lane.symbol,
        position_side=lane.position_side,
        leverage=fill.leverage,
        margin_mode=fill.margin_mode,
        opened_at=fill.at,
        share_state=ShareState.PASSED,
    )
