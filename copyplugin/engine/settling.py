"""Settlement: funding is fetched, the result booked, the leader share sent on its way (M2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from copyplugin.domain.account import (
    AccountBalance,
    FundingPayment,
    TransferKind,
    TransferState,
    VenuePosition,
)
from copyplugin.domain.command import EndHow
from copyplugin.domain.follow import EndKind, FollowState
from copyplugin.domain.identifiers import AccountId, FollowId, Symbol, TransferId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.leader import ShareBasis
from copyplugin.domain.money import Money, Price, total
from copyplugin.domain.statistics import margin_of_open
from copyplugin.engine.attempts import attempt_all
from copyplugin.engine.reckoning import Reckoner
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
from copyplugin.store.lane_work import LaneBelief
from copyplugin.store.orphans import Leg
from copyplugin.store.rows import FollowRow
from copyplugin.store.shares import Purse

SHARES = frozenset({TransferKind.SHARE, TransferKind.SHARER, TransferKind.ESCROW})
"""Transfers of shares out of a sub-account."""

RELEASES = frozenset({TransferKind.RELEASE, TransferKind.RELEASE_SHARER})
"""Transfers of shares that were held: out of the sub-account where they were held in it."""

STILL_THERE = frozenset({TransferState.PLANNED, TransferState.OWED})
"""States of a transfer whose money is still where it came from."""

LAST_CALL = frozenset({FollowState.SETTLING, FollowState.ABORTING})
"""States from which, once flat, the money goes home: what is due is taken out of what there is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueView:
    """What the venue says of a sub-account when its shares are settled.

    Beside it what the rows said before it was asked: what has changed since may be in its answer.
    """

    lanes: Mapping[Leg, LaneBelief]
    on_their_way: Mapping[TransferId, Money]
    payments: tuple[FundingPayment, ...]
    balance: AccountBalance
    positions: tuple[VenuePosition, ...]  # none where no share rests on open positions

    def is_of_one_moment(self, lanes: Mapping[Leg, LaneBelief]) -> bool:
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
    is_ended: bool


class Settler:
    """`run` is the job of all follows; `settle` serves one on demand."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def run(self) -> int:
        """Settle every follow with something due; return how many positions stay due."""
        now = self._around.clock.now()
        period = timedelta(seconds=self._around.settings.share_period_seconds)
        with self._around.database.read() as session:
            due = {item.follow.id for item in settlements.due_positions(session)}
            due.update(settlements.due_reckonings(session, settled_before=now - period))
            due.update(settlements.due_hand_overs(session))
            due.update(escrow.due_releases(session, now=now))
        if not due:
            return 0
        await attempt_all(sorted(due), self.settle)
        with self._around.database.read() as session:
            return len(settlements.due_positions(session))

    async def settle(self, follow_id: FollowId) -> bool:
        """Settle what can be settled of one follow; return whether nothing stays due."""
        view = await self._ask(follow_id)
        if view is None:
            return False
        settled = await self._around.database.write(
            lambda session: self._book(session, follow_id, view)
        )
        if settled.shares:
            self._around.dispatcher.announce(Work.TRANSFERS)
        if settled.is_ended:
            self._around.dispatcher.announce(Work.FOLLOWS, (follow_id,))
        return settled.is_clear

    async def _ask(self, follow_id: FollowId) -> VenueView | None:
        with self._around.database.read() as session:
            follow = follows.get_follow(session, follow_id)
            account = follow.sub_account
            since = funding.funding_asked_from(session, follow_id)
            lanes = lane_work.beliefs(session, follow_id)
            on_their_way = shares_on_their_way(session, follow)
        assert account is not None, "a follow without an account has no positions"
        try:
            payments = await self._around.venue.funding(account, since)
            positions: Sequence[VenuePosition] = ()
            if _rests_on_open_positions(follow):
                positions = await self._around.venue.positions(account)
            balance = await self._around.venue.balance(account)
        except VenueUnavailable:
            return None  # the job comes again
        return VenueView(
            lanes=lanes,
            on_their_way=on_their_way,
            payments=tuple(payments),
            balance=balance,
            positions=tuple(positions),
        )

    def _book(self, session: Session, follow_id: FollowId, view: VenueView) -> Settled:
        now = self._around.clock.now()
        follow = follows.get_follow(session, follow_id)
        funding.book_funding(session, follow_id, view.payments, at=now)
        # What left while the venue was asked may or may not be in its answer.
        now_on_their_way = shares_on_their_way(session, follow)
        is_certain = now_on_their_way == view.on_their_way
        if _rests_on_open_positions(follow):
            lane_work.lock_lanes(session, follow_id)  # a worker books nothing while this reads on
        lanes = lane_work.beliefs(session, follow_id)
        if _rests_on_open_positions(follow):
            is_certain = is_certain and view.is_of_one_moment(lanes)
        gone = {**view.on_their_way, **now_on_their_way}
        held = escrow.held_in_place(session, follow_id)
        waiting = Money(total(held, *gone.values()))
        withdrawable = Money(total(view.balance.contract_available, -waiting))
        is_last_call = (
            is_certain and follow.state in LAST_CALL and lane_work.is_flat(session, follow_id)
        )
        shares, purse = 0, self._purse(follow)
        for due in settlements.due_positions(session, follow_id):
            row = settlements.settle_position(
                session,
                due,
                withdrawable=withdrawable,
                is_last_call=is_last_call,
                purse=purse,
                at=now,
            )
            if row is not None:
                withdrawable = Money(total(withdrawable, -row.share))
                shares += 1
        session.flush()
        if is_certain or not _rests_on_open_positions(follow):
            shares += Reckoner(
                session=session,
                follow=follow,
                positions=view.positions,
                withdrawable=withdrawable,
                is_last_call=is_last_call,
                purse=purse,
                period=timedelta(seconds=self._around.settings.share_period_seconds),
                now=now,
            ).reckon()
        is_over = follow.state not in LAST_CALL or is_last_call
        is_clear = is_over and not settlements.due_positions(session, follow_id)
        is_ended = (
            is_clear
            and follow.state is FollowState.PENDING
            and view.lanes == lanes
            and lane_work.is_flat(session, follow_id)  # else an order under way has the money
            and self._end_if_spent(session, follow, withdrawable)
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

    def _end_if_spent(self, session: Session, follow: FollowRow, available: Money) -> bool:
        """End a follow whose money bears no order any more (L9)."""
        least = smallest_margin(
            self._around.instruments,
            market.marks(session),
            follows.symbols_chosen(session, follow.id),
        )
        if least is None or available >= least:
            return False
        follow.end_kind = EndKind.POSITION_CLOSED
        follows.end_follow(
            session,
            follow,
            EndHow.CLOSE_NOW,
            actor="engine",
            reason=f"what is left bears no order: the smallest needs {least:f} USDT of margin",
            at=self._around.clock.now(),
        )
        return True


def _rests_on_open_positions(follow: FollowRow) -> bool:
    return follow.share_basis is ShareBasis.HIGH_WATER_MARK or settlements.is_hand_over_due(follow)


def shares_on_their_way(session: Session, follow: FollowRow) -> dict[TransferId, Money]:
    """Return what is booked as paid or owed to others and has not left the sub-account yet."""
    return {
        row.id: row.money
        for row in transfers.transfers_of(session, follow.id, SHARES | RELEASES)
        if row.state in STILL_THERE and row.from_account == follow.sub_account
    }


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
