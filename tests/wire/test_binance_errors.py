"""What the second dialect refuses, and with which code."""

import pytest

from simexchange.server.keys import Grant
from tests.wire.raw import RawBinance
from tests.wire.rig import SYMBOL

ORDER = "/fapi/v1/order"
ALGO = "/fapi/v1/algoOrder"
MARKET = {"symbol": SYMBOL, "side": "BUY", "type": "MARKET", "quantity": "0.01"}
LIMIT = {**MARKET, "type": "LIMIT", "price": "40000", "timeInForce": "GTC"}
STOP = {
    "algoType": "CONDITIONAL",
    "symbol": SYMBOL,
    "side": "BUY",
    "type": "STOP_MARKET",
    "quantity": "0.01",
    "triggerPrice": "60000",
}


def changed(terms: dict[str, str], **changes: str | None) -> dict[str, str]:
    """Return terms with some changed, and those without that are None."""
    return {name: value for name, value in {**terms, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (changed(MARKET, symbol=None), -1102),
        (changed(MARKET, symbol=""), -1102),
        (changed(MARKET, symbol="NOPE"), -1121),
        (changed(MARKET, side=None), -1102),
        (changed(MARKET, side="HOLD"), -1117),
        (changed(MARKET, type=None), -1102),
        (changed(MARKET, type="ICEBERG"), -1116),
        (changed(MARKET, type="STOP_MARKET"), -4120),
        (changed(MARKET, quantity=None), -1102),
        (changed(MARKET, quantity=""), -1105),
        (changed(MARKET, quantity="much"), -1100),
        (changed(MARKET, quantity="-1"), -1100),
        (changed(MARKET, quantity="1e-3"), -1100),
        (changed(MARKET, quantity="0"), -4003),
        (changed(MARKET, quantity="0.0001"), -1111),
        (changed(MARKET, quantity="1000"), -4005),
        (changed(MARKET, price="50000"), -1106),
        (changed(MARKET, timeInForce="GTC"), -1106),
        (changed(MARKET, reduceOnly="maybe"), -4062),
        (changed(MARKET, reduceOnly="true"), -2022),
        (changed(MARKET, positionSide="UP"), -4060),
        (changed(MARKET, positionSide="LONG"), -4061),
        (changed(MARKET, newOrderRespType="FULL"), -1136),
        (changed(MARKET, newClientOrderId="with space"), -4015),
        (changed(MARKET, newClientOrderId="x" * 37), -4015),
        (changed(MARKET, selfTradePreventionMode="EXPIRE"), -5039),
        (changed(MARKET, priceMatch="QUEUE"), -5038),
        (changed(MARKET, colour="red"), -1104),
        (changed(MARKET, quantity="30"), -2019),
        (changed(LIMIT, price=None), -1102),
        (changed(LIMIT, price="0"), -4001),
        (changed(LIMIT, price="40000.05"), -1111),
        (changed(LIMIT, price="80000"), -4016),
        (changed(LIMIT, price="20000", side="SELL"), -4024),
        (changed(LIMIT, timeInForce=None), -1102),
        (changed(LIMIT, timeInForce="DAY"), -1115),
        (changed(LIMIT, timeInForce="GTD"), -1102),
        (changed(LIMIT, timeInForce="GTD", goodTillDate="1"), -5040),
        (changed(LIMIT, timeInForce="GTD", goodTillDate="253402300799000"), -5040),
        (changed(LIMIT, timeInForce="GTX", price="50001"), -5022),
        (changed(LIMIT, timeInForce="FOK", price="50001", quantity="21"), -2019),
        (changed(LIMIT, timeInForce="FOK"), -5021),
        (changed(LIMIT, goodTillDate="1"), -1106),
        (changed(LIMIT, priceMatch="QUEUE"), -1106),
        (changed(LIMIT, price=None, priceMatch="QUEUE_20"), -5041),
        (changed(LIMIT, price=None, priceMatch="BEST"), -5037),
        (changed(LIMIT, price="20000"), -4024),
    ],
)
def test_an_order_with_a_mistake_gets_the_venues_code(
    raw_binance: RawBinance, terms: dict[str, str], code: int
) -> None:
    before = raw_binance.rig.exchange.open_orders(raw_binance.key.account)
    assert raw_binance.refused("POST", ORDER, **terms) == (400, code)
    assert raw_binance.rig.exchange.open_orders(raw_binance.key.account) == before
    assert raw_binance.rig.exchange.positions(raw_binance.key.account) == []


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        (changed(STOP, algoType=None), -1102),
        (changed(STOP, algoType="VP"), -1130),
        (changed(STOP, type="LIMIT"), -1116),
        (changed(STOP, triggerPrice=None), -1102),
        (changed(STOP, triggerPrice="40000"), -2021),
        (changed(STOP, quantity=None), -1102),
        (changed(STOP, closePosition="true"), -4137),
        (changed(STOP, type="STOP"), -1102),
        (changed(STOP, price="60000"), -1106),
        (changed(STOP, workingType="INDEX"), -1130),
        (changed(STOP, clientAlgoId="with space"), -4015),
        (changed(STOP, timeInForce="GTD"), -1102),
        (changed(STOP, timeInForce="GTD", goodTillDate="4102444800000"), -1106),
        (changed(STOP, type="TRAILING_STOP_MARKET", triggerPrice=None), -1102),
        (
            changed(STOP, type="TRAILING_STOP_MARKET", triggerPrice=None, callbackRate="0.05"),
            -2007,
        ),
        (changed(STOP, type="TRAILING_STOP_MARKET", triggerPrice=None, callbackRate="11"), -2007),
    ],
)
def test_a_conditional_order_with_a_mistake_gets_the_venues_code(
    raw_binance: RawBinance, terms: dict[str, str], code: int
) -> None:
    trader = RawBinance(raw_binance.rig, raw_binance.rig.key(raw_binance.rig.open()))
    trader.order()  # so that there is a last price
    assert raw_binance.refused("POST", ALGO, **terms) == (400, code)
    assert raw_binance.ask("GET", "/fapi/v1/openAlgoOrders") == []


@pytest.mark.parametrize(
    ("method", "path", "values", "code"),
    [
        ("GET", ORDER, {"symbol": SYMBOL}, -1102),
        ("GET", ORDER, {"symbol": SYMBOL, "orderId": 99}, -2013),
        ("GET", ORDER, {"symbol": SYMBOL, "orderId": "first"}, -1100),
        ("GET", ORDER, {"symbol": SYMBOL, "origClientOrderId": "nobody"}, -2013),
        ("DELETE", ORDER, {"symbol": SYMBOL, "orderId": 99}, -2011),
        ("PUT", ORDER, {"symbol": SYMBOL, "orderId": 99, "side": "BUY"}, -1102),
        ("GET", "/fapi/v1/openOrder", {"symbol": SYMBOL, "orderId": 99}, -2013),
        ("GET", "/fapi/v1/openOrders", {"symbol": "NOPE"}, -1121),
        ("DELETE", "/fapi/v1/allOpenOrders", {}, -1102),
        ("GET", ALGO, {}, -1102),
        ("GET", ALGO, {"algoId": 99}, -2013),
        ("DELETE", ALGO, {"algoId": 99}, -2011),
        ("DELETE", ALGO, {"clientAlgoId": "nobody"}, -2011),
        ("POST", "/fapi/v1/leverage", {"symbol": SYMBOL, "leverage": 0}, -4028),
        ("POST", "/fapi/v1/leverage", {"symbol": SYMBOL, "leverage": 126}, -4028),
        ("POST", "/fapi/v1/leverage", {"symbol": SYMBOL, "leverage": "high"}, -1100),
        ("POST", "/fapi/v1/marginType", {"symbol": SYMBOL, "marginType": "CROSS"}, -1130),
        ("POST", "/fapi/v1/marginType", {"symbol": SYMBOL, "marginType": "ISOLATED"}, -4046),
        ("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "false"}, -4059),
        ("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "no"}, -1130),
        ("POST", "/fapi/v1/multiAssetsMargin", {"multiAssetsMargin": "true"}, -4171),
        (
            "POST",
            "/fapi/v1/positionMargin",
            {"symbol": SYMBOL, "amount": "1", "type": 1},
            -4054,
        ),
        (
            "POST",
            "/fapi/v1/positionMargin",
            {"symbol": SYMBOL, "amount": "0", "type": 1},
            -4055,
        ),
        ("POST", "/fapi/v1/batchOrders", {"batchOrders": "[]"}, -4082),
        ("POST", "/fapi/v1/batchOrders", {"batchOrders": "no list"}, -1130),
        ("DELETE", "/fapi/v1/batchOrders", {"symbol": SYMBOL, "orderIdList": "[[]]"}, -1130),
        ("GET", "/fapi/v1/allOrders", {"symbol": SYMBOL, "limit": 1_001}, -1130),
        ("GET", "/fapi/v1/allOrders", {"symbol": SYMBOL, "limit": 0}, -1130),
        ("GET", "/fapi/v1/allOrders", {"symbol": SYMBOL, "startTime": 2, "endTime": 1}, -1023),
        (
            "GET",
            "/fapi/v1/userTrades",
            {"symbol": SYMBOL, "startTime": 0, "endTime": 8 * 86_400_000},
            -4165,
        ),
        ("GET", "/fapi/v1/userTrades", {"symbol": SYMBOL, "fromId": 1, "startTime": 1}, -1128),
        ("GET", "/fapi/v1/income", {"limit": 2_000}, -1130),
        ("PUT", "/fapi/v1/listenKey", {}, -1125),
        ("POST", "/sapi/v1/asset/transfer", {"type": "X", "asset": "USDT", "amount": "1"}, -1102),
        (
            "POST",
            "/sapi/v1/asset/transfer",
            {"type": "MAIN_UMFUTURE", "asset": "BTC", "amount": "1"},
            -1108,
        ),
        (
            "POST",
            "/sapi/v1/asset/transfer",
            {"type": "MAIN_UMFUTURE", "asset": "USDT", "amount": "501"},
            -9000,
        ),
    ],
)
def test_a_question_with_a_mistake_gets_the_venues_code(
    raw_binance: RawBinance, method: str, path: str, values: dict[str, object], code: int
) -> None:
    assert raw_binance.refused(method, path, **values) == (400, code)


@pytest.mark.parametrize(
    ("path", "values", "code"),
    [
        ("/fapi/v1/depth", {"symbol": SYMBOL, "limit": 7}, -4021),
        ("/fapi/v1/depth", {}, -1102),
        ("/fapi/v1/klines", {"symbol": SYMBOL, "interval": "7m"}, -1120),
        ("/fapi/v1/klines", {"symbol": SYMBOL, "interval": "1m", "limit": 1_501}, -1130),
        ("/fapi/v1/klines", {"symbol": SYMBOL, "interval": "1m", "startTime": "now"}, -1100),
        ("/fapi/v1/trades", {"symbol": SYMBOL, "limit": 1_001}, -1130),
        ("/fapi/v1/aggTrades", {"symbol": SYMBOL, "startTime": 0, "endTime": 9_999_999}, -1127),
        ("/fapi/v1/ticker/24hr", {"symbol": "NOPE"}, -1121),
        ("/fapi/v1/fundingRate", {"symbol": SYMBOL, "startTime": 2, "endTime": 1}, -1023),
        ("/fapi/v1/ping", {"colour": "red"}, -1104),
    ],
)
def test_a_public_question_with_a_mistake_gets_the_venues_code(
    raw_binance: RawBinance, path: str, values: dict[str, object], code: int
) -> None:
    answer = raw_binance.public(path, **values)
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"timestamp": 1}, -1021),
        ({"timestamp": 9_999_999_999_999}, -1021),
        ({"timestamp": "now"}, -1102),
        ({"recvWindow": "wide"}, -1102),
    ],
)
def test_the_time_of_a_request_is_checked(raw_binance: RawBinance, values, code: int) -> None:
    assert raw_binance.refused("GET", "/fapi/v3/account", **values) == (400, code)


def test_the_window_is_as_wide_as_the_client_says(raw_binance: RawBinance) -> None:
    late = raw_binance.rig.edge.now() // 1_000 - 7_000
    account = "/fapi/v3/account"
    assert raw_binance.refused("GET", account, timestamp=late) == (400, -1021)
    assert raw_binance.ask("GET", account, timestamp=late, recvWindow=10_000)["assets"]


def test_signature_key_and_permission_have_their_own_codes(raw_binance: RawBinance) -> None:
    rig = raw_binance.rig
    url = f"{rig.url}/fapi/v3/account"
    unsigned = raw_binance.session.get(f"{url}?timestamp=1", timeout=10)
    assert unsigned.json()["code"] == -1102
    wrong = raw_binance.session.get(f"{url}?{raw_binance.signed()}0", timeout=10)
    assert (wrong.status_code, wrong.json()["code"]) == (400, -1022)
    raw_binance.session.headers["X-MBX-APIKEY"] = "nobody"
    assert raw_binance.refused("GET", "/fapi/v3/account") == (401, -2015)
    del raw_binance.session.headers["X-MBX-APIKEY"]
    assert raw_binance.refused("GET", "/fapi/v3/account") == (401, -2014)
    reader = RawBinance(rig, rig.key(rig.open(), Grant()))
    assert reader.ask("GET", "/fapi/v3/account")["assets"]
    assert reader.refused("POST", ORDER, **MARKET) == (401, -2015)
    elsewhere = RawBinance(rig, rig.key(rig.open(), addresses=("10.0.0.0/8",)))
    assert elsewhere.refused("GET", "/fapi/v3/account") == (401, -2015)


def test_a_position_keeps_modes_and_leverage_as_the_venue_does(raw_binance: RawBinance) -> None:
    raw_binance.order()
    dual = "/fapi/v1/positionSide/dual"
    assert raw_binance.refused("POST", dual, dualSidePosition="true") == (400, -4068)
    cross = {"symbol": SYMBOL, "marginType": "CROSSED"}
    assert raw_binance.refused("POST", "/fapi/v1/marginType", **cross) == (400, -4048)
    lower = {"symbol": SYMBOL, "leverage": 2}
    assert raw_binance.refused("POST", "/fapi/v1/leverage", **lower) == (400, -4161)


def test_an_open_order_keeps_the_modes_too(raw_binance: RawBinance) -> None:
    raw_binance.limit_order("40000")
    dual = "/fapi/v1/positionSide/dual"
    assert raw_binance.refused("POST", dual, dualSidePosition="true") == (400, -4067)
    cross = {"symbol": SYMBOL, "marginType": "CROSSED"}
    assert raw_binance.refused("POST", "/fapi/v1/marginType", **cross) == (400, -4047)


def test_in_hedge_mode_a_leg_is_named_and_nothing_is_reduce_only(raw_binance: RawBinance) -> None:
    raw_binance.ask("POST", "/fapi/v1/positionSide/dual", dualSidePosition="true")
    assert raw_binance.refused("POST", ORDER, **MARKET) == (400, -4061)
    legged = {**MARKET, "positionSide": "LONG"}
    assert raw_binance.refused("POST", ORDER, **legged, reduceOnly="true") == (400, -1106)
    assert raw_binance.order(positionSide="LONG")["status"] == "FILLED"


def test_an_order_cannot_be_changed_into_itself_or_after_its_end(raw_binance: RawBinance) -> None:
    made = raw_binance.limit_order("40000")
    terms = {"symbol": SYMBOL, "orderId": made["orderId"], "side": "BUY"}
    same = {**terms, "quantity": "0.01", "price": "40000"}
    assert raw_binance.refused("PUT", ORDER, **same) == (400, -5027)
    assert raw_binance.refused("PUT", ORDER, **{**same, "side": "SELL"}) == (400, -1117)
    raw_binance.ask("DELETE", ORDER, symbol=SYMBOL, orderId=made["orderId"])
    assert raw_binance.refused("PUT", ORDER, **{**same, "price": "41000"}) == (400, -2013)
    assert raw_binance.refused("DELETE", ORDER, symbol=SYMBOL, orderId=made["orderId"]) == (
        400,
        -2011,
    )


def test_an_order_that_is_worth_too_little_is_refused(raw_binance: RawBinance) -> None:
    raw_binance.rig.set_price(SYMBOL, "4000")
    small = {**LIMIT, "quantity": "0.001", "price": "4000"}
    assert raw_binance.refused("POST", ORDER, **small) == (400, -4164)


def test_flags_may_be_written_as_python_writes_them(raw_binance: RawBinance) -> None:
    raw_binance.order()
    closed = raw_binance.order(side="SELL", reduceOnly=True)
    assert (closed["status"], closed["reduceOnly"]) == ("FILLED", True)
