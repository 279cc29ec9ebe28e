"""Lanes that are alike: what is planned for one of them is written down for all of them.

Followers of one leader mostly do the same. Where everything that a plan rests on is the same, the
plan is: it is made once and copied, value by value, into the others' records.
"""

from dataclasses import dataclass

from copyplugin.domain.client_order_id import client_order_id
from copyplugin.store.follow_rules import RuleBook
from copyplugin.store.lane_book import DECISIONS, FOLLOWS, LANES, ORDERS
from copyplugin.store.lane_work import LaneWork
from copyplugin.store.marking import UNDECIDED
from copyplugin.store.records import Change
from copyplugin.store.rows import CopyDecisionRow, CopyOrderRow, LaneRow, SignalRow

# What a plan reads, as stored. Who the lane belongs to and which numbers it has, it does not.
_OF_LANE = LANES.picker(
    "symbol", "position_side", "target", "actual", "marked", "opening_signal_id", "residue",
    "failures", "retry_at",
)  # fmt: skip
_OF_FOLLOW = FOLLOWS.picker("state", "mode", "price_protection", "open_held")
_OF_DECISION = DECISIONS.picker(
    "signal_id", "wanted", "target_before", "target_after", "available_frozen", "equity_frozen",
    "residue", "decided_at", "revision", "skip_reason",
)  # fmt: skip
_NUMBERS = ORDERS.places("lane_id", "sequence", "client_order_id")

Likeness = tuple[object, ...]


def likeness(work: LaneWork, rules: RuleBook, *, is_halted: bool) -> Likeness | None:
    """Return all that the plan of this lane rests on; None where it may rest on more.

    For a lane that awaits one decision, and nothing else of whose follow is under way. Equal rules
    are one object in their book, and a plain one follows from the mode.
    """
    undecided, follow = work.undecided, work.follow
    if len(undecided) != 1 or work.in_doubt is not None:
        return None
    row, signal = undecided[0]
    is_ruled = follow.id in rules.ruled
    return (
        _OF_LANE(work.lane),
        _OF_FOLLOW(follow),
        _OF_DECISION(row),
        work.is_configured,
        work.is_chosen,
        is_halted,
        id(rules.rule_of(follow, work.lane.symbol, signal.id)) if is_ruled else None,
    )


def may_be_repeated(work: LaneWork, rules: RuleBook) -> bool:
    """Return whether such a lane's plan rests on its likeness alone, as that of all alike does.

    It does where there is no gap, nothing was decided before or failed, and no cap asks for what
    else the follow holds.
    """
    lane, (row, signal) = work.lane, work.undecided[0]
    if lane.target != lane.actual or lane.failures or lane.retry_at is not None:
        return False
    if row.revision != UNDECIDED or row.skip_reason is not None:
        return False
    return not rules.rule_of(work.follow, lane.symbol, signal.id).caps.needs_holdings


@dataclass(frozen=True, slots=True)
class Example:
    """One lane before it is planned."""

    lane: LaneRow
    row: CopyDecisionRow
    lane_before: tuple[object, ...]
    row_before: tuple[object, ...]

    @classmethod
    def of(cls, work: LaneWork) -> "Example":
        row, _ = work.undecided[0]
        return cls(work.lane, row, LANES.state(work.lane), DECISIONS.state(row))

    def planned(self, work: LaneWork) -> "Planned":
        """Return what has become of it."""
        order = work.in_doubt
        return Planned(
            lane=LANES.change(self.lane_before, self.lane, but=("next_sequence",)),
            decision=DECISIONS.change(self.row_before, self.row),
            order=order,
            opening=work.opening,
        )


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning made of one lane, but for its numbers; without an order where it made none."""

    lane: Change
    decision: Change
    order: CopyOrderRow | None
    opening: SignalRow | None

    def repeat(self, work: LaneWork, prefix: str) -> CopyOrderRow | None:
        """Do the same to a lane that is alike; the order it returns has no number yet."""
        lane, (row, _) = work.lane, work.undecided[0]
        LANES.put(lane, self.lane)
        DECISIONS.put(row, self.decision)
        work.opening = self.opening
        if self.order is None:
            return None
        order, lane_id, sequence = ORDERS.copy(self.order), lane.id, lane.next_sequence
        name = client_order_id(lane_id, sequence, prefix=prefix)
        ORDERS.put(order, zip(_NUMBERS, (lane_id, sequence, name), strict=True))
        return order
