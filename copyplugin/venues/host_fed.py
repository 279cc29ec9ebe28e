"""A venue whose host tells of the leaders itself: they need no key, and the venue is not asked.

What the host has told of an account answers for it; everything else, and every account that the
host never told of, is the venue's: followers trade there.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from copyplugin.domain.account import AccountBalance, FundingPayment, VenuePosition
from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId, VenueFillId
from copyplugin.errors import Refused, VenueUnavailable
from copyplugin.ports import Subscription, Venue, VenueCapabilities
from copyplugin.venues.forwarding import ForwardingVenue


class HostBook(Protocol):
    """What the host has told so far."""

    def knows(self, account: AccountId) -> bool: ...

    def state(
        self, account: AccountId
    ) -> tuple[AccountBalance, Sequence[VenuePosition]] | None: ...

    def fills(self, account: AccountId, after: VenueFillId | None) -> Sequence[LeaderFill]: ...

    def funding(self, account: AccountId, since: datetime | None) -> Sequence[FundingPayment]: ...

    def listen(self, listener: Callable[[Sequence[LeaderFill]], None]) -> Callable[[], None]: ...


class HostFedVenue(ForwardingVenue):
    """The venue behind it, with leaders as the host tells of them."""

    def __init__(self, behind: Venue, host: HostBook) -> None:
        super().__init__(behind)
        self._host = host

    @property
    def capabilities(self) -> VenueCapabilities:
        return replace(self._behind.capabilities, tells_leader_balance=True, streams_fills=True)

    async def knows_account(self, account: AccountId) -> bool:
        return self._host.knows(account) or await self._behind.knows_account(account)

    async def balance(self, account: AccountId) -> AccountBalance:
        told = self._host.state(account)
        return await self._behind.balance(account) if told is None else told[0]

    async def positions(self, account: AccountId) -> Sequence[VenuePosition]:
        told = self._host.state(account)
        return await self._behind.positions(account) if told is None else told[1]

    async def leader_fills(
        self, account: AccountId, after: VenueFillId | None
    ) -> Sequence[LeaderFill]:
        if not self._host.knows(account):
            return await self._behind.leader_fills(account, after)
        try:
            return self._host.fills(account, after)
        except Refused as refusal:
            raise VenueUnavailable(refusal.sentence) from refusal

    async def subscribe(
        self, accounts: Collection[AccountId], on_fill: Callable[[LeaderFill], None]
    ) -> Subscription:
        """Call back for what the host tells this process; another process learns by its sweep."""
        told = frozenset(account for account in accounts if self._host.knows(account))
        others = [account for account in accounts if account not in told]
        behind = await self._behind.subscribe(others, on_fill) if others else None
        return _Subscription(self._host, frozenset(accounts), on_fill, behind)

    async def funding(self, account: AccountId, since: datetime | None) -> Sequence[FundingPayment]:
        if self._host.knows(account):
            return self._host.funding(account, since)
        return await self._behind.funding(account, since)


class _Subscription:
    """Hands fills from the thread that received them to the event loop."""

    def __init__(
        self,
        host: HostBook,
        accounts: frozenset[AccountId],
        on_fill: Callable[[LeaderFill], None],
        behind: Subscription | None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._accounts = accounts
        self._on_fill: Callable[[LeaderFill], None] | None = on_fill
        self._behind = behind
        self._stop = host.listen(self._hear)

    async def close(self) -> None:
        self._stop()
        self._on_fill = None
        if self._behind is not None:
            await self._behind.close()

    def _hear(self, fills: Sequence[LeaderFill]) -> None:
        for fill in fills:
            if fill.account in self._accounts:
                self._loop.call_soon_threadsafe(self._tell, fill)

    def _tell(self, fill: LeaderFill) -> None:
        if self._on_fill is not None:
            self._on_fill(fill)
