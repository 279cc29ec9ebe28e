"""A follow's own limits inside a transaction: measured, and acted upon (P5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from copyplugin.domain.account import TransferKind, TransferState
from copyplugin.domain.days import day_begins, day_of
from copyplugin.domain.follow import FOLLOWS_CLOSES
from copyplugin.domain.follow_limits import (
    FollowValues,
    LimitHit,
    is_losing_run,
    limit_hit,
)
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.identifiers import FollowId
from copyplugin.domain.money import Money, total
from copyplugin.domain.skip import SkipReason
from copyplugin.engine.surroundings import Surroundings
from copyplugin.store import escrow, follows, halts, marking, protection, transfers
from copyplugin.store.database import Session
from copyplugin.store.protection import Guarded

MAY_HAVE_LEFT = 2
"""After so many attempts of a transfer it is known whether the first has moved the money."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Valuation:
    """A sub-account's equity, and what had been paid as shares before and after it was asked."""

    equity: Money
    paid: Money


@dataclass
class LimitBook:
    """Measures one follow; `look` returns the limit that is reached and was not before."""

    session: Session
    around: Surroundings
    now: datetime
    guarded: Guarded

    def look(self, valuation: Valuation | None) -> LimitHit | None:
        """Measure against the limits; pause the follow where one says so.

        What ends the follow is for the caller to do.
        """
        if self.guarded.follow.state not in FOLLOWS_CLOSES:
            return None
        hit = None if valuation is None else self._measure(valuation)
        if hit is None and self._has_losing_run():
            hit = LimitHit.LOSING_RUN
        if hit is None or hit.ends_follow:
            return hit
        return hit if self._pause(hit) else None

    def _measure(self, valuation: Valuation) -> LimitHit | None:
        follow, terms = self.guarded.follow, self.guarded.terms
        paid = shares_paid(self.session, follow.id)
        waiting = transfers.shares_of(self.session, follow.id).still_there.values()
        due = total(*waiting, escrow.held_in_place(self.session, follow.id))
        if self._may_have_left() or paid != valuation.paid:
            return None  # a share is in the answer or is not: the next look tells
        trading = Money(total(valuation.equity, paid))
        today = day_of(self.now, self.around.settings.zone).isoformat()
        if terms.day != today or terms.day_start_value is None:
            terms.day = today
            terms.day_start_value = trading if terms.last_value is None else terms.last_value
        terms.last_value = trading
        peak = trading if terms.peak_value is None else max(terms.peak_value, trading)
        terms.peak_value = peak
        values = FollowValues(
            copy_amount=follow.copy_amount,
            own=Money(total(valuation.equity, -due)),
            trading=trading,
            peak=peak,
            day_start=terms.day_start_value,
        )
        return limit_hit(protection.limits_of(terms), values)

    def _may_have_left(self) -> bool:
        """Return whether money is leaving now, so that nobody can say where it is."""
        follow = self.guarded.follow
        return any(
            row.state is TransferState.PLANNED
            and row.from_account == follow.sub_account
            and 0 < row.attempts <= MAY_HAVE_LEFT
            for row in transfers.transfers_of(self.session, follow.id, frozenset(TransferKind))
        )

    def _has_losing_run(self) -> bool:
        limits = protection.limits_of(self.guarded.terms)
        if limits.losing_positions is None:
            return False
        results = protection.latest_results(
            self.session,
            self.guarded.follow.id,
            closed_after=self.guarded.terms.runs_counted_from,
            most=limits.losing_positions,
        )
        return is_losing_run(limits, results)

    def _pause(self, hit: LimitHit) -> bool:
        """Halt the follow's opens until the next day begins; return whether they were not."""
        zone = self.around.settings.zone
        tomorrow = day_of(self.now, zone) + timedelta(days=1)
        follow, reason = self.guarded.follow, words_of(hit)
        is_new = halts.halt(
            self.session,
            HaltScope.FOLLOW,
            follow.id,
            actor="engine",
            reason=reason,
            until=day_begins(tomorrow, zone),
            at=self.now,
        )
        if not is_new:
            return False
        self.guarded.terms.runs_counted_from = self.now
        follows.write_history(
            self.session,
            follow,
            before=follow.state,
            actor="engine",
            reason=f"paused until the next day: {reason}",
            at=self.now,
        )
        if hit.closes:
            marking.aim_at_nothing(self.session, follow.id, SkipReason.COPYING_HALTED)
        return True


def words_of(hit: LimitHit) -> str:
    """Return why, for histories and pages."""
    return {
        LimitHit.MAX_LOSS: "the largest loss of the follow was reached",
        LimitHit.TRAILING_STOP: "the follow's value fell from its peak by the trailing stop",
        LimitHit.MAX_DAY_LOSS: "the largest loss of a day was reached",
        LimitHit.LOSING_RUN: "as many positions in a row as allowed closed with a loss",
    }[hit]


def shares_paid(session: Session, follow_id: FollowId) -> Money:
    """Return what has left a sub-account as leader shares."""
    rows = transfers.transfers_of(session, follow_id, transfers.SHARES)
    return Money(total(*(row.money for row in rows if row.state is TransferState.DONE)))
