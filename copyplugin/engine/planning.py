"""The next step of a lane: apply what the leader did, then close the gap, one order at a time."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property

from copyplugin.domain.client_order_id import client_order_id
from copyplugin.domain.follow import COPIES_OPENS, FOLLOWS_CLOSES, FollowState
from copyplugin.domain.identifiers import (
    CopyOrderId,
    FollowId,
    SignalId,
    Symbol,
)
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Ratio
from copyplugin.domain.open_size import NOTHING, Holdings
from copyplugin.domain.order import CopyOrderState, OrderPurpose
from copyplugin.domain.skip import Skip, SkipReason, numbers
from copyplugin.domain.steering import (
    LeaderMove,
    Terms,
    WantedOrder,
    decide,
    needs_balance,
    not_filled,
    opening_order,
    reducing_order,
    refusal,
)
from copyplugin.engine.alike import Example, Likeness, Planned, likeness, may_be_repeated
from copyplugin.engine.errands import AskBalance, Errand
from copyplugin.engine.held_positions import HELD
from copyplugin.engine.order_errands import account_of, ask_order, send_order
from copyplugin.engine.precedence import Precedence, may_open
from copyplugin.engine.surroundings import Surroundings
from copyplugin.settings import Settings
from copyplugin.store.decisions import decision_from, leave_out_of, write_decision
from copyplugin.store.follow_rules import RuleBook, holdings_before, rules_of
from copyplugin.store.halts import halted_among
from copyplugin.store.lane_book import ORDERS, LaneBook
from copyplugin.store.lane_work import LaneWork
from copyplugin.store.leader_moves import leader_move
from copyplugin.store.owed import owed_by
from copyplugin.store.rows import CopyDecisionRow, CopyOrderRow, FollowRow, SignalRow


@dataclass(slots=True)
class Plan:
    """What one claim decided: errands to run, and when to look at which shard again."""

    errands: list[Errand] = field(default_factory=list[Errand])
    later: list[tuple[datetime, int]] = field(default_factory=list[tuple[datetime, int]])
    blocked: dict[FollowId, int] = field(default_factory=dict[FollowId, int])  # with their shards
    under_way: set[FollowId] = field(default_factory=set[FollowId])  # flat by it, and ended


class Planner:
    """Plans lanes inside one transaction; nothing here waits or calls a venue."""

    def __init__(
        self,
        book: LaneBook,
        around: Surroundings,
        now: datetime,
        *,
        resend: Collection[CopyOrderId] = (),
    ) -> None:
        self._book = book
        self._around = around
        self._now = now
        self._resend = resend
        self._prefix = around.settings.client_order_prefix
        self._precedence = Precedence()
        self._rule_book = RuleBook(rules={})
        self._halted: Collection[FollowId] = ()
        self.plan = Plan()
        self._unburdened: dict[FollowId, FollowRow] = {}
        self._unsent: list[tuple[CopyOrderRow, LaneWork]] = []
        self._asking: list[LaneWork] = []
        # What was worked out for one follower is taken for all whose every input is the same.
        # None: each is planned for itself.
        self._planned: dict[Likeness, Planned | None] = {}
        self._moves: dict[SignalId, LeaderMove] = {}
        self._orders: dict[tuple[object, ...], WantedOrder | Skip | None] = {}

    @cached_property
    def _settings(self) -> Settings:
        """Of this turn, read once where something is decided by them."""
        return self._around.settings_at(self._book.session, self._now)

    def look_at(self, works: Sequence[LaneWork]) -> None:
        """Decide what each of these lanes does next."""
        restless = [work for work in works if not self._is_at_rest(work)]
        self._precedence = Precedence.of(self._book, restless)
        opening = {
            work.follow.id: work.follow.leader_id
            for work in restless
            if may_open(work) or (work.in_doubt is not None and not work.in_doubt.reduce_only)
        }
        self._rule_book = rules_of(self._book.session, opening)
        self._halted = halted_among(self._book.session, opening, now=self._now)
        for work in self._precedence.in_turn(restless):
            self._look_at(work)

    def _look_at(self, work: LaneWork) -> None:
        if self._precedence.is_alone(work):
            self._plan_as_before(work)
            return
        sent = len(self._unsent)
        self._plan(work)
        order = self._unsent[-1][0] if len(self._unsent) > sent else work.in_doubt
        self._precedence.note(work, order)

    def _is_at_rest(self, work: LaneWork) -> bool:
        """Return whether nothing is left to do for a lane; it is not marked any more then."""
        lane = work.lane
        if work.undecided or work.in_doubt is not None or lane.target != lane.actual:
            return False
        if lane.retry_at is not None:
            if lane.retry_at > self._now:
                return False
            lane.retry_at = None
        lane.marked = False
        lane.failures = 0
        return True

    def _plan_as_before(self, work: LaneWork) -> None:
        """Plan a lane beside which its follow has nothing to do as one like it was planned."""
        like = likeness(work, self._rule_book, is_halted=work.follow.id in self._halted)
        planned = None if like is None else self._planned.get(like)
        if planned is not None:
            order = planned.repeat(work, self._prefix)
            if order is not None:
                self._add_order(work, order)
            return
        if like is None or like in self._planned:
            self._plan(work)
            return
        self._planned[like] = None
        if not may_be_repeated(work, self._rule_book):
            self._plan(work)
            return
        example, before = Example.of(work), self._asked_for()
        self._plan(work)
        if self._asked_for() == before:
            self._planned[like] = example.planned(work)

    def _asked_for(self) -> tuple[int, ...]:
        return len(self.plan.errands), len(self._asking), len(self.plan.later)

    def _plan(self, work: LaneWork) -> None:
        lane = work.lane
        if lane.retry_at is not None and lane.retry_at > self._now:
            self.plan.later.append((lane.retry_at, lane.shard))
            return
        if work.in_doubt is not None and work.in_doubt.id not in self._resend:
            self.plan.errands.append(ask_order(work, work.in_doubt))
            return
        if work.in_doubt is not None and not self._gives_up(work, work.in_doubt):
            work.in_doubt.attempts += 1
            work.in_doubt.sent_at = None  # the attempt before this one is lost for certain
            self._unsent.append((work.in_doubt, work))
            return
        last, is_waiting = self._apply_signals(work)
        self._close_gap(work, last)
        if lane.target == lane.actual and not is_waiting:
            lane.marked = False
            lane.failures = 0
            lane.retry_at = None

    def finish(self) -> Plan:
        """Give the new orders their numbers and return the plan."""
        self._book.number_orders()
        for order, work in self._unsent:
            self.plan.errands.append(send_order(order, work))
        self.plan.errands.extend(self._balances())
        if self._unburdened:  # their last order in doubt may be gone
            self._book.keep_states(list(self._unburdened.values()), at=self._now)
            self.plan.under_way = {
                follow_id
                for follow_id, follow in self._unburdened.items()
                if follow.state is FollowState.SETTLING
            }
        return self.plan

    def _balances(self) -> Iterator[AskBalance]:
        owed = owed_by(self._book.session, {work.follow.id for work in self._asking})
        for work in self._asking:
            gone = owed[work.follow.id].gone
            yield AskBalance(lane_id=work.lane.id, account=account_of(work), shares_gone=gone)

    def _gives_up(self, work: LaneWork, order: CopyOrderRow) -> bool:
        """End an order that never arrived, unless it is to be sent again under its own name.

        A close always is. An open is not once it has been tried often or long enough (L11): then
        its contracts leave the target. Nor is it where it has become pointless meanwhile, because
        its follower or its leader has closed all: then the target says so, or is about to.
        """
        skip = None if order.reduce_only else self._why_not_again(work, order)
        if skip is None:
            return False
        order.state = CopyOrderState.EXPIRED
        work.in_doubt = None
        self._unburdened[work.follow.id] = work.follow
        leave_out(self._book, work, contracts=order.contracts, skip=skip, signal_id=order.signal_id)
        return True

    def _why_not_again(self, work: LaneWork, order: CopyOrderRow) -> Skip | None:
        settings, closed = self._settings, self._closed_to_opens(work)
        if closed is not None:
            return closed
        if any(not each.increases and each.contracts_after == 0 for _, each in work.undecided):
            return Skip(reason=SkipReason.LEADER_HAS_CLOSED)
        if work.lane.target < work.lane.actual + order.contracts:
            return Skip(reason=SkipReason.POSITION_CLOSED)
        if (
            order.attempts >= settings.open_attempts
            or self._now - order.decided_at > timedelta(seconds=settings.open_expiry_seconds)
            or work.opening is None
        ):
            return Skip(reason=SkipReason.EXPIRED, detail=numbers(attempts=order.attempts))
        return None

    def _closed_to_opens(self, work: LaneWork) -> Skip | None:
        """Return why nothing is opened on a lane now, whatever it is."""
        if work.follow.state not in COPIES_OPENS:
            return Skip(reason=SkipReason.FOLLOW_NOT_ACTIVE)
        if work.follow.id in self._halted:
            return Skip(reason=SkipReason.COPYING_HALTED)
        is_unlisted = work.lane.symbol in self._around.unlisted
        return Skip(reason=SkipReason.INSTRUMENT_UNKNOWN) if is_unlisted else None

    def _apply_signals(self, work: LaneWork) -> tuple[SignalRow | None, bool]:
        """Apply pending signals in order; return the last one applied, and whether some wait."""
        last: SignalRow | None = None
        lane = work.lane
        for place, (row, signal) in enumerate(work.undecided):
            topped_up_at = row.decided_at + timedelta(
                milliseconds=self._settings.topup_milliseconds
            )
            is_young = row.decided_at <= self._now < topped_up_at  # else the clock was set back
            if row.revision and not signal.final and is_young:
                self.plan.later.append((topped_up_at, lane.shard))
                return last, True
            behind = [each for _, each in work.undecided[place + 1 :] if not each.increases]
            move = self._move(signal)
            terms = self._in_turn(work, signal, move, self._terms(work, row, signal), behind)
            if terms is None:
                return last, True
            self._decide(work, row, signal, move, terms)
            last = signal
        return last, False

    def _in_turn(
        self,
        work: LaneWork,
        signal: SignalRow,
        move: LeaderMove,
        terms: Terms,
        closes_behind: Sequence[SignalRow],
    ) -> Terms | None:
        """Return the terms to decide on now; None where an open has to wait.

        For its turn, or for the balance it rests on. With a close behind it, it waits no longer
        than an open is tried, and not at all where the leader has closed everything.
        """
        if not signal.increases or refusal(move, terms, now=self._now) is not None:
            return terms
        is_blocked = self._is_blocked(work, signal.id)
        if not is_blocked and not needs_balance(move, terms, now=self._now):
            return terms
        if any(each.contracts_after == 0 for each in closes_behind):
            return replace(terms, leader_has_closed=True)
        tried_for = timedelta(seconds=self._settings.open_expiry_seconds)
        if closes_behind and self._now - signal.received_at > tried_for:
            return replace(terms, late_after=timedelta.min)  # too late, however late that is
        if not is_blocked and work.lane.target == work.lane.actual:  # else the gap goes first
            self._asking.append(work)
        return None

    def _is_blocked(self, work: LaneWork, signal_id: SignalId) -> bool:
        if not self._precedence.is_blocked(work, signal_id):
            return False
        self.plan.blocked[work.follow.id] = work.lane.shard
        return True

    def _decide(
        self,
        work: LaneWork,
        row: CopyDecisionRow,
        signal: SignalRow,
        move: LeaderMove,
        terms: Terms,
    ) -> None:
        lane = work.lane
        before = decision_from(row) if row.revision else None
        after = decide(move, before, terms, target=lane.target, now=self._now)
        if before is None:
            row.carried_before = terms.carried or None
        if after.residue or row.residue is not None:
            lane.residue = terms.carried + after.residue or None
        write_decision(row, after)
        row.revision = signal.revision
        row.pending = False
        row.decided_at = self._now
        if signal.increases and after.target > lane.target:
            lane.opening_signal_id = signal.id
            work.opening = signal
        lane.target = after.target

    def _move(self, signal: SignalRow) -> LeaderMove:
        if signal.id not in self._moves:
            self._moves[signal.id] = leader_move(signal)
        return self._moves[signal.id]

    def _terms(self, work: LaneWork, row: CopyDecisionRow, signal: SignalRow) -> Terms:
        follow, lane, around = work.follow, work.lane, self._around
        rule = self._rule_book.rule_of(follow, lane.symbol, signal.id)
        holdings = Holdings()
        if signal.increases and rule.caps.needs_holdings:
            self._book.write_follow(follow.id)
            holdings = holdings_before(
                self._book.session,
                lane,
                signal,
                Contracts(row.wanted - not_filled(decision_from(row).skip)),
                around.instruments,
                around.settings.zone,
            )
        return Terms(
            rule=rule,
            copies_opens=follow.state in COPIES_OPENS,
            follows_closes=follow.state is not FollowState.HANDED_OVER,
            is_configured=work.is_configured,
            is_chosen=work.is_chosen,
            instrument=self._instrument(lane.symbol, opens=signal.increases),
            available=row.available_frozen,
            late_after=timedelta(seconds=self._settings.signal_late_seconds),
            equity=row.equity_frozen,
            is_halted=follow.id in self._halted,
            carried=(lane.residue or NOTHING) - (row.residue or NOTHING),
            forgotten=row.forgotten or NOTHING,
            holdings=holdings,
        )

    def _instrument(self, symbol: Symbol, *, opens: bool) -> Instrument | None:
        """Return an instrument; to open, None where the venue lists it no more."""
        around = self._around
        return None if opens and symbol in around.unlisted else around.instruments.get(symbol)

    def _close_gap(self, work: LaneWork, last: SignalRow | None) -> None:
        lane = work.lane
        if lane.target == lane.actual:
            return
        instrument = self._instrument(lane.symbol, opens=lane.target > lane.actual)
        if lane.target < lane.actual:
            if instrument is None:  # nothing can be sent; the sweep looks again
                return
            wanted = reducing_order(
                target=lane.target,
                actual=lane.actual,
                position_side=lane.position_side,
                instrument=instrument,
            )
            if lane.target > lane.actual - wanted.contracts:
                lane.target = type(lane.target)(lane.actual - wanted.contracts)
            self._make_order(work, wanted, last)
            return
        opening = self._opening(work, instrument)
        if isinstance(opening, Skip):
            self._leave_out(work, opening)
        elif opening is not None:
            self._make_order(work, opening, work.opening)

    def _opening(self, work: LaneWork, instrument: Instrument | None) -> WantedOrder | Skip | None:
        lane, closed = work.lane, self._closed_to_opens(work)
        if closed is not None:
            return closed
        if instrument is None or work.opening is None:
            return Skip(reason=SkipReason.INSTRUMENT_UNKNOWN)
        if self._is_blocked(work, work.opening.id):
            return None
        bound = self._bound(work.follow, work.opening, instrument)
        inputs = (work.opening.id, lane.target, lane.actual, bound)  # the signal names the side
        if inputs not in self._orders:
            self._orders[inputs] = opening_order(
                self._move(work.opening),
                target=lane.target,
                actual=lane.actual,
                position_side=lane.position_side,
                instrument=instrument,
                bound=bound,
            )
        return self._orders[inputs]

    def _bound(self, follow: FollowRow, opening: SignalRow, instrument: Instrument) -> Ratio:
        """Return how far from the leader's price an open may trade (C8), or from his entry (L2)."""
        if follow.open_held is not None and opening.order_id.startswith(HELD):
            return follow.open_held
        return follow.price_protection or self._settings.price_bound(instrument)

    def _leave_out(self, work: LaneWork, skip: Skip) -> None:
        """Take what is missing out of the target, and say why in the decision it was for."""
        lane = work.lane
        leave_out(
            self._book,
            work,
            contracts=lane.target - lane.actual,
            skip=skip,
            signal_id=lane.opening_signal_id,
        )

    def _make_order(self, work: LaneWork, wanted: WantedOrder, signal: SignalRow | None) -> None:
        opening = None if wanted.reduce_only else signal
        rule = self._rule_book.rule_of(
            work.follow, work.lane.symbol, None if opening is None else opening.id
        )
        lane = work.lane
        order = ORDERS.record(
            lane_id=lane.id,
            sequence=lane.next_sequence,
            client_order_id=client_order_id(lane.id, lane.next_sequence, prefix=self._prefix),
            signal_id=None if signal is None else signal.id,
            purpose=_purpose(work, signal),
            order_side=wanted.order_side,
            reduce_only=wanted.reduce_only,
            contracts=wanted.contracts,
            limit_price=wanted.limit_price,
            leverage=None if opening is None else rule.leverage_for(opening.leverage),
            margin_mode=None if opening is None else rule.margin_mode_for(opening.margin_mode),
            state=CopyOrderState.SENT,
            attempts=1,
            decided_at=self._now,
        )
        self._add_order(work, order)

    def _add_order(self, work: LaneWork, order: CopyOrderRow) -> None:
        """Take in an order of this lane."""
        work.lane.next_sequence += 1
        work.in_doubt = order
        self._book.add_order(order)
        self._unsent.append((order, work))


def leave_out(
    book: LaneBook,
    work: LaneWork,
    *,
    contracts: int,
    skip: Skip,
    signal_id: SignalId | None,
) -> None:
    """Lower the lane's target by contracts that will not be had, and record the reason (C12).

    A target that was lowered for another reason meanwhile is not lowered below nothing; that they
    were not had is written down all the same.
    """
    lane = work.lane
    lane.target = type(lane.target)(max(0, lane.target - contracts))
    row = None if signal_id is None else book.decision(signal_id, lane.id)
    if row is not None:
        leave_out_of(row, contracts, skip)


def _purpose(work: LaneWork, signal: SignalRow | None) -> OrderPurpose:
    if signal is not None:
        return OrderPurpose.COPY
    is_ended = work.follow.state not in FOLLOWS_CLOSES or work.lane.target == 0
    return OrderPurpose.CLOSE if is_ended else OrderPurpose.REPAIR
