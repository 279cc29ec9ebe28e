"""The lanes of one turn with all that booking and planning them touches, as plain records.

Everything is read at the beginning, set by set, and what has changed is written at the end. On
PostgreSQL lanes, follows and positions are locked meanwhile, so that nothing is written over what
somebody else has written.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from copyplugin.domain.follow import FollowState, check_move
from copyplugin.domain.identifiers import (
    CopiedPositionId,
    CopyOrderId,
    FollowId,
    LaneId,
    SignalId,
)
from copyplugin.domain.money import NO_CONTRACTS
from copyplugin.store.follows import abort_follow, state_after
from copyplugin.store.lane_work import LaneWork
from copyplugin.store.records import Kept, RecordTable
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyDecisionRow,
    CopyOrderRow,
    FollowHistoryRow,
    FollowRow,
    LaneRow,
    OrderFillRow,
    SignalRow,
)
from copyplugin.store.statement import Statement, take_numbers

LANES = RecordTable(LaneRow)
FOLLOWS = RecordTable(FollowRow)
ORDERS = RecordTable(CopyOrderRow)
FILLS = RecordTable(OrderFillRow)
DECISIONS = RecordTable(CopyDecisionRow)
POSITIONS = RecordTable(CopiedPositionRow)
SIGNALS = RecordTable(SignalRow)
HISTORY = RecordTable(FollowHistoryRow)

_MARKED = Statement(
    "SELECT id FROM lane WHERE marked AND shard IN :shards"
    " AND (retry_at IS NULL OR retry_at <= :now) ORDER BY id"
)
_LANES = Statement(
    f"SELECT {LANES.select('lane')}, {FOLLOWS.select('follow')} FROM lane"  # noqa: S608 - our names
    " JOIN follow ON follow.id = lane.follow_id WHERE lane.id IN :lanes"
    " ORDER BY lane.id FOR UPDATE OF lane, follow"
)
_POSITIONS = Statement(
    f"SELECT {POSITIONS.select('copied_position')} FROM copied_position"  # noqa: S608 - our names
    " WHERE lane_id IN :lanes AND state = 'open' ORDER BY id FOR UPDATE OF copied_position"
)
_SENT = Statement(
    f"SELECT {ORDERS.select('copy_order')} FROM copy_order"  # noqa: S608 - our names
    " WHERE lane_id IN :lanes AND state = 'sent'"
)
_UNDECIDED = Statement(
    f"SELECT {DECISIONS.select('copy_decision')} FROM copy_decision"  # noqa: S608 - our names
    " WHERE lane_id IN :lanes AND pending ORDER BY signal_id"
)
_DECISION = Statement(
    f"SELECT {DECISIONS.select('copy_decision')} FROM copy_decision"  # noqa: S608 - our names
    " WHERE signal_id = :signal_id AND lane_id = :lane_id"
)
_SIGNALS = Statement(
    f"SELECT {SIGNALS.select('signal')} FROM signal WHERE id IN :signals"  # noqa: S608 - our names
)
_CONFIGURED = Statement(
    "SELECT leader_id, symbol FROM leader_instrument WHERE leader_id IN :leaders"
)
_CHOSEN = Statement(
    "SELECT lane.id FROM lane JOIN follow_instrument AS chosen"
    " ON chosen.follow_id = lane.follow_id AND chosen.symbol = lane.symbol WHERE lane.id IN :lanes"
)
_OTHER_LANES = Statement(
    "SELECT lane.follow_id, lane.id, lane.actual > 0, EXISTS (SELECT 1 FROM copy_order"
    " WHERE copy_order.lane_id = lane.id AND copy_order.state = 'sent')"
    " FROM lane WHERE lane.follow_id IN :follows"
)
_WITH_OTHERS = Statement(
    "SELECT follow_id FROM lane WHERE follow_id IN :follows GROUP BY follow_id HAVING count(*) > 1"
)
_OTHERS_SENT = Statement(
    "SELECT lane.follow_id, lane.id, coalesce(copy_order.signal_id, 0) FROM lane"
    " JOIN copy_order ON copy_order.lane_id = lane.id AND copy_order.state = 'sent'"
    " WHERE lane.follow_id IN :follows"
)
_OTHERS_PENDING = Statement(
    "SELECT lane.follow_id, lane.id, min(copy_decision.signal_id) FROM lane"
    " JOIN copy_decision ON copy_decision.lane_id = lane.id AND copy_decision.pending"
    " WHERE lane.follow_id IN :follows GROUP BY lane.follow_id, lane.id"
)


def marked_lane_ids(session: Session, shards: Collection[int], *, now: datetime) -> list[LaneId]:
    """Return the marked lanes of these shards that need not wait, by number."""
    at = LANES.bind("retry_at", now)
    return [row[0] for row in _MARKED.run(session, shards=shards, now=at)]


class LaneBook:
    """Opened at the beginning of a transaction; `save` writes what has become of it."""

    def __init__(
        self,
        session: Session,
        lane_ids: Iterable[LaneId],
        *,
        to_book: Collection[LaneId] = (),
    ) -> None:
        """Read these lanes; of those that something is to be booked for, the positions too."""
        self.session = session
        self._follows: dict[FollowId, FollowRow] = {}
        self._kept_lanes, self._kept_follows = Kept(LANES), Kept(FOLLOWS)
        self._orders, self._fills = Kept(ORDERS), Kept(FILLS)
        self._decisions, self._positions = Kept(DECISIONS), Kept(POSITIONS)
        self._history: list[FollowHistoryRow] = []
        self._unnumbered: list[CopyOrderRow] = []
        self.works: dict[LaneId, LaneWork] = {}
        self.positions: dict[LaneId, CopiedPositionRow] = {}
        self.signals: dict[SignalId, SignalRow] = {}
        lanes = list(lane_ids)
        self._read_lanes(lanes)
        self._read_positions(to_book)
        self._read_orders(lanes)
        self._read_signals(lanes)
        self._read_choices()

    # -- reading

    def _read_lanes(self, lane_ids: list[LaneId]) -> None:
        width, follows = LANES.width, self._follows
        for row in _LANES.run(self.session, lanes=lane_ids):
            lane = self._kept_lanes.found(row[:width])
            follow = follows.get(lane.follow_id)
            if follow is None:
                follow = self._kept_follows.found(row[width:])
                follows[lane.follow_id] = follow
            self.works[lane.id] = LaneWork(lane, follow)

    def _read_positions(self, lane_ids: Collection[LaneId]) -> None:
        for row in _POSITIONS.run(self.session, lanes=lane_ids):
            position = self._positions.found(row)
            self.positions[position.lane_id] = position

    def _read_orders(self, lane_ids: list[LaneId]) -> None:
        for row in _SENT.run(self.session, lanes=lane_ids):
            order = self._orders.found(row)
            self.works[order.lane_id].in_doubt = order

    def _read_signals(self, lane_ids: list[LaneId]) -> None:
        undecided = [
            self._decisions.found(row) for row in _UNDECIDED.run(self.session, lanes=lane_ids)
        ]
        wanted = {row.signal_id for row in undecided}
        for work in self.works.values():
            if work.lane.opening_signal_id is not None:
                wanted.add(work.lane.opening_signal_id)
            if work.in_doubt is not None and work.in_doubt.signal_id is not None:
                wanted.add(work.in_doubt.signal_id)
        for row in _SIGNALS.run(self.session, signals=wanted):
            signal = SIGNALS.read(row)
            self.signals[signal.id] = signal
        self._add_signals(undecided)

    def _add_signals(self, undecided: Collection[CopyDecisionRow]) -> None:
        """Give each lane what it awaits decisions on, and what it was opened by."""
        increasing = {signal.id for signal in self.signals.values() if signal.increases}
        for row in undecided:
            work, signal_id = self.works[row.lane_id], row.signal_id
            work.undecided.append((row, self.signals[signal_id]))
            if signal_id in increasing:
                work.has_increase = True
        for work in self.works.values():
            if work.lane.opening_signal_id is not None:
                work.opening = self.signals[work.lane.opening_signal_id]

    def _read_choices(self) -> None:
        opening = [work for work in self.works.values() if work.has_increase]
        leaders = {work.follow.leader_id for work in opening}
        configured = set(_CONFIGURED.run(self.session, leaders=leaders))
        ids = [work.lane.id for work in opening]
        chosen = {row[0] for row in _CHOSEN.run(self.session, lanes=ids)}
        for work in opening:
            work.is_configured = (work.follow.leader_id, work.lane.symbol) in configured
            work.is_chosen = work.lane.id in chosen

    def decision(self, signal_id: SignalId, lane_id: LaneId) -> CopyDecisionRow | None:
        """Return what was decided for a lane on a signal, awaited decisions included."""
        for row, _ in self.works[lane_id].undecided:
            if row.signal_id == signal_id:
                return row
        found = _DECISION.run(self.session, signal_id=signal_id, lane_id=lane_id)
        return self._decisions.found(found[0]) if found else None

    def earliest_work(
        self, follow_ids: Collection[FollowId]
    ) -> dict[FollowId, dict[LaneId, SignalId]]:
        """Return the earliest signal that a lane has an order in doubt or no decision for.

        By follow; 0 stands for an order that follows no signal. Lanes with nothing to do are left
        out.
        """
        found: dict[FollowId, dict[LaneId, SignalId]] = {each: {} for each in follow_ids}
        several = [row[0] for row in _WITH_OTHERS.run(self.session, follows=follow_ids)]
        for query in (_OTHERS_SENT, _OTHERS_PENDING):
            for follow_id, lane_id, signal_id in query.run(self.session, follows=several):
                if lane_id not in self.works:
                    known = found[follow_id].get(lane_id, signal_id)
                    found[follow_id][lane_id] = min(known, signal_id)
        for lane_id, work in self.works.items():
            lanes = found.get(work.follow.id)
            left = None if lanes is None else earliest_of(work)
            if lanes is not None and left is not None:
                lanes[lane_id] = left
        return found

    # -- writing

    def add_order(self, order: CopyOrderRow) -> None:
        """Take in an order; it has its number after `number_orders`."""
        self._unnumbered.append(order)
        self._orders.add(order)

    def number_orders(self) -> None:
        numbers = take_numbers(self.session, ORDERS.name, len(self._unnumbered))
        for order, number in zip(self._unnumbered, numbers, strict=True):
            order.id = CopyOrderId(number)
        self._unnumbered = []

    def add_positions(self, positions: Collection[CopiedPositionRow]) -> None:
        """Take in the round trips of lanes that were flat, and give them their numbers."""
        numbers = take_numbers(self.session, POSITIONS.name, len(positions))
        for position, number in zip(positions, numbers, strict=True):
            position.id = CopiedPositionId(number)
            self.positions[position.lane_id] = position
            self._positions.add(position)

    def add_fill(self, fill: OrderFillRow) -> None:
        self._fills.add(fill)

    def keep_states(self, follows: Collection[FollowRow], *, at: datetime) -> None:
        """Move follows whose positions have changed: pending, copying, or flat and to be settled.

        A follow is flat when no lane holds anything and no order of it is in doubt.
        """
        holding: set[FollowId] = set()
        in_doubt: set[FollowId] = set()
        ids = [follow.id for follow in follows]
        for follow_id, lane_id, holds, doubts in _OTHER_LANES.run(self.session, follows=ids):
            work = self.works.get(lane_id)
            if holds if work is None else work.lane.actual > 0:
                holding.add(follow_id)
            if doubts if work is None else work.in_doubt is not None:
                in_doubt.add(follow_id)
        for follow in follows:
            is_holding = follow.id in holding
            is_flat = not is_holding and follow.id not in in_doubt
            to = state_after(follow.state, is_holding=is_holding, is_flat=is_flat)
            if to is not None:
                self._move(follow, to, "flat" if is_flat else "a position is open", at)

    def abort(self, follow: FollowRow, *, reason: str, at: datetime) -> None:
        """Give up copying (L11), as `follows.abort_follow` does, on lanes at hand too."""
        abort_follow(self.session, follow, reason=reason, at=at)
        for work in self.works.values():
            if work.follow is follow:
                work.lane.target = NO_CONTRACTS
                work.lane.marked = True
                work.lane.residue = None
                for row, _ in work.undecided:
                    row.residue = None

    def _move(self, follow: FollowRow, to: FollowState, reason: str, at: datetime) -> None:
        before = follow.state
        check_move(before, to)
        follow.state = to
        self._history.append(
            HISTORY.record(
                follow_id=follow.id,
                at=at,
                from_state=before,
                to_state=to,
                actor="engine",
                reason=reason,
            )
        )

    def write_follow(self, follow_id: FollowId) -> None:
        """Write what has changed of a follow's lanes, before something is asked of the tables."""
        works = [work for work in self.works.values() if work.follow.id == follow_id]
        self._kept_lanes.update(self.session, [work.lane for work in works])
        decisions = [row for work in works for row, _ in work.undecided]
        self._decisions.update(self.session, decisions)

    def save(self) -> None:
        """Write what has changed and what is new, what others refer to first."""
        assert not self._unnumbered, "an order is written down with its number"
        session = self.session
        self._positions.update(session)
        self._positions.insert(session)
        self._orders.update(session)  # first: a lane has one order in doubt at most
        self._orders.insert(session)
        self._fills.insert(session)
        for kept in (self._kept_lanes, self._kept_follows, self._decisions):
            kept.update(session)
        numbers = take_numbers(session, HISTORY.name, len(self._history))
        for row, number in zip(self._history, numbers, strict=True):
            row.id = number
        HISTORY.insert(session, self._history)
        self._history = []


def earliest_of(work: LaneWork) -> SignalId | None:
    """Return the earliest signal the lane has something left to do for; None where none."""
    undecided = work.undecided
    if len(undecided) == 1 and work.in_doubt is None:  # as most are
        row, signal = undecided[0]
        return signal.id if row.pending else None
    left = [signal.id for row, signal in undecided if row.pending]
    if work.in_doubt is not None:
        left.append(work.in_doubt.signal_id or SignalId(0))
    return min(left, default=None)
