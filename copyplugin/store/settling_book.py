"""Follows that are settled together, with all that settling them touches.

It is read set by set, and written at the end: every position's result, and the shares of those that
owe one, each position once.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.follow import FollowState
from copyplugin.domain.identifiers import FollowId
from copyplugin.domain.leader import NOT_BOOKED, ShareBasis, ShareState, TradeState
from copyplugin.domain.ledger import moved, result_account, sub_account
from copyplugin.domain.money import ZERO_MONEY, Money, total, truncate_money
from copyplugin.domain.share import SHARE_PLACES, leader_share, position_profit
from copyplugin.store import follows
from copyplugin.store.escrow import all_held_in_place
from copyplugin.store.lane_work import LaneBelief, all_beliefs
from copyplugin.store.ledger import LedgerBook
from copyplugin.store.orphans import Leg
from copyplugin.store.results import RESULT, booked_results, result_reference
from copyplugin.store.rows import LeaderRow, SettlementRow
from copyplugin.store.settlements import DuePosition, due_positions
from copyplugin.store.shares import SHARE, Claim, Purse, take_share
from copyplugin.store.transfers import NO_SHARES, ShareTransfers, share_transfers

Lanes = Mapping[Leg, LaneBelief]


class SettlingBook:
    """Opened where payments of funding are booked already; `save` writes what was settled."""

    def __init__(self, session: Session, follow_ids: Collection[FollowId]) -> None:
        self.session = session
        self.follows = {row.id: row for row in follows.follows(session, follow_ids)}
        leader_ids = {row.leader_id for row in self.follows.values()}
        # Held here, so that whoever gets one by its number need not ask for it.
        self._leaders = session.scalars(select(LeaderRow).where(LeaderRow.id.in_(leader_ids))).all()
        self._due: dict[FollowId, list[DuePosition]] = {}
        for due in due_positions(session, follow_ids):
            self._due.setdefault(due.follow.id, []).append(due)
        self.results = booked_results(session, follow_ids)
        self._transfers = share_transfers(session, follow_ids)
        self._lanes = all_beliefs(session, follow_ids)
        self._held = all_held_in_place(session, follow_ids)
        pending = [row.id for row in self.follows.values() if row.state is FollowState.PENDING]
        self.symbols = follows.symbols_chosen_by(session, pending)
        names = [result_reference(due.position.id) for some in self._due.values() for due in some]
        self.ledger = LedgerBook(
            session, [(kind, name) for kind in (RESULT, SHARE) for name in names]
        )

    def due_of(self, follow_id: FollowId) -> list[DuePosition]:
        """Return what is to be settled of a follow, in order of closing."""
        return self._due.get(follow_id, [])

    def transfers_of(self, follow_id: FollowId) -> ShareTransfers:
        """Return what has become of the follow's shares until now."""
        return self._transfers.get(follow_id, NO_SHARES)

    def held_in_place(self, follow_id: FollowId) -> Money:
        """Return what was held of the follow's shares in its own sub-account when it was opened."""
        return self._held.get(follow_id, ZERO_MONEY)

    def lanes_of(self, follow_id: FollowId) -> Lanes:
        """Return what the follow's lanes hold now, and whether an order of theirs is in doubt."""
        return self._lanes.get(follow_id, {})

    def is_flat(self, follow_id: FollowId) -> bool:
        """Return whether no lane of the follow holds anything and no order of it is in doubt."""
        lanes = self.lanes_of(follow_id).values()
        return all(lane.is_idle and lane.actual == 0 for lane in lanes)

    def is_clear(self, follow_id: FollowId) -> bool:
        """Return whether every closed position of a follow is settled."""
        due = self.due_of(follow_id)
        return all(each.position.share_state not in NOT_BOOKED for each in due)

    def save(self) -> None:
        self.ledger.save()


def settle_position(
    book: SettlingBook,
    due: DuePosition,
    *,
    withdrawable: Money,
    is_last_call: bool,
    purse: Purse,
    at: datetime,
) -> SettlementRow | None:
    """Book the position's result, and its share as an entry, a row and transfers to be made.

    Only what can be withdrawn is taken (M2). While it is less than the share, the share stays due;
    at the last call, before the money goes home, what there is is taken. Returns the settlement, or
    None where no share was taken. Settling again does nothing. Above a high-water mark a position
    owes no share of its own: its result is booked.
    """
    position, follow = due.position, due.follow
    assert position.state is TradeState.CLOSED
    if position.share_state not in NOT_BOOKED:
        return None
    profit = position_profit(
        realized_pnl=position.realized_pnl, fees=position.fees, funding=position.funding
    )
    _book_result(book.ledger, due, profit, at=at)
    share = leader_share(profit, follow.share_ratio)
    if (
        follow.share_basis is not ShareBasis.PER_POSITION
        or position.share_state is ShareState.PASSED
    ):
        share = ZERO_MONEY
    payable = max(truncate_money(withdrawable, SHARE_PLACES), ZERO_MONEY)
    if share > payable:
        if not is_last_call:
            return None
        share = payable
    before = book.results.get(follow.id, ZERO_MONEY)
    after = book.results[follow.id] = Money(total(before, profit))
    if share == 0:
        position.share_state = ShareState.NONE
        return None
    position.share_state = ShareState.SETTLED
    claim = Claim(
        follow=follow,
        reference=result_reference(position.id),
        copied_position_id=position.id,
        profit=profit,
        share=share,
        result_before=before,
        result_after=after,
    )
    return take_share(book.ledger, claim, purse, at=at)


def _book_result(books: LedgerBook, due: DuePosition, profit: Money, *, at: datetime) -> None:
    """Book what the position earned into the follow's money, once.

    While its share waits more funding may be told: that is booked by itself.
    """
    reference = result_reference(due.position.id)
    if profit == 0 or books.has(RESULT, reference):
        return
    paper = due.follow.paper
    sub = sub_account(due.follow.id, paper=paper)
    result = result_account(due.follow.id, paper=paper)
    postings = moved(result, sub, profit) if profit > 0 else moved(sub, result, Money(-profit))
    books.post(kind=RESULT, reference=reference, postings=postings, at=at)
