"""The second dialect's streams through ccxt.pro."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import ccxt
import pytest

from simexchange.core import commands
from simexchange.core.types import OrderKind, Side
from tests.wire.rig import SYMBOL, UNIFIED, Rig


@asynccontextmanager
async def pro(rig: Rig, key=None) -> AsyncIterator:
    client = rig.binance_pro(key)
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


async def later(work, *arguments: object) -> None:
    await asyncio.sleep(0.3)
    await asyncio.to_thread(work, *arguments)


async def test_the_book_is_followed_from_snapshot_and_updates(rig: Rig) -> None:
    async with pro(rig) as client:
        change = asyncio.create_task(later(rig.quote, SYMBOL, "49998", "50003", "3"))
        async with asyncio.timeout(8):
            book = await client.watch_order_book(UNIFIED)
            while book["asks"][0][0] != 50_003 or book["bids"][0] != [49_998, 3]:
                book = await client.watch_order_book(UNIFIED)
        await change
        rest = await client.fetch_order_book(UNIFIED)
        assert (book["bids"], book["asks"]) == (rest["bids"], rest["asks"])


async def test_ticker_mark_price_and_trades_are_pushed(rig: Rig) -> None:
    async with pro(rig) as client:
        async with asyncio.timeout(8):
            mark = await client.watch_mark_price(UNIFIED)
            assert mark["markPrice"] == 50_000
            ticker = await client.watch_ticker(UNIFIED)
        taker = rig.open(contract=100_000)
        order = commands.PlaceOrder(taker, SYMBOL, Side.BUY, 7, OrderKind.MARKET)
        change = asyncio.create_task(later(rig.apply, order))
        async with asyncio.timeout(8):
            [trade] = await client.watch_trades(UNIFIED)
            while ticker["last"] != 50_001:
                ticker = await client.watch_ticker(UNIFIED)
        await change
        assert (trade["price"], trade["amount"]) == (50_001, Decimal("0.007"))


async def test_the_user_stream_agrees_with_http(rig: Rig) -> None:
    async with pro(rig, rig.key(rig.open())) as client:
        waiting = [
            asyncio.create_task(client.watch_orders(UNIFIED)),
            asyncio.create_task(client.watch_my_trades(UNIFIED)),
            asyncio.create_task(client.watch_balance()),
        ]
        await asyncio.sleep(0.5)
        made = await client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
        async with asyncio.timeout(8):
            orders, trades, balance = await asyncio.gather(*waiting)
        assert (orders[-1]["id"], orders[-1]["status"]) == (made["id"], "closed")
        [by_http] = await client.fetch_my_trades(UNIFIED)
        assert trades[-1]["id"] == by_http["id"]
        assert trades[-1]["price"] == 50_001
        asked = await client.fetch_balance()
        assert balance["USDT"]["total"] == Decimal(asked["info"]["totalWalletBalance"])


async def test_candles_and_all_tickers_are_pushed(rig: Rig) -> None:
    async with pro(rig) as client:
        taker = rig.open(contract=100_000)
        for side in (Side.BUY, Side.SELL):
            rig.apply(commands.PlaceOrder(taker, SYMBOL, side, 7, OrderKind.MARKET))
        async with asyncio.timeout(8):
            [candle] = await client.watch_ohlcv(UNIFIED, "1m")
            assert [str(value) for value in candle[1:]] == [
                "50001.0",
                "50001.0",
                "49999.0",
                "49999.0",
                "0.014",
            ]
            tickers = await client.watch_tickers()
            best = await client.watch_bids_asks([UNIFIED])
            marks = await client.watch_mark_prices()
        assert tickers[UNIFIED]["last"] == 49_999
        assert (best[UNIFIED]["bid"], best[UNIFIED]["ask"]) == (49_999, 50_001)
        assert marks[UNIFIED]["markPrice"] == 50_000


async def test_a_liquidation_is_told_to_everyone(rig: Rig) -> None:
    async with pro(rig) as client:
        taker = rig.open(contract=100)
        rig.apply(commands.PlaceOrder(taker, SYMBOL, Side.BUY, 10, OrderKind.MARKET))
        waiting = asyncio.create_task(client.watch_liquidations(UNIFIED))
        await asyncio.sleep(0.3)
        rig.set_price(SYMBOL, "44000")
        async with asyncio.timeout(8):
            [forced] = await waiting
        assert (forced["side"], forced["info"]["q"]) == ("sell", "0.010")
        assert forced["info"]["ap"] == "44000.0"


async def test_orders_are_placed_and_cancelled_over_the_socket(rig: Rig) -> None:
    async with pro(rig, rig.key(rig.open())) as client:
        async with asyncio.timeout(8):
            made = await client.create_order_ws(
                UNIFIED, "limit", "buy", Decimal("0.01"), 40_000, {"newClientOrderId": "w-1"}
            )
            assert (made["clientOrderId"], made["status"]) == ("w-1", "open")
            asked = await client.fetch_order_ws(made["id"], UNIFIED)
            assert asked["price"] == 40_000
            await client.cancel_order_ws(made["id"], UNIFIED)
            with pytest.raises(ccxt.OrderNotFound):
                await client.cancel_order_ws(made["id"], UNIFIED)
        assert await client.fetch_open_orders(UNIFIED) == []
