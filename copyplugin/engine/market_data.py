"""What pages show and rules need of the venue: instruments, marks, wallets, open positions."""

from collections.abc import Collection, Sequence

from copyplugin.domain.account import AccountBalance, FundingPayment, VenuePosition
from copyplugin.domain.identifiers import AccountId, FollowId
from copyplugin.engine.allotting import look_at_allotments
from copyplugin.engine.attempts import in_sets
from copyplugin.engine.surroundings import Surroundings
from copyplugin.errors import VenueUnavailable
from copyplugin.store import accounts, funding, lane_work, market
from copyplugin.store.database import Session
from copyplugin.store.venue_terms import VenueTerms, put_venue_terms

READ_TOGETHER = 1000
"""Follows that one statement reads."""


class MarketData:
    """Each method is a job or a part of one; a venue that does not answer is asked again later."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def load_instruments(self) -> None:
        """Learn what the venue trades, and tell the pages how it moves money.

        What was known before stays known for closing.
        """
        try:
            listed = await self._around.venue.instruments()
        except VenueUnavailable:
            return
        now = self._around.clock.now()
        venue = self._around.venue
        terms = VenueTerms(
            name=venue.name,
            moves_money=venue.capabilities.moves_money,
            escrow_seconds=self._around.settings.share_escrow_seconds,
        )

        def write(session: Session) -> None:
            market.put_instruments(session, listed.values(), at=now)
            put_venue_terms(session, terms, at=now)

        await self._around.database.write(write)
        self._around.instruments = {**self._around.instruments, **listed}
        self._around.unlisted = self._around.instruments.keys() - listed.keys()

    async def publish_marks(self) -> None:
        """Write the mark prices for live profit on the pages."""
        try:
            marks = await self._around.venue.marks()
        except VenueUnavailable:
            return
        now = self._around.clock.now()
        await self._around.database.write(lambda session: market.put_marks(session, marks, at=now))

    async def refresh_wallets(self, account_ids: Collection[AccountId]) -> None:
        """Write what these accounts' wallets hold."""
        balances: dict[AccountId, AccountBalance] = {}
        for account in account_ids:
            try:
                balances[account] = await self._around.venue.balance(account)
            except VenueUnavailable:
                continue
        now = self._around.clock.now()
        if balances:
            await self._around.database.write(
                lambda session: market.put_wallets(session, balances, at=now)
            )

    async def bring_position_data(self) -> int:
        """Bring margin, profit, liquidation price and funding of what is open, and all wallets.

        Returns how many follows could not be asked for.
        """
        await self.load_instruments()
        with self._around.database.read() as session:
            live = accounts.live_sub_accounts(session)
            mains = accounts.follower_accounts(session)
            since = {
                follow_id: at
                for some in in_sets(list(live), READ_TOGETHER)
                for follow_id, at in funding.all_asked_from(session, some).items()
            }
        missed = 0
        for follow_id, account in live.items():
            try:
                positions = await self._around.venue.positions(account)
                payments = await self._around.venue.funding(account, since[follow_id])
            except VenueUnavailable:
                missed += 1
                continue
            await self._write(follow_id, positions, payments)
        await self.refresh_wallets([*mains, *live.values()])
        await look_at_allotments(self._around)
        return missed

    async def _write(
        self,
        follow_id: FollowId,
        positions: Sequence[VenuePosition],
        payments: Sequence[FundingPayment],
    ) -> None:
        now = self._around.clock.now()
        by_leg = {(held.symbol, held.position_side): held for held in positions}

        def work(session: Session) -> None:
            funding.book_funding(session, follow_id, payments, at=now)
            for row in lane_work.open_positions_of(session, follow_id):
                held = by_leg.get((row.symbol, row.position_side))
                if held is not None:
                    row.margin = held.margin
                    row.unrealized_pnl = held.unrealized_pnl
                    row.liquidation_price = held.liquidation_price
                    row.data_at = now

        await self._around.database.write(work)
