"""The life of a follow beyond its lanes: money in, share paid, money home (L1, M6).

Each step looks at the rows, does the next thing, and may be repeated: a follow goes on from
wherever a crash left it.
"""

from collections.abc import Collection
from dataclasses import dataclass

from copyplugin.domain.account import (
    TransferKind,
    TransferRequest,
    TransferState,
    Wallet,
)
from copyplugin.domain.follow import FollowState
from copyplugin.domain.identifiers import AccountId, FollowId, LeaderId, TransferId
from copyplugin.domain.leader import LeaderStatus
from copyplugin.domain.ledger import sub_account
from copyplugin.domain.money import Money
from copyplugin.engine.allotting import allotted_label
from copyplugin.engine.attempts import attempt_all, in_sets
from copyplugin.engine.feed import Feed
from copyplugin.engine.held_positions import LeaderHoldings, open_what_is_held
from copyplugin.engine.market_data import MarketData
from copyplugin.engine.settling import Settler
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.engine.transfers import stays_where_it_is
from copyplugin.errors import OutcomeUnknown, RequestRejected, VenueUnavailable
from copyplugin.store import escrow, follows, lane_work, leaders, ledger, payables, transfers
from copyplugin.store.database import Session
from copyplugin.store.followers import get_follower
from copyplugin.store.rows import TransferRow

UNDER_WAY = frozenset({FollowState.STARTING, FollowState.SETTLING, FollowState.ABORTING})
"""States in which there is something to do that no order brings about."""

GOES_ON = UNDER_WAY | {FollowState.HANDED_OVER}
"""States of which a turn has something to do."""

READ_TOGETHER = 1000
"""Follows that one statement reads."""

ENDING = follows.ENDS_WHEN_FLAT
"""States that a follow leaves when it is flat."""

UNREACHABLE = "The venue cannot be reached now: nothing was moved. Try again later."


@dataclass(frozen=True, kw_only=True, slots=True)
class _Case:
    """One follow as its next step sees it."""

    follow_id: FollowId
    leader_id: LeaderId
    leader_account: AccountId
    opens_held: bool
    state: FollowState
    main_account: AccountId
    sub_account: AccountId | None
    paper: bool
    copy_amount: Money
    fund: TransferState | None
    sent_home: TransferState | None
    shares_under_way: bool
    is_flat: bool
    is_handed_over: bool


class Following:
    """`turn` is served under `Work.FOLLOWS`."""

    def __init__(
        self, around: Surroundings, feed: Feed, settler: Settler, market_data: MarketData
    ) -> None:
        self._around = around
        self._market_data = market_data
        self._feed = feed
        self._settler = settler

    async def turn(self, follow_ids: frozenset[int]) -> None:
        """Move these follows on as far as they go now; most need nothing."""
        ids = [FollowId(each) for each in sorted(follow_ids)]
        with self._around.database.read() as session:
            wanted = [
                each
                for some in in_sets(ids, READ_TOGETHER)
                for each in follows.among(session, some, GOES_ON)
            ]
        try:
            await attempt_all(wanted, self._advance)
        finally:  # a command may have waited for one of them
            self._around.dispatcher.announce(Work.COMMANDS)

    async def sweep(self) -> int:
        """Look at every follow that is starting or ending; return how many there are."""
        await self._around.database.write(
            lambda session: follows.keep_states(
                session,
                [row.id for row in follows.follows_in(session, ENDING)],
                at=self._around.clock.now(),
            )
        )
        return self._look_at(UNDER_WAY)

    async def sweep_aborted(self) -> int:
        """Look at every aborted follow whose money is not home; return how many there are."""
        return self._look_at({FollowState.ABORTING})

    def _look_at(self, states: Collection[FollowState]) -> int:
        with self._around.database.read() as session:
            found = [row.id for row in follows.follows_in(session, states)]
        if found:
            self._around.dispatcher.announce(Work.FOLLOWS, found)
        self._around.dispatcher.announce(Work.TRANSFERS)
        return len(found)

    async def _advance(self, follow_id: FollowId) -> None:
        with self._around.database.read() as session:
            case = _case(session, follow_id)
        if case.state is FollowState.STARTING:
            await self._start(case)
        elif case.state is FollowState.HANDED_OVER:
            await self._settler.settle(case.follow_id)
        elif case.state in {FollowState.SETTLING, FollowState.ABORTING} and case.is_flat:
            await self._go_home(case)

    async def _start(self, case: _Case) -> None:
        if case.fund is None:
            await self._open_account(case)
        elif case.fund is TransferState.REFUSED:
            await self._void(case.follow_id, "The copy amount could not be moved")
        elif case.sent_home is TransferState.DONE:
            await self._void(case.follow_id, "The leader may not be followed any more.")
        elif case.fund is TransferState.DONE and case.sent_home is None:
            # The baseline is what the leader holds now: his latest fills belong to it.
            await self._feed.turn(frozenset({case.leader_id}))
            holdings = await self._ask_leader(case.leader_account) if case.opens_held else None
            if case.opens_held and holdings is None:
                return  # the sweep comes again
            shard = await self._around.database.write(
                lambda session: self._begin(session, case, holdings)
            )
            self._around.dispatcher.announce(Work.TRANSFERS)
            if shard is not None:
                self._around.dispatcher.announce(Work.LANES, (shard,))

    async def _ask_leader(self, account: AccountId) -> LeaderHoldings | None:
        """Ask at which prices the leader entered what he holds; None without an answer."""
        try:
            positions = await self._around.venue.positions(account)
            balance = await self._around.venue.balance(account)
        except VenueUnavailable:
            return None
        return LeaderHoldings(positions=positions, balance=balance)

    async def _open_account(self, case: _Case) -> None:
        """Open the sub-account and plan to fund it; nothing has moved until then."""
        venue = self._around.venue
        label = self._label(case)
        if not self._around.is_at_work():
            return  # the sweep of whoever is
        try:
            account = await venue.open_sub_account(case.main_account, label)
            await venue.set_hedge_mode(account)
        except RequestRejected as error:
            await self._void(case.follow_id, f"The venue opened no sub-account: {error.sentence}")
            return
        except VenueUnavailable:
            await self._void(case.follow_id, UNREACHABLE)
            return
        except OutcomeUnknown:
            return  # both steps may be repeated: the sweep does
        await self._around.database.write(lambda session: self._plan_fund(session, case, account))
        self._around.dispatcher.announce(Work.TRANSFERS)

    def _label(self, case: _Case) -> str:
        """Return what the venue calls the follow's account.

        Where no money moves an account is allotted, which a start that failed leaves to the next.
        """
        prefix = self._around.settings.client_order_prefix
        if not stays_where_it_is(self._around, case.main_account):
            return f"{prefix}-follow-{case.follow_id}"
        with self._around.database.read() as session:
            follower_id = follows.get_follow(session, case.follow_id).follower_id
            return allotted_label(session, follower_id, case.main_account, prefix=prefix)

    def _plan_fund(self, session: Session, case: _Case, account: AccountId) -> None:
        follow = follows.get_follow(session, case.follow_id)
        follow.sub_account = account
        transfers.plan_transfer(
            session,
            TransferRequest(
                transfer_id=self._transfer_id(TransferKind.FUND, case.follow_id),
                from_account=case.main_account,
                from_wallet=Wallet.SPOT,
                to_account=account,
                to_wallet=Wallet.CONTRACT,
                money=case.copy_amount,
            ),
            follow_id=case.follow_id,
            kind=TransferKind.FUND,
            at=self._around.clock.now(),
        )

    def _begin(self, session: Session, case: _Case, holdings: LeaderHoldings | None) -> int | None:
        """Start the follow; return the shard where something held by the leader is to be opened."""
        follow = follows.get_follow(session, case.follow_id)
        if follow.state is not FollowState.STARTING:
            return None
        assert follow.sub_account is not None
        leader = leaders.get_leader(session, follow.leader_id)
        if leader.status is LeaderStatus.ACTIVE:
            now = self._around.clock.now()
            follows.start(session, follow, sub_account=follow.sub_account, at=now)
            instruments = self._around.instruments
            if holdings is not None and open_what_is_held(
                session, follow, holdings, instruments, at=now
            ):
                return follow.shard
        else:  # prohibited while the money was on its way
            self._plan_return(session, case, case.copy_amount)
        return None

    async def _void(self, follow_id: FollowId, reason: str) -> None:
        await self._around.database.write(
            lambda session: _void(session, follow_id, reason, self._around)
        )

    async def _go_home(self, case: _Case) -> None:
        """Pay what is due, then send back what is left, to the last unit (M6)."""
        if case.sent_home is TransferState.DONE:
            await self._around.database.write(lambda session: self._finish(session, case))
            await self._market_data.refresh_wallets([case.main_account])
            return
        if case.sent_home is not None:
            return  # the mover is at it
        if not await self._settler.settle(case.follow_id):
            return
        with self._around.database.read() as session:
            if _case(session, case.follow_id).shares_under_way:
                return
            owed = payables.owed_in(session, case.follow_id)
            assert not escrow.held_in_place(session, case.follow_id), "all was released"
            his = ledger.balance(session, sub_account(case.follow_id, paper=case.paper))
        money = await self._money_left(case)
        if money is None:
            return
        money = self._to_send_home(case, money, owed=owed, his=his)
        is_sent = await self._around.database.write(
            lambda session: self._send_home(session, case, money, his=his)
        )
        again = (Work.TRANSFERS, ()) if is_sent else (Work.FOLLOWS, (case.follow_id,))
        self._around.dispatcher.announce(*again)

    def _send_home(self, session: Session, case: _Case, money: Money, *, his: Money) -> bool:
        """Plan the return, or finish where nothing is left.

        Returns False where what is his changed while the venue was asked, and nothing is done.
        """
        if his != ledger.balance(session, sub_account(case.follow_id, paper=case.paper)):
            return False
        if money > 0:
            self._plan_return(session, case, money)
        else:
            self._finish(session, case)
        return True

    def _to_send_home(self, case: _Case, money: Money, *, owed: Money, his: Money) -> Money:
        """Return how much of what the sub-account holds goes home.

        What is owed to others waits there until it was paid by other ways (V6); the follower need
        not wait for that. Where nothing moves only the books change.
        """
        if stays_where_it_is(self._around, case.main_account):
            return his
        return min(money, his) if owed else money

    async def _money_left(self, case: _Case) -> Money | None:
        """Return what the sub-account holds; None while it cannot be told, or is still at work."""
        assert case.sub_account is not None
        try:
            # What the follower opened by himself after a hand-over is his, and needs its money.
            # Anything else is an orphan, which is closed first.
            if await self._around.venue.positions(case.sub_account):
                if not case.is_handed_over:
                    self._around.dispatcher.announce(Work.RECONCILE, (case.follow_id,))
                return None
            return (await self._around.venue.balance(case.sub_account)).contract_wallet
        except VenueUnavailable:
            return None

    def _plan_return(self, session: Session, case: _Case, money: Money) -> None:
        follow = follows.get_follow(session, case.follow_id)
        assert follow.sub_account is not None
        transfers.plan_transfer(
            session,
            TransferRequest(
                transfer_id=self._transfer_id(TransferKind.RETURN, case.follow_id),
                from_account=follow.sub_account,
                from_wallet=Wallet.CONTRACT,
                to_account=case.main_account,
                to_wallet=Wallet.SPOT,
                money=money,
            ),
            follow_id=case.follow_id,
            kind=TransferKind.RETURN,
            at=self._around.clock.now(),
        )

    def _finish(self, session: Session, case: _Case) -> None:
        follow = follows.get_follow(session, case.follow_id)
        if follow.state in {FollowState.SETTLING, FollowState.ABORTING}:
            follows.finish(session, follow, at=self._around.clock.now())

    def _transfer_id(self, kind: TransferKind, follow_id: FollowId) -> TransferId:
        return TransferId(f"{self._around.settings.client_order_prefix}-{kind}-{follow_id}")


def _case(session: Session, follow_id: FollowId) -> _Case:
    follow = follows.get_follow(session, follow_id)
    rows = transfers.transfers_of(session, follow_id, frozenset(TransferKind))
    return _Case(
        follow_id=follow_id,
        leader_id=follow.leader_id,
        leader_account=leaders.get_leader(session, follow.leader_id).account,
        opens_held=follow.open_held is not None,
        state=follow.state,
        main_account=get_follower(session, follow.follower_id).account,
        sub_account=follow.sub_account,
        paper=follow.paper,
        copy_amount=follow.copy_amount,
        fund=_state_of(rows, TransferKind.FUND),
        sent_home=_state_of(rows, TransferKind.RETURN),
        shares_under_way=any(
            row.kind in transfers.SHARES | transfers.RELEASES
            and row.state is TransferState.PLANNED
            and row.from_account == follow.sub_account
            for row in rows
        ),
        is_flat=lane_work.is_flat(session, follow_id),
        is_handed_over=follow.handed_over_at is not None,
    )


def _state_of(rows: list[TransferRow], kind: TransferKind) -> TransferState | None:
    states = [row.state for row in rows if row.kind is kind]
    assert len(states) <= 1, f"a follow has one {kind} transfer"
    return states[0] if states else None


def _void(session: Session, follow_id: FollowId, reason: str, around: Surroundings) -> None:
    follow = follows.get_follow(session, follow_id)
    if follow.state is not FollowState.STARTING:
        return
    rows = transfers.transfers_of(session, follow_id, {TransferKind.FUND})
    error = next((row.last_error for row in rows if row.last_error), None)
    at = around.clock.now()
    follows.void(session, follow, reason=f"{reason}: {error}" if error else reason, at=at)
    if follow.sub_account is not None and stays_where_it_is(around, follow.sub_account):
        follow.sub_account = None  # nothing was moved there: it is for the next start
