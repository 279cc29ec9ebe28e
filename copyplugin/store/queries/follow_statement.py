"""Everything that moved money in one follow, line by line, and its sum against the ledger.

Whoever adds up the lines finds the balance of the follow's ledger account to the last unit. A fill
counts with its value: what was bought is paid, what was sold is received, so that the fills of a
closed position sum to what it realised.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferKind, TransferState
from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import CopiedPositionId, FollowId, Symbol
from copyplugin.domain.leader import NOT_BOOKED, TradeState
from copyplugin.domain.ledger import LedgerAccount, sub_account
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Price, money_total, product
from copyplugin.store import ledger
from copyplugin.store.escrow import TAKE_BACK
from copyplugin.store.payables import PAID
from copyplugin.store.results import is_result_booked
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyOrderRow,
    FollowRow,
    FundingPaymentRow,
    InstrumentRow,
    LedgerEntryRow,
    LedgerPostingRow,
    OrderFillRow,
    TransferRow,
)
from copyplugin.store.shortfalls import SHARE_CUT


class LineKind(StrEnum):
    PAID_IN = "paid_in"
    FILL = "fill"
    FEE = "fee"
    FUNDING = "funding"
    SHARE = "share"
    PAID_OUT = "paid_out"


@dataclass(frozen=True, kw_only=True, slots=True)
class StatementLine:
    """`money` is what the line added to the follow; below zero it took.

    `is_booked` is false while the position of the line is open or its result not in the ledger.
    """

    at: datetime
    kind: LineKind
    reference: str
    money: Money
    is_booked: bool = True
    symbol: Symbol | None = None
    position_side: PositionSide | None = None
    order_side: OrderSide | None = None
    contracts: Contracts | None = None
    price: Price | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowStatement:
    """`balance` is that of the follow's account in the ledger."""

    follow_id: FollowId
    lines: tuple[StatementLine, ...]  # oldest first
    balance: Money

    def sum_of(self, *kinds: LineKind) -> Money:
        """Return what the booked lines of these kinds sum to; of all kinds where none is named."""
        return money_total(
            ZERO_MONEY,
            *(
                line.money
                for line in self.lines
                if line.is_booked and line.kind in (kinds or LineKind)
            ),
        )

    @property
    def result(self) -> Money:
        """Return what trading came to: fills, fees and funding."""
        return self.sum_of(LineKind.FILL, LineKind.FEE, LineKind.FUNDING)

    @property
    def difference(self) -> Money:
        """Return what the ledger has more than the lines: 0, or something is wrong."""
        return money_total(self.balance, Money(-self.sum_of()))


def follow_statement(session: Session, follow_id: FollowId) -> FollowStatement:
    """Return the statement of a follow as of now."""
    account = sub_account(follow_id, paper=session.get_one(FollowRow, follow_id).paper)
    unbooked = _unbooked(session, follow_id)
    lines = [
        *_fills(session, follow_id, unbooked),
        *_funding(session, follow_id, unbooked),
        *_shares(session, account),
        *_transfers(session, follow_id),
    ]
    return FollowStatement(
        follow_id=follow_id,
        lines=tuple(sorted(lines, key=lambda line: line.at)),  # stable: a fill before its fee
        balance=ledger.balance(session, account),
    )


def _fills(
    session: Session, follow_id: FollowId, unbooked: Collection[CopiedPositionId]
) -> Iterator[StatementLine]:
    query = (
        select(CopyOrderRow, CopiedPositionRow, InstrumentRow)
        .join(CopiedPositionRow, CopiedPositionRow.id == CopyOrderRow.copied_position_id)
        .join(InstrumentRow, InstrumentRow.symbol == CopiedPositionRow.symbol)
        .where(CopiedPositionRow.follow_id == follow_id)
        .order_by(CopyOrderRow.id)
    )
    orders = session.execute(query).all()
    fills: dict[int, list[OrderFillRow]] = {}
    for fill in session.scalars(
        select(OrderFillRow)
        .join(CopyOrderRow, CopyOrderRow.id == OrderFillRow.order_id)
        .join(CopiedPositionRow, CopiedPositionRow.id == CopyOrderRow.copied_position_id)
        .where(CopiedPositionRow.follow_id == follow_id)
        .order_by(OrderFillRow.order_id, OrderFillRow.at, OrderFillRow.venue_fill_id)
    ):
        fills.setdefault(fill.order_id, []).append(fill)
    for order, position, instrument in orders:
        is_booked = position.id not in unbooked
        yield from _lines_of(
            order, fills.get(order.id, []), position, instrument, is_booked=is_booked
        )


def _lines_of(
    order: CopyOrderRow,
    fills: list[OrderFillRow],
    position: CopiedPositionRow,
    instrument: InstrumentRow,
    *,
    is_booked: bool,
) -> Iterator[StatementLine]:
    """Yield each fill and its fee; the last one has what the order's value is beyond the others.

    A price at which the venue took a position over may not be on the grid: the value is exact.
    """
    left_value, left_fee = order.filled_value, order.fee
    sign = 1 if order.order_side is OrderSide.SELL else -1
    for fill in fills:
        is_last = fill is fills[-1]
        worth = Money(product(fill.price, fill.contracts, instrument.contract_size))
        value = left_value if is_last else worth
        fee = left_fee if is_last else fill.fee
        left_value, left_fee = (
            money_total(left_value, Money(-value)),
            money_total(left_fee, Money(-fee)),
        )
        at, reference = fill.at, f"{order.client_order_id}/{fill.venue_fill_id}"
        yield StatementLine(
            at=at,
            kind=LineKind.FILL,
            reference=reference,
            money=Money(sign * value),
            is_booked=is_booked,
            symbol=position.symbol,
            position_side=position.position_side,
            order_side=order.order_side,
            contracts=fill.contracts,
            price=fill.price,
        )
        if fee:
            yield StatementLine(
                at=at,
                kind=LineKind.FEE,
                reference=reference,
                money=Money(-fee),
                is_booked=is_booked,
                symbol=position.symbol,
                position_side=position.position_side,
            )


def _unbooked(session: Session, follow_id: FollowId) -> frozenset[CopiedPositionId]:
    """Return the positions whose result is not in the ledger yet; a share that waits is no bar."""
    query = select(CopiedPositionRow.id, CopiedPositionRow.state).where(
        CopiedPositionRow.follow_id == follow_id,
        or_(
            CopiedPositionRow.state == TradeState.OPEN,
            CopiedPositionRow.share_state.in_(NOT_BOOKED),
        ),
    )
    return frozenset(
        position_id
        for position_id, state in session.execute(query)
        if state is TradeState.OPEN or not is_result_booked(session, position_id)
    )


def _funding(
    session: Session, follow_id: FollowId, unbooked: Collection[CopiedPositionId]
) -> Iterator[StatementLine]:
    query = (
        select(FundingPaymentRow)
        .where(FundingPaymentRow.follow_id == follow_id)
        .order_by(FundingPaymentRow.at, FundingPaymentRow.venue_payment_id)
    )
    for row in session.scalars(query):
        yield StatementLine(
            at=row.at,
            kind=LineKind.FUNDING,
            reference=row.venue_payment_id,
            money=Money(-row.payment),
            is_booked=row.copied_position_id not in unbooked,
            symbol=row.symbol,
            position_side=row.position_side,
        )


def _shares(session: Session, account: LedgerAccount) -> Iterator[StatementLine]:
    """Yield what was booked as leader shares, from the ledger itself.

    What was held in the sub-account and is taken back adds to the follow again. A share that the
    follower paid with other money was paid in by that: what waited is his again.
    """
    query = (
        select(LedgerEntryRow, LedgerPostingRow.money)
        .join(LedgerPostingRow, LedgerPostingRow.entry_id == LedgerEntryRow.id)
        .where(
            LedgerPostingRow.account == account,
            LedgerEntryRow.kind.in_({LineKind.SHARE.value, SHARE_CUT, TAKE_BACK, PAID}),
        )
        .order_by(LedgerEntryRow.id)
    )
    for entry, money in session.execute(query):
        kind = LineKind.PAID_IN if entry.kind == PAID else LineKind.SHARE
        yield StatementLine(at=entry.at, kind=kind, reference=entry.reference, money=money)


def _transfers(session: Session, follow_id: FollowId) -> Iterator[StatementLine]:
    signs = {TransferKind.FUND: 1, TransferKind.RETURN: -1, TransferKind.FREED: -1}
    query = (
        select(TransferRow)
        .where(
            TransferRow.follow_id == follow_id,
            TransferRow.kind.in_(signs),
            TransferRow.state == TransferState.DONE,
        )
        .order_by(TransferRow.done_at)
    )
    for row in session.scalars(query):
        assert row.done_at is not None
        kind = LineKind.PAID_IN if row.kind is TransferKind.FUND else LineKind.PAID_OUT
        yield StatementLine(
            at=row.done_at, kind=kind, reference=row.id, money=Money(signs[row.kind] * row.money)
        )
