"""What we send to Bitget, to the last value, beside what ccxt itself would send."""

from dataclasses import replace
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
from copyplugin.errors import OrderRejected, OutcomeUnknown, VenueUnavailable
from copyplugin.ports import MovesMoney
from copyplugin.venues.ccxt.bitget import Bitget
from copyplugin.venues.ccxt.config import VenueConfig
from tests.venues.messages.bitget_script import (
    ACCOUNT,
    API,
    MS,
    POSITION,
    SETTINGS,
    SYMBOL,
    WHERE,
    bounded,
    order,
    scene,
    witness,
)
from tests.venues.messages.scripted import KEYS, Refused, fine, listed, same, signature

PLACE, SETTING = f"POST {API}/mix/order/place-order", f"GET {API}/mix/account/account"
LEVERAGE = f"POST {API}/mix/account/set-leverage"
MODE = f"POST {API}/mix/account/set-margin-mode"
HELD = f"GET {API}/mix/position/all-position"
TRADES = {"POST /mix/order/place-order": fine({"orderId": "555", "clientOid": "cpL1S1"})}
CONFIGURES = {
    "POST /mix/account/set-leverage": fine({}),
    "POST /mix/account/set-margin-mode": fine({}),
}
FIVE = Ratio(Decimal(5))
NAME = ClientOrderId("cpL1P1")
PLAN = PlanRequest(
    account=ACCOUNT,
    symbol=SYMBOL,
    position_side=PositionSide.SHORT,
    order_side=OrderSide.BUY,
    contracts=Contracts(123),
    trigger_price=Price(Decimal("29000.5")),
    trigger_by=TriggerBy.MARK,
    direction=TriggerDirection.FALLS,
    client_order_id=NAME,
)


def refused(code: str) -> Refused:
    return Refused(400, {"code": code, "msg": f"words of {code}", "requestTime": MS, "data": None})


async def test_an_order_is_signed_and_says_everything() -> None:
    async with scene(TRADES) as now:
        report = await now.venue.place_order(order())

    [sent] = now.script.of(PLACE)
    assert sent.target == f"{API}/mix/order/place-order"
    assert sent.body == {
        **WHERE,
        "marginMode": "isolated",
        "size": "0.012",
        "side": "buy",
        "tradeSide": "open",
        "orderType": "market",
        "clientOid": "cpL1S1",
    }
    headers = sent.headers
    assert headers["ACCESS-KEY"] == KEYS.key
    assert headers["ACCESS-PASSPHRASE"] == KEYS.passphrase
    assert headers["Content-Type"] == "application/json"
    stamp = headers["ACCESS-TIMESTAMP"]
    assert headers["ACCESS-SIGN"] == signature(f"{stamp}POST{sent.target}{sent.text}")
    assert (report.venue_order_id, report.client_order_id) == ("555", "cpL1S1")
    assert (report.filled, report.acknowledged_at.timestamp()) == (0, 1_700_000_000.123)


async def test_a_question_is_signed_with_what_it_asks_for_in_order() -> None:
    async with scene({"GET /mix/position/all-position": fine([])}) as now:
        await now.venue.positions(ACCOUNT)

    [asked] = now.script.of(HELD)
    path = f"{API}/mix/position/all-position"
    assert asked.target == f"{path}?marginCoin=USDT&productType=USDT-FUTURES"
    stamp = asked.headers["ACCESS-TIMESTAMP"]
    assert asked.headers["ACCESS-SIGN"] == signature(f"{stamp}GET{asked.target}")


@pytest.mark.parametrize("force", list(TimeInForce))
@pytest.mark.parametrize("leg", list(PositionSide))
@pytest.mark.parametrize("closes", [False, True])
async def test_ccxt_would_send_the_same_order(force, leg, closes) -> None:
    side = leg.closing_side if closes else leg.opening_side
    request = replace(
        bounded("30000.5", force), order_side=side, position_side=leg, reduce_only=closes
    )
    async with scene(TRADES) as now:
        await now.venue.place_order(request)

    [ours] = now.script.bodies(PLACE)
    params = {"hedged": True, "reduceOnly": closes, "marginMode": "isolated"}
    params |= {"clientOrderId": "cpL1S1", "timeInForce": force.value.upper()}
    size, price = "0.012", "30000.5"
    theirs = witness().create_order_request(
        "BTC/USDT:USDT", "limit", side.value, size, price, params
    )
    # The venue's words are written small in its documents; ccxt begins them with capitals.
    theirs |= {name: theirs[name].lower() for name in ("force", "tradeSide")}
    same(ours, theirs)
    assert ours["side"] == ("buy" if leg is PositionSide.LONG else "sell")


async def test_how_a_symbol_is_set_is_asked_for_once() -> None:
    async with scene(TRADES) as now:
        now.script.say(SETTING, fine({**SETTINGS, "marginMode": "crossed"}))
        for _ in range(2):
            await now.venue.place_order(order())

    assert [body["marginMode"] for body in now.script.bodies(PLACE)] == ["crossed"] * 2
    assert now.script.queries(SETTING) == [WHERE]


async def test_isolated_legs_have_each_their_leverage() -> None:
    async with scene(CONFIGURES) as now:
        await now.venue.configure(ACCOUNT, SYMBOL, FIVE, MarginMode.ISOLATED)

    assert not now.script.of(MODE)  # it is so already
    assert now.script.bodies(LEVERAGE) == [
        {**WHERE, "leverage": "5", "holdSide": "long"},
        {**WHERE, "leverage": "5", "holdSide": "short"},
    ]


async def test_cross_margin_has_one_leverage_and_is_switched_to_first() -> None:
    async with scene(CONFIGURES | TRADES) as now:
        await now.venue.configure(ACCOUNT, SYMBOL, FIVE, MarginMode.CROSS)
        await now.venue.place_order(order())

    changes = [asked.what for asked in now.script.asked if asked.what.startswith("POST")]
    assert changes == [MODE, LEVERAGE, PLACE]
    assert now.script.bodies(MODE) == [{**WHERE, "marginMode": "crossed"}]
    assert now.script.bodies(LEVERAGE) == [{**WHERE, "leverage": "5"}]
    assert now.script.bodies(PLACE)[0]["marginMode"] == "crossed"


async def test_a_symbol_that_is_held_keeps_its_mode() -> None:
    async with scene(CONFIGURES) as now:
        now.script.say(MODE, refused("45117"))
        with pytest.raises(OrderRejected, match="open_position"):
            await now.venue.configure(ACCOUNT, SYMBOL, FIVE, MarginMode.CROSS)

    assert not now.script.of(LEVERAGE)


@pytest.mark.parametrize("leverage", ["0.5", "2.5"])
async def test_leverage_is_a_whole_number(leverage) -> None:
    async with scene(CONFIGURES) as now:
        with pytest.raises(OrderRejected, match="leverage_out_of_range"):
            await now.venue.configure(
                ACCOUNT, SYMBOL, Ratio(Decimal(leverage)), MarginMode.ISOLATED
            )

    assert not now.script.of(LEVERAGE)


HEDGE = f"POST {API}/mix/account/set-position-mode"


@pytest.mark.parametrize("held", [[POSITION], [POSITION | {"posMode": "one_way_mode"}]])
async def test_an_account_that_holds_something_may_keep_legs_apart_already(held) -> None:
    async with scene({"GET /mix/position/all-position": fine(held)}) as now:
        now.script.say(HEDGE, refused("40920"))
        if held == [POSITION]:
            await now.venue.set_hedge_mode(ACCOUNT)
        else:
            with pytest.raises(OrderRejected, match="open_position"):
                await now.venue.set_hedge_mode(ACCOUNT)

    sent = {"productType": "USDT-FUTURES", "posMode": "hedge_mode"}
    assert now.script.bodies(HEDGE) == [sent]


@pytest.mark.parametrize(
    ("answer", "raised", "words"),
    [
        (refused("40762"), OrderRejected, "insufficient_margin: words of 40762"),
        (refused("22002"), OrderRejected, "no_position"),
        (refused("40786"), OutcomeUnknown, "code 40786"),
        (refused("45034"), OutcomeUnknown, "code 45034"),
        (refused("40010"), OutcomeUnknown, "code 40010"),
        (refused("49999"), OutcomeUnknown, "code 49999"),
        (refused("45110"), OrderRejected, "below_minimum_notional"),
        (refused("40085"), OrderRejected, "account_mode"),
        (refused("40009"), OrderRejected, "keys_refused"),
        (refused("40008"), VenueUnavailable, "code 40008"),
        (Refused(429, {"code": "429", "msg": "many"}), VenueUnavailable, "code 429"),
        (refused("40200"), OutcomeUnknown, "code 40200"),
        (fine(None), OutcomeUnknown, "not understood"),
    ],
)
async def test_what_the_venue_says_no_to_is_told_apart(answer, raised, words) -> None:
    async with scene(TRADES) as now:
        now.script.say(PLACE, answer)
        with pytest.raises(raised, match=words):
            await now.venue.place_order(order())


@pytest.mark.parametrize("money", ["12.5", "-6"])
async def test_margin_goes_in_and_out_of_a_leg(money) -> None:
    async with scene({"POST /mix/account/set-margin": fine("")}) as now:
        short = PositionSide.SHORT
        await now.venue.adjust_margin(ACCOUNT, SYMBOL, short, Money(Decimal(money)))

    sent = {**WHERE, "holdSide": "short", "amount": money}
    assert now.script.bodies(f"POST {API}/mix/account/set-margin") == [sent]


REST, PENDING = f"POST {API}/mix/order/place-tpsl-order", f"GET {API}/mix/order/orders-plan-pending"
ENDED, CHANGE = (
    f"GET {API}/mix/order/orders-plan-history",
    f"POST {API}/mix/order/modify-tpsl-order",
)
CANCEL, DETAIL = f"POST {API}/mix/order/cancel-plan-order", f"GET {API}/mix/order/detail"
RESTS = {"POST /mix/order/place-tpsl-order": fine({"orderId": "42", "clientOid": NAME})}
RESTING = {
    "orderId": "42",
    "clientOid": NAME,
    "symbol": SYMBOL,
    "planType": "pos_profit",
    "planStatus": "live",
    "triggerPrice": "29000.5",
    "triggerType": "mark_price",
    "side": "sell",
    "posSide": "short",
    "executeOrderId": "",
}


@pytest.mark.parametrize(
    ("direction", "by", "kind", "type_"),
    [
        (TriggerDirection.FALLS, TriggerBy.MARK, "pos_profit", "mark_price"),
        (TriggerDirection.RISES, TriggerBy.LAST, "pos_loss", "fill_price"),
    ],
)
async def test_a_plan_order_is_tied_to_its_position(direction, by, kind, type_) -> None:
    async with scene(RESTS) as now:
        report = await now.venue.place_plan(replace(PLAN, direction=direction, trigger_by=by))

    [ours] = now.script.bodies(REST)
    assert ours == {
        **WHERE,
        "planType": kind,
        "triggerPrice": "29000.5",
        "triggerType": type_,
        "holdSide": "short",
        "clientOid": NAME,
    }
    assert (report.venue_plan_id, report.status) == ("42", PlanStatus.RESTING)
    assert report.contracts == 0  # whatever is held
    price = "takeProfitPrice" if kind == "pos_profit" else "stopLossPrice"
    params = {price: "29000.5", "triggerType": type_, "hedged": True, "clientOrderId": NAME}
    theirs = witness().create_order_request(
        "BTC/USDT:USDT", "market", "buy", "0.123", None, {**params, "triggerPriceType": type_}
    )
    same(ours, theirs, "size", "orderType", "force", "triggerPriceType")


async def test_a_plan_order_is_moved_where_it_rests() -> None:
    moved = {**RESTING, "triggerPrice": "28000"}
    async with scene({"POST /mix/order/modify-tpsl-order": fine({})}) as now:
        now.script.say(
            PENDING, listed("entrustedList", [RESTING]), listed("entrustedList", [moved])
        )
        report = await now.venue.amend_plan(
            ACCOUNT,
            SYMBOL,
            NAME,
            contracts=Contracts(5),
            trigger_price=Price(Decimal(28_000)),
        )

    assert now.script.bodies(CHANGE) == [
        {
            **WHERE,
            "orderId": "42",
            "triggerPrice": "28000",
            "triggerType": "mark_price",
            "executePrice": "",
            "size": "",
        }
    ]
    asked = {"planType": "profit_loss", "productType": "USDT-FUTURES"}
    asked |= {"symbol": SYMBOL, "clientOid": NAME}
    assert now.script.queries(PENDING) == [asked] * 2
    assert report.trigger_price == 28_000


async def test_a_plan_order_is_withdrawn_and_again_in_silence() -> None:
    done = fine({"successList": [{"orderId": "42"}], "failureList": []})
    async with scene({"POST /mix/order/cancel-plan-order": done}) as now:
        now.script.say(PENDING, listed("entrustedList", [RESTING]), fine({"entrustedList": None}))
        for _ in range(2):
            await now.venue.cancel_plan(ACCOUNT, SYMBOL, NAME)

    sent = {**WHERE, "planType": "pos_profit", "orderIdList": [{"orderId": "42"}]}
    assert now.script.bodies(CANCEL) == [sent]


async def test_a_plan_order_that_rests_still_was_not_withdrawn() -> None:
    failed = fine({"successList": [], "failureList": [{"orderId": "42", "errorMsg": "busy"}]})
    async with scene({"POST /mix/order/cancel-plan-order": failed}) as now:
        now.script.say(PENDING, listed("entrustedList", [RESTING]))
        with pytest.raises(OutcomeUnknown, match="busy"):
            await now.venue.cancel_plan(ACCOUNT, SYMBOL, NAME)


FIRED = {"planStatus": "executed", "executeOrderId": "555"}
FILLED, EMPTY = {"state": "filled", "baseVolume": "1"}, {"state": "canceled", "baseVolume": "0"}


@pytest.mark.parametrize(
    ("told", "became", "status"),
    [
        ({"planStatus": "cancelled"}, {}, PlanStatus.CANCELLED),
        ({"planStatus": "fail_execute"}, {}, PlanStatus.FAILED),
        (FIRED, FILLED, PlanStatus.FIRED),
        (FIRED, EMPTY, PlanStatus.FAILED),
        (FIRED | {"executeOrderId": ""}, {}, PlanStatus.FAILED),
    ],
)
async def test_what_became_of_a_plan_order_is_told(told, became, status) -> None:
    async with scene({"GET /mix/order/detail": fine(became)}) as now:
        now.script.say(PENDING, fine({"entrustedList": None}))
        now.script.say(ENDED, listed("entrustedList", [{**RESTING, **told}]))
        report = await now.venue.find_plan(ACCOUNT, SYMBOL, NAME)

    assert report is not None
    assert (report.status, report.position_side) == (status, PositionSide.SHORT)
    assert report.order_side is OrderSide.BUY
    assert report.fired_order == (NAME if status is PlanStatus.FIRED else None)


@pytest.mark.parametrize("code", ["40830", "40834", "40915", "40917", "45062", "45122"])
async def test_a_price_already_passed_has_its_reason(code) -> None:
    async with scene() as now:
        now.script.say(REST, refused(code))
        with pytest.raises(OrderRejected, match="already_through"):
            await now.venue.place_plan(PLAN)


@pytest.mark.parametrize("code", ["40837", "40891", "43023", "45003"])
async def test_without_a_position_nothing_rests(code) -> None:
    async with scene() as now:
        now.script.say(REST, refused(code))
        with pytest.raises(OrderRejected, match="no_position"):
            await now.venue.place_plan(PLAN)


def test_demo_trading_moves_nothing_and_opens_no_accounts() -> None:
    demo = Bitget(VenueConfig(dialect="bitget", testnet=True)).capabilities
    assert (demo.moves_money, demo.opens_sub_accounts) == (MovesMoney.NONE, False)
