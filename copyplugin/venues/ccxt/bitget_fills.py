"""Bitget: an account's fills, with what their orders tell of them."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import Symbol
from copyplugin.venues.ccxt import bitget_rows
from copyplugin.venues.ccxt.bitget_account import FUTURES, BitgetAccount, pages, windows
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.dialect import Book, ListedFill
from copyplugin.venues.ccxt.gate import Urgency
from copyplugin.venues.ccxt.texts import text_of

FEW_ORDERS = 5
"""So many orders are asked for one by one; of more, the list is read."""

_EARLIER_MS = int(timedelta(hours=1).total_seconds() * 1000)
_FILLS = "private_mix_get_v2_mix_order_fills"
_NAMES = ("fillList", "tradeId")

Orders = Mapping[str, Row]


class BitgetFills(BitgetAccount):
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
        found = await windows(client, _FILLS, FUTURES, _NAMES, since, until)
        rows = sorted((row for row in found if Symbol(row["symbol"]) in book), key=_in_order)
        if not rows:
            return []
        orders = await _orders_of(client, rows)
        listed: list[ListedFill] = []
        for row in rows:
            order = orders.get(text_of(row, "orderId"))
            backing = order or await self._backing(client, row)
            instrument = book[Symbol(row["symbol"])]
            fill = bitget_rows.leader_fill_from(row, backing, client.account, instrument)
            listed.append(ListedFill(fill=fill, resting_value=bitget_rows.resting_value(order)))
        return listed

    async def _backing(self, client: Client, row: Row) -> Row:
        """Return how the symbol is set now, where the order of a fill is forgotten."""
        told = await self.settings(client, Symbol(row["symbol"]))
        name = "crossedMarginLeverage"
        if told["marginMode"] == "isolated":
            is_long = bitget_rows.leg_of(row) is PositionSide.LONG or row["side"] == "buy"
            name = "isolatedLongLever" if is_long else "isolatedShortLever"
        return {"leverage": str(told[name]), "marginMode": told["marginMode"]}

    async def watch(self, exchange: Any) -> None:
        await exchange.watch_my_trades()

    def is_subscribed(self, message: Row) -> bool:
        return message.get("event") == "subscribe" and message["arg"].get("channel") == "fill"

    def tells_of_fills(self, message: Row) -> bool:
        arg: Row = message.get("arg") or {}
        return "data" in message and arg.get("channel") == "fill"


def _in_order(row: Row) -> tuple[int, int]:
    return int(row["cTime"]), int(row["tradeId"])


async def _orders_of(client: Client, rows: Sequence[Row]) -> Orders:
    """Return the orders of these fills; what the venue has forgotten is missing."""
    wanted = dict.fromkeys((row["symbol"], text_of(row, "orderId")) for row in rows)
    named = [(symbol, number) for symbol, number in wanted if number]
    listed: Orders = {}
    if len(named) > FEW_ORDERS:
        # An order begins before its first fill: those that rested for long are asked for.
        first = int(rows[0]["cTime"]) - _EARLIER_MS
        params: Row = {**FUTURES, "startTime": str(first)}
        method = "private_mix_get_v2_mix_order_orders_history"
        found = await pages(client, method, params, ("entrustedList", "orderId"))
        listed = {row["orderId"]: row for row in found}
    missing = [name for name in named if name[1] not in listed]
    asked = await asyncio.gather(*(order_row(client, *name) for name in missing))
    return {**listed, **{row["orderId"]: row for row in asked if row is not None}}


async def order_row(
    client: Client, symbol: str, number: str, *, urgency: Urgency = Urgency.READ
) -> Row | None:
    """Return an order by the venue's number of it."""
    return await one_order(client, {"symbol": symbol, "orderId": number}, urgency=urgency)


async def one_order(client: Client, which: Row, *, urgency: Urgency = Urgency.READ) -> Row | None:
    """Ask for one order; None where the venue says that there is none."""
    method = "private_mix_get_v2_mix_order_detail"
    answer = await client.ask_maybe(method, {**FUTURES, **which}, urgency=urgency)
    return None if answer is None else answer["data"]


async def fills_of(client: Client, order: Row) -> list[Row]:
    """Return an order's fills, oldest first."""
    params: Row = {**FUTURES, "symbol": order["symbol"], "orderId": order["orderId"]}
    rows = await pages(client, _FILLS, params, _NAMES, urgency=Urgency.CLOSE)
    return sorted(rows, key=_in_order)
