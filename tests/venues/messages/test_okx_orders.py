"""What we send to OKX, to the last value, beside what ccxt itself would send."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from copyplugin.domain.fill import MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import ClientOrderId
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.order import TimeInForce
from copyplugin.domain.plan_order import (
    PlanRequest,
    PlanStatus,
    TriggerBy,
    TriggerDirection,
)
from copyplugin.errors import OrderRejected, OutcomeUnknown, RequestRejected, VenueUnavailable
from copyplugin.ports import MovesMoney
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.okx import Okx
from tests.venues.messages.okx_script import (
    ACCOUNT,
    API,
    CONFIG,
    MS,
    POSITION,
    SYMBOL,
    bounded,
    order,
    scene,
    witness,
)
from tests.venues.messages.scripted import KEYS, Refused, no, ok, same, signature

PLACE, LEVERAGE = f"POST {API}/trade/order", f"POST {API}/account/set-leverage"
HELD = f"GET {API}/account/positions"
ACK = ok({"ordId": "555", "clOrdId": "cpL1S1", "sCode": "0", "sMsg": "", "ts": str(MS)})
FLAT = {"GET /account/positions": ok(), "POST /account/set-leverage": ok({})}
TRADES = {**FLAT, "POST /trade/order": ACK}
FIVE = Ratio(Decimal(5))
PLAN = PlanRequest(
    account=ACCOUNT,
    symbol=SYMBOL,
    position_side=PositionSide.LONG,
    order_side=OrderSide.SELL,
    contracts=Contracts(123),
    trigger_price=Price(Decimal("31000.5")),
    trigger_by=TriggerBy.MARK,
    direction=TriggerDirection.RISES,
    client_order_id=ClientOrderId("cpL1P1"),
)


async def test_an_order_is_signed_and_says_everything() -> None:
    async with scene(TRADES) as now:
        await now.venue.configure(ACCOUNT, SYMBOL, FIVE, MarginMode.ISOLATED)
        report = await now.venue.place_order(order())

    [sent] = now.script.of(PLACE)
    assert sent.target == f"{API}/trade/order"
    assert sent.body == {
        "instId": SYMBOL,
        "tdMode": "isolated",
        "side": "buy",
        "posSide": "long",
        "ordType": "market",
        "sz": "1.2",
        "clOrdId": "cpL1S1",
    }
    headers = sent.headers
    assert headers["OK-ACCESS-KEY"] == KEYS.key
    assert headers["OK-ACCESS-PASSPHRASE"] == KEYS.passphrase
    assert headers["Content-Type"] == "application/json"
    stamp = headers["OK-ACCESS-TIMESTAMP"]
    assert datetime.fromisoformat(stamp).utcoffset() == timedelta(0)
    assert headers["OK-ACCESS-SIGN"] == signature(f"{stamp}POST{sent.target}{sent.text}")
    assert (report.venue_order_id, report.client_order_id) == ("555", "cpL1S1")
    assert report.filled == 0


async def test_a_question_is_signed_with_what_it_asks_for() -> None:
    async with scene(FLAT) as now:
        await now.venue.positions(ACCOUNT)

    [asked] = now.script.of(HELD)
    assert asked.target == f"{API}/account/positions?instType=SWAP"
    stamp = asked.headers["OK-ACCESS-TIMESTAMP"]
    assert asked.headers["OK-ACCESS-SIGN"] == signature(f"{stamp}GET{asked.target}")


@pytest.mark.parametrize(
    ("request_", "kind", "price", "more"),
    [
        (order(), "market", None, {}),
        (bounded("30000.1", TimeInForce.IOC), "limit", "30000.1", {"timeInForce": "IOC"}),
        (bounded("30000.1", TimeInForce.FOK), "limit", "30000.1", {"timeInForce": "FOK"}),
        (bounded("30000.1", TimeInForce.GTC), "limit", "30000.1", {"timeInForce": "GTC"}),
    ],
)
async def test_ccxt_would_send_the_same_order(request_, kind, price, more) -> None:
    async with scene(TRADES) as now:
        await now.venue.configure(ACCOUNT, SYMBOL, FIVE, MarginMode.CROSS)
        await now.venue.place_order(request_)

    params = {"positionSide": "long", "marginMode": "cross", "clientOrderId": "cpL1S1", **more}
    amount, number = Decimal("1.2"), None if price is None else Decimal(price)
    theirs = witness().create_order_request("BTC/USDT:USDT", kind, "buy", amount, number, params)
    [ours] = now.script.bodies(PLACE)
    same(ours, theirs)


@pytest.mark.parametrize(
    ("mode", "sent"),
    [
        (MarginMode.CROSS, [{"mgnMode": "cross"}]),
        (
            MarginMode.ISOLATED,
            [
                {"mgnMode": "isolated", "posSide": "long"},
                {"mgnMode": "isolated", "posSide": "short"},
            ],
        ),
    ],
)
async def test_leverage_is_set_for_each_leg_that_has_one(mode, sent) -> None:
    async with scene(FLAT) as now:
        await now.venue.configure(ACCOUNT, SYMBOL, Ratio(Decimal("2.5")), mode)

    common = {"instId": SYMBOL, "lever": "2.5"}
    assert now.script.bodies(LEVERAGE) == [{**common, **each} for each in sent]


async def test_a_mode_is_not_mixed_with_a_position_in_the_other() -> None:
    async with scene(FLAT) as now:
        now.script.say(HELD, ok(POSITION))
        with pytest.raises(OrderRejected, match="open_position"):
            await now.venue.configure(ACCOUNT, SYMBOL, FIVE, MarginMode.CROSS)

    assert not now.script.of(LEVERAGE)


CLOSING = order(order_side=OrderSide.SELL, reduce_only=True)


async def test_a_close_after_a_restart_goes_where_the_position_is() -> None:
    async with scene(TRADES) as now:
        now.script.say(HELD, ok({**POSITION, "mgnMode": "cross"}))
        await now.venue.place_order(CLOSING)
        await now.venue.place_order(replace(CLOSING, client_order_id=ClientOrderId("cpL1S2")))

    modes = [(body["tdMode"], body["side"], body["posSide"]) for body in now.script.bodies(PLACE)]
    assert modes == [("cross", "sell", "long")] * 2
    assert len(now.script.of(HELD)) == 1  # it is remembered


async def test_a_close_that_finds_nothing_in_its_mode_is_sent_in_the_other_once() -> None:
    async with scene(TRADES) as now:
        await now.venue.configure(ACCOUNT, SYMBOL, FIVE, MarginMode.CROSS)
        now.script.say(HELD, ok(POSITION))
        now.script.say(PLACE, no("51169"), ACK)
        await now.venue.place_order(CLOSING)

    sent = now.script.bodies(PLACE)
    assert [(body["tdMode"], body["clOrdId"]) for body in sent] == [
        ("cross", "cpL1S1"),
        ("isolated", "cpL1S1"),
    ]


async def test_a_close_without_a_position_is_rejected() -> None:
    async with scene(TRADES) as now:
        now.script.say(PLACE, no("51169"))
        with pytest.raises(OrderRejected, match="no_position"):
            await now.venue.place_order(CLOSING)

    assert len(now.script.of(PLACE)) == 1


@pytest.mark.parametrize(
    ("answer", "raised", "words"),
    [
        (no("51008", "Insufficient USDT margin"), OrderRejected, "insufficient_margin: Insuff"),
        (no("51008_1001", "Insufficient"), OrderRejected, "insufficient_margin"),
        (no("51016"), OutcomeUnknown, "code 51016"),
        (no("51149"), OutcomeUnknown, "code 51149"),
        (no("51999"), OutcomeUnknown, "code 51999"),
        (no("51020"), OrderRejected, "below_minimum"),
        (Refused(401, {"code": "50113", "msg": "Invalid Sign"}), OrderRejected, "keys_refused"),
        (Refused(401, {"code": "50102", "msg": "expired"}), VenueUnavailable, "code 50102"),
        (Refused(429, {"code": "50011", "msg": "many"}), VenueUnavailable, "code 50011"),
        (Refused(503, {"code": "50001", "msg": "closed"}), OutcomeUnknown, "code 50001"),
        ({"code": "0", "msg": "", "data": []}, OutcomeUnknown, "not understood"),
    ],
)
async def test_what_the_venue_says_no_to_is_told_apart(answer, raised, words) -> None:
    async with scene(TRADES) as now:
        now.script.say(PLACE, answer)
        with pytest.raises(raised, match=words):
            await now.venue.place_order(order())


MODE = f"POST {API}/account/set-position-mode"


async def test_legs_are_kept_apart_where_they_are_not_yet() -> None:
    async with scene({"POST /account/set-position-mode": ok({})}) as now:
        await now.venue.set_hedge_mode(ACCOUNT)
        now.script.say(f"GET {API}/account/config", ok({**CONFIG, "posMode": "net_mode"}))
        await now.venue.set_hedge_mode(ACCOUNT)
        now.script.say(f"GET {API}/account/config", ok({**CONFIG, "acctLv": "1"}))
        with pytest.raises(RequestRejected, match="switch it to futures mode"):
            await now.venue.set_hedge_mode(ACCOUNT)

    assert now.script.bodies(MODE) == [{"posMode": "long_short_mode"}]


@pytest.mark.parametrize(
    ("money", "kind", "said"), [("12.5", "add", "12.5"), ("-6", "reduce", "6")]
)
async def test_margin_goes_in_and_out_of_a_leg(money, kind, said) -> None:
    async with scene({"POST /account/position/margin-balance": ok({})}) as now:
        short = PositionSide.SHORT
        await now.venue.adjust_margin(ACCOUNT, SYMBOL, short, Money(Decimal(money)))

    sent = {"instId": SYMBOL, "posSide": "short", "type": kind, "amt": said}
    assert now.script.bodies(f"POST {API}/account/position/margin-balance") == [sent]


ALGO, AMEND = f"POST {API}/trade/order-algo", f"POST {API}/trade/amend-algos"
CANCEL, ASK = f"POST {API}/trade/cancel-algos", f"GET {API}/trade/order-algo"
PLANS = {
    "GET /account/positions": ok(POSITION),
    "POST /trade/order-algo": ok({"algoId": "42", "algoClOrdId": "cpL1P1", "sCode": "0"}),
}


@pytest.mark.parametrize(
    ("direction", "by", "kind", "type_"),
    [
        (TriggerDirection.RISES, TriggerBy.MARK, "tp", "mark"),
        (TriggerDirection.FALLS, TriggerBy.LAST, "sl", "last"),
    ],
)
async def test_a_plan_order_closes_what_is_held_and_nothing_else(
    direction, by, kind, type_
) -> None:
    request = replace(PLAN, direction=direction, trigger_by=by)
    async with scene(PLANS) as now:
        report = await now.venue.place_plan(request)

    [ours] = now.script.bodies(ALGO)
    assert ours == {
        "instId": SYMBOL,
        "tdMode": "isolated",
        "side": "sell",
        "posSide": "long",
        "ordType": "conditional",
        "sz": "12.3",
        f"{kind}TriggerPx": "31000.5",
        f"{kind}TriggerPxType": type_,
        f"{kind}OrdPx": "-1",
        "reduceOnly": True,
        "cxlOnClosePos": True,
        "algoClOrdId": "cpL1P1",
        "clOrdId": "cpL1P1",
    }
    assert (report.venue_plan_id, report.status) == ("42", PlanStatus.RESTING)
    assert report.contracts == 123
    price = "takeProfitPrice" if kind == "tp" else "stopLossPrice"
    params = {price: Decimal("31000.5"), f"{kind}TriggerPxType": type_, "positionSide": "long"}
    params |= {"marginMode": "isolated", "reduceOnly": True, "clientOrderId": "cpL1P1"}
    theirs = witness().create_order_request(
        "BTC/USDT:USDT", "market", "sell", Decimal("12.3"), None, params
    )
    same(ours, theirs, "algoClOrdId", "cxlOnClosePos")


RESTING = {
    "algoId": "42",
    "algoClOrdId": "cpL1P1",
    "instId": SYMBOL,
    "side": "sell",
    "posSide": "long",
    "sz": "12.3",
    "tpTriggerPx": "31000.5",
    "slTriggerPx": "",
    "state": "live",
    "ordIdList": [],
    "failCode": "",
}


async def test_a_plan_order_is_changed_in_price_and_size_by_its_name() -> None:
    moved = {**RESTING, "tpTriggerPx": "32000", "sz": "10"}
    async with scene({"POST /trade/amend-algos": ok({"sCode": "0"})}) as now:
        now.script.say(ASK, ok(RESTING), ok(moved))
        report = await now.venue.amend_plan(
            ACCOUNT,
            SYMBOL,
            PLAN.client_order_id,
            contracts=Contracts(100),
            trigger_price=Price(Decimal(32_000)),
        )

    assert now.script.bodies(AMEND) == [
        {"instId": SYMBOL, "algoClOrdId": "cpL1P1", "newSz": "10.0", "newTpTriggerPx": "32000"}
    ]
    assert now.script.queries(ASK) == [{"algoClOrdId": "cpL1P1"}] * 2
    assert (report.trigger_price, report.contracts) == (32_000, 100)


async def test_a_plan_order_is_withdrawn_by_its_name_and_again_in_silence() -> None:
    async with scene() as now:
        now.script.say(CANCEL, ok({"sCode": "0"}), no("51400"))
        for _ in range(2):
            await now.venue.cancel_plan(ACCOUNT, SYMBOL, PLAN.client_order_id)

    assert now.script.bodies(CANCEL) == [[{"instId": SYMBOL, "algoClOrdId": "cpL1P1"}]] * 2


@pytest.mark.parametrize(
    ("row", "order_row", "status"),
    [
        ({"state": "live"}, None, PlanStatus.RESTING),
        ({"state": "pause"}, None, PlanStatus.RESTING),
        ({"state": "canceled"}, None, PlanStatus.CANCELLED),
        ({"state": "order_failed", "failCode": "51008"}, None, PlanStatus.FAILED),
        (
            {"state": "effective", "ordIdList": ["555"]},
            {"state": "filled", "accFillSz": "12.3"},
            PlanStatus.FIRED,
        ),
        (
            {"state": "effective", "ordIdList": ["555"]},
            {"state": "canceled", "accFillSz": "0"},
            PlanStatus.FAILED,
        ),
    ],
)
async def test_what_became_of_a_plan_order_is_told(row, order_row, status) -> None:
    async with scene({"GET /trade/order": ok(order_row or {})}) as now:
        now.script.say(ASK, ok({**RESTING, **row}))
        report = await now.venue.find_plan(ACCOUNT, SYMBOL, PLAN.client_order_id)

    assert report is not None
    assert report.status is status
    assert report.fired_order == ("cpL1P1" if status is PlanStatus.FIRED else None)


@pytest.mark.parametrize("code", ["51277", "51278", "51279", "51280", "51300", "51304"])
async def test_a_price_already_passed_has_its_reason(code) -> None:
    async with scene(PLANS) as now:
        now.script.say(ALGO, no(code))
        with pytest.raises(OrderRejected, match="already_through"):
            await now.venue.place_plan(PLAN)


def test_demo_trading_moves_nothing() -> None:
    demo = Okx(VenueConfig(dialect="okx", testnet=True))
    assert demo.capabilities.moves_money is MovesMoney.NONE
