"""Settlement: funding is fetched, the result booked, the leader share sent on its way (M2)."""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from copyplugin.domain.account import AccountBalance, FundingPayment, VenuePosition
from copyplugin.domain.command import EndHow
from copyplugin.domain.follow import EndKind, FollowState
from copyplugin.domain.identifiers import AccountId, FollowId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.leader import ShareBasis
from copyplugin.domain.money import Money, Price, total
from copyplugin.domain.statistics import margin_of_open
from copyplugin.engine.attempts import answers_of, attempt_all, in_sets
from copyplugin.engine.reckoning import Reckoner, owes_beyond_positions
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.errors import VenueUnavailable
from copyplugin.ports import MovesMoney
from copyplugin.store import (
    escrow,
    follows,
    funding,
    lane_work,
    market,
    settlements,
    transfers,
)
from copyplugin.store.database import Session
from copyplugin.store.rows import FollowRow
from copyplugin.store.settling_book import Lanes, SettlingBook, settle_position
from copyplugin.store.shares import Purse
from copyplugin.store.transfers import NO_SHARES, ShareTransfers

log = logging.getLogger(__name__)

TOGETHER = 100
"""Follows that are settled in one transaction."""

ASKED_AT_ONCE = 20
"""Sub-accounts that the venue is asked about at once."""

LAST_CALL = frozenset({FollowState.SETTLING, FollowState.ABORTING})
"""States from which, once flat, the money goes home: what is due is taken out of what there is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueView:
    """What the venue says of a sub-account when its shares are settled.

    Beside it what the rows said before it was asked: what has changed since may be in its answer.
    """

    lanes: Lanes
    shares: ShareTransfers
    payments: tuple[FundingPayment, ...]
    balance: AccountBalance
    positions: tuple[VenuePosition, ...]  # none where no share rests on open positions

    def is_of_one_moment(self, lanes: Lanes) -> bool:
        """Return whether rows and answer add up to one result, nothing left out or counted twice.

        `lanes` are those of now. Nothing was booked while the venue was asked, nothing was under
        way, and nothing was lost there that is not booked yet.
        """
        held = {(each.symbol, each.position_side): each.contracts for each in self.positions}
        return lanes == self.lanes and all(
            lane.is_idle and held.get(leg, 0) >= lane.actual for leg, lane in lanes.items()
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Settled:
    """What one settlement came to: shares taken, nothing due any more, follow ended by it (L9)."""

    shares: int
    is_clear: bool
    is_ended: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What was stored of a follow before the venue was asked."""

    account: AccountId
    funding_since: datetime | None
    rests_on_open_positions: bool
    lanes: Lanes
    shares: ShareTransfers


class Settler:
    """`run` is the job of all follows; `settle` serves one on demand."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def run(self) -> int:
        """Settle every follow with something due; return how many positions stay due."""
        now = self._around.clock.now()
        period = timedelta(seconds=self._around.settings.share_period_seconds)
        with self._around.database.read() as session:
            due = settlements.follows_due(session)
            due.update(settlements.due_reckonings(session, settled_before=now - period))
            due.update(settlements.due_hand_overs(session))
            due.update(escrow.due_releases(session, now=now))
        if not due:
            return 0
        await attempt_all(in_sets(sorted(due), TOGETHER), self._settle_set)
        with self._around.database.read() as session:
            return settlements.positions_due(session)

    async def settle(self, follow_id: FollowId) -> bool:
        """Settle what can be settled of one follow; return whether nothing stays due."""
        settled = await self._settle_set([follow_id])
        return follow_id in settled and settled[follow_id].is_clear

    async def _settle_set(self, follow_ids: Sequence[FollowId]) -> Mapping[FollowId, Settled]:
        """Settle these follows together; one that cannot be settled keeps no other waiting.

        Those of which the venue tells nothing now are left out: the job comes again.
        """
        views, failures = await self._ask(follow_ids)
        settled: dict[FollowId, Settled] = {}
        try:
            settled |= await self._write(views)
        except Exception:
            if len(views) <= 1:
                raise
            log.exception("follows could not be settled together; they are settled one by one")
            for follow_id, view in views.items():
                try:
                    settled |= await self._write({follow_id: view})
                except Exception as error:  # noqa: BLE001 - raised below
                    failures.append(error)
        self._announce(settled)
        if failures:
            raise ExceptionGroup(f"{len(failures)} failed", failures)
        return settled

    async def _write(self, views: Mapping[FollowId, VenueView]) -> Mapping[FollowId, Settled]:
        if not views:
            return {}
        return await self._around.database.write(lambda session: self._book(session, views))

    def _announce(self, settled: Mapping[FollowId, Settled]) -> None:
        if any(each.shares for each in settled.values()):
            self._around.dispatcher.announce(Work.TRANSFERS)
        ended = [follow_id for follow_id, each in settled.items() if each.is_ended]
        if ended:
            self._around.dispatcher.announce(Work.FOLLOWS, ended)

    async def _ask(
        self, follow_ids: Sequence[FollowId]
    ) -> tuple[Mapping[FollowId, VenueView], list[Exception]]:
        with self._around.database.read() as session:
            known = _known(session, follow_ids)
        answers, failures = await answers_of(
            known, lambda each: self._ask_one(known[each]), at_once=ASKED_AT_ONCE
        )
        # In the order of the follows: whose answer came first is of no consequence.
        return {each: view for each in known if (view := answers.get(each)) is not None}, failures

    async def _ask_one(self, known: _Known) -> VenueView | None:
        venue = self._around.venue
        try:
            payments = await venue.funding(known.account, known.funding_since)
            positions: Sequence[VenuePosition] = ()
            if known.rests_on_open_positions:
                positions = await venue.positions(known.account)
            balance = await venue.balance(known.account)
        except VenueUnavailable:
            return None
        return VenueView(
            payments=tuple(payments),
            balance=balance,
            positions=tuple(positions),
            lanes=known.lanes,
            shares=known.shares,
        )

    def _book(
        self, session: Session, views: Mapping[FollowId, VenueView]
    ) -> Mapping[FollowId, Settled]:
        now = self._around.clock.now()
        payments = {follow_id: view.payments for follow_id, view in views.items()}
        funding.book_all_funding(session, payments, at=now)
        reckoned = [
            each.id
            for each in follows.follows(session, list(views))
            if _rests_on_open_positions(each)
        ]
        lane_work.lock_all_lanes(session, reckoned)  # a worker books nothing while this reads on
        book = SettlingBook(session, list(views))
        marks = market.marks(session)
        cases = [
            _Case(
                book=book,
                follow=book.follows[follow_id],
                view=view,
                purse=self._purse(book.follows[follow_id]),
                now=now,
            )
            for follow_id, view in views.items()
            if not book.transfers_of(follow_id).has_missed(view.shares)
        ]
        taken = {case.follow.id: case.settle_positions() for case in cases}
        book.save()
        held = escrow.in_window(session, list(taken), now=now)
        return {
            case.follow.id: self._finish(case, taken[case.follow.id], marks, held) for case in cases
        }

    def _finish(
        self,
        case: "_Case",
        taken: tuple[int, Money],
        marks: Mapping[Symbol, Price],
        held: Collection[FollowId],
    ) -> Settled:
        """Do what is of no single position, and end a follow whose money is spent."""
        follow, (shares, withdrawable) = case.follow, taken
        is_reckoned = case.is_certain or not _rests_on_open_positions(follow)
        if is_reckoned and (follow.id in held or owes_beyond_positions(follow)):
            shares += Reckoner(
                session=case.book.session,
                follow=follow,
                positions=case.view.positions,
                withdrawable=withdrawable,
                is_last_call=case.is_last_call,
                purse=case.purse,
                period=timedelta(seconds=self._around.settings.share_period_seconds),
                now=case.now,
            ).reckon()
        is_over = follow.state not in LAST_CALL or case.is_last_call
        is_clear = is_over and case.book.is_clear(follow.id)
        is_ended = (
            is_clear
            and follow.state is FollowState.PENDING
            and case.is_at_rest  # else an order under way has the money
            and self._end_if_spent(case, withdrawable, marks)
        )
        return Settled(shares=shares, is_clear=is_clear, is_ended=is_ended)

    def _purse(self, follow: FollowRow) -> Purse:
        settings = self._around.settings
        moves = self._around.venue.capabilities.moves_money
        pays_others = follow.paper or moves is MovesMoney.FULL
        has_escrow = pays_others and bool(settings.escrow_account)
        return Purse(
            transfer_prefix=settings.client_order_prefix,
            escrow=AccountId(settings.escrow_account) if has_escrow else None,
            pays_others=pays_others,
            holds_in_place=not pays_others,
        )

    def _end_if_spent(self, case: "_Case", available: Money, marks: Mapping[Symbol, Price]) -> bool:
        """End a follow whose money bears no order any more (L9)."""
        follow = case.follow
        symbols = case.book.symbols.get(follow.id, frozenset())
        least = smallest_margin(self._around.instruments, marks, symbols)
        if least is None or available >= least:
            return False
        follow.end_kind = EndKind.POSITION_CLOSED
        follows.end_follow(
            case.book.session,
            follow,
            EndHow.CLOSE_NOW,
            actor="engine",
            reason=f"what is left bears no order: the smallest needs {least:f} USDT of margin",
            at=case.now,
        )
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    """One follow as it is settled, inside a transaction."""

    book: SettlingBook
    follow: FollowRow
    view: VenueView
    purse: Purse
    now: datetime

    @property
    def lanes(self) -> Lanes:
        return self.book.lanes_of(self.follow.id)

    @property
    def is_certain(self) -> bool:
        """Return whether what the venue said is what the rows say: nothing went in between."""
        is_same = self.book.transfers_of(self.follow.id) == self.view.shares
        if not _rests_on_open_positions(self.follow):
            return is_same
        return is_same and self.view.is_of_one_moment(self.lanes)

    @property
    def is_at_rest(self) -> bool:
        """Return whether nothing is held or under way, now and when the venue was asked."""
        return self.view.lanes == self.lanes and self.book.is_flat(self.follow.id)

    @property
    def is_last_call(self) -> bool:
        is_ending = self.follow.state in LAST_CALL
        return is_ending and self.is_certain and self.book.is_flat(self.follow.id)

    def settle_positions(self) -> tuple[int, Money]:
        """Book what is closed; return how many shares were taken and what can be withdrawn now.

        What is booked as paid or owed to others and has not left the sub-account yet cannot; what
        left while the venue was asked may or may not be in its answer.
        """
        shares_now = self.book.transfers_of(self.follow.id)
        gone = {**self.view.shares.still_there, **shares_now.still_there}
        waiting = Money(total(self.book.held_in_place(self.follow.id), *gone.values()))
        withdrawable = Money(total(self.view.balance.contract_available, -waiting))
        is_last_call = self.is_last_call
        shares = 0
        for due in self.book.due_of(self.follow.id):
            row = settle_position(
                self.book,
                due,
                withdrawable=withdrawable,
                is_last_call=is_last_call,
                purse=self.purse,
                at=self.now,
            )
            if row is not None:
                withdrawable = Money(total(withdrawable, -row.share))
                shares += 1
        return shares, withdrawable


def _known(session: Session, follow_ids: Sequence[FollowId]) -> dict[FollowId, _Known]:
    since = funding.all_asked_from(session, follow_ids)
    lanes = lane_work.all_beliefs(session, follow_ids)
    paid = transfers.share_transfers(session, follow_ids)
    found: dict[FollowId, _Known] = {}
    for follow in follows.follows(session, follow_ids):
        assert follow.sub_account is not None, "a follow without an account has no positions"
        found[follow.id] = _Known(
            account=follow.sub_account,
            funding_since=since.get(follow.id),
            rests_on_open_positions=_rests_on_open_positions(follow),
            lanes=lanes.get(follow.id, {}),
            shares=paid.get(follow.id, NO_SHARES),
        )
    return found


def _rests_on_open_positions(follow: FollowRow) -> bool:
    return follow.share_basis is ShareBasis.HIGH_WATER_MARK or settlements.is_hand_over_due(follow)


def smallest_margin(
    instruments: Mapping[Symbol, Instrument],
    marks: Mapping[Symbol, Price],
    symbols: frozenset[Symbol],
) -> Money | None:
    """Return the least initial margin of any order in these instruments, at full leverage.

    None while a mark price is missing: then nobody is sent away.
    """
    margins: list[Money] = []
    for symbol in symbols:
        instrument, mark = instruments.get(symbol), marks.get(symbol)
        if instrument is None:
            continue
        if mark is None:
            return None
        value = instrument.notional(instrument.smallest_order(mark), mark)
        margins.append(margin_of_open(value, instrument.leverage_max))
    return min(margins, default=None)
