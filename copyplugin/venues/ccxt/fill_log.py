"""What an account has filled, as it was told: in order, each once, complete up to now.

The log keeps the order in which fills were told, so that a place in it is exact however many fills
share a millisecond, and one that the venue lists late comes after those told before it. A new log
begins at the fill it is asked about, in the venue's order: what was before that one is known to
whoever asks, be it as fills or as the position they left. Where that fill had come late, later ones
that were told before it are told again: whoever stores fills knows each by its id.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId, Symbol, VenueFillId
from copyplugin.domain.money import Contracts, Money, money_ceil, total
from copyplugin.errors import ConfigurationError, VenueUnavailable
from copyplugin.venues.ccxt.clients import Client
from copyplugin.venues.ccxt.dialect import Book, Dialect, Glance, ListedFill
from copyplugin.venues.ccxt.texts import milliseconds_of_fill, time_of

OVERLAP = timedelta(seconds=2)
"""How much of what was read is read again: a fill may be listed after later ones."""

FRESH = timedelta(seconds=10)
"""How old a fill may be for the present balance to be the one right after it."""

EMPTY_OVERLAP = timedelta(days=1)
"""As `OVERLAP` where no fill tells how far the venue's clock has come."""

UNREAD_MAX = timedelta(seconds=60)
"""How long a venue's word that nothing has changed is taken for it."""

KEPT_MAX = 4_000
BALANCE_LOOKS = 3
SYMBOLS_OF_LAST = 200
"""The symbols of so many fills are looked at each time, those of others once a minute."""


class FillLog:
    """One account's fills."""

    def __init__(
        self,
        dialect: Dialect,
        client: Callable[[], Awaitable[Client]],
        book: Callable[[], Awaitable[Book]],
        history: timedelta,
    ) -> None:
        self._dialect = dialect
        self._client = client
        self._book = book
        self._history = history
        self._reading = asyncio.Lock()
        self._start_over(None)

    def _start_over(self, since: datetime | None) -> None:
        self._since = since
        self._is_whole = False  # it begins where the venue's history does for us
        self._told: list[LeaderFill] = []
        self._mark: object = None  # as it was before the last reading
        self._read_at: datetime | None = None
        self._thorough_at: datetime | None = None  # when all symbols were looked at
        self._thorough_since: datetime | None = None
        self._places: dict[VenueFillId, int] = {}

    async def after(self, cursor: VenueFillId | None) -> Sequence[LeaderFill]:
        """Return all fills after that one; raises `ConfigurationError` for one of elsewhere."""
        async with self._reading:
            client, book = await self._client(), await self._book()
            now = venue_now(client)
            place = self._place_of(cursor)
            if place is None:
                self._start_over(now - self._history if cursor is None else _time_of(cursor))
                self._is_whole = cursor is None
            await self._read(client, book, now)
            if place is not None:
                return self._told[place + 1 :]
            if cursor is None:
                return list(self._told)
            if cursor not in self._places:
                self._check_is_old(cursor, now)
            return self._told[self._places.get(cursor, -1) + 1 :]

    def _place_of(self, cursor: VenueFillId | None) -> int | None:
        """Return where in the log that fill is; None where the log does not reach back to it."""
        if cursor is None:
            return -1 if self._is_whole else None
        return self._places.get(cursor)

    def _check_is_old(self, cursor: VenueFillId, now: datetime) -> None:
        if _time_of(cursor) > now - self._history:
            raise ConfigurationError(
                f"the venue lists no fill {cursor}: the database belongs to another account or "
                "another venue"
            )

    async def since(self, at: datetime) -> Sequence[LeaderFill]:
        """Return the fills at or after that time, as far as the log reaches back."""
        async with self._reading:
            client, book = await self._client(), await self._book()
            if self._since is None:
                self._start_over(at)
            await self._read(client, book, venue_now(client))
            return [fill for fill in self._told if fill.at >= at]

    async def _read(self, client: Client, book: Book, now: datetime) -> None:
        """Read what is new; nothing where the venue says that nothing has changed since."""
        before = await self._dialect.glance(client)
        is_recent = self._thorough_at is not None and now - self._thorough_at < UNREAD_MAX
        if before is not None and before.mark == self._mark and is_recent:
            return
        is_thorough = before is None or not is_recent
        listed = await self._unseen(client, book, now, (), is_thorough=is_thorough)
        if before is not None and not listed and not is_thorough:
            is_thorough = True  # something has changed, and not where it usually does
            listed = await self._unseen(client, book, now, (), is_thorough=True)
        if listed and listed[-1].fill.at >= now - FRESH:
            listed = await self._with_balance(client, book, listed, before)
        self._note_all(listed)
        self._mark = None if before is None else before.mark
        self._read_at = now
        if is_thorough:
            self._thorough_at = now
            self._thorough_since = self._next_since()

    def _note_all(self, listed: Sequence[ListedFill]) -> None:
        if len(self._told) > KEPT_MAX:
            kept = self._told[-KEPT_MAX // 2 :]
            self._is_whole = False
            self._since = kept[0].at
            self._told, self._places = [], {}
            for fill in kept:
                self._note(fill)
        for each in listed:
            self._note(each.fill)

    def _note(self, fill: LeaderFill) -> None:
        self._places[fill.venue_fill_id] = len(self._told)
        self._told.append(fill)

    def _next_since(self) -> datetime:
        """Return from when on fills may be listed that are not in the log."""
        assert self._since is not None
        if self._told:
            return max(self._since, self._told[-1].at - OVERLAP)
        if self._read_at is not None:
            return max(self._since, self._read_at - EMPTY_OVERLAP)
        return self._since

    async def _unseen(
        self,
        client: Client,
        book: Book,
        until: datetime,
        more: Sequence[ListedFill],
        *,
        is_thorough: bool,
    ) -> list[ListedFill]:
        since = self._next_since()
        symbols: frozenset[Symbol] | None = None
        if is_thorough:
            since = min(since, self._thorough_since or since)
        else:
            symbols = frozenset(fill.symbol for fill in self._told[-SYMBOLS_OF_LAST:])
        known = {each.fill.venue_fill_id for each in more}
        try:
            listed = await self._dialect.fills(client, book, since, until, symbols)
        except (KeyError, IndexError, TypeError) as error:
            raise VenueUnavailable(f"the venue's fills were not understood: {error!r}") from error
        return [
            each
            for each in listed
            if each.fill.venue_fill_id not in self._places and each.fill.venue_fill_id not in known
        ]

    async def _with_balance(
        self, client: Client, book: Book, listed: list[ListedFill], before: Glance | None
    ) -> list[ListedFill]:
        """Ask for the balance right after the last fill; give up on an account that is too busy."""
        if not self._dialect.capabilities.tells_leader_balance:
            return listed
        if before is not None:
            after = await self._dialect.glance(client)
            is_same = after is not None and after.mark == before.mark
            return with_available(listed, before.available, book) if is_same else listed
        for _ in range(BALANCE_LOOKS):
            available = await self._dialect.available(client)
            now = venue_now(client)
            more = await self._unseen(client, book, now, listed, is_thorough=True)
            if not more:
                return with_available(listed, available, book)
            listed = [*listed, *more]
        return listed


class FillLogs:
    """The logs of all accounts that were asked for."""

    def __init__(
        self,
        dialect: Dialect,
        client: Callable[[AccountId], Awaitable[Client]],
        book: Callable[[], Awaitable[Book]],
        history: timedelta,
    ) -> None:
        self._dialect = dialect
        self._client = client
        self._book = book
        self._history = history
        self._logs: dict[AccountId, FillLog] = {}

    def of(self, account: AccountId) -> FillLog:
        log = self._logs.get(account)
        if log is None:
            log = self._logs[account] = FillLog(
                self._dialect, lambda: self._client(account), self._book, self._history
            )
        return log


def venue_now(client: Client) -> datetime:
    """Return the venue's time, as far as we know it."""
    return time_of(client.ccxt.nonce())


def with_available(listed: Sequence[ListedFill], available: Money, book: Book) -> list[ListedFill]:
    """Write into each fill what was available after it, given what is now.

    What the unfilled part of the last order may hold counts as available, and so does the fee it
    would pay: an amount too high makes a follower open less, never more. Before a fill that closed
    something nothing is known: what it set free the venue does not tell.
    """
    last = listed[-1]
    available = Money(total(available, _held_by_rest(last, book)))
    written: list[ListedFill] = []
    is_known = True
    for each in reversed(listed):
        fill = each.fill
        if is_known:
            fill = replace(fill, available_after=available)
            opened = Contracts(fill.contracts - (fill.contracts_closed or 0))
            value = book[fill.symbol].notional(opened, fill.price)
            margin = money_ceil(Fraction(value) / Fraction(fill.leverage))
            available = Money(total(available, margin, fill.fee))
            is_known = not fill.contracts_closed
        written.append(replace(each, fill=fill))
    written.reverse()
    return written


def _held_by_rest(last: ListedFill, book: Book) -> Money:
    rest = Fraction(last.resting_value)
    fees = 2 * rest * Fraction(book[last.fill.symbol].taker_fee)  # to open, and to close
    return money_ceil(rest / Fraction(last.fill.leverage) + fees)


def _time_of(cursor: VenueFillId) -> datetime:
    try:
        return time_of(milliseconds_of_fill(cursor))
    except (ValueError, OverflowError) as error:
        raise ConfigurationError(
            f"{cursor} is no fill of this venue: the database belongs to another one"
        ) from error
