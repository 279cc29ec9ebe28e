"""Lanes that are alike: what is planned for one of them is written down for all of them.

Followers of one leader mostly do the same. Where everything that a plan rests on is the same, the
plan is: it is made once and copied, value by value, into the others' records.
"""

from dataclasses import dataclass

from copyplugin.store.follow_rules import RuleBook
from copyplugin.store.lane_book import DECISIONS, FOLLOWS, LANES, ORDERS
from copyplugin.store.lane_work import LaneWork
from copyplugin.store.marking import UNDECIDED
from copyplugin.store.records import Change
from copyplugin.store.rows import CopyDecisionRow, CopyOrderRow, LaneRow, SignalRow

# What a plan reads, as stored. Who the lane belongs to and which numbers it has, it does not.
_OF_LANE = LANES.picker(
    "symbol", "position_side", "target", "actual", "marked", "opening_signal_id", "residue"
)
_OF_FOLLOW = FOLLOWS.picker("state", "mode", "price_protection", "open_held")
_OF_DECISION = DECISIONS.picker(
    "signal_id", "wanted", "target_before", "target_after", "available_frozen", "equity_frozen",
    "residue", "decided_at",
)  # fmt: skip

Likeness = tuple[object, ...]


def likeness(work: LaneWork, rules: RuleBook, *, is_halted: bool) -> Likeness | None:
    """Return all that the plan of this lane rests on; None where it may rest on more.

    A lane that has no gap, awaits one decision and never failed rests on these alone, once nothing
    else of its follow is under way. Equal rules are one object in their book.
    """
    lane = work.lane
    if len(work.undecided) != 1 or work.in_doubt is not None or lane.target != lane.actual:
        return None
    row, signal = work.undecided[0]
    if (
        row.revision != UNDECIDED
        or row.skip_reason is not None
        or lane.failures
        or lane.retry_at is not None
    ):
        return None
    rule = rules.rule_of(work.follow, lane.symbol, signal.id)
    if rule.caps.needs_holdings:
        return None
    return (
        _OF_LANE(lane),
        _OF_FOLLOW(work.follow),
        _OF_DECISION(row),
        work.is_configured,
        work.is_chosen,
        is_halted,
        id(rule),
    )


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

    def repeat(self, work: LaneWork) -> CopyOrderRow | None:
        """Do the same to a lane that is alike; the order it returns has no number or name yet."""
        row, _ = work.undecided[0]
        LANES.put(work.lane, self.lane)
        DECISIONS.put(row, self.decision)
        work.opening = self.opening
        return None if self.order is None else ORDERS.copy(self.order)
