"""Paging and times of the second dialect: a client that follows them sees all, once, in order."""

from simexchange.core import commands
from simexchange.core.types import OrderKind, Side
from simexchange.server.records.tape import DAY_US
from tests.wire.raw import RawBinance
from tests.wire.rig import ETH, SYMBOL, Rig


def advance(rig: Rig, microseconds: int) -> None:
    rig.call(lambda: rig.clock.advance(microseconds))
    rig.apply(commands.AdvanceTime())


def test_fills_are_followed_by_their_numbers(raw_binance: RawBinance) -> None:
    for _ in range(7):
        raw_binance.order(quantity="0.001")
    raw_binance.order(symbol=ETH, quantity="0.01")
    seen: list[int] = []
    while True:
        values = {} if not seen else {"fromId": seen[-1] + 1}
        start = values or {"fromId": 0}
        page = raw_binance.ask("GET", "/fapi/v1/userTrades", symbol=SYMBOL, limit=3, **start)
        if not page:
            break
        seen += [row["id"] for row in page]
    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen)
    latest = raw_binance.ask("GET", "/fapi/v1/userTrades", symbol=SYMBOL, limit=3)
    assert [row["id"] for row in latest] == seen[-3:]


def test_fills_are_filtered_by_time_both_ends_included(raw_binance: RawBinance) -> None:
    for _ in range(3):
        raw_binance.order(quantity="0.001")
        advance(raw_binance.rig, 1_000_000)
    path = "/fapi/v1/userTrades"
    every = raw_binance.ask("GET", path, symbol=SYMBOL)
    times = [row["time"] for row in every]
    middle = raw_binance.ask("GET", path, symbol=SYMBOL, startTime=times[1], endTime=times[1])
    assert middle == [every[1]]
    from_second = raw_binance.ask("GET", path, symbol=SYMBOL, startTime=times[1])
    assert from_second == every[1:]
    until_second = raw_binance.ask("GET", path, symbol=SYMBOL, endTime=times[1], limit=1)
    assert until_second == [every[1]]
    of_one_order = raw_binance.ask("GET", path, symbol=SYMBOL, orderId=every[2]["orderId"])
    assert of_one_order == [every[2]]


def test_what_is_older_than_a_week_is_asked_for_by_its_time(raw_binance: RawBinance) -> None:
    made = raw_binance.order()
    advance(raw_binance.rig, 8 * DAY_US)
    for path in ("/fapi/v1/userTrades", "/fapi/v1/allOrders"):
        assert raw_binance.ask("GET", path, symbol=SYMBOL) == []
        [old] = raw_binance.ask("GET", path, symbol=SYMBOL, startTime=made["updateTime"])
        assert old["orderId"] == made["orderId"]


def test_orders_are_followed_by_their_numbers(raw_binance: RawBinance) -> None:
    made = [raw_binance.limit_order(str(40_000 + step))["orderId"] for step in range(5)]
    path = "/fapi/v1/allOrders"
    first = raw_binance.ask("GET", path, symbol=SYMBOL, orderId=made[0], limit=2)
    assert [row["orderId"] for row in first] == made[:2]
    rest = raw_binance.ask("GET", path, symbol=SYMBOL, orderId=made[2])
    assert [row["orderId"] for row in rest] == made[2:]
    latest = raw_binance.ask("GET", path, symbol=SYMBOL, limit=2)
    assert [row["orderId"] for row in latest] == made[-2:]
    assert raw_binance.ask("GET", path, symbol=ETH) == []


def test_incomes_are_told_apart_and_paged(raw_binance: RawBinance) -> None:
    raw_binance.ask(
        "POST", "/sapi/v1/asset/transfer", type="MAIN_UMFUTURE", asset="USDT", amount="7.5"
    )
    raw_binance.order()
    raw_binance.order(side="SELL")
    path = "/fapi/v1/income"
    rows = raw_binance.ask("GET", path)
    kinds = [(row["incomeType"], row["income"]) for row in rows]
    assert kinds == [
        ("TRANSFER", "10000"),
        ("TRANSFER", "7.5"),
        ("COMMISSION", "-0.2750055"),
        ("REALIZED_PNL", "-0.02"),
        ("COMMISSION", "-0.2749945"),
    ]
    assert raw_binance.ask("GET", path, incomeType="REALIZED_PNL") == [rows[3]]
    assert raw_binance.ask("GET", path, symbol=ETH) == []
    start = rows[0]["time"]
    pages = [
        raw_binance.ask("GET", path, startTime=start, limit=2, page=page) for page in (1, 2, 3, 4)
    ]
    assert [len(page) for page in pages] == [2, 2, 1, 0]
    assert [row for page in pages for row in page] == rows
    wallet = raw_binance.ask("GET", "/fapi/v3/account")["totalWalletBalance"]
    assert wallet == "10006.93"


def test_candles_are_cut_to_what_is_asked_for(raw_binance: RawBinance) -> None:
    rig = raw_binance.rig
    taker = rig.open(contract=1_000_000)
    for side in (Side.BUY, Side.SELL, Side.BUY):
        rig.apply(commands.PlaceOrder(taker, SYMBOL, side, 10, OrderKind.MARKET))
        advance(rig, 60_000_000)
    path, asked = "/fapi/v1/klines", {"symbol": SYMBOL, "interval": "1m"}
    rows = raw_binance.public(path, **asked).json()
    assert [(row[1], row[5], row[8], row[9]) for row in rows] == [
        ("50001.0", "0.010", 1, "0.010"),
        ("49999.0", "0.010", 1, "0.000"),
        ("50001.0", "0.010", 1, "0.010"),
    ]
    assert rows[0][10] == "500.01"
    starts = [row[0] for row in rows]
    assert starts == [starts[0], starts[0] + 60_000, starts[0] + 120_000]
    assert raw_binance.public(path, **asked, limit=1).json() == rows[-1:]
    assert raw_binance.public(path, **asked, startTime=starts[1], limit=1).json() == rows[1:2]
    assert raw_binance.public(path, **asked, endTime=starts[1]).json() == rows[:2]
    hours = raw_binance.public(path, symbol=SYMBOL, interval="1d").json()
    assert sum(row[8] for row in hours) == 3
    continuous = raw_binance.public(
        "/fapi/v1/continuousKlines", pair=SYMBOL, interval="1m", contractType="PERPETUAL"
    )
    assert continuous.json() == rows


def test_public_trades_are_followed_by_their_numbers(raw_binance: RawBinance) -> None:
    rig = raw_binance.rig
    taker = rig.open(contract=1_000_000)
    for _ in range(5):
        rig.apply(commands.PlaceOrder(taker, SYMBOL, Side.BUY, 10, OrderKind.MARKET))
    rows = raw_binance.public("/fapi/v1/aggTrades", symbol=SYMBOL).json()
    assert [row["q"] for row in rows] == ["0.010"] * 5
    numbers = [row["a"] for row in rows]
    asked = {"symbol": SYMBOL, "fromId": numbers[1], "limit": 2}
    assert raw_binance.public("/fapi/v1/aggTrades", **asked).json() == rows[1:3]
    old = raw_binance.public("/fapi/v1/historicalTrades", **asked).json()
    assert [row["id"] for row in old] == numbers[1:3]
    assert old[0]["quoteQty"] == "500.01"
    span = {"symbol": SYMBOL, "startTime": rows[0]["T"], "endTime": rows[-1]["T"]}
    assert raw_binance.public("/fapi/v1/aggTrades", **span).json() == rows


def test_conditional_orders_are_paged(raw_binance: RawBinance) -> None:
    raw_binance.order()
    terms = {"algoType": "CONDITIONAL", "symbol": SYMBOL, "side": "SELL", "type": "STOP_MARKET"}
    made = [
        raw_binance.ask(
            "POST", "/fapi/v1/algoOrder", **terms, quantity="0.001", triggerPrice=str(40_000 + step)
        )["algoId"]
        for step in range(5)
    ]
    path = "/fapi/v1/allAlgoOrders"
    pages = [
        raw_binance.ask("GET", path, symbol=SYMBOL, limit=2, page=page) for page in (1, 2, 3, 4)
    ]
    assert [row["algoId"] for page in pages for row in page] == made
    later = raw_binance.ask("GET", path, symbol=SYMBOL, algoId=made[3])
    assert [row["algoId"] for row in later] == made[3:]


def test_funding_rates_are_filtered_by_time(raw_binance: RawBinance) -> None:
    rig = raw_binance.rig
    for _ in range(3):
        advance(rig, 8 * 3_600 * 1_000_000)
    path = "/fapi/v1/fundingRate"
    rows = raw_binance.public(path, symbol=SYMBOL).json()
    assert len(rows) == 3
    second = rows[1]["fundingTime"]
    assert raw_binance.public(path, symbol=SYMBOL, startTime=second, limit=1).json() == [rows[1]]
    assert raw_binance.public(path, symbol=SYMBOL, endTime=second).json() == rows[:2]
    assert len(raw_binance.public(path).json()) == 6


def test_transfers_are_paged_newest_first(raw_binance: RawBinance) -> None:
    made = [
        raw_binance.ask(
            "POST", "/sapi/v1/asset/transfer", type="MAIN_UMFUTURE", asset="USDT", amount=amount
        )["tranId"]
        for amount in ("1", "2", "3")
    ]
    page = raw_binance.ask(
        "GET", "/sapi/v1/asset/transfer", type="MAIN_UMFUTURE", size=2, current=1
    )
    assert (page["total"], [row["tranId"] for row in page["rows"]]) == (3, made[:0:-1])
    older = raw_binance.ask(
        "GET", "/sapi/v1/asset/transfer", type="MAIN_UMFUTURE", size=2, current=2
    )
    assert [row["tranId"] for row in older["rows"]] == made[:1]
