"""The leaders' figures (S1 to S10): funding of their round trips, sums, a point of the chart."""

from collections.abc import Sequence

from copyplugin.domain.account import FundingPayment
from copyplugin.domain.identifiers import AccountId, LeaderId
from copyplugin.domain.money import ZERO_MONEY, Money, total
from copyplugin.engine.surroundings import Surroundings
from copyplugin.errors import VenueUnavailable
from copyplugin.store import leader_feed, leader_trades, statistics
from copyplugin.store.database import Session


class Statistician:
    """`run` is the job."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def run(self) -> int:
        """Recompute every leader's figures; return how many leaders could not be asked for."""
        with self._around.database.read() as session:
            accounts = leader_feed.leader_accounts(session)
        equities: dict[LeaderId, Money] = {}
        for leader_id, account in accounts.items():
            equity = await self._ask(leader_id, account)
            if equity is not None:
                equities[leader_id] = equity
        now = self._around.clock.now()

        def work(session: Session) -> None:
            statistics.recompute_statistics(session, now=now)
            figures = statistics.trade_figures_by_leader(session, now=now)
            for leader_id, equity in equities.items():
                own = figures.get(leader_id)
                statistics.put_equity(
                    session,
                    leader_id,
                    equity=equity,
                    profit=ZERO_MONEY if own is None else own.total_profit,
                    at=now,
                )

        await self._around.database.write(work)
        return len(accounts) - len(equities)

    async def _ask(self, leader_id: LeaderId, account: AccountId) -> Money | None:
        """Bring the funding of his round trips; return the equity of his contract account."""
        with self._around.database.read() as session:
            trades = leader_trades.unfunded_trades(session, leader_id)
        try:
            balance = await self._around.venue.balance(account)
            payments: Sequence[FundingPayment] = ()
            if trades:
                payments = await self._around.venue.funding(
                    account, min(trade.opened_at for trade in trades)
                )
        except VenueUnavailable:
            return None
        if payments:
            await self._around.database.write(
                lambda session: _book_funding(session, leader_id, payments)
            )
        return balance.equity


def _book_funding(
    session: Session, leader_id: LeaderId, payments: Sequence[FundingPayment]
) -> None:
    """Write each round trip's funding anew: the sum of the payments that fell into its time."""
    for trade in leader_trades.unfunded_trades(session, leader_id):
        trade.funding = Money(
            total(
                *(
                    payment.payment
                    for payment in payments
                    if (payment.symbol, payment.position_side)
                    == (trade.symbol, trade.position_side)
                    and trade.opened_at <= payment.at
                    and (trade.closed_at is None or payment.at <= trade.closed_at)
                )
            )
        )
