"""The feed: every fill of every leader, in the venue's order, once.

The stream only wakes. What is read is the venue's own list after the last stored fill, so that a
stream which loses, repeats or reorders changes when a fill is known and nothing else (C1).
"""

from functools import partial

from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId, LeaderId, VenueFillId
from copyplugin.engine.signals import finish_quiet_orders, store_fills
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.errors import VenueUnavailable
from copyplugin.ports import Subscription
from copyplugin.store import leader_feed

MILLISECONDS = 1000


class Feed:
    """`turn` is served under `Work.FEED`; `sweep` reads every leader."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._leaders: dict[AccountId, LeaderId] = {}
        self._subscription: Subscription | None = None
        self._cursors: dict[LeaderId, VenueFillId] = {}  # as stored; nobody else moves them

    async def start(self) -> None:
        """Listen to all leaders and read what was missed meanwhile.

        First the stream, then the backfill: a fill between the two is told by both.
        """
        with self._around.database.read() as session:
            accounts = leader_feed.leader_accounts(session)
        await self._subscribe({account: leader_id for leader_id, account in accounts.items()})
        self._around.dispatcher.announce(Work.FEED, accounts)

    async def stop(self) -> None:
        if self._subscription is not None:
            await self._subscription.close()
            self._subscription = None

    async def add(self, leader_id: LeaderId, account: AccountId) -> None:
        """Listen to one leader more."""
        await self._subscribe(self._leaders | {account: leader_id})
        self._around.dispatcher.announce(Work.FEED, (leader_id,))

    async def turn(self, leader_ids: frozenset[int]) -> None:
        """Read what these leaders have done since the last stored fill."""
        accounts = {leader_id: account for account, leader_id in self._leaders.items()}
        for leader_id in sorted(leader_ids):
            if LeaderId(leader_id) in accounts:
                await self._read(LeaderId(leader_id), accounts[LeaderId(leader_id)])

    async def sweep(self) -> None:
        """Read every leader, and let orders that have gone quiet be final."""
        await self.turn(frozenset(self._leaders.values()))
        now = self._around.clock.now()
        quiet = self._around.settings.quiet
        shards = await self._around.database.write(
            lambda session: finish_quiet_orders(session, last_fill_before=now - quiet)
        )
        if shards:
            self._around.dispatcher.announce(Work.LANES, shards)

    async def _subscribe(self, leaders: dict[AccountId, LeaderId]) -> None:
        old, self._subscription = self._subscription, None
        self._leaders = leaders
        self._subscription = await self._around.venue.subscribe(list(leaders), self._on_fill)
        if old is not None:
            await old.close()

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
            except VenueUnavailable:
                return  # the sweep asks again from the same fill
            if not fills:
                return
            shards = await self._around.database.write(
                partial(
                    store_fills,
                    leader_id=leader_id,
                    fills=fills,
                    instruments=self._around.instruments,
                    received_at=self._around.clock.now(),
                )
            )
            cursor = self._cursors[leader_id] = fills[-1].venue_fill_id
            if shards:
                self._around.dispatcher.announce(Work.LANES, shards)
