"""What a follow holds in one run of a dry run, and what that cost or brought (N12)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from copyplugin.domain.copy_rule import CopyRule
from copyplugin.domain.copy_story import (
    FollowStory,
    LaneStart,
    Leg,
    Made,
    OtherStep,
    SignalStep,
    count_of,
    fees_of,
    sign_of,
    value_of,
)
from copyplugin.domain.open_size import NOTHING, Holdings
from copyplugin.domain.steering import Decision


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """Contracts that would be made anew: worth so much at the leader's price, and at the bound."""

    contracts: int = 0
    at_leader: Fraction = NOTHING
    at_bound: Fraction = NOTHING
    fee_rate: Fraction = NOTHING


@dataclass(kw_only=True, slots=True)
class RunLane:
    """One lane. Cash is in USDT, less what was paid: `best` at leaders' prices, `worst` at bounds.

    `opened_at` is the leader's price of its latest open, which caps count it with.
    """

    target: int
    held: int
    opened_at: Fraction | None
    carried: Fraction = NOTHING
    best: Fraction = NOTHING
    worst: Fraction = NOTHING
    rule: CopyRule | None = None  # which it went by last

    def pay(self, best: Fraction, worst: Fraction | None = None) -> None:
        self.best -= best
        self.worst -= best if worst is None else worst


@dataclass(slots=True)
class Run:
    """A follow's lanes under one set of settings, and how often it opened on which day."""

    story: FollowStory
    lanes: dict[Leg, RunLane] = field(default_factory=dict[Leg, RunLane])
    opened: dict[object, int] = field(default_factory=dict[object, int])

    def __post_init__(self) -> None:
        for leg in self.story.starts:
            self.lane(leg)

    def lane(self, leg: Leg) -> RunLane:
        if leg not in self.lanes:
            start = self.story.starts.get(leg, LaneStart())
            self.lanes[leg] = RunLane(
                target=start.target,
                held=start.held,
                opened_at=start.opened_at,
            )
        return self.lanes[leg]

    def go_by(self, leg: Leg, rule: CopyRule) -> None:
        """Forget what is carried where the follower has changed the rule."""
        lane = self.lane(leg)
        if lane.rule not in {None, rule}:
            lane.carried = NOTHING
        lane.rule = rule

    def open(
        self,
        step: SignalStep,
        decision: Decision,
        made: Sequence[Made],
        extra: Estimate,
        *,
        given_up: int,
    ) -> None:
        """Take in what was made for a decision, and what is estimated beside it.

        What it wanted and neither had nor gave up is wanted still: the order of a later decision
        makes it, and until then caps count it.
        """
        lane, sign = self.lane(step.leg), sign_of(step.leg)
        had = count_of(made) + extra.contracts
        lane.held += had
        lane.target = max(lane.held, lane.target + decision.wanted - given_up)
        lane.carried += decision.residue
        value = value_of(made, self.story.contract_size_of(step.leg))
        lane.pay(sign * value + fees_of(made))
        dearest = max(extra.at_leader, extra.at_bound)
        lane.pay(
            sign * extra.at_leader + extra.fee_rate * extra.at_leader,
            sign * extra.at_bound + extra.fee_rate * dearest,
        )
        if decision.wanted:
            lane.opened_at = step.whole.average_price
            day = self.story.day_of(step.first_fill_at)
            self.opened[day] = self.opened.get(day, 0) + 1

    def close(self, step: SignalStep, closed: Sequence[Made], wanted: int) -> None:
        """Close so many at the prices that were had then; where none were, at the leader's."""
        lane, sign, size = (
            self.lane(step.leg),
            sign_of(step.leg),
            self.story.contract_size_of(step.leg),
        )
        wanted = max(0, min(wanted, lane.held))  # what is still to be made is not closed
        lane.held -= wanted
        lane.target = lane.held
        had = count_of(closed)
        if had:
            lane.pay((fees_of(closed) - sign * value_of(closed, size)) * wanted / had)
        elif wanted:
            instrument = self.story.instruments.get(step.leg[0])
            value = wanted * size * step.whole.average_price
            rate = Fraction(0 if instrument is None else instrument.taker_fee)
            lane.pay(value * rate - sign * value)

    def other(self, step: OtherStep, contracts: int) -> None:
        """Do so many contracts of what an order without a signal did."""
        lane, sign, count = self.lane(step.leg), sign_of(step.leg), count_of(step.made)
        direction = -1 if step.reduces else 1
        lane.held = max(0, lane.held + direction * contracts)
        lane.target = lane.held
        if lane.held == 0:
            lane.carried = NOTHING
        value = value_of(step.made, self.story.contract_size_of(step.leg))
        lane.pay((sign * direction * value + fees_of(step.made)) * contracts / count)

    def holdings(self, leg: Leg, first_fill_at: datetime) -> Holdings:
        """Return what caps are measured against, as `Holdings` has it."""
        instrument_value = total_value = NOTHING
        others = 0
        for each, lane in self.lanes.items():
            if lane.target == 0:
                continue
            others += each != leg
            if lane.opened_at is None:
                continue
            value = lane.target * lane.opened_at * self.story.contract_size_of(each)
            total_value += value
            instrument_value += value if each[0] == leg[0] else 0
        return Holdings(
            instrument_value=instrument_value,
            total_value=total_value,
            other_positions=others,
            is_open=self.lane(leg).target > 0,
            opened_today=self.opened.get(self.story.day_of(first_fill_at), 0),
        )
