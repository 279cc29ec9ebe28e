"""The leaders' figures (S1 to S11): funding of their round trips, sums, a point of the record."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from copyplugin.domain.account import AccountBalance, FundingPayment
from copyplugin.domain.days import day_of
from copyplugin.domain.identifiers import AccountId, LeaderId, VenueFillId
from copyplugin.domain.money import ZERO_MONEY, money_total
from copyplugin.engine.surroundings import Surroundings
from copyplugin.errors import VenueUnavailable
from copyplugin.store import (
    account_record,
    copy_quality,
    leader_feed,
    leader_record,
    leader_trades,
    statistics,
)
from copyplugin.store.account_record import Point, Watched
from copyplugin.store.database import Session
from copyplugin.store.rows import LeaderTradeRow

TRIES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What was stored of a leader before the venue was asked."""

    cursor: VenueFillId | None
    last_fill_id: int
    funding_since: datetime | None  # of the account's record; None: no point before this one
    payments_since: datetime | None  # the oldest round trip that may lack funding


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    at: datetime
    balance: AccountBalance
    payments: Sequence[FundingPayment]
    watched: Watched | None  # None: he traded or was paid while we asked


class Statistician:
    """`run` is the job."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def run(self) -> int:
        """Recompute every leader's figures; return how many leaders could not be asked for."""
        with self._around.database.read() as session:
            accounts = leader_feed.leader_accounts(session)
        asked: dict[LeaderId, _Asked] = {}
        for leader_id, account in accounts.items():
            answer = await self._ask(leader_id, account)
            if answer is not None:
                asked[leader_id] = answer
        # Beside the loop: it reads much, and copying must not wait for it.
        quality = await asyncio.to_thread(self._quality)
        await self._around.database.write(lambda session: self._book(session, asked, quality))
        return len(accounts) - len(asked)

    def _quality(self) -> Sequence[Mapping[str, Any]]:
        with self._around.database.read() as session:
            return copy_quality.quality_rows(session)

    def _book(
        self,
        session: Session,
        asked: Mapping[LeaderId, _Asked],
        quality: Sequence[Mapping[str, Any]],
    ) -> None:
        now = self._around.clock.now()
        zone = self._around.settings.zone
        today = day_of(now, zone)
        for leader_id, answer in asked.items():
            book_funding(leader_trades.unfunded_trades(session, leader_id), answer.payments)
        leader_record.count_trades(
            session, {leader_id: answer.at for leader_id, answer in asked.items()}
        )
        leader_record.count_positions(session)
        session.flush()
        profits = {
            leader_id: record.profit
            for leader_id, record in leader_record.track_records(session).items()
        }
        for leader_id, answer in asked.items():
            point = Point(
                at=now,
                day=today,
                equity=answer.balance.equity,
                profit=profits.get(leader_id, ZERO_MONEY),
            )
            account_record.add_point(session, leader_id, point, answer.watched, zone=zone)
        copy_quality.put_quality(session, quality)
        statistics.recompute_statistics(session, now=now, today=today)

    async def _ask(self, leader_id: LeaderId, account: AccountId) -> _Asked | None:
        """Return what the venue says of the account; None where it cannot be asked.

        Asked again where fills or funding came in between, so that all is of one moment.
        """
        try:
            answer = await self._ask_once(leader_id, account)
            for _ in range(TRIES - 1):
                if answer.watched is not None:
                    break
                answer = await self._ask_once(leader_id, account)
        except VenueUnavailable:
            return None
        return answer

    async def _ask_once(self, leader_id: LeaderId, account: AccountId) -> _Asked:
        venue, at = self._around.venue, self._around.clock.now()
        with self._around.database.read() as session:
            known = _known(session, leader_id)
        since = _earliest(known.funding_since, known.payments_since)
        payments = () if since is None else await venue.funding(account, since)
        balance = await venue.balance(account)
        unread = await venue.leader_fills(account, known.cursor)
        paid_since = () if since is None else await venue.funding(account, since)
        is_one_moment = not unread and list(payments) == list(paid_since)
        return _Asked(
            at=at,
            balance=balance,
            payments=payments,
            watched=_watched(known, balance, payments, at) if is_one_moment else None,
        )


def book_funding(trades: Sequence[LeaderTradeRow], payments: Sequence[FundingPayment]) -> None:
    """Write each round trip's funding anew: the sum of the payments that fell into its time."""
    for trade in trades:
        trade.funding = money_total(
            *(
                payment.payment
                for payment in payments
                if (payment.symbol, payment.position_side) == (trade.symbol, trade.position_side)
                and trade.opened_at <= payment.at
                and (trade.closed_at is None or payment.at <= trade.closed_at)
            )
        )


def _known(session: Session, leader_id: LeaderId) -> _Known:
    trades = leader_trades.unfunded_trades(session, leader_id)
    return _Known(
        cursor=leader_feed.cursor(session, leader_id),
        last_fill_id=account_record.last_fill_id(session, leader_id),
        funding_since=account_record.funding_asked_from(session, leader_id),
        payments_since=min((trade.opened_at for trade in trades), default=None),
    )


def _watched(
    known: _Known, balance: AccountBalance, payments: Sequence[FundingPayment], at: datetime
) -> Watched:
    return Watched(
        wallet=balance.contract_wallet,
        last_fill_id=known.last_fill_id,
        payments=payments,
        asked_at=at,
    )


def _earliest(*times: datetime | None) -> datetime | None:
    return min((time for time in times if time is not None), default=None)
