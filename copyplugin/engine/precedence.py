"""Whose turn it is within one sub-account: opens go in the order of the leader's (C10).

Each lane has its own order under way, and closes wait for nobody. An open on one lane waits while
another lane of the same follow still has something of an earlier signal to do: what an open may use
is what the earlier ones have left, as it was for the leader.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from copyplugin.domain.identifiers import FollowId, LaneId, SignalId
from copyplugin.domain.order import CopyOrderState
from copyplugin.store.lane_book import LaneBook
from copyplugin.store.lane_work import LaneWork
from copyplugin.store.rows import CopyOrderRow

FIRST = SignalId(0)
"""Comes before every signal: an order that follows none, which a user asked for."""


@dataclass
class Precedence:
    """The earliest unfinished signal of each lane, by follow."""

    earliest: dict[FollowId, dict[LaneId, SignalId]] = field(
        default_factory=dict[FollowId, dict[LaneId, SignalId]]
    )

    @classmethod
    def of(cls, book: LaneBook, works: Iterable[LaneWork]) -> "Precedence":
        """Ask for the follows of which a lane may open something."""
        return cls(book.earliest_work({work.follow.id for work in works if may_open(work)}))

    def is_blocked(self, work: LaneWork, signal_id: SignalId) -> bool:
        """Return whether another lane of the follow has something earlier to do."""
        lanes = self.earliest.get(work.follow.id, {})
        return any(
            earlier < signal_id for lane_id, earlier in lanes.items() if lane_id != work.lane.id
        )

    def is_alone(self, work: LaneWork) -> bool:
        """Return whether no other lane of its follow waits for it, nor it for another."""
        lanes = self.earliest.get(work.follow.id)
        return lanes is None or (len(lanes) == 1 and work.lane.id in lanes)

    def in_turn(self, works: Iterable[LaneWork]) -> list[LaneWork]:
        """Return the lanes with the earliest signal first."""

        def turn(work: LaneWork) -> SignalId:
            lanes = self.earliest.get(work.follow.id)
            return FIRST if lanes is None else lanes.get(work.lane.id, FIRST)

        return sorted(works, key=turn)

    def note(self, work: LaneWork, order: CopyOrderRow | None) -> None:
        """Take note of what a lane that was just planned has left to do."""
        lanes = self.earliest.get(work.follow.id)
        if lanes is None:
            return
        left = [signal.id for row, signal in work.undecided if row.pending]
        if order is not None and order.state is CopyOrderState.SENT:
            left.append(order.signal_id or FIRST)
        if left:
            lanes[work.lane.id] = min(left)
        else:
            lanes.pop(work.lane.id, None)


def may_open(work: LaneWork) -> bool:
    return work.has_increase or work.lane.target > work.lane.actual
