"""Taking recorded decisions again: as they were taken, and as other settings would have it (N12).

Each is taken twice by the rules of `steering`: under the settings of its time, which must give what
the rows say, and under those that are tried. One that does not come out as recorded rests on
something the rows do not tell: it is counted and left as it was. What was made then and would be
made again keeps its recorded fills. What would be made anew is an estimate between two prices: the
leader's, and the bound that the order would have had.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction

from copyplugin.domain.copy_rule import CopyRule
from copyplugin.domain.copy_story import (
    FollowStory,
    Leg,
    Made,
    OtherStep,
    SignalStep,
    Taken,
    count_of,
    first_of,
    sign_of,
    value_of,
)
from copyplugin.domain.dry_run_lanes import Estimate, Run, RunLane
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import SignalId
from copyplugin.domain.money import NO_CONTRACTS, Contracts, Price
from copyplugin.domain.open_size import NOTHING, Holdings
from copyplugin.domain.retaking import (
    Reading,
    SettingsAt,
    Standing,
    bound_of,
    is_as_recorded,
    limit_of,
    readings_of,
    retake_close,
    retake_open,
)
from copyplugin.domain.skip import Skip, SkipReason
from copyplugin.domain.steering import Decision, not_filled, opening_order

OF_THE_PRICE = frozenset({SkipReason.PRICE_MOVED, SkipReason.NO_LIQUIDITY})
"""Reasons for which a wider bound might have filled an order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What is tried on decisions from `since` on; `rule` changes a follow's rule."""

    since: datetime
    in_force: SettingsAt
    tried: SettingsAt
    rule: Callable[[CopyRule], CopyRule]


@dataclass(frozen=True, kw_only=True, slots=True)
class Retaken:
    """An open, as it was made and as it would be; values are contracts × size × price.

    `is_known` is false where the rows do not tell enough: then nothing is different. `kept` are
    those of the made that would be made again, `estimate` those anew.
    """

    signal_id: SignalId
    leg: Leg
    is_known: bool
    made: Contracts
    made_value: Fraction
    kept: Contracts
    kept_value: Fraction
    estimate: Estimate
    was: Skip | None
    would_be: Skip | None

    @property
    def would_make(self) -> int:
        return self.kept + self.estimate.contracts


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowDryRun:
    """`unlike` are decisions that did not come out as recorded, `unlike_orders` limit prices.

    The difference of the result is between `least` and `most` USDT, before leader shares and
    funding. `held` is what the run under the settings of the time holds at the end, `would_hold`
    the tried one.
    """

    opens: tuple[Retaken, ...]
    decisions: int
    unlike: tuple[SignalId, ...]
    orders: int
    unlike_orders: tuple[SignalId, ...]
    least: Fraction
    most: Fraction
    held: Mapping[Leg, int]
    would_hold: Mapping[Leg, int]


def dry_run(story: FollowStory, trial: Trial) -> FollowDryRun:
    """Take every decision of the story again, both ways."""
    return _Walk(story, trial).walk()


class _Walk:
    def __init__(self, story: FollowStory, trial: Trial) -> None:
        self._story = story
        self._trial = trial
        self._then = Run(story)
        self._tried = Run(story)
        self._opens: list[Retaken] = []
        self._decisions = 0
        self._orders = 0
        self._unlike: list[SignalId] = []
        self._unlike_orders: list[SignalId] = []

    def walk(self) -> FollowDryRun:
        for place, step in enumerate(self._story.steps):
            if isinstance(step, OtherStep):
                self._other(step)
            elif not step.whole.increases:
                self._close(step)
            elif step.taken is not None:  # else it did not concern this follow
                self._open(step, step.taken, self._close_behind(place, step, step.taken))
        least, most = self._difference()
        return FollowDryRun(
            opens=tuple(self._opens),
            decisions=self._decisions,
            unlike=tuple(self._unlike),
            orders=self._orders,
            unlike_orders=tuple(self._unlike_orders),
            least=least,
            most=most,
            held={leg: lane.held for leg, lane in self._then.lanes.items()},
            would_hold={leg: lane.held for leg, lane in self._tried.lanes.items()},
        )

    def _open(self, step: SignalStep, taken: Taken, close_behind: datetime | None) -> None:
        made = [each for order in taken.opened for each in order.made]
        kept, extra, then, would = made, Estimate(), taken.decision, taken.decision
        rule = self._story.rule_of(step.signal_id, step.leg[0])
        for run in (self._then, self._tried):
            run.go_by(step.leg, rule)
        self._begin_as_recorded(step.leg, taken)
        if taken.decided_at >= self._trial.since:
            in_force, tried = self._trial.in_force, self._trial.tried
            again, reading = max(
                (
                    (self._retake(step, self._then, rule, in_force, reading), reading)
                    for reading in readings_of(step, in_force, close_behind)
                ),
                key=lambda each: _likeness(each[0], taken.decision),
            )
            is_known = self._is_as_taken(step, taken, again)
            if again is not None and is_known:
                then = replace(then, residue=again.residue)
                changed = self._trial.rule(rule)
                found = self._retake(step, self._tried, changed, tried, reading)
                if found is not None:
                    would = found
                    kept, extra = self._made_under_trial(step, taken, would, made)
                is_known = found is not None
            self._opens.append(
                Retaken(
                    signal_id=step.signal_id,
                    leg=step.leg,
                    is_known=is_known,
                    made=count_of(made),
                    made_value=value_of(made, self._story.contract_size_of(step.leg)),
                    kept=count_of(kept),
                    kept_value=value_of(kept, self._story.contract_size_of(step.leg)),
                    estimate=extra,
                    was=taken.decision.skip,
                    would_be=would.skip,
                )
            )
        left_out = not_filled(taken.decision.skip)
        unmade = max(0, then.wanted - count_of(made))
        later = max(0, unmade - left_out)  # an order of a later one makes it
        earlier = max(0, left_out - unmade)  # and here what earlier ones wanted is given up
        missing = earlier + max(0, would.wanted - count_of(kept) - extra.contracts - later)
        self._then.open(step, then, made, Estimate(), given_up=left_out)
        self._tried.open(step, would, kept, extra, given_up=missing)

    def _retake(
        self,
        step: SignalStep,
        run: Run,
        rule: CopyRule,
        settings: SettingsAt,
        reading: Reading,
    ) -> Decision | None:
        lane = run.lane(step.leg)
        standing = Standing(
            target=lane.target,
            carried=lane.carried,
            holdings=run.holdings(step.leg, step.first_fill_at),
        )
        return retake_open(
            self._story,
            step,
            standing,
            reading,
            rule=rule,
            settings=settings,
        )

    def _is_as_taken(self, step: SignalStep, taken: Taken, again: Decision | None) -> bool:
        """Count the decision and the bounds of its orders; return whether all came out alike."""
        self._decisions += 1
        is_alike = again is not None and is_as_recorded(again, taken.decision)
        if not is_alike:
            self._unlike.append(step.signal_id)
        for order in taken.opened:
            self._orders += 1
            limit = limit_of(self._story, step, self._trial.in_force, order.decided_at)
            if limit != order.limit_price:
                self._unlike_orders.append(step.signal_id)
                is_alike = False
        return is_alike

    def _made_under_trial(
        self, step: SignalStep, taken: Taken, would: Decision, made: Sequence[Made]
    ) -> tuple[list[Made], Estimate]:
        """Return which of the fills would be had again, and what would be made anew at most."""
        at, story = taken.decided_at, self._story
        then = bound_of(story, step, self._trial.in_force, at)
        tried = bound_of(story, step, self._trial.tried, at)
        if then is None or tried is None:
            return list(made), Estimate()
        kept = list(made)
        if tried < then:
            limits = {
                order.decided_at: limit_of(story, step, self._trial.tried, order.decided_at)
                for order in taken.opened
            }
            kept = [
                each
                for order in taken.opened
                for each in order.made
                if _is_within(each.price, limits[order.decided_at], step.leg)
            ]
        had = count_of(made)
        surplus = max(0, had - taken.decision.wanted)  # made by this order for another decision
        kept = first_of(kept, would.wanted + surplus)
        extra = self._anew(taken, would, had, is_wider=tried > then)
        return kept, self._estimate(step, extra, at)

    @staticmethod
    def _anew(taken: Taken, would: Decision, had: int, *, is_wider: bool) -> int:
        """Return how many contracts might be made that were not.

        Where the market or the venue did not give all that was wanted then, it is not taken to give
        more, but where a wider bound allows what the price did not.
        """
        skip, wanted = taken.decision.skip, taken.decision.wanted
        if skip is None or not not_filled(skip):
            return max(0, would.wanted - wanted)
        is_for_want = skip.reason is SkipReason.BELOW_MINIMUM
        if is_for_want or (is_wider and skip.reason in OF_THE_PRICE):
            return max(0, would.wanted - had)
        return 0

    def _estimate(self, step: SignalStep, contracts: int, at: datetime) -> Estimate:
        """Return what so many contracts more would be worth; nothing where they are too few."""
        instrument = self._story.instruments.get(step.leg[0])
        bound = bound_of(self._story, step, self._trial.tried, at)
        if contracts <= 0 or instrument is None or bound is None:
            return Estimate()
        order = opening_order(
            replace(step.whole, is_final=True),
            target=Contracts(contracts),
            actual=NO_CONTRACTS,
            position_side=step.leg[1],
            instrument=instrument,
            bound=bound,
        )
        if order is None or isinstance(order, Skip):
            return Estimate()
        assert order.limit_price is not None
        worth = contracts * Fraction(instrument.contract_size)
        return Estimate(
            contracts=contracts,
            at_leader=worth * step.whole.average_price,
            at_bound=worth * Fraction(order.limit_price),
            fee_rate=Fraction(instrument.taker_fee),
        )

    def _close(self, step: SignalStep) -> None:
        taken = step.taken
        closed: Sequence[Made] = ()
        if taken is not None:
            closed = taken.closed
            self._begin_as_recorded(step.leg, taken)
        then, tried = self._then.lane(step.leg), self._tried.lane(step.leg)
        is_like_then = (tried.held, tried.target, tried.carried) == (
            then.held,
            then.target,
            then.carried,
        )
        residue = NOTHING
        if taken is not None:
            residue = taken.decision.residue
            if taken.decided_at >= self._trial.since:
                again = retake_close(self._story, step, self._standing(then))
                self._decisions += 1
                if is_as_recorded(again, taken.decision):
                    residue = again.residue
                else:
                    self._unlike.append(step.signal_id)
        self._then.close(step, closed, count_of(closed))
        then.carried += residue
        if is_like_then:
            self._tried.close(step, closed, count_of(closed))
            tried.carried += residue
            return
        would = retake_close(self._story, step, self._standing(tried))
        self._tried.close(step, closed, tried.held - would.target)
        tried.carried += would.residue

    @staticmethod
    def _standing(lane: RunLane) -> Standing:
        return Standing(target=lane.target, carried=lane.carried, holdings=Holdings())

    def _other(self, step: OtherStep) -> None:
        """Do to the tried run what it did then: all where it took all."""
        then, tried = self._then.lane(step.leg), self._tried.lane(step.leg)
        count = int(count_of(step.made))
        part = count
        if step.reduces and tried.held != then.held:
            part = tried.held if count >= then.held else min(tried.held, count)
        self._then.other(step, count)
        self._tried.other(step, part)

    def _begin_as_recorded(self, leg: Leg, taken: Taken) -> None:
        """Let both runs go on from what is recorded: what changed it follows no signal."""
        then, tried = self._then.lane(leg), self._tried.lane(leg)
        base = taken.decision.base
        tried.target = max(0, tried.target + base - then.target)
        then.target = base
        if then.carried != taken.carried:
            then.carried = tried.carried = taken.carried

    def _close_behind(self, place: int, step: SignalStep, taken: Taken) -> datetime | None:
        """Return when the first close of the same leg became known while this open waited."""
        for each in self._story.steps[place + 1 :]:
            if not isinstance(each, SignalStep):
                continue
            if each.seen[0].known_at > taken.decided_at:
                break
            if each.leg == step.leg and not each.whole.increases:
                return each.seen[0].known_at
        return None

    def _difference(self) -> tuple[Fraction, Fraction]:
        """Return tried less then; what is open at the end counts at its mark."""
        least = most = NOTHING
        for leg, then in self._then.lanes.items():
            tried = self._tried.lane(leg)
            mark = self._story.marks.get(leg[0])
            price = Fraction(mark) if mark is not None else tried.opened_at
            value = NOTHING
            if price is not None:
                value = (
                    (tried.held - then.held)
                    * self._story.contract_size_of(leg)
                    * price
                    * sign_of(leg)
                )
            least += min(tried.best, tried.worst) - then.best + value
            most += max(tried.best, tried.worst) - then.best + value
        return least, most


def _is_within(price: Price, limit: Price | None, leg: Leg) -> bool:
    if limit is None:
        return True
    return price <= limit if leg[1] is PositionSide.LONG else price >= limit


def _likeness(again: Decision | None, recorded: Decision) -> int:
    """Return how well a reading of the rows explains them; of equals the likelier is right.

    Best is one that also leaves to carry what they say: that it was forgotten since explains less.
    """
    if again is None or not is_as_recorded(again, recorded):
        return 0
    return 2 if again.residue == recorded.residue else 1
