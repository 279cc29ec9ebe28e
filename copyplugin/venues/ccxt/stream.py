"""Streams of fills: opened anew when they break or fall silent, and nothing is lost in between.

A message says that there is something to read; what is read are the venue's own lists, after every
subscription and after every message, so that a stream which loses, repeats or reorders changes
nothing but the moment.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, cast

import ccxt

from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId, VenueFillId
from copyplugin.errors import VenueUnavailable
from copyplugin.venues.ccxt.clients import Clients, Row
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialect import Dialect
from copyplugin.venues.ccxt.fill_log import OVERLAP, FillLog, FillLogs, venue_now
from copyplugin.venues.ccxt.keys import AccountKeys, KnownAccount

_logger = logging.getLogger(__name__)

PAUSE_MAX_SECONDS = 30.0
CLOCKS_APART = timedelta(hours=1)
"""How far the times of fills may be behind the time that the venue tells."""

IDS_KEPT = 2_000
OPENING_AT_ONCE = 50
"""Streams that are being opened at one time."""

OnFill = Callable[[LeaderFill], None]


class Watcher:
    """One account's stream and whoever listens to it."""

    def __init__(
        self,
        known: KnownAccount,
        clients: Clients,
        dialect: Dialect,
        log: FillLog,
        on_fill: OnFill,
        opening: asyncio.Semaphore,
    ) -> None:
        self._known = known
        self._clients = clients
        self._dialect = dialect
        self._log = log
        self._on_fill = on_fill
        self._news = asyncio.Event()
        self._is_open = asyncio.Event()
        self._opening = opening
        self._told: dict[VenueFillId, None] = {}
        self._read_from: datetime | None = None
        self.subscriptions = 0
        """How often the venue has said that it will tell us of fills."""
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def _config(self) -> VenueConfig:
        return self._clients.config

    async def start(self) -> None:
        """Note what is there already: the next fill is the first that is told.

        Raises `VenueUnavailable` without a venue.
        """
        client = await self._clients.of(self._known.account, self._known.keys)
        self._read_from = venue_now(client) - CLOCKS_APART
        await self._read_fills(lambda _: None)

    async def run(self) -> None:
        """Listen until cancelled."""
        pause = first = self._config.reconnect_pause.total_seconds()
        try:
            while True:
                before = self.subscriptions
                try:
                    await self._listen()
                except (ccxt.BaseError, VenueUnavailable, OSError) as error:
                    _logger.info("stream of account %s: %s", self._known.account, error)
                except Exception:
                    _logger.exception("stream of account %s", self._known.account)
                pause = first if self.subscriptions > before else min(pause * 2, PAUSE_MAX_SECONDS)
                await asyncio.sleep(pause)
        finally:
            for task in self._closing:
                task.cancel()
            await asyncio.gather(*self._closing, return_exceptions=True)

    async def _listen(self) -> None:
        """Hold one connection; returns or raises when it is of no use any more."""
        exchange = await self._clients.watcher(self._known.keys)
        handle, connected = exchange.handle_message, exchange.on_connected

        def heard(client: Any, message: object) -> None:
            if isinstance(message, dict):  # some venues answer a ping with a word
                self._hear(cast("Row", message))
            handle(client, message)

        def opened(client: Any, message: object = None) -> None:
            connected(client, message)
            if self._dialect.tells_when_connected:
                self._subscribed()

        exchange.handle_message, exchange.on_connected = heard, opened
        tasks: list[asyncio.Task[None]] = []
        try:
            async with self._opening:  # thousands at once would time each other out
                works = (self._watch(exchange), self._guard(exchange), self._read())
                tasks += [asyncio.create_task(work) for work in works]
                await self._until_open(tasks)
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._let_go(exchange)

    async def _until_open(self, tasks: Collection[asyncio.Task[None]]) -> None:
        """Wait for the subscription, or for the end of what works on it."""
        self._is_open.clear()
        opened = asyncio.create_task(self._wait_open())
        try:
            await asyncio.wait((opened, *tasks), return_when=asyncio.FIRST_COMPLETED)
        finally:
            opened.cancel()

    async def _wait_open(self) -> None:
        await self._is_open.wait()

    def _hear(self, message: Row) -> None:
        if self._dialect.is_subscribed(message):
            self._subscribed()
        elif self._dialect.tells_of_fills(message):
            self._news.set()

    def _subscribed(self) -> None:
        """Read what was missed: fills are told from now on."""
        self.subscriptions += 1
        self._is_open.set()
        self._news.set()

    async def _watch(self, exchange: Any) -> None:
        while True:
            await self._dialect.watch(exchange)

    async def _guard(self, exchange: Any) -> None:
        """Raise when nothing has come for too long: pings are answered on a stream that lives."""
        silence_ms = int(self._config.socket_silence.total_seconds() * 1000)
        opened_ms = exchange.milliseconds()
        while True:
            heard_ms = [each.last_message_at or 0 for each in exchange.clients.values()]
            left_ms = max(opened_ms, *heard_ms, 0) + silence_ms - exchange.milliseconds()
            if left_ms <= 0:
                raise VenueUnavailable(f"nothing was heard for {silence_ms} ms")
            await asyncio.sleep(left_ms / 1000)

    async def _read(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            try:
                await self._read_fills(self._on_fill)
            except VenueUnavailable:
                self._news.set()  # there still is something to read
                await asyncio.sleep(self._config.reconnect_pause.total_seconds())

    async def _read_fills(self, on_fill: OnFill) -> None:
        assert self._read_from is not None
        for fill in await self._log.since(self._read_from):
            if fill.venue_fill_id not in self._told:
                self._told[fill.venue_fill_id] = None
                on_fill(fill)
            self._read_from = max(self._read_from, fill.at - OVERLAP)
        while len(self._told) > IDS_KEPT:
            del self._told[next(iter(self._told))]

    def _let_go(self, exchange: Any) -> None:
        """Close the socket without waiting: a dead one answers no farewell."""

        async def close() -> None:
            with suppress(ccxt.BaseError, OSError):
                await exchange.close_ws_clients()

        exchange.session = None  # shared: it is not this exchange's to close
        task = asyncio.create_task(close())
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)


class Subscription:
    """Ends with `close`."""

    def __init__(self, watchers: Collection[Watcher]) -> None:
        self.watchers = tuple(watchers)
        self._tasks = [asyncio.create_task(watcher.run()) for watcher in watchers]

    async def close(self) -> None:
        """Stop listening; no callback runs after this returns."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Streams:
    """The streams of one venue."""

    def __init__(
        self,
        dialect: Dialect,
        clients: Clients,
        keys: AccountKeys,
        logs: FillLogs,
    ) -> None:
        self._dialect = dialect
        self._clients = clients
        self._keys = keys
        self._logs = logs
        self._open: list[Subscription] = []
        self._opening = asyncio.Semaphore(OPENING_AT_ONCE)

    async def subscribe(self, accounts: Collection[AccountId], on_fill: OnFill) -> Subscription:
        """Listen to these accounts; raises `VenueUnavailable` where one's keys are not known."""
        watchers: list[Watcher] = []
        for account in accounts:
            known = self._keys.find(account)
            if known is None:
                raise VenueUnavailable(f"no API key is known for account {account}")
            watchers.append(
                Watcher(
                    known,
                    self._clients,
                    self._dialect,
                    self._logs.of(account),
                    on_fill,
                    self._opening,
                )
            )
        await asyncio.gather(*(watcher.start() for watcher in watchers))
        subscription = Subscription(watchers)
        self._open.append(subscription)
        return subscription

    async def close(self) -> None:
        subscriptions, self._open = self._open, []
        for subscription in subscriptions:
            await subscription.close()
