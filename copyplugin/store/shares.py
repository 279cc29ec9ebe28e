"""Taking a leader share: its entry, its row and its transfers, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferKind, TransferRequest, TransferState, Wallet
from copyplugin.domain.identifiers import AccountId, CopiedPositionId, LedgerEntryId, TransferId
from copyplugin.domain.ledger import (
    LedgerAccount,
    Posting,
    escrow_account,
    leader_account,
    moved,
    payable_account,
    sharer_account,
    sub_account,
)
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio
from copyplugin.domain.paper import paper_main
from copyplugin.domain.share import split_share
from copyplugin.store.ledger import LedgerBook
from copyplugin.store.rows import FollowRow, LeaderRow, SettlementRow
from copyplugin.store.transfers import new_transfer

SHARE = "share"
RELEASE = "release"


@dataclass(frozen=True, kw_only=True, slots=True)
class Purse:
    """How shares are paid out: what transfers are called, and where held ones are kept.

    `escrow` is the operator's account at the venue; None where it holds nothing. Where the venue
    does not move money between people `pays_others` is false: shares are owed, and what is held
    stays in the sub-account (`holds_in_place`).
    """

    transfer_prefix: str
    escrow: AccountId | None = None
    pays_others: bool = True
    holds_in_place: bool = False

    @property
    def holding_nothing(self) -> "Purse":
        """Return the same purse for a share that is not to be held."""
        return replace(self, escrow=None, holds_in_place=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A share to be taken. `reference` is what it is of; a share of it is taken once."""

    follow: FollowRow
    reference: str
    copied_position_id: CopiedPositionId | None
    profit: Money
    share: Money
    result_before: Money
    result_after: Money

    @property
    def name(self) -> str:
        """Return the last part of its transfers' names."""
        return self.reference.removeprefix("position:").replace(":", "-")


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """One receiver's part of a share."""

    kind: TransferKind
    transfer_id: TransferId
    account: AccountId
    ledger_account: LedgerAccount
    money: Money
    is_owed: bool = False  # it is not moved


def take_share_alone(
    session: Session, claim: Claim, purse: Purse, *, at: datetime
) -> SettlementRow:
    """Take one share and write it down at once."""
    books = LedgerBook(session)
    row = take_share(books, claim, purse, at=at)
    books.save()
    return row


def take_share(books: LedgerBook, claim: Claim, purse: Purse, *, at: datetime) -> SettlementRow:
    """Book a share that can be paid, and plan its transfers; into escrow where it is to be held.

    All of it is written when the books are.
    """
    follow = claim.follow
    assert claim.share > 0
    leader = books.session.get_one(LeaderRow, follow.leader_id)
    leader_part, sharer_part = split_share(claim.share, _sharer_ratio(follow))
    hold = timedelta(seconds=follow.escrow_seconds or 0)
    is_held = bool(hold) and (purse.escrow is not None or purse.holds_in_place)
    payments = (
        _into_escrow(claim, purse) if is_held else payments_of(claim.share, claim, leader, purse)
    )
    source = sub_account(follow.id, paper=follow.paper)
    is_new = not books.has(SHARE, claim.reference)
    entry_id = _book_share(books, claim, source, payments, at=at)
    assert follow.sub_account is not None
    if is_new:  # what is planned with an entry is planned once, as the entry is
        wallet = (follow.sub_account, Wallet.CONTRACT)
        plan_payments(books, follow, payments, source=wallet, entry_id=entry_id, at=at)
    planned = {payment.kind: payment.transfer_id for payment in payments}
    row = SettlementRow(
        copied_position_id=claim.copied_position_id,
        follow_id=follow.id,
        leader_id=leader.id,
        profit=claim.profit,
        share_ratio=follow.share_ratio,
        share=claim.share,
        sharer_account=follow.sharer_account,
        sharer_part=sharer_part,
        leader_part=leader_part,
        result_before=claim.result_before,
        result_after=claim.result_after,
        held=claim.share if is_held else ZERO_MONEY,
        release_at=at + hold if is_held else None,
        transfer_id=planned.get(TransferKind.SHARE) or planned.get(TransferKind.ESCROW),
        sharer_transfer_id=planned.get(TransferKind.SHARER),
        ledger_entry_id=entry_id,
        at=at,
    )
    books.add(row)
    return row


def payments_of(
    share: Money, claim: Claim, leader: LeaderRow, purse: Purse, *, is_release: bool = False
) -> list[Payment]:
    """Return the leader's part and the sharer's of what is paid out; no part of nothing.

    Of play money they get it on accounts with play money.
    """
    follow = claim.follow
    leader_part, sharer_part = split_share(share, _sharer_ratio(follow))
    kind = TransferKind.RELEASE if is_release else TransferKind.SHARE
    sharer_kind = TransferKind.RELEASE_SHARER if is_release else TransferKind.SHARER
    payee = payee_of(follow, leader.account)
    parts = [(kind, payee, leader_account(payee), leader_part)]
    if follow.sharer_account is not None:
        sharer = payee_of(follow, follow.sharer_account)
        parts.append((sharer_kind, sharer, sharer_account(sharer), sharer_part))
    return [
        Payment(
            kind=kind,
            transfer_id=TransferId(f"{purse.transfer_prefix}-{kind}-{claim.name}"),
            account=account,
            ledger_account=ledger_account if purse.pays_others else payable_account(account),
            money=money,
            is_owed=not purse.pays_others,
        )
        for kind, account, ledger_account, money in parts
        if money > 0
    ]


def book_payments(
    books: LedgerBook,
    kind: str,
    reference: str,
    *,
    source: LedgerAccount,
    payments: Sequence[Payment],
    at: datetime,
) -> LedgerEntryId:
    """Book what one account gives to the receivers, as one entry."""
    paid = sum((payment.money for payment in payments), start=ZERO_MONEY)
    postings = [
        Posting(account=source, money=Money(-paid)),
        *(Posting(account=each.ledger_account, money=each.money) for each in payments),
    ]
    return books.post(kind=kind, reference=reference, postings=postings, at=at)


def plan_payments(
    books: LedgerBook,
    follow: FollowRow,
    payments: Sequence[Payment],
    *,
    source: tuple[AccountId, Wallet],
    entry_id: LedgerEntryId,
    at: datetime,
) -> None:
    """Plan the transfers that carry out an entry which is new."""
    account, wallet = source
    for payment in payments:
        request = TransferRequest(
            transfer_id=payment.transfer_id,
            from_account=account,
            from_wallet=wallet,
            to_account=payment.account,
            to_wallet=Wallet.SPOT,
            money=payment.money,
        )
        row = new_transfer(request, follow_id=follow.id, kind=payment.kind, at=at)
        row.ledger_entry_id = entry_id
        row.state = TransferState.OWED if payment.is_owed else TransferState.PLANNED
        books.add(row)


def _book_share(
    books: LedgerBook,
    claim: Claim,
    source: LedgerAccount,
    payments: Sequence[Payment],
    *,
    at: datetime,
) -> LedgerEntryId:
    """Book where a share goes; what is held in place changes its account in the books alone."""
    if payments:
        return book_payments(books, SHARE, claim.reference, source=source, payments=payments, at=at)
    held = escrow_account(claim.follow.id, paper=claim.follow.paper)
    postings = moved(source, held, claim.share)
    return books.post(kind=SHARE, reference=claim.reference, postings=postings, at=at)


def _into_escrow(claim: Claim, purse: Purse) -> list[Payment]:
    """Return what is moved for a share that is held; nothing where it stays in the sub-account."""
    if purse.escrow is None:
        return []
    kind = TransferKind.ESCROW
    return [
        Payment(
            kind=kind,
            transfer_id=TransferId(f"{purse.transfer_prefix}-{kind}-{claim.name}"),
            account=payee_of(claim.follow, purse.escrow),
            ledger_account=escrow_account(claim.follow.id, paper=claim.follow.paper),
            money=claim.share,
        )
    ]


def payee_of(follow: FollowRow, account: AccountId) -> AccountId:
    """Return which of somebody's accounts gets money of this follow: of one kind with it."""
    return paper_main(account) if follow.paper else account


def _sharer_ratio(follow: FollowRow) -> Ratio:
    return follow.sharer_ratio or Ratio(ZERO_MONEY)
