"""What the served exchange refuses, and with which of the venue's codes."""

import pytest
import requests

from simexchange.core import commands
from simexchange.core.types import SECOND_US, OrderKind, RejectReason, Side
from simexchange.server.bybit.errors import REFUSALS
from simexchange.server.keys import Grant
from simexchange.server.wire_faults import WireFault, WirePlan, WireRule
from tests.wire.raw import Raw
from tests.wire.rig import SYMBOL, Rig

WALLET = "/v5/account/wallet-balance"


@pytest.fixture
def raw(rig: Rig) -> Raw:
    return Raw(rig, rig.key(rig.open()))


def test_every_refusal_of_the_exchange_has_an_answer() -> None:
    assert set(REFUSALS) == set(RejectReason)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"name": "nobody"}, 10003),
        ({"signature": "00"}, 10004),
        ({"stamp": "1"}, 10002),
        ({"stamp": "99999999999999"}, 10002),
        ({"stamp": "now"}, 10001),
        ({"window": "-1"}, 10001),
    ],
)
def test_what_is_signed_wrongly_is_refused(raw: Raw, wrong, code) -> None:
    answer = raw.get(WALLET, wrong, accountType="UNIFIED")
    assert (answer.status_code, answer.json()["retCode"]) == (200, code)


def test_a_request_without_a_key_is_not_let_in(rig: Rig) -> None:
    answer = requests.get(f"{rig.url}{WALLET}", timeout=10)
    assert (answer.status_code, answer.json()["retCode"]) == (401, 10007)


def test_the_signature_covers_the_query_and_the_body(raw: Raw, rig: Rig) -> None:
    headers = raw.headers("accountType=UNIFIED")
    other = requests.get(f"{rig.url}{WALLET}?accountType=SPOT", headers=headers, timeout=10)
    assert other.json()["retCode"] == 10004
    headers = raw.headers('{"category":"linear"}')
    changed = requests.post(
        f"{rig.url}/v5/order/cancel-all", '{"category": "linear"}', headers=headers, timeout=10
    )
    assert changed.json()["retCode"] == 10004


def test_a_wider_window_lets_an_older_request_in(raw: Raw, rig: Rig) -> None:
    old = {"stamp": str(rig.edge.now() // 1_000 - 8_000)}
    assert raw.get(WALLET, old, accountType="UNIFIED").json()["retCode"] == 10002
    wide = old | {"window": "20000"}
    assert raw.get(WALLET, wide, accountType="UNIFIED").json()["retCode"] == 0


def test_a_read_only_key_reads_and_does_nothing_else(rig: Rig) -> None:
    raw = Raw(rig, rig.key(rig.open(), Grant()))
    assert raw.get(WALLET, accountType="UNIFIED").json()["retCode"] == 0
    assert raw.order()["retCode"] == 10005
    said = raw.get("/v5/user/query-api").json()["result"]
    assert said["readOnly"] == 1
    assert not any(said["permissions"].values())


def test_a_trading_key_cannot_move_money(rig: Rig) -> None:
    raw = Raw(rig, rig.key(rig.open(), Grant(trade=True)))
    assert raw.order()["retCode"] == 0
    move = {
        "transferId": "5d7b0c8e-3f0b-4b43-9c7e-0a5f3c2b1d4e",
        "coin": "USDT",
        "amount": "1",
        "fromAccountType": "UNIFIED",
        "toAccountType": "FUND",
    }
    assert raw.post("/v5/asset/transfer/inter-transfer", move).json()["retCode"] == 10005


def test_a_key_bound_to_addresses_works_from_those_alone(rig: Rig) -> None:
    account = rig.open()
    here = Raw(rig, rig.key(account, addresses=("127.0.0.0/8",)))
    elsewhere = Raw(rig, rig.key(account, addresses=("10.0.0.7",)))
    assert here.get(WALLET, accountType="UNIFIED").json()["retCode"] == 0
    assert elsewhere.get(WALLET, accountType="UNIFIED").json()["retCode"] == 10010


def test_an_expired_and_a_revoked_key_are_refused(rig: Rig) -> None:
    expired = Raw(rig, rig.key(rig.open(), expires_at=rig.edge.now() - SECOND_US))
    assert expired.get(WALLET, accountType="UNIFIED").json()["retCode"] == 33004
    raw = Raw(rig, rig.key(rig.open()))
    assert raw.post("/v5/user/delete-api", {}).json()["retCode"] == 0
    assert raw.get(WALLET, accountType="UNIFIED").json()["retCode"] == 10003


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"symbol": "NOPEUSDT"}, 10001),
        ({"qty": "0.0005"}, 10001),
        ({"qty": "0"}, 10001),
        ({"qty": "-1"}, 10001),
        ({"qty": "1e3"}, 10001),
        ({"qty": "101"}, 10001),  # more than the maximum
        ({"side": "buy"}, 10001),
        ({"orderType": "Limit"}, 10001),
        ({"orderType": "Limit", "price": "49999.95"}, 10001),
        ({"orderType": "Limit", "price": "0"}, 110003),
        ({"orderType": "Limit", "price": "100000"}, 110003),  # outside the price band
        ({"orderType": "Limit", "price": "4000", "qty": "0.001"}, 110003),
        ({"orderType": "Limit", "price": "30000", "qty": "0.001", "timeInForce": "GTD"}, 10001),
        ({"positionIdx": 1}, 10001),
        ({"category": "spot"}, 10001),
        ({"orderLinkId": "a b"}, 10001),
        ({"orderLinkId": "x" * 37}, 10001),
        ({"clientOrderId": "a"}, 10001),
        ({"reduceOnly": True}, 110017),
        ({"qty": "10"}, 110007),
        ({"triggerPrice": "51000"}, 10001),
        ({"triggerPrice": "49000", "triggerDirection": 1, "triggerBy": "MarkPrice"}, 110092),
        ({"triggerPrice": "51000", "triggerDirection": 2, "triggerBy": "MarkPrice"}, 110093),
        ({"takeProfit": "49000"}, 10001),
        ({"stopLoss": "51000"}, 10001),
    ],
)
def test_an_order_that_breaks_a_rule_is_refused_and_nothing_happens(raw: Raw, terms, code) -> None:
    before = raw.get(WALLET, accountType="UNIFIED").json()["result"]
    assert raw.order(**terms)["retCode"] == code
    assert raw.get(WALLET, accountType="UNIFIED").json()["result"] == before


def test_an_order_below_the_smallest_value_is_refused(raw: Raw, rig: Rig) -> None:
    rig.set_price(SYMBOL, "4000")
    answer = raw.order(orderType="Limit", price="4000", qty="0.001")
    assert answer["retCode"] == 110094


def test_a_client_id_is_used_once(raw: Raw) -> None:
    assert raw.order(orderLinkId="once")["retCode"] == 0
    assert raw.order(orderLinkId="once")["retCode"] == 110072
    conditional = {"triggerPrice": "52000", "triggerDirection": 1, "triggerBy": "MarkPrice"}
    assert raw.order(orderLinkId="once", **conditional)["retCode"] == 110072


def test_an_order_that_is_not_there_cannot_be_cancelled(raw: Raw) -> None:
    cancel = {"category": "linear", "symbol": SYMBOL}
    for name in ({"orderId": "None"}, {"orderLinkId": "nothing"}):
        assert raw.post("/v5/order/cancel", cancel | name).json()["retCode"] == 110001
    assert raw.post("/v5/order/cancel", cancel).json()["retCode"] == 10001
    done = raw.order()["result"]
    assert (
        raw.post("/v5/order/cancel", cancel | {"orderId": done["orderId"]}).json()["retCode"]
        == 110001
    )


def test_another_accounts_order_cannot_be_touched(raw: Raw, rig: Rig) -> None:
    other = Raw(rig, rig.key(rig.open()))
    order_id = raw.order(orderType="Limit", price="40000")["result"]["orderId"]
    cancel = {"category": "linear", "symbol": SYMBOL, "orderId": order_id}
    assert other.post("/v5/order/cancel", cancel).json()["retCode"] == 110001
    listed = other.get("/v5/order/realtime", category="linear", symbol=SYMBOL).json()
    assert listed["result"]["list"] == []


@pytest.mark.parametrize("body", ["", "[]", "{", '{"category": 7}', '"text"', "null"])
def test_a_body_that_is_no_request_is_refused(raw: Raw, body) -> None:
    assert raw.post("/v5/order/create", body).json()["retCode"] == 10001


def test_an_unknown_path_is_not_found(raw: Raw) -> None:
    assert raw.get("/v5/order/everything").status_code == 404
    assert raw.get("/v5/order/create").status_code == 404


def test_queries_need_what_the_venue_needs(raw: Raw) -> None:
    for path in ("/v5/order/realtime", "/v5/position/list"):
        assert raw.get(path, category="linear").json()["retCode"] == 10001
    assert raw.get("/v5/order/realtime", symbol=SYMBOL).json()["retCode"] == 10001
    too_many = raw.get("/v5/order/history", category="linear", limit=51).json()
    assert too_many["retCode"] == 10001
    assert raw.get(WALLET, accountType="SPOT").json()["retCode"] == 10001


def test_the_other_categories_have_empty_markets(rig: Rig) -> None:
    for category in ("spot", "inverse", "option"):
        for path in ("instruments-info", "tickers"):
            url = f"{rig.url}/v5/market/{path}?category={category}"
            answer = requests.get(url, timeout=10).json()
            assert (answer["retCode"], answer["result"]["list"]) == (0, [])


def test_numbers_are_taken_for_decimal_texts_exactly(raw: Raw) -> None:
    body = (
        '{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit",'
        '"qty":0.001,"price":40000.1}'
    )
    assert raw.post("/v5/order/create", body).json()["retCode"] == 0
    listed = raw.get("/v5/order/realtime", category="linear", symbol=SYMBOL).json()
    [row] = listed["result"]["list"]
    assert (row["qty"], row["price"]) == ("0.001", "40000.1")


# ---------------------------------------------------------------------------- limits


def test_the_limit_of_an_endpoint_is_per_account(limited_rig: Rig) -> None:
    raw = Raw(limited_rig, limited_rig.key(limited_rig.open()))
    other = Raw(limited_rig, limited_rig.key(limited_rig.open()))
    limited_rig.call(limited_rig.venue.limits.forget)
    answers = [raw.order(qty="0.001") for _ in range(60)]
    codes = {answer["retCode"] for answer in answers}
    assert codes == {0, 10006}
    assert other.order(qty="0.001")["retCode"] == 0
    assert raw.get(WALLET, accountType="UNIFIED").json()["retCode"] == 0


def test_the_headers_say_what_is_left_and_when_it_comes_back(limited_rig: Rig) -> None:
    raw = Raw(limited_rig, limited_rig.key(limited_rig.open()))
    cancel = {"category": "linear", "symbol": SYMBOL, "orderLinkId": "nothing"}
    now_ms = limited_rig.edge.now() // 1_000
    for _ in range(100):
        answer = raw.post("/v5/order/cancel", cancel)
        assert answer.headers["X-Bapi-Limit"] == "20"
        if answer.json()["retCode"] == 10006:
            break
    assert answer.json()["retCode"] == 10006
    assert answer.headers["X-Bapi-Limit-Status"] == "0"
    assert int(answer.headers["X-Bapi-Limit-Reset-Timestamp"]) > now_ms


def test_an_address_that_asks_too_often_is_shut_out(limited_rig: Rig) -> None:
    session = requests.Session()
    url = f"{limited_rig.url}/v5/market/time"
    statuses = [session.get(url, timeout=10).status_code for _ in range(1_300)]
    assert 403 in statuses
    assert statuses.index(403) >= 600


# ---------------------------------------------------------------------------- faults


def plan(fault: WireFault, **more: object) -> WirePlan:
    return WirePlan(seed="fault", rules=(WireRule(fault=fault, **more),))


def test_a_lost_request_was_not_carried_out_and_a_lost_answer_was(raw: Raw, rig: Rig) -> None:
    for fault, orders in ((WireFault.LOST_REQUEST, 0), (WireFault.LOST_ANSWER, 1)):
        rig.call(lambda f=fault: rig.venue.faults.set_plan(plan(f, paths=("/v5/order/create",))))
        with pytest.raises(requests.ConnectionError):
            raw.order(orderType="Limit", price="40000", orderLinkId=fault.value)
        listed = raw.get("/v5/order/realtime", category="linear", symbol=SYMBOL).json()
        assert len(listed["result"]["list"]) == orders


def test_errors_of_the_venue_come_as_the_venue_has_them(raw: Raw, rig: Rig) -> None:
    rig.call(lambda: rig.venue.faults.set_plan(plan(WireFault.SERVER_ERROR)))
    assert raw.get(WALLET, accountType="UNIFIED").status_code == 502
    rig.call(lambda: rig.venue.faults.set_plan(plan(WireFault.MAINTENANCE)))
    assert raw.get(WALLET, accountType="UNIFIED").status_code == 503
    rig.call(lambda: rig.venue.faults.set_plan(plan(WireFault.RATE_LIMIT)))
    limited = raw.get(WALLET, accountType="UNIFIED")
    assert limited.json()["retCode"] == 10006
    rig.call(lambda: rig.venue.faults.set_plan(WirePlan()))
    assert raw.get(WALLET, accountType="UNIFIED").json()["retCode"] == 0


def test_a_skewed_clock_refuses_who_trusts_his_own(raw: Raw, rig: Rig) -> None:
    skew = plan(WireFault.CLOCK_SKEW, skew_us=30 * SECOND_US)
    rig.call(lambda: rig.venue.faults.set_plan(skew))
    assert raw.get(WALLET, accountType="UNIFIED").json()["retCode"] == 10002
    client = rig.ccxt(raw.key)
    client.load_time_difference()
    client.load_markets()
    assert client.fetch_balance()["USDT"]["total"] == 10_000


def test_the_same_seed_strikes_the_same_requests(raw: Raw, rig: Rig) -> None:
    half = plan(WireFault.SERVER_ERROR, chance=50_000_000)

    def statuses() -> list[int]:
        rig.call(lambda: rig.venue.faults.set_plan(half))
        return [raw.get(WALLET, accountType="UNIFIED").status_code for _ in range(30)]

    first = statuses()
    assert set(first) == {200, 502}
    assert statuses() == first


def test_latency_delays_the_answer_and_loses_nothing(raw: Raw, rig: Rig) -> None:
    late = plan(WireFault.LATENCY, delay_us_min=150_000, delay_us_max=200_000)
    rig.call(lambda: rig.venue.faults.set_plan(late))
    answer = raw.get(WALLET, accountType="UNIFIED")
    assert answer.json()["retCode"] == 0
    assert answer.elapsed.total_seconds() >= 0.15


def test_a_frozen_member_is_shut_out(rig: Rig) -> None:
    master = Raw(rig, rig.key(rig.open()))
    made = master.post("/v5/user/create-sub-member", {"username": "member01", "memberType": 1})
    uid = int(made.json()["result"]["uid"])
    member = Raw(rig, rig.key(uid))
    assert member.get(WALLET, accountType="UNIFIED").json()["retCode"] == 0
    freeze = {"subuid": uid, "frozen": 1}
    assert master.post("/v5/user/frozen-sub-member", freeze).json()["retCode"] == 0
    assert member.get(WALLET, accountType="UNIFIED").json()["retCode"] == 10008
    rig.apply(commands.AdvanceTime())


def test_a_plan_that_fails_meanwhile_is_no_answer_to_the_order_that_fired_it(
    raw: Raw, rig: Rig
) -> None:
    trader = rig.open(contract=1_000_000)
    rig.apply(commands.PlaceOrder(trader, SYMBOL, Side.SELL, 1, OrderKind.MARKET))
    poor = rig.open(contract=1)
    plan_order = commands.PlacePlanOrder(poor, SYMBOL, Side.BUY, 1_000, 500_010)
    rig.apply(plan_order)
    own = rig.apply(commands.PlacePlanOrder(raw.key.account, SYMBOL, Side.BUY, 1, 500_010))
    answer = raw.order(orderLinkId="mine")
    assert answer["retCode"] == 0
    found = raw.get("/v5/order/realtime", category="linear", symbol=SYMBOL, orderLinkId="mine")
    [row] = found.json()["result"]["list"]
    assert row["orderId"] == answer["result"]["orderId"]
    assert row["qty"] == "0.01"
    states = [order.state for order in rig.venue.records.of(poor).orders.values()]
    assert states == ["rejected"]
    assert len(own) == 1


def test_a_name_that_public_clients_send_in_vain_is_not_read(rig: Rig) -> None:
    raw = Raw(rig, rig.key(rig.open()))
    assert raw.order(position_idx=0)["retCode"] == 0
    assert raw.order(position_index=0)["retCode"] == 10001
