"""Binance USD-M: an account's fills of all symbols, which the venue lists symbol by symbol."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from copyplugin.domain.identifiers import Symbol
from copyplugin.venues.ccxt import binance_rows
from copyplugin.venues.ccxt.binance_account import WEEK, BinanceAccount, incomes, rows_of
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.dialect import Book, ListedFill
from copyplugin.venues.ccxt.texts import milliseconds_of, text_of

TRADES_PAGE = 1000
FEW_ORDERS = 5
"""So many orders are asked for one by one; of more, the symbol's list is read."""


class BinanceFills(BinanceAccount):
    """The part of the dialect that tells of fills."""

    async def fills(
        self,
        client: Client,
        book: Book,
        since: datetime,
        until: datetime,
        symbols: Collection[Symbol] | None = None,
    ) -> Sequence[ListedFill]:
        """Read the trades of these symbols and of those that are held.

        Without symbols, of every one that the wallet's changes name.
        """
        assert client.account is not None
        names = await self._traded(client, since, symbols)
        traded = [name for name in names if Symbol(name) in book]
        if not traded:
            return []
        listed = await asyncio.gather(*(trades(client, name, since, until) for name in traded))
        # One order for those of one time, the same for whoever asks.
        rows = sorted((row for each in listed for row in each), key=_in_order)
        if not rows:
            return []
        settings, orders = await asyncio.gather(
            self.symbol_settings(client), _orders_of(client, rows)
        )
        found: list[ListedFill] = []
        for row in rows:
            order = orders.get((row["symbol"], int(row["orderId"])))
            fill = binance_rows.leader_fill_from(
                row, order, client.account, book[Symbol(row["symbol"])], settings[row["symbol"]]
            )
            resting = binance_rows.resting_value(order)
            found.append(ListedFill(fill=fill, resting_value=resting))
        return found

    async def _traded(
        self, client: Client, since: datetime, symbols: Collection[Symbol] | None
    ) -> list[str]:
        held = rows_of(await client.ask("fapiprivatev3_get_positionrisk", cost=5))
        names = [*(symbols or ()), *(text_of(row, "symbol") for row in held)]
        if symbols is None:
            names += [text_of(row, "symbol") for row in await incomes(client, since)]
        return list(dict.fromkeys(name for name in names if name))

    async def watch(self, exchange: Any) -> None:
        await exchange.watch_my_trades()

    def is_subscribed(self, message: Row) -> bool:
        """Return False: a user's stream says nothing when it opens, see `tells_when_connected`."""
        del message
        return False

    def tells_of_fills(self, message: Row) -> bool:
        event = message.get("e")
        if event == "ORDER_TRADE_UPDATE":
            return bool(message["o"]["x"] == "TRADE")
        return event == "ACCOUNT_UPDATE" and message["a"]["m"] == "ORDER"


def _in_order(row: Row) -> tuple[int, str, int]:
    return int(row["time"]), str(row["symbol"]), int(row["id"])


async def trades(client: Client, symbol: str, since: datetime, until: datetime) -> list[Row]:
    """Return a symbol's trades since then, oldest first.

    The time may span a week at most; from the first trade on, the next page begins after the id of
    the last, so that no trade is lost however many share a millisecond.
    """
    rows: list[Row] = []
    start, is_last = since, False
    while not rows and not is_last:
        end = start + WEEK - timedelta(milliseconds=1)
        is_last = end >= until
        params: Row = {
            "symbol": symbol,
            "startTime": milliseconds_of(start),
            "limit": TRADES_PAGE,
            **({} if is_last else {"endTime": milliseconds_of(end)}),
        }
        rows = rows_of(await client.ask("fapiprivate_get_usertrades", params, cost=5))
        start = end + timedelta(milliseconds=1)
    is_whole = is_last and len(rows) < TRADES_PAGE
    while rows and not is_whole:
        params = {"symbol": symbol, "fromId": int(rows[-1]["id"]) + 1, "limit": TRADES_PAGE}
        more = rows_of(await client.ask("fapiprivate_get_usertrades", params, cost=5))
        rows += more
        is_whole = len(more) < TRADES_PAGE
    return rows


async def _orders_of(client: Client, rows: Sequence[Row]) -> dict[tuple[str, int], Row]:
    """Return the orders of these trades; what the venue has forgotten is missing."""
    wanted = dict.fromkeys((row["symbol"], int(row["orderId"])) for row in rows)
    wanted.pop(next(((s, n) for s, n in wanted if n == 0), ("", 0)), None)
    if len(wanted) <= FEW_ORDERS:
        asked = await asyncio.gather(*(_order(client, *name) for name in wanted))
        return {name: row for name, row in zip(wanted, asked, strict=True) if row is not None}
    found: dict[tuple[str, int], Row] = {}
    for symbol in dict.fromkeys(symbol for symbol, _ in wanted):
        numbers = [number for name, number in wanted if name == symbol]
        for row in await _orders_from(client, symbol, min(numbers), max(numbers)):
            found[symbol, int(row["orderId"])] = row
    return found


async def _order(client: Client, symbol: str, number: int) -> Row | None:
    params = {"symbol": symbol, "orderId": number}
    return await client.ask_maybe("fapiprivate_get_order", params)


async def _orders_from(client: Client, symbol: str, first: int, last: int) -> list[Row]:
    rows: list[Row] = []
    while first <= last:
        params: Row = {"symbol": symbol, "orderId": first, "limit": TRADES_PAGE}
        found = rows_of(await client.ask("fapiprivate_get_allorders", params, cost=5))
        rows += found
        if len(found) < TRADES_PAGE:
            break
        first = int(found[-1]["orderId"]) + 1
    return rows
