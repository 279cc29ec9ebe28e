"""My copies: what a follower has put in and what came of it (F2), follow by follow.

Every total here is the sum of the rows it stands over, to the last unit.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from copyplugin.domain.account import TransferKind, TransferState
from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.follow import FOLLOWS_CLOSES, TERMINAL, VISIBLE, EndKind, FollowState
from copyplugin.domain.identifiers import AccountId, FollowerId, FollowId, LeaderId, Symbol
from copyplugin.domain.leader import TradeState
from copyplugin.domain.money import ZERO_MONEY, Money, Ratio, money_total, total
from copyplugin.domain.statistics import ratio_of
from copyplugin.store.queries.copied_positions import (
    CopiedPosition,
    open_positions,
    unsettled_positions,
)
from copyplugin.store.rows import (
    CopiedPositionRow,
    FollowInstrumentRow,
    FollowRow,
    LeaderRow,
    SettlementRow,
    TransferRow,
    WalletSnapshotRow,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowLine:
    """One follow with its result; open positions count as if they closed at the mark."""

    follow_id: FollowId
    follower_id: FollowerId
    leader_id: LeaderId
    leader_nickname: str
    sub_account: AccountId | None
    state: FollowState
    mode: CopyMode
    copy_amount: Money
    share_ratio: Ratio
    instruments: tuple[Symbol, ...]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    end_kind: EndKind | None
    end_reason: str | None
    positions_open: int
    positions_closed: int
    profit: Money  # before the leader share
    share: Money
    available: Money | None  # in the sub-account when the venue was last asked
    returned: Money  # what has gone home to the spot wallet

    @property
    def is_live(self) -> bool:
        return self.state not in TERMINAL

    @property
    def can_end(self) -> bool:
        """Tell whether ending it would change anything."""
        return self.state in FOLLOWS_CLOSES

    @property
    def profit_after_share(self) -> Money:
        return Money(total(self.profit, -self.share))

    @property
    def profit_ratio(self) -> Fraction:
        """Return profit after the share / copy amount."""
        return Fraction(self.profit_after_share) / Fraction(self.copy_amount)


@dataclass(frozen=True, kw_only=True, slots=True)
class CopiesTotals:
    """F2: the sums of all follows, ended ones too."""

    amount: Money
    profit_before_share: Money
    share: Money
    profit: Money  # after the leader share

    @property
    def profit_ratio(self) -> Fraction | None:
        return ratio_of(self.profit, self.amount)


@dataclass(frozen=True, kw_only=True, slots=True)
class Copies:
    """All follows of one follower, newest first, and what they hold now."""

    totals: CopiesTotals
    follows: tuple[FollowLine, ...]
    open_positions: tuple[CopiedPosition, ...]

    @property
    def amount_running(self) -> Money:
        return money_total(*(line.copy_amount for line in self.live))

    @property
    def amount_ended(self) -> Money:
        return money_total(*(line.copy_amount for line in self.ended))

    @property
    def open_profit(self) -> Money:
        """Return the profit of what is open, before the leader share."""
        return money_total(*(position.profit for position in self.open_positions))

    @property
    def live(self) -> tuple[FollowLine, ...]:
        return tuple(line for line in self.follows if line.is_live)

    @property
    def ended(self) -> tuple[FollowLine, ...]:
        return tuple(line for line in self.follows if not line.is_live)


def totals_of(lines: Iterable[FollowLine]) -> CopiesTotals:
    lines = tuple(lines)
    return CopiesTotals(
        amount=money_total(*(line.copy_amount for line in lines)),
        profit_before_share=money_total(*(line.profit for line in lines)),
        share=money_total(*(line.share for line in lines)),
        profit=money_total(*(line.profit_after_share for line in lines)),
    )


def copies_of(session: Session, follower: FollowerId) -> Copies:
    return copies_of_many(session, [follower])[follower]


def copies_of_many(
    session: Session, followers: Collection[FollowerId]
) -> Mapping[FollowerId, Copies]:
    """Return each follower's copies, all from the same few statements."""
    sums = _Sums(session, followers)
    lines: dict[FollowerId, list[FollowLine]] = {follower: [] for follower in followers}
    found = session.execute(
        select(FollowRow, LeaderRow.nickname, WalletSnapshotRow.contract_available)
        .join(LeaderRow, LeaderRow.id == FollowRow.leader_id)
        .outerjoin(WalletSnapshotRow, WalletSnapshotRow.account == FollowRow.sub_account)
        .where(FollowRow.follower_id.in_(followers), FollowRow.state.in_(VISIBLE))
        .order_by(FollowRow.created_at.desc(), FollowRow.id.desc())
    )
    for follow, nickname, available in found:
        lines[follow.follower_id].append(sums.line(follow, nickname, available))
    held: dict[FollowerId, list[CopiedPosition]] = defaultdict(list)
    owner = {line.follow_id: owner for owner, mine in lines.items() for line in mine}
    for position in sums.open:
        held[owner[position.follow_id]].append(position)
    return {
        follower: Copies(
            totals=totals_of(mine), follows=tuple(mine), open_positions=tuple(held[follower])
        )
        for follower, mine in lines.items()
    }


class _Sums:
    """What belongs to each follow, collected for many follows at once."""

    def __init__(self, session: Session, followers: Collection[FollowerId]) -> None:
        self._follows = select(FollowRow.id).where(FollowRow.follower_id.in_(followers))
        self.open = open_positions(session, followers)
        self._open_by_follow = _by_follow(self.open)
        self._due = _by_follow(unsettled_positions(session, followers))
        self._closed = self._closed_sums(session)
        self._settled = self._settled_sums(session)
        self._returned = self._returned_sums(session)
        self._instruments = self._chosen_instruments(session)

    def line(self, follow: FollowRow, nickname: str, available: Money | None) -> FollowLine:
        count, closed_profit = self._closed.get(follow.id, (0, ZERO_MONEY))
        held = self._open_by_follow[follow.id]
        unpaid = [*held, *self._due[follow.id]]
        settled = self._settled.get(follow.id, ZERO_MONEY)
        return FollowLine(
            follow_id=follow.id,
            follower_id=follow.follower_id,
            leader_id=follow.leader_id,
            leader_nickname=nickname,
            sub_account=follow.sub_account,
            state=follow.state,
            mode=follow.mode,
            copy_amount=follow.copy_amount,
            share_ratio=follow.share_ratio,
            instruments=tuple(self._instruments[follow.id]),
            created_at=follow.created_at,
            started_at=follow.started_at,
            ended_at=follow.ended_at,
            end_kind=follow.end_kind,
            end_reason=follow.end_reason,
            positions_open=len(held),
            positions_closed=count,
            profit=money_total(closed_profit, *(position.profit for position in held)),
            share=money_total(settled, *(position.share for position in unpaid)),
            available=available,
            returned=self._returned.get(follow.id, ZERO_MONEY),
        )

    def _closed_sums(self, session: Session) -> dict[FollowId, tuple[int, Money]]:
        rows = session.execute(
            select(
                CopiedPositionRow.follow_id,
                func.count(),
                func.sum(CopiedPositionRow.realized_pnl),
                func.sum(CopiedPositionRow.fees),
                func.sum(CopiedPositionRow.funding),
            )
            .where(
                CopiedPositionRow.follow_id.in_(self._follows),
                CopiedPositionRow.state == TradeState.CLOSED,
            )
            .group_by(CopiedPositionRow.follow_id)
        )
        return {
            follow_id: (count, Money(total(realized, -fees, -funding)))
            for follow_id, count, realized, fees, funding in rows
        }

    def _settled_sums(self, session: Session) -> dict[FollowId, Money]:
        rows = session.execute(
            select(SettlementRow.follow_id, func.sum(SettlementRow.share))
            .where(SettlementRow.follow_id.in_(self._follows))
            .group_by(SettlementRow.follow_id)
        )
        return dict(rows.all())

    def _returned_sums(self, session: Session) -> dict[FollowId, Money]:
        rows = session.execute(
            select(TransferRow.follow_id, func.sum(TransferRow.money))
            .where(
                TransferRow.follow_id.in_(self._follows),
                TransferRow.kind.in_({TransferKind.RETURN, TransferKind.FREED}),
                TransferRow.state == TransferState.DONE,
            )
            .group_by(TransferRow.follow_id)
        )
        return dict(rows.all())

    def _chosen_instruments(self, session: Session) -> Mapping[FollowId, list[Symbol]]:
        chosen: defaultdict[FollowId, list[Symbol]] = defaultdict(list)
        rows = session.execute(
            select(FollowInstrumentRow.follow_id, FollowInstrumentRow.symbol)
            .where(FollowInstrumentRow.follow_id.in_(self._follows))
            .order_by(FollowInstrumentRow.symbol)
        )
        for follow_id, symbol in rows:
            chosen[follow_id].append(symbol)
        return chosen


def _by_follow(
    positions: Iterable[CopiedPosition],
) -> defaultdict[FollowId, list[CopiedPosition]]:
    found: defaultdict[FollowId, list[CopiedPosition]] = defaultdict(list)
    for position in positions:
        found[position.follow_id].append(position)
    return found
