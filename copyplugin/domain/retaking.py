"""Taking one recorded decision again, from what the rows keep of its inputs (N12).

The rules are those of `steering`; nothing is decided here. What a refusal says of its time (the
follow had ended, copying was halted, ...) is an input, and no setting that can be tried undoes it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction

from copyplugin.domain.copy_rule import CopyRule
from copyplugin.domain.copy_story import FollowStory, SignalStep, Taken
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Price, Ratio
from copyplugin.domain.open_size import NOTHING, Holdings
from copyplugin.domain.price_protection import price_bound
from copyplugin.domain.skip import Skip, SkipReason
from copyplugin.domain.steering import (
    Decision,
    Terms,
    decide,
    needs_balance,
    not_filled,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderSettings:
    """The settings that decide on an open, as in force at one time."""

    bound: Callable[[Instrument], Ratio]
    late_after: timedelta
    tried_for: timedelta


SettingsAt = Callable[[datetime], OrderSettings]


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What a lane and its follow had when a leader's move came."""

    target: int
    carried: Fraction
    holdings: Holdings


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What the rows may mean where they do not tell all of how an open was decided.

    `times` are when it was decided, in order; what became known in the very instant of one was
    known to it where `at_once` is set. When it was decided last nothing more was to be opened for
    this `reason`, or it gave way to a close that had come behind it.
    """

    times: Sequence[datetime]
    at_once: bool
    reason: SkipReason | None
    gives_way: bool


def retake_open(
    story: FollowStory,
    step: SignalStep,
    standing: Standing,
    reading: Reading,
    *,
    rule: CopyRule,
    settings: SettingsAt,
) -> Decision | None:
    """Return the decision after all its revisions; None where an input was never asked for."""
    taken = step.taken
    assert taken is not None
    before: Decision | None = None
    carried, forgotten = standing.carried, NOTHING
    for at in reading.times:
        is_last = at == taken.decided_at
        refused = reading.reason if is_last else None
        terms = Terms(
            rule=rule,
            copies_opens=refused is not SkipReason.FOLLOW_NOT_ACTIVE,
            follows_closes=True,
            is_configured=refused is not SkipReason.LEADER_NOT_CONFIGURED_INSTRUMENT,
            is_chosen=refused is not SkipReason.INSTRUMENT_NOT_FOLLOWED,
            instrument=_instrument(story, step, refused),
            available=taken.available,
            late_after=timedelta.min if is_last and reading.gives_way else settings(at).late_after,
            equity=taken.equity,
            carried=carried,
            forgotten=forgotten,
            holdings=standing.holdings,
            is_halted=refused is SkipReason.COPYING_HALTED,
            leader_has_closed=refused is SkipReason.LEADER_HAS_CLOSED,
        )
        move = step.known(at, at_once=reading.at_once)
        if needs_balance(move, terms, now=at):
            return None
        target = standing.target if before is None else before.target
        before = decide(move, before, terms, target=Contracts(target), now=at)
        if taken.has_forgotten and at == taken.forgotten_after:
            carried, forgotten = NOTHING, before.residue
            before = replace(before, residue=NOTHING)
    return before


def retake_close(story: FollowStory, step: SignalStep, standing: Standing) -> Decision:
    """Return what a lane that held so much makes of the leader's close."""
    taken, now = step.taken, step.seen[-1].known_at
    reason = None if taken is None else _circumstance(taken.decision.skip)
    terms = Terms(
        rule=story.rule_of(step.signal_id, step.leg[0]),
        copies_opens=True,
        follows_closes=reason is not SkipReason.FOLLOW_NOT_ACTIVE,
        is_configured=True,
        is_chosen=True,
        instrument=story.instruments.get(step.leg[0]),
        available=None,
        late_after=timedelta(0),
        carried=standing.carried,
    )
    move = step.whole if taken is None else step.known(taken.decided_at)
    return decide(move, None, terms, target=Contracts(standing.target), now=now)


def readings_of(
    step: SignalStep, in_force: SettingsAt, first_close_behind: datetime | None
) -> list[Reading]:
    """Return how the rows of an open may be read, the likelier first."""
    taken = step.taken
    assert taken is not None
    gives_way = _has_given_way(step, taken, in_force, first_close_behind)
    return [
        Reading(times=times, at_once=at_once, reason=reason, gives_way=gives_way)
        for times in _times_of(step, taken)
        for at_once in _at_once_of(step, taken)
        for reason in _reasons_of(taken.decision.skip)
    ]


def _times_of(step: SignalStep, taken: Taken) -> list[list[datetime]]:
    """Return when it may have been decided.

    The rows tell of those decisions that an order came of, and of the last. While an order is under
    way a move that has grown is decided without one: at once, as soon as that is known.
    """
    told = taken.times
    grown = {each.known_at for each in step.seen if told[0] < each.known_at < told[-1]}
    return [told, sorted({*told, *grown})] if grown - set(told) else [told]


def _at_once_of(step: SignalStep, taken: Taken) -> tuple[bool, ...]:
    grown = {each.known_at for each in step.seen[1:]}
    return (True,) if grown.isdisjoint(taken.times[:-1]) else (True, False)


def _reasons_of(skip: Skip | None) -> tuple[SkipReason | None, ...]:
    """Return what may have stood against it when it was decided last.

    Where contracts were not had, the reason may have come after the decision, or with its last
    revision.
    """
    if skip is None:
        return (None,)
    return (None, skip.reason) if not_filled(skip) else (skip.reason,)


def _has_given_way(
    step: SignalStep, taken: Taken, in_force: SettingsAt, first_close_behind: datetime | None
) -> bool:
    """Return whether it was given up because it had waited while a close came behind it.

    Only one that waits for its turn or for a balance gives way (C10), and how long it had to is not
    recorded: the refusal tells it, where the move itself was not late yet.
    """
    skip, at = taken.decision.skip, taken.decided_at
    if skip is None or skip.reason is not SkipReason.EXPIRED or first_close_behind is None:
        return False
    settings, seen = in_force(at), step.seen[-1]
    is_late = at - seen.move.last_fill_at > settings.late_after
    has_waited = first_close_behind <= at and at - seen.known_at > settings.tried_for
    return has_waited and not is_late


def is_as_recorded(again: Decision, recorded: Decision) -> bool:
    """Return whether a decision came out as the rows have it.

    Why contracts were not had after it was taken is what happened, not what was decided. What it
    left to carry is struck out of the rows once that is forgotten (a follower closed his position):
    then it is only told by what the next decisions made of it.
    """
    if again.wanted != recorded.wanted or recorded.residue not in {again.residue, NOTHING}:
        return False
    return not_filled(recorded.skip) > 0 or again.skip == recorded.skip


def bound_of(
    story: FollowStory, step: SignalStep, settings: SettingsAt, at: datetime
) -> Ratio | None:
    """Return how far from the leader's price an open was, or would be, bounded (C8, L2)."""
    if step.is_held_at_start and story.open_held is not None:
        return story.open_held
    instrument = story.instruments.get(step.leg[0])
    if story.price_protection is not None or instrument is None:
        return story.price_protection
    return settings(at).bound(instrument)


def limit_of(
    story: FollowStory, step: SignalStep, settings: SettingsAt, at: datetime
) -> Price | None:
    """Return the limit price of an open that is ordered then; None where nothing is known."""
    instrument = story.instruments.get(step.leg[0])
    bound = bound_of(story, step, settings, at)
    if instrument is None or bound is None:
        return None
    side = step.leg[1].opening_side
    return price_bound(instrument, side, step.known(at).average_price, bound)


def _circumstance(skip: Skip | None) -> SkipReason | None:
    return None if skip is None or not_filled(skip) else skip.reason


def _instrument(
    story: FollowStory, step: SignalStep, reason: SkipReason | None
) -> Instrument | None:
    is_unknown = reason is SkipReason.INSTRUMENT_UNKNOWN
    return None if is_unknown else story.instruments.get(step.leg[0])
