"""The three WebSockets through ccxt.pro: what is pushed agrees with what is asked over HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp
import pytest

from simexchange.core import commands
from simexchange.core.types import OrderKind, Side
from simexchange.server.wire_faults import WireFault, WirePlan, WireRule
from tests.wire.raw import Raw, signed
from tests.wire.rig import SYMBOL, UNIFIED, Rig


@asynccontextmanager
async def pro(rig: Rig, key=None) -> AsyncIterator:
    client = rig.ccxt_pro(key)
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


def trade(rig: Rig, side: Side, contracts: int) -> None:
    taker = rig.open(contract=1_000_000)
    rig.apply(commands.PlaceOrder(taker, SYMBOL, side, contracts, OrderKind.MARKET))


async def later(work, *arguments: object) -> None:
    """Do something on the exchange's side once the client is waiting."""
    await asyncio.sleep(0.1)
    await asyncio.to_thread(work, *arguments)


async def test_asynchronous_ccxt_trades_like_the_synchronous_one(rig: Rig) -> None:
    client = rig.ccxt_async(rig.key(rig.open()))
    try:
        await client.load_markets()
        many = [client.create_order(UNIFIED, "market", "buy", Decimal("0.001")) for _ in range(20)]
        made = await asyncio.gather(*many)
        assert len({order["id"] for order in made}) == 20
        [position] = await client.fetch_positions([UNIFIED])
        assert position["contracts"] == Decimal("0.02")
        trades = await client.fetch_my_trades(UNIFIED)
        assert {t["order"] for t in trades} == {order["id"] for order in made}
    finally:
        await client.close()


async def test_the_book_is_followed_level_by_level(rig: Rig) -> None:
    async with pro(rig) as client:
        book = await client.watch_order_book(UNIFIED)
        assert book["bids"][0] == [49_999, 20]
        change = asyncio.create_task(later(rig.quote, SYMBOL, "49998", "50003", "3"))
        async with asyncio.timeout(5):
            while book["asks"][0][0] != 50_003 or book["bids"][0] != [49_998, 3]:
                book = await client.watch_order_book(UNIFIED)
        await change
        rest = await client.fetch_order_book(UNIFIED)
        assert (book["bids"], book["asks"]) == (rest["bids"], rest["asks"])


async def test_the_ticker_changes_with_trades_and_mark(rig: Rig) -> None:
    async with pro(rig) as client:
        ticker = await client.watch_ticker(UNIFIED)
        assert ticker["bid"] == 49_999
        change = asyncio.create_task(later(trade, rig, Side.SELL, 5))
        async with asyncio.timeout(5):
            while ticker["last"] != 49_999:
                ticker = await client.watch_ticker(UNIFIED)
        await change
        mark = asyncio.create_task(later(rig.set_price, SYMBOL, "50123.4"))
        async with asyncio.timeout(5):
            while ticker["markPrice"] != Decimal("50123.4"):
                ticker = await client.watch_ticker(UNIFIED)
        await mark


async def test_public_trades_and_candles_are_pushed(rig: Rig) -> None:
    async with pro(rig) as client:
        change = asyncio.create_task(later(trade, rig, Side.BUY, 7))
        async with asyncio.timeout(5):
            [seen] = await client.watch_trades(UNIFIED)
        await change
        assert (seen["side"], seen["price"], seen["amount"]) == ("buy", 50_001, Decimal("0.007"))
        async with asyncio.timeout(5):
            candles = await client.watch_ohlcv(UNIFIED, "1m")
        assert candles[-1][4] == 50_001


async def test_private_pushes_agree_with_http(rig: Rig) -> None:
    async with pro(rig, rig.key(rig.open())) as client:
        waiting = [
            asyncio.create_task(client.watch_orders(UNIFIED)),
            asyncio.create_task(client.watch_my_trades(UNIFIED)),
            asyncio.create_task(client.watch_balance()),
        ]
        await asyncio.sleep(0.3)
        made = await client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
        async with asyncio.timeout(5):
            orders, trades, balance = await asyncio.gather(*waiting)
        asked = await client.fetch_order(made["id"], UNIFIED, {"acknowledged": True})
        for name in ("id", "status", "filled", "average", "cost"):
            assert orders[-1][name] == asked[name]
        assert trades[-1]["order"] == made["id"]
        [by_http] = await client.fetch_my_trades(UNIFIED)
        assert trades[-1]["id"] == by_http["id"]
        assert trades[-1]["info"]["execFee"] == by_http["info"]["execFee"]
        told = (await client.fetch_balance())["info"]["result"]["list"][0]
        assert balance["info"][0]["coin"] == told["coin"]
        assert balance["USDT"]["total"] == Decimal(told["totalEquity"])


async def test_positions_are_pushed_with_mark_leverage_and_liquidation_price(rig: Rig) -> None:
    async with pro(rig, rig.key(rig.open())) as client:
        assert await client.watch_positions([UNIFIED]) == []
        first = asyncio.create_task(client.watch_positions([UNIFIED]))
        await asyncio.sleep(0.3)
        await client.create_order(UNIFIED, "market", "sell", Decimal("0.01"))
        async with asyncio.timeout(5):
            [pushed] = await first
        [asked] = await client.fetch_positions([UNIFIED])
        for name in ("side", "contracts", "entryPrice", "leverage", "liquidationPrice"):
            assert pushed[name] == asked[name]
        assert pushed["markPrice"] == 50_000


async def test_a_trigger_order_is_pushed_on_the_same_topic(rig: Rig) -> None:
    async with pro(rig, rig.key(rig.open())) as client:
        waiting = asyncio.create_task(client.watch_orders(UNIFIED, params={"trigger": True}))
        await asyncio.sleep(0.3)
        trigger = {"triggerPrice": 51_000, "triggerDirection": "ascending"}
        made = await client.create_order(
            UNIFIED, "market", "buy", Decimal("0.01"), None, trigger | {"triggerBy": "MarkPrice"}
        )
        async with asyncio.timeout(5):
            [pushed] = await waiting
        assert pushed["id"] == made["id"]
        assert pushed["info"]["orderStatus"] == "Untriggered"


async def test_orders_are_placed_amended_and_cancelled_over_the_socket(rig: Rig) -> None:
    async with pro(rig, rig.key(rig.open())) as client:
        async with asyncio.timeout(5):
            made = await client.create_order_ws(
                UNIFIED, "limit", "buy", Decimal("0.01"), 40_000, {"clientOrderId": "w-1"}
            )
            assert made["clientOrderId"] == "w-1"
            await client.edit_order_ws(made["id"], UNIFIED, "limit", "buy", Decimal("0.02"), 41_000)
            [order] = await client.fetch_open_orders(UNIFIED)
            assert (order["price"], order["amount"]) == (41_000, Decimal("0.02"))
            await client.cancel_order_ws(made["id"], UNIFIED)
        assert await client.fetch_open_orders(UNIFIED) == []


# ---------------------------------------------------------------------------- by hand


@asynccontextmanager
async def socket(rig: Rig, path: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    address = rig.url.replace("http", "ws")
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{address}{path}", compress=15) as opened,
    ):
        yield opened


async def hear(opened: aiohttp.ClientWebSocketResponse) -> dict:
    return json.loads((await opened.receive(timeout=5)).data)


def auth(rig: Rig, key, *, expires: int | None = None) -> dict:
    at = expires if expires is not None else rig.edge.now() // 1_000 + 5_000
    signature = signed(key, f"GET/realtime{at}")
    return {"op": "auth", "args": [key.key, at, signature], "req_id": "login"}


async def test_compression_is_not_agreed_to(rig: Rig) -> None:
    async with socket(rig, "/v5/public/linear") as opened:
        assert opened.compress == 0


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/v5/public/linear", {"op": "ping", "ret_msg": "pong", "success": True}),
        ("/v5/private", {"op": "pong"}),
        ("/v5/trade", {"op": "pong", "retCode": 0}),
    ],
)
async def test_a_ping_is_answered(rig: Rig, path: str, answer: dict) -> None:
    async with socket(rig, path) as opened:
        await opened.send_json({"op": "ping", "req_id": "7"})
        heard = await hear(opened)
    assert heard.items() >= answer.items()


async def test_the_private_socket_asks_who_it_is(rig: Rig) -> None:
    key = rig.key(rig.open())
    wrong = auth(rig, key)
    wrong["args"][2] = "0" * 64
    async with socket(rig, "/v5/private") as opened:
        for message in (
            {"op": "subscribe", "args": ["order"]},
            wrong,
            auth(rig, key, expires=1),
            {"op": "auth", "args": []},
        ):
            await opened.send_json(message)
            assert (await hear(opened))["success"] is False
        await opened.send_json(auth(rig, key))
        logged_in = await hear(opened)
        assert (logged_in["success"], logged_in["req_id"]) == (True, "login")
        await opened.send_json({"op": "subscribe", "args": ["everything"]})
        assert (await hear(opened))["success"] is False


async def test_fast_executions_tell_of_trades_only_and_little(rig: Rig) -> None:
    account = await asyncio.to_thread(rig.open)
    key = await asyncio.to_thread(rig.key, account)
    async with socket(rig, "/v5/private") as opened:
        await opened.send_json(auth(rig, key))
        await hear(opened)
        await opened.send_json({"op": "subscribe", "args": ["execution.fast.linear"]})
        assert (await hear(opened))["success"] is True
        terms = {"side": "Buy", "qty": "0.01", "orderLinkId": "mine"}
        made = await asyncio.to_thread(lambda: Raw(rig, key).order(**terms))
        heard = await hear(opened)
        rig.apply(commands.SetFundingRate(SYMBOL, 10_000))
        rig.call(lambda: rig.clock.advance(8 * 3_600 * 1_000_000))
        rig.apply(commands.AdvanceTime())
        await asyncio.to_thread(lambda: Raw(rig, key).order(side="Sell", reduceOnly=True))
        closed = await hear(opened)
    assert (heard["topic"], set(heard)) == (
        "execution.fast.linear",
        {"topic", "creationTime", "data"},
    )
    [fill] = heard["data"]
    listed = {"execTime", "execId", "seq"}
    assert {name: value for name, value in fill.items() if name not in listed} == {
        "category": "linear",
        "symbol": SYMBOL,
        "execPrice": "50001.0",
        "execQty": "0.01",
        "orderId": made["result"]["orderId"],
        "isMaker": False,
        "orderLinkId": "mine",
        "side": "Buy",
    }
    assert set(fill) > listed
    assert [row["side"] for row in closed["data"]] == ["Sell"]  # and not the funding before


async def test_a_topic_that_is_not_there_is_refused(rig: Rig) -> None:
    async with socket(rig, "/v5/public/linear") as opened:
        for topic in ("tickers.NOPE", "orderbook.3.BTCUSDT", "kline.7.BTCUSDT", "x", 7):
            await opened.send_json({"op": "subscribe", "args": [topic]})
            assert (await hear(opened))["success"] is False
        await opened.send_str("not json")
        assert (await hear(opened))["success"] is False


async def test_deltas_of_the_book_rebuild_it_whatever_happened(rig: Rig) -> None:
    async with socket(rig, "/v5/public/linear") as opened:
        await opened.send_json({"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]})
        assert (await hear(opened))["success"] is True
        first = await hear(opened)
        assert first["type"] == "snapshot"
        sides = {name: dict(first["data"][name]) for name in ("b", "a")}
        updates = [first["data"]["u"]]
        quotes = [("49990", "50010", "1"), ("49995", "50002", "4"), ("49000", "51000", "9")]

        def move() -> None:
            for quote in quotes:
                rig.quote(SYMBOL, *quote)

        moving = asyncio.create_task(asyncio.to_thread(move))
        while sides != {"b": {"49000.0": "9"}, "a": {"51000.0": "9"}}:
            message = await hear(opened)
            assert message["type"] == "delta"
            updates.append(message["data"]["u"])
            for name, side in sides.items():
                for price, quantity in message["data"][name]:
                    if quantity == "0":
                        del side[price]
                    else:
                        side[price] = quantity
        await moving
        assert updates == list(range(updates[0], updates[0] + len(updates)))


async def test_order_answers_carry_the_id_of_their_request(rig: Rig) -> None:
    key = rig.key(rig.open())
    order = {
        "category": "linear",
        "symbol": SYMBOL,
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.001",
        "price": "40000",
    }
    async with socket(rig, "/v5/trade") as opened:
        header = {"X-BAPI-TIMESTAMP": str(rig.edge.now() // 1_000)}
        message = {"op": "order.create", "header": header, "args": [order]}
        await opened.send_json({**message, "reqId": "r0"})
        assert (await hear(opened))["retCode"] == 10007
        await opened.send_json(auth(rig, key))
        assert (await hear(opened))["retCode"] == 0
        await opened.send_json({**message, "reqId": "r1"})
        done = await hear(opened)
        assert (done["reqId"], done["retCode"], done["op"]) == ("r1", 0, "order.create")
        assert done["data"]["orderId"]
        assert done["header"]["X-Bapi-Limit"] == "20"
        await opened.send_json({**message, "reqId": "r1"})
        assert (await hear(opened))["retCode"] == 20006
        await opened.send_json({**message, "reqId": "r2", "op": "order.dance"})
        assert (await hear(opened))["retCode"] == 10404
        stale = {"X-BAPI-TIMESTAMP": "1"}
        await opened.send_json({**message, "reqId": "r3", "header": stale})
        assert (await hear(opened))["retCode"] == 10002
        legs = {"category": "linear", "request": [order, {**order, "qty": "0.0001"}]}
        batch = {"op": "order.create-batch", "header": header, "args": [legs], "reqId": "r4"}
        await opened.send_json(batch)
        answer = await hear(opened)
        assert [leg["code"] for leg in answer["retExtInfo"]["list"]] == [0, 10001]


async def private_orders(rig: Rig, opened: aiohttp.ClientWebSocketResponse, key) -> None:
    await opened.send_json(auth(rig, key))
    await hear(opened)
    await opened.send_json({"op": "subscribe", "args": ["order"]})
    await hear(opened)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (WireFault.STREAM_DUPLICATE, ["0", "0", "1", "1", "2", "2"]),
        (WireFault.STREAM_REORDER, ["1", "0", "3", "2"]),
        (WireFault.STREAM_DROP, []),
    ],
)
async def test_faults_of_the_stream_happen_to_its_messages(rig: Rig, fault, expected) -> None:
    account = rig.open()
    key = rig.key(account)
    async with socket(rig, "/v5/private") as opened:
        await private_orders(rig, opened, key)
        plan = WirePlan(seed="s", rules=(WireRule(fault=fault, paths=("order",)),))
        rig.call(lambda: rig.venue.faults.set_plan(plan))
        for number in range(4):
            rig.apply(
                commands.PlaceOrder(
                    account,
                    SYMBOL,
                    Side.BUY,
                    1,
                    OrderKind.LIMIT,
                    400_000,
                    client_order_id=str(number),
                )
            )
        heard = [(await hear(opened))["data"][0]["orderLinkId"] for _ in expected]
        assert heard == expected
        if not expected:
            await opened.send_json({"op": "ping"})
            assert (await hear(opened))["op"] == "pong"


async def test_a_silent_socket_stays_open_and_says_nothing(rig: Rig) -> None:
    account = rig.open()
    async with socket(rig, "/v5/private") as opened:
        await private_orders(rig, opened, rig.key(account))
        plan = WirePlan(rules=(WireRule(fault=WireFault.STREAM_SILENCE),))
        rig.call(lambda: rig.venue.faults.set_plan(plan))
        rig.apply(commands.PlaceOrder(account, SYMBOL, Side.BUY, 1, OrderKind.LIMIT, 400_000))
        await opened.send_json({"op": "ping"})
        with pytest.raises(TimeoutError):
            await opened.receive(timeout=0.5)
        assert not opened.closed


async def test_a_client_that_does_not_listen_is_disconnected() -> None:
    with Rig(socket_backlog=50, check_every=5_000) as rig:
        account = rig.open()
        async with socket(rig, "/v5/private") as opened:
            await private_orders(rig, opened, rig.key(account))
            opened._conn.transport.pause_reading()  # the client's kernel buffers fill up

            def flood() -> None:
                for number in range(12_000):
                    place = commands.PlaceOrder(
                        account, SYMBOL, Side.BUY, 1, OrderKind.LIMIT, 400_000 - number % 7
                    )
                    rig.simulation.apply(place)
                    rig.simulation.apply(commands.CancelAll(account, SYMBOL))

            await asyncio.to_thread(rig.call, flood)
            async with asyncio.timeout(5):
                while rig.call(lambda: rig.venue.records.of(account).watchers):  # noqa: ASYNC110 - another loop's
                    await asyncio.sleep(0.02)
