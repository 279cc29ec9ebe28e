"""The leader share of closed positions: computed, booked and planned in one transaction, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferKind, TransferRequest, Wallet
from copyplugin.domain.identifiers import (
    AccountId,
    CopiedPositionId,
    FollowId,
    LedgerEntryId,
    TransferId,
)
from copyplugin.domain.leader import ShareBasis, ShareState, TradeState
from copyplugin.domain.ledger import (
    Posting,
    leader_account,
    moved,
    result_account,
    sharer_account,
    sub_account,
)
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, truncate_money
from copyplugin.domain.share import SHARE_PLACES, leader_share, position_profit, split_share
from copyplugin.store.ledger import post
from copyplugin.store.rows import CopiedPositionRow, FollowRow, LeaderRow, SettlementRow
from copyplugin.store.transfers import plan_transfer

RESULT = "result"
"""The kind of the entry that books what a closed position earned or lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DuePosition:
    """A closed position whose result and share are not booked yet, and its follow."""

    position: CopiedPositionRow
    follow: FollowRow


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    share: Money
    leader: Money
    sharer: Money


def due_positions(session: Session, follow_id: FollowId | None = None) -> list[DuePosition]:
    """Return what is to be settled, of one follow or of all, in order of closing."""
    query = (
        select(CopiedPositionRow, FollowRow)
        .join(FollowRow, FollowRow.id == CopiedPositionRow.follow_id)
        .where(
            CopiedPositionRow.state == TradeState.CLOSED,
            CopiedPositionRow.share_state == ShareState.DUE,
        )
        .order_by(CopiedPositionRow.closed_at, CopiedPositionRow.id)
    )
    if follow_id is not None:
        query = query.where(CopiedPositionRow.follow_id == follow_id)
    return [
        DuePosition(position=position, follow=follow) for position, follow in session.execute(query)
    ]


def settle_position(
    session: Session,
    due: DuePosition,
    *,
    withdrawable: Money,
    is_last_call: bool,
    transfer_prefix: str,
    at: datetime,
) -> SettlementRow | None:
    """Book the position's result, and its share as an entry, a row and transfers to be made.

    Only what can be withdrawn is taken (M2). While it is less than the share, the share stays due;
    at the last call, before the money goes home, what there is is taken. Returns the settlement, or
    None where no share was taken. Settling again does nothing.
    """
    position, follow = due.position, due.follow
    assert position.state is TradeState.CLOSED
    if position.share_state is not ShareState.DUE:
        return None
    assert follow.share_basis is ShareBasis.PER_POSITION
    profit = position_profit(
        realized_pnl=position.realized_pnl, fees=position.fees, funding=position.funding
    )
    book_result(session, position, profit, at=at)
    share = leader_share(profit, follow.share_ratio)
    payable = max(truncate_money(withdrawable, SHARE_PLACES), ZERO_MONEY)
    if share > payable:
        if not is_last_call:
            return None
        share = payable
    if share == 0:
        position.share_state = ShareState.NONE
        return None
    position.share_state = ShareState.SETTLED
    leader_part, sharer_part = split_share(share, follow.sharer_ratio or Ratio(ZERO_MONEY))
    parts = _Parts(share=share, leader=leader_part, sharer=sharer_part)
    return _settle(session, due, profit, parts, transfer_prefix=transfer_prefix, at=at)


def book_result(
    session: Session, position: CopiedPositionRow, profit: Money, *, at: datetime
) -> None:
    """Book what the position earned into the follow's money; booking it again does nothing."""
    sub, result = sub_account(position.follow_id), result_account(position.follow_id)
    if profit == 0:
        return
    postings = moved(result, sub, profit) if profit > 0 else moved(sub, result, Money(-profit))
    post(session, kind=RESULT, reference=result_reference(position.id), postings=postings, at=at)


def result_reference(position_id: CopiedPositionId) -> str:
    return f"position:{position_id}"


def _settle(
    session: Session,
    due: DuePosition,
    profit: Money,
    parts: _Parts,
    *,
    transfer_prefix: str,
    at: datetime,
) -> SettlementRow:
    position, follow = due.position, due.follow
    leader = session.get_one(LeaderRow, follow.leader_id)
    paid = [(TransferKind.SHARE, leader.account, parts.leader)]
    if follow.sharer_account is not None:
        paid.append((TransferKind.SHARER, follow.sharer_account, parts.sharer))
    paid = [part for part in paid if part[2] > 0]
    entry_id = _book_share(session, due, parts.share, paid, at=at)
    transfer_ids: dict[TransferKind, TransferId] = {}
    for kind, account, part in paid:
        transfer_id = TransferId(f"{transfer_prefix}-{kind}-{position.id}")
        transfer_ids[kind] = transfer_id
        request = _request(follow, transfer_id, account, part)
        plan_transfer(
            session, request, follow_id=follow.id, kind=kind, at=at, ledger_entry_id=entry_id
        )
    row = SettlementRow(
        copied_position_id=position.id,
        follow_id=follow.id,
        leader_id=leader.id,
        profit=profit,
        share_ratio=follow.share_ratio,
        share=parts.share,
        sharer_account=follow.sharer_account,
        sharer_part=parts.sharer,
        leader_part=parts.leader,
        transfer_id=transfer_ids.get(TransferKind.SHARE),
        sharer_transfer_id=transfer_ids.get(TransferKind.SHARER),
        ledger_entry_id=entry_id,
        at=at,
    )
    session.add(row)
    session.flush()
    return row


def _book_share(
    session: Session,
    due: DuePosition,
    share: Money,
    paid: Sequence[tuple[TransferKind, AccountId, Money]],
    *,
    at: datetime,
) -> LedgerEntryId:
    receivers = {TransferKind.SHARE: leader_account, TransferKind.SHARER: sharer_account}
    postings = [
        Posting(account=sub_account(due.follow.id), money=Money(-share)),
        *(Posting(account=receivers[kind](account), money=part) for kind, account, part in paid),
    ]
    reference = result_reference(due.position.id)
    return post(session, kind="share", reference=reference, postings=postings, at=at)


def _request(
    follow: FollowRow, transfer_id: TransferId, account: AccountId, part: Money
) -> TransferRequest:
    assert follow.sub_account is not None
    return TransferRequest(
        transfer_id=transfer_id,
        from_account=follow.sub_account,
        from_wallet=Wallet.CONTRACT,
        to_account=account,
        to_wallet=Wallet.SPOT,
        money=part,
    )
