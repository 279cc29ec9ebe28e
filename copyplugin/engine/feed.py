"""The feed: every fill of every leader, in the venue's order, once.

The stream only wakes. What is read is the venue's own list after the last stored fill, so that a
stream which loses, repeats or reorders changes when a fill is known and nothing else (C1).
"""

from collections.abc import Sequence

from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId, LeaderId, VenueFillId
from copyplugin.domain.money import Money
from copyplugin.engine.attempts import attempt_all
from copyplugin.engine.market_data import MarketData
from copyplugin.engine.signals import finish_quiet_orders, store_fills
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.errors import VenueUnavailable
from copyplugin.ports import Subscription
from copyplugin.store import leader_feed
from copyplugin.store.database import Session
from copyplugin.store.follow_rules import rests_on_leader_equity

FILLS_AT_ONCE = 200
"""So many fills are stored in one transaction."""


class Feed:
    """`turn` is served under `Work.FEED`; `sweep` reads every leader."""

    def __init__(self, around: Surroundings, market_data: MarketData) -> None:
        self._around = around
        self._market_data = market_data
        self._leaders: dict[AccountId, LeaderId] = {}
        self._heard: set[AccountId] = set()
        self._subscriptions: list[Subscription] = []
        self._cursors: dict[LeaderId, VenueFillId] = {}  # as stored; nobody else moves them

    async def start(self) -> None:
        """Listen to all leaders and read what was missed meanwhile.

        First the stream, then the backfill: a fill between the two is told by both.
        """
        with self._around.database.read() as session:
            accounts = leader_feed.leader_accounts(session)
        self._leaders = {account: leader_id for leader_id, account in accounts.items()}
        await self._listen()
        self._around.dispatcher.announce(Work.FEED, accounts)

    async def stop(self) -> None:
        subscriptions, self._subscriptions = self._subscriptions, []
        for subscription in subscriptions:
            await subscription.close()
        self._heard.clear()

    async def add(self, leader_id: LeaderId, account: AccountId) -> None:
        """Listen to one leader more."""
        self._leaders[account] = leader_id
        await self._listen()
        self._around.dispatcher.announce(Work.FEED, (leader_id,))

    async def turn(self, leader_ids: frozenset[int]) -> None:
        """Read what these leaders have done since the last stored fill."""
        accounts = {leader_id: account for account, leader_id in self._leaders.items()}
        known = [LeaderId(each) for each in sorted(leader_ids) if LeaderId(each) in accounts]
        await attempt_all(known, lambda leader_id: self._read(leader_id, accounts[leader_id]))

    async def sweep(self) -> None:
        """Read every leader, and let orders that have gone quiet be final."""
        await self._listen()
        await self.turn(frozenset(self._leaders.values()))
        shards = await self._around.database.write(self._finish_quiet)
        if shards:
            self._around.dispatcher.announce(Work.LANES, shards)

    def _finish_quiet(self, session: Session) -> set[int]:
        now = self._around.clock.now()
        quiet = self._around.settings_at(session, now).quiet
        return finish_quiet_orders(session, last_fill_before=now - quiet)

    async def _listen(self) -> None:
        """Subscribe to those who are not listened to yet; the sweep tries again what fails."""
        new = [account for account in self._leaders if account not in self._heard]
        if not new:
            return
        self._heard.update(new)
        try:
            subscription = await self._around.venue.subscribe(new, self._on_fill)
        except VenueUnavailable:
            self._heard.difference_update(new)
            return
        self._subscriptions.append(subscription)  # to the list of now: `stop` may have taken one

    def _on_fill(self, fill: LeaderFill) -> None:
        leader_id = self._leaders.get(fill.account)
        if leader_id is not None:
            self._around.dispatcher.announce(Work.FEED, (leader_id,))

    async def _read(self, leader_id: LeaderId, account: AccountId) -> None:
        cursor = self._cursors.get(leader_id)
        if cursor is None:
            with self._around.database.read() as session:
                cursor = leader_feed.cursor(session, leader_id)
        while True:
            try:
                fills = await self._around.venue.leader_fills(account, cursor)
                equity = await self._equity(leader_id, account) if fills else None
            except VenueUnavailable:
                return  # the sweep asks again from the same fill
            if not fills:
                return
            if any(fill.symbol not in self._around.instruments for fill in fills):
                await self._market_data.load_instruments()  # listed since they were last asked for
            for first in range(0, len(fills), FILLS_AT_ONCE):
                await self._store(leader_id, fills[first : first + FILLS_AT_ONCE], equity)
            cursor = fills[-1].venue_fill_id

    async def _equity(self, leader_id: LeaderId, account: AccountId) -> Money | None:
        """Return the leader's equity where a follow is sized by it; no fill tells of it."""
        with self._around.database.read() as session:
            if not rests_on_leader_equity(session, leader_id):
                return None
        return (await self._around.venue.balance(account)).equity

    async def _store(
        self, leader_id: LeaderId, fills: Sequence[LeaderFill], equity: Money | None
    ) -> None:
        received_at = self._around.clock.now()

        def store(session: Session) -> None:
            shards = store_fills(
                session,
                leader_id=leader_id,
                fills=fills,
                instruments=self._around.instruments,
                received_at=received_at,
                leader_equity=equity,
            )
            if shards:
                self._around.dispatcher.announce_within(session, Work.LANES, shards)

        await self._around.database.write(store, urgent=True)
        self._cursors[leader_id] = fills[-1].venue_fill_id
