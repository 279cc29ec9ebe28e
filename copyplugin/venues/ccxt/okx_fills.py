"""OKX: an account's fills, with what their orders tell of them."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from copyplugin.domain.identifiers import Symbol
from copyplugin.venues.ccxt import okx_rows
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.dialect import Book, ListedFill
from copyplugin.venues.ccxt.gate import Urgency
from copyplugin.venues.ccxt.okx_account import SWAP, OkxAccount, data, pages
from copyplugin.venues.ccxt.texts import decimal_of, milliseconds_of, text_of

RECENT = timedelta(days=3) - timedelta(hours=1)
"""What the venue's quick list of fills reaches back to; the slow one has three months."""

FEW_ORDERS = 5
"""So many orders are asked for one by one; of more, the list is read."""

Orders = Mapping[str, Row]


class OkxFills(OkxAccount):
    """The part of the dialect that tells of fills."""

    async def fills(
        self,
        client: Client,
        book: Book,
        since: datetime,
        until: datetime,
        symbols: Collection[Symbol] | None = None,
    ) -> Sequence[ListedFill]:
        assert client.account is not None
        found = await fill_rows(client, since, until, {})
        rows = [row for row in found if Symbol(row["instId"]) in book]
        if not rows:
            return []
        orders = await self._orders_of(client, rows)
        listed: list[ListedFill] = []
        for row in rows:
            symbol = Symbol(row["instId"])
            order, lot = orders.get(text_of(row, "ordId")), self.lot(symbol)
            backing = order or await self._backing(client, row)
            fill = okx_rows.leader_fill_from(row, backing, client.account, book[symbol], lot)
            resting = okx_rows.resting_value(order, book[symbol], lot)
            listed.append(ListedFill(fill=fill, resting_value=resting))
        return listed

    async def _orders_of(self, client: Client, rows: Sequence[Row]) -> Orders:
        """Return the orders of these fills; what the venue has forgotten is missing."""
        wanted = dict.fromkeys((row["instId"], text_of(row, "ordId")) for row in rows)
        named = [(symbol, number) for symbol, number in wanted if number]
        listed: Orders = {}
        if len(named) > FEW_ORDERS:
            # An order begins before its first fill: those that rested for long are asked for.
            first = min(int(okx_rows.fill_time(row)) for row in rows)
            params: Row = {**SWAP, "begin": first - int(timedelta(hours=1).total_seconds() * 1000)}
            method = "private_get_trade_orders_history_archive"
            listed = {row["ordId"]: row for row in await pages(client, method, params, "ordId")}
        missing = [name for name in named if name[1] not in listed]
        asked = await asyncio.gather(*(order_row(client, *name) for name in missing))
        return {**listed, **{row["ordId"]: row for row in asked if row is not None}}

    async def _backing(self, client: Client, row: Row) -> Row:
        """Return how the leg of a fill is held now, or would be, where its order is forgotten."""
        symbol = Symbol(row["instId"])
        for held in await self.position_rows(client, symbol):
            if held["posSide"] == row["posSide"]:
                return {"lever": held["lever"], "mgnMode": held["mgnMode"]}
        params: Row = {"instId": symbol, "mgnMode": "cross"}
        rows = await data(client, "private_get_account_leverage_info", params)
        return {"lever": rows[0]["lever"], "mgnMode": "cross"}

    async def watch(self, exchange: Any) -> None:
        await exchange.watch_my_trades(params={"type": "swap"})

    def is_subscribed(self, message: Row) -> bool:
        return message.get("event") == "subscribe" and message["arg"].get("channel") == "orders"

    def tells_of_fills(self, message: Row) -> bool:
        """Return whether an order's message is one of a fill: every change of an order is told."""
        arg: Row = message.get("arg") or {}
        rows: list[Row] = message.get("data") or []
        return arg.get("channel") == "orders" and any(
            decimal_of(row, "fillSz", "0") > 0 for row in rows
        )


async def fill_rows(
    client: Client,
    since: datetime,
    until: datetime,
    which: Row,
    *,
    urgency: Urgency = Urgency.READ,
) -> list[Row]:
    """Return the fills since a time, oldest first; `until` is about now.

    The venue does not say whether a list begins at its time or after it: it is asked for from a
    millisecond before, and by when rows were written, which is no earlier than the fill.
    """
    is_recent = until - since < RECENT
    method = "private_get_trade_fills" if is_recent else "private_get_trade_fills_history"
    params: Row = {**SWAP, **which, "begin": milliseconds_of(since) - 1}
    rows = await pages(client, method, params, "billId", urgency=urgency)
    first = milliseconds_of(since)
    return sorted((row for row in rows if int(okx_rows.fill_time(row)) >= first), key=_in_order)


def _in_order(row: Row) -> tuple[int, int]:
    return int(okx_rows.fill_time(row)), int(row["billId"])


async def order_row(
    client: Client, symbol: str, number: str, *, urgency: Urgency = Urgency.READ
) -> Row | None:
    """Return an order by the venue's number of it."""
    params: Row = {"instId": symbol, "ordId": number}
    return await one(client, "private_get_trade_order", params, urgency=urgency)


async def one(
    client: Client, method: str, params: Row, *, urgency: Urgency = Urgency.READ
) -> Row | None:
    """Ask for one thing by its name; None where the venue says that there is none."""
    answer = await client.ask_maybe(method, params, urgency=urgency)
    rows: list[Row] = [] if answer is None else answer["data"]
    return rows[0] if rows else None
