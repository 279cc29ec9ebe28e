"""Writing down what came back from the venue: orders, positions, and what could not be had."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.follow import TERMINAL, FollowState
from copyplugin.domain.identifiers import CopyOrderId, FollowId, LaneId
from copyplugin.domain.leader import ShareState, TradeState
from copyplugin.domain.money import NO_CONTRACTS, ZERO_MONEY, Contracts, Money, money_total
from copyplugin.domain.order import CopyOrderState, OrderReport, OrderStatus, OwnFill
from copyplugin.domain.round_trip import RoundTrip
from copyplugin.domain.round_trip_steps import StepSums
from copyplugin.domain.skip import Skip, SkipReason
from copyplugin.engine.errands import (
    Answered,
    BalanceKnown,
    InDoubt,
    NotThere,
    Outcome,
    Rejected,
    Unreachable,
)
from copyplugin.engine.planning import leave_out
from copyplugin.engine.surroundings import Surroundings
from copyplugin.settings import Settings
from copyplugin.store.lane_book import FILLS, ORDERS, POSITIONS, LaneBook
from copyplugin.store.lane_work import LaneWork
from copyplugin.store.owed import Owed, owed_by
from copyplugin.store.protection import clear_alarms, raise_alarm
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyOrderRow,
    FollowRow,
    LaneRow,
    OrderFillRow,
)

# As they are stored: in whole steps of money.
_SUMS = POSITIONS.picker(*StepSums._fields)
_SUM_PLACES = POSITIONS.places(*StepSums._fields)
_PAID = ORDERS.picker("filled_value", "fee")

INSUFFICIENT = frozenset({"insufficient_margin", "insufficient_balance"})
"""What a venue's adapter calls a refusal because of too little money (L9)."""

GIVES_UP = TERMINAL | {
    FollowState.ABORTING,
    FollowState.STARTING,
    FollowState.SETTLING,
    FollowState.HANDED_OVER,
}
"""States that an unreachable or refusing venue does not turn into aborting: nothing is copied."""

UNDER_WAY = frozenset({FollowState.SETTLING, FollowState.ABORTING})
"""States in which a follow that has become flat goes on by itself."""

FIRST_PAUSE = timedelta(milliseconds=500)
ALARM_AFTER = 4
"""So many refusals in a row of a close are told: one or two pass when the venue is asked again."""

LOOK_AGAIN = timedelta(milliseconds=50)
"""How soon an order that was acknowledged is asked for: some venues tell fills only then."""


@dataclass
class Booked:
    """What a batch of outcomes leaves to do."""

    works: list[LaneWork] = field(default_factory=list[LaneWork])
    follow_ids: set[FollowId] = field(default_factory=set[FollowId])
    resend: set[CopyOrderId] = field(default_factory=set[CopyOrderId])
    mismatched: set[FollowId] = field(default_factory=set[FollowId])
    traded: set[FollowId] = field(default_factory=set[FollowId])  # their positions have changed


class Bookkeeper:
    """Books outcomes inside one transaction."""

    def __init__(
        self, book: LaneBook, around: Surroundings, now: datetime, outcomes: Sequence[Outcome]
    ) -> None:
        self._lanes = book
        self._around = around
        self._now = now
        self._outcomes = outcomes
        self.booked = Booked()
        self._positions = book.positions
        self._signals = book.signals
        self._restless: dict[FollowId, FollowRow] = {}

    @cached_property
    def _settings(self) -> Settings:
        """Of this turn, read once where something went wrong."""
        return self._around.settings_at(self._lanes.session, self._now)

    @cached_property
    def _owed(self) -> dict[FollowId, Owed]:
        """Of all whose balance is known now, read once where there is one."""
        told = (each.lane_id for each in self._outcomes if isinstance(each, BalanceKnown))
        follow_ids = {self._lanes.works[lane_id].follow.id for lane_id in told}
        return owed_by(self._lanes.session, follow_ids)

    def book(self) -> Booked:
        self._open_positions()
        for outcome in self._outcomes:
            work = self._lanes.works[outcome.lane_id]
            self._book(outcome, work.lane, work.follow)
            if work.in_doubt is not None and work.in_doubt.state is not CopyOrderState.SENT:
                work.in_doubt = None
            self._note_state(work.lane, work.follow)
        self._lanes.keep_states(list(self._restless.values()), at=self._now)
        for outcome in self._outcomes:
            work = self._lanes.works[outcome.lane_id]
            self.booked.works.append(work)
            if work.follow.state in UNDER_WAY:
                self.booked.follow_ids.add(work.follow.id)
        return self.booked

    def _order(self, lane_id: LaneId, order_id: CopyOrderId) -> CopyOrderRow:
        """Return the order an errand was about: the lane's only one in doubt."""
        order = self._lanes.works[lane_id].in_doubt
        assert order is not None, f"lane {lane_id} has no order in doubt"
        assert order.id == order_id, f"lane {lane_id} has order {order.id} in doubt"
        return order

    def _note_state(self, lane: LaneRow, follow: FollowRow) -> None:
        """Remember follows that may be in another state now: flat, or no longer so."""
        if lane.actual == 0 or follow.state is not FollowState.COPYING:
            self._restless[follow.id] = follow

    def _book(self, outcome: Outcome, lane: LaneRow, follow: FollowRow) -> None:
        match outcome:
            case Answered():
                self._answered(outcome, lane, follow)
            case Rejected():
                self._rejected(outcome, lane, follow)
            case NotThere():
                self._not_there(outcome, lane, follow)
            case InDoubt():
                self._order(lane.id, outcome.order_id).sent_at = outcome.sent_at
                lane.marked = True
            case Unreachable():
                self._unreachable(lane, follow, outcome.sentence)
            case BalanceKnown():
                self._reached(follow)
                self._freeze_balance(outcome, self._owed[follow.id])

    def _answered(self, outcome: Answered, lane: LaneRow, follow: FollowRow) -> None:
        order, report = self._order(lane.id, outcome.order_id), outcome.report
        if outcome.sent_at is not None:
            order.sent_at = outcome.sent_at
        self._reached(follow)
        if report.status is OrderStatus.WORKING:  # asked for again until it has ended
            order.acknowledged_at = report.acknowledged_at
            order.venue_order_id = report.venue_order_id
            self._pause(lane, first=LOOK_AGAIN)
            return
        follow.refusals_in_a_row = 0
        close_order(order, report)
        for row in fill_rows(order, report.fills):
            self._lanes.add_fill(row)
        if report.filled:
            if order.reduce_only and lane.failures:
                position = self._positions[lane.id]
                clear_alarms(
                    self._lanes.session, {AlarmKind.EXIT_REFUSED}, [position.id], at=self._now
                )
            self._trade(order, report, lane, follow)
        missing = order.contracts - report.filled
        if missing == 0:
            lane.failures, lane.retry_at = 0, None
        elif order.reduce_only:  # a close goes on until it is done
            self._pause(lane)
        else:
            self._not_filled(order, lane, follow, missing, report.reason)

    def _not_there(self, outcome: NotThere, lane: LaneRow, follow: FollowRow) -> None:
        """Let an order be sent again where it is lost for certain; else it is asked for again.

        Every process decides alike, by the row. One that was acknowledged is never lost: the
        venue's lists are behind, or it has forgotten an order that ended with nothing. Of one whose
        process died nothing is known but that it had left when it was first asked for: leases let
        nobody ask before.
        """
        order = self._order(lane.id, outcome.order_id)
        self._reached(follow)
        if order.acknowledged_at is not None:
            seconds = self._around.venue.capabilities.forgets_empty_seconds
            if seconds and order.acknowledged_at + timedelta(seconds=seconds) <= self._now:
                self._forgotten(order, order.acknowledged_at, lane, follow)
            else:
                self._pause(lane)
            return
        if order.sent_at is None or order.sent_at > self._now:  # the clock was set back since
            order.sent_at = self._now
        seconds = self._around.venue.capabilities.requests_live_seconds
        until = order.sent_at + timedelta(seconds=seconds)
        if until > self._now:
            lane.retry_at, lane.marked = until, True
        else:
            self.booked.resend.add(outcome.order_id)

    def _forgotten(
        self, order: CopyOrderRow, at: datetime, lane: LaneRow, follow: FollowRow
    ) -> None:
        """Book an order that the venue took and lists no more: one with fills it would list."""
        assert order.venue_order_id is not None, "what was acknowledged has a number"
        report = OrderReport(
            client_order_id=order.client_order_id,
            venue_order_id=order.venue_order_id,
            status=OrderStatus.DONE,
            filled=NO_CONTRACTS,
            filled_value=ZERO_MONEY,
            fee=ZERO_MONEY,
            realized_pnl=ZERO_MONEY,
            fills=(),
            acknowledged_at=at,
            reason="forgotten by the venue",
        )
        told = Answered(lane_id=lane.id, order_id=order.id, report=report, sent_at=None)
        self._answered(told, lane, follow)

    def _trade(
        self, order: CopyOrderRow, report: OrderReport, lane: LaneRow, follow: FollowRow
    ) -> None:
        position = self._positions[lane.id]
        sums, (value, fee) = StepSums(*_SUMS(position)), _PAID(order)
        if order.reduce_only:
            side = position.position_side
            sums = sums.closed(report.filled, value, fee=fee, position_side=side)
            lane.actual = Contracts(lane.actual - report.filled)
        else:
            if order.leverage is not None:  # it may have changed since the open
                position.leverage = order.leverage
            sums = sums.opened(report.filled, value, fee=fee)
            lane.actual = Contracts(lane.actual + report.filled)
        order.copied_position_id = position.id
        POSITIONS.put(position, zip(_SUM_PLACES, sums, strict=True))
        self.booked.traded.add(follow.id)
        assert sums.contracts == lane.actual, f"lane {lane.id} and its position have parted"
        if sums.contracts == 0:
            close_books(position, at=order.filled_at or self._now)
            del self._positions[lane.id]

    def _open_positions(self) -> None:
        """Make a round trip for each lane that an order of this batch opens, all at once."""
        opened: list[CopiedPositionRow] = []
        for outcome in self._outcomes:
            if not isinstance(outcome, Answered) or outcome.report.filled == 0:
                continue
            work = self._lanes.works[outcome.lane_id]
            lane, order = work.lane, self._order(work.lane.id, outcome.order_id)
            if order.reduce_only or lane.id in self._positions:
                continue
            assert order.signal_id is not None, "an open always follows a signal"
            signal = self._signals[order.signal_id]
            fills = outcome.report.fills
            opened.append(
                POSITIONS.record(
                    follow_id=lane.follow_id,
                    lane_id=lane.id,
                    symbol=lane.symbol,
                    position_side=lane.position_side,
                    leverage=order.leverage or signal.leverage,
                    margin_mode=order.margin_mode or signal.margin_mode,
                    opened_at=fills[0].at if fills else self._now,
                    share_state=share_state_of_new(work.follow),
                )
            )
        self._lanes.add_positions(opened)

    def _not_filled(
        self,
        order: CopyOrderRow,
        lane: LaneRow,
        follow: FollowRow,
        missing: int,
        reason: str | None,
    ) -> None:
        empty = reason == SkipReason.NO_LIQUIDITY.value
        self._skip(
            order,
            lane,
            follow,
            missing,
            Skip(
                reason=SkipReason.NO_LIQUIDITY if empty else SkipReason.PRICE_MOVED,
                detail={} if order.limit_price is None else {"bound": f"{order.limit_price:f}"},
            ),
        )

    def _rejected(self, outcome: Rejected, lane: LaneRow, follow: FollowRow) -> None:
        order = self._order(lane.id, outcome.order_id)
        order.state = CopyOrderState.REJECTED
        order.reject_reason = f"{outcome.reason}: {outcome.sentence}"
        order.acknowledged_at = self._now
        self._reached(follow)
        if order.reduce_only:
            # The position may have gone without us: the venue is asked what it holds.
            self._pause(lane)
            self.booked.mismatched.add(follow.id)
            self._alarm_of_refusal(outcome, order, lane)
            return
        is_poor = outcome.reason in INSUFFICIENT
        if not is_poor:
            follow.refusals_in_a_row += 1
        self._skip(
            order,
            lane,
            follow,
            order.contracts,
            Skip(
                reason=SkipReason.INSUFFICIENT_BALANCE if is_poor else SkipReason.ORDER_REJECTED,
                detail={"venue": outcome.sentence},
            ),
        )
        if follow.refusals_in_a_row >= self._settings.refusals_to_abort:
            self._abort(follow, f"the venue refused {follow.refusals_in_a_row} orders in a row")

    def _alarm_of_refusal(self, outcome: Rejected, order: CopyOrderRow, lane: LaneRow) -> None:
        position = self._positions.get(lane.id)
        if lane.failures < ALARM_AFTER or position is None:
            return
        what = f"{order.contracts} contracts of {lane.symbol} {lane.position_side.value}"
        listed = "" if lane.symbol not in self._around.unlisted else " It lists it no more."
        raise_alarm(
            self._lanes.session,
            AlarmKind.EXIT_REFUSED,
            position,
            f"The venue refuses to close {what}: {outcome.sentence}{listed} It is asked again, "
            f"at least every {self._around.settings.close_backoff_max_seconds} seconds.",
            at=self._now,
        )

    def _skip(
        self, order: CopyOrderRow, lane: LaneRow, follow: FollowRow, contracts: int, skip: Skip
    ) -> None:
        leave_out(
            self._lanes,
            self._lanes.works[lane.id],
            contracts=contracts,
            skip=skip,
            signal_id=order.signal_id,
        )
        lane.failures, lane.retry_at = 0, None

    def _freeze_balance(self, outcome: BalanceKnown, owed: Owed) -> None:
        """Freeze it for the oldest open that waits for it; later ones ask again (C5).

        What is owed out of the sub-account is not the follower's to trade with. A share that left
        while the venue was asked may be in the answer or not: then it is asked again.
        """
        if owed.gone != outcome.shares_gone:
            return
        for row, signal in self._lanes.works[outcome.lane_id].undecided:
            if signal.increases and row.available_frozen is None:
                row.available_frozen = _his_own(outcome.available, owed)
                row.equity_frozen = _his_own(outcome.equity, owed)
                return

    def _unreachable(self, lane: LaneRow, follow: FollowRow, sentence: str) -> None:
        self._pause(lane)
        if follow.unreachable_since is None:
            follow.unreachable_since = self._now
        silence = self._now - follow.unreachable_since
        if silence >= timedelta(seconds=self._settings.unreachable_abort_seconds):
            self._abort(follow, f"the venue could not be reached for {silence}: {sentence}")

    def _reached(self, follow: FollowRow) -> None:
        follow.unreachable_since = None

    def _abort(self, follow: FollowRow, reason: str) -> None:
        if follow.state not in GIVES_UP:
            self._lanes.abort(follow, reason=reason, at=self._now)

    def _pause(self, lane: LaneRow, *, first: timedelta = FIRST_PAUSE) -> None:
        """Wait before the lane's next try: twice as long each time, up to the setting (L11)."""
        longest = timedelta(seconds=self._around.settings.close_backoff_max_seconds)
        pause = min(first * 2 ** min(lane.failures, 16), longest)
        lane.failures += 1
        lane.retry_at = self._now + pause
        lane.marked = True


def share_state_of_new(follow: FollowRow) -> ShareState:
    """Return what a round trip begins with: one that opens after a hand-over owes no share."""
    return ShareState.NONE if follow.handed_over_at is None else ShareState.PASSED


def _his_own(money: Money, owed: Owed) -> Money:
    return max(ZERO_MONEY, money_total(money, Money(-owed.money)))


def close_books(position: CopiedPositionRow, *, at: datetime) -> None:
    """Close a round trip that is flat; its result and share are booked when it is settled.

    Until then not all of its funding is known.
    """
    position.state = TradeState.CLOSED
    position.closed_at = at
    if position.share_state is not ShareState.PASSED:
        position.share_state = ShareState.DUE
    position.margin = position.unrealized_pnl = position.liquidation_price = None


def close_order(order: CopyOrderRow, report: OrderReport) -> None:
    order.state = CopyOrderState.DONE
    order.filled = report.filled
    order.filled_value = report.filled_value
    order.fee = report.fee
    order.realized_pnl = report.realized_pnl
    order.venue_order_id = report.venue_order_id
    order.acknowledged_at = report.acknowledged_at
    order.filled_at = report.fills[-1].at if report.fills else None
    order.reject_reason = report.reason


def fill_rows(order: CopyOrderRow, fills: Sequence[OwnFill]) -> list[OrderFillRow]:
    return [
        FILLS.record(
            order_id=order.id,
            venue_fill_id=fill.venue_fill_id,
            contracts=fill.contracts,
            price=fill.price,
            fee=fill.fee,
            realized_pnl=fill.realized_pnl,
            liquidity=fill.liquidity,
            at=fill.at,
        )
        for fill in fills
    ]


def round_trip_of(row: CopiedPositionRow) -> RoundTrip:
    """Return the sums of a copied position."""
    return RoundTrip(
        position_side=row.position_side,
        opened_contracts=row.opened_contracts,
        opened_value=row.opened_value,
        closed_contracts=row.closed_contracts,
        closed_value=row.closed_value,
        realized_pnl=row.realized_pnl,
        fees=row.fees,
    )


def write_round_trip(row: CopiedPositionRow, trip: RoundTrip) -> None:
    row.opened_contracts = trip.opened_contracts
    row.opened_value = trip.opened_value
    row.closed_contracts = trip.closed_contracts
    row.closed_value = trip.closed_value
    row.realized_pnl = trip.realized_pnl
    row.fees = trip.fees
