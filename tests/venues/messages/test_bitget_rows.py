"""What we read from Bitget, to the last digit, beside what ccxt itself reads."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from copyplugin.domain.fill import FillCause, Liquidity, MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import ClientOrderId
from copyplugin.domain.order import OrderStatus
from copyplugin.errors import VenueUnavailable
from copyplugin.venues.ccxt.bitget import Bitget
from copyplugin.venues.ccxt.config import VenueConfig
from tests.venues.messages.bitget_script import (
    ACCOUNT,
    API,
    CONTRACT,
    FILL,
    MS,
    ORDER,
    POSITION,
    SETTINGS,
    SUB,
    SYMBOL,
    fills_told,
    scene,
    witness,
)
from tests.venues.messages.scripted import Refused, fine, listed

AT = datetime.fromtimestamp((MS + 5) / 1000, UTC)
NAME = ClientOrderId("cpL1S1")
UNIT = Decimal("0.001")
FILLS, DETAIL = f"GET {API}/mix/order/fills", f"GET {API}/mix/order/detail"
GONE = Refused(400, {"code": "40109", "msg": "cannot be found", "data": None})
NO_PLANS = listed("entrustedList", [])


def exact(text: object) -> Decimal:
    return Decimal(str(text))


async def test_a_contract_is_one_step_of_size() -> None:
    async with scene() as now:
        instrument = (await now.venue.instruments())[SYMBOL]

    assert (instrument.contract_size, instrument.tick_size) == (UNIT, Decimal("0.5"))
    assert (instrument.contracts_min, instrument.contracts_max) == (2, 220_000)
    assert (instrument.base, instrument.settle, instrument.notional_min) == ("BTC", "USDT", 5)
    assert instrument.leverage_max == 125
    assert (instrument.maker_fee, instrument.taker_fee) == (Decimal("0.0002"), Decimal("0.0006"))
    market = witness().market("BTC/USDT:USDT")
    assert instrument.contract_size == exact(market["precision"]["amount"])
    assert instrument.tick_size == exact(market["precision"]["price"])


@pytest.mark.parametrize(
    "other",
    [
        {"symbolType": "delivery"},
        {"quoteCoin": "USDC"},
        {"supportMarginCoins": ["USDC"]},
    ],
)
def test_what_is_no_perpetual_in_usdt_is_left_out(other) -> None:
    dialect = Bitget(VenueConfig(dialect="bitget"))
    assert dialect.instrument({"info": {**CONTRACT, **other}}) is None


def test_a_contract_without_a_most_leaves_that_to_the_venue() -> None:
    dialect = Bitget(VenueConfig(dialect="bitget"))
    bare = {**CONTRACT, "maxOrderQty": "", "maxMarketOrderQty": ""}
    instrument = dialect.instrument({"info": bare})
    assert instrument is not None
    assert instrument.contracts_max == 10**12


async def test_a_position_is_read_as_ccxt_reads_it() -> None:
    async with scene({"GET /mix/position/all-position": fine([POSITION])}) as now:
        [held] = await now.venue.positions(ACCOUNT)

    assert (held.position_side, held.contracts) == (PositionSide.LONG, 123)
    assert held.entry_cost == Decimal("0.123") * Decimal("30000.15")
    assert (held.margin, held.margin_mode) == (Decimal("738.00369000"), MarginMode.ISOLATED)
    assert held.unrealized_pnl == Decimal("-1.23456790")  # rounded down, against the account
    assert (held.leverage, held.liquidation_price) == (5, Decimal("24500.5"))
    theirs = witness().parse_position(POSITION)
    assert exact(theirs["contracts"]) * exact(theirs["contractSize"]) == held.contracts * UNIT
    assert theirs["side"] == held.position_side.value
    assert exact(theirs["entryPrice"]) == held.average_entry_price
    assert theirs["marginMode"] == held.margin_mode.value
    assert exact(theirs["leverage"]) == held.leverage


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"holdSide": "short"}, {"position_side": PositionSide.SHORT}),
        ({"marginMode": "crossed"}, {"margin_mode": MarginMode.CROSS}),
        ({"liquidationPrice": "0"}, {"liquidation_price": None}),
    ],
)
async def test_what_a_position_may_be_besides(told, expected) -> None:
    async with scene({"GET /mix/position/all-position": fine([{**POSITION, **told}])}) as now:
        [held] = await now.venue.positions(ACCOUNT)

    assert {name: getattr(held, name) for name in expected} == expected


async def test_money_finer_than_ours_is_rounded_against_the_account() -> None:
    coin = {"marginCoin": "USDT", "accountEquity": "1000.123456789", "unrealizedPL": "-0.5"}
    coin |= {"crossedMaxAvailable": "900.987654321", "isolatedMaxAvailable": "800.5"}
    answers = {
        "GET /mix/account/accounts": fine([coin]),
        "GET /spot/account/assets": fine([{"coin": "USDT", "available": "12.345678919"}]),
    }
    async with scene(answers) as now:
        balance = await now.venue.balance(ACCOUNT)

    assert balance.spot_available == Decimal("12.34567891")
    assert balance.contract_wallet == Decimal("1000.62345678")
    assert balance.contract_available == Decimal("800.5")
    assert balance.equity == Decimal("1000.12345678")


async def test_an_account_without_usdt_has_nothing() -> None:
    answers = {"GET /mix/account/accounts": fine(None), "GET /spot/account/assets": fine([])}
    async with scene(answers) as now:
        balance = await now.venue.balance(ACCOUNT)

    assert (balance.spot_available, balance.contract_wallet, balance.equity) == (0, 0, 0)


@pytest.mark.parametrize(
    ("told", "account", "owner", "may"),
    [
        (
            {"userId": "111", "parentId": 0, "authorities": ["coow", "cpow", "wtow"]},
            ACCOUNT,
            None,
            (True, True, False),
        ),
        (
            {"userId": "222", "parentId": 111, "authorities": ["coor", "cpor", "wtor"]},
            SUB,
            ACCOUNT,
            (False, False, False),
        ),
        (
            {"userId": "111", "parentId": "111", "authorities": ["trade", "wwow"]},
            ACCOUNT,
            None,
            (True, False, True),
        ),
    ],
)
async def test_a_key_says_whose_it_is_and_what_it_may(told, account, owner, may) -> None:
    async with scene({"GET /spot/account/info": fine(told)}) as now:
        identity = await now.venue.identity(ACCOUNT)

    assert (identity.account, identity.owner) == (account, owner)
    assert (identity.can_trade, identity.can_transfer, identity.can_withdraw) == may


async def test_a_fill_is_read_as_ccxt_reads_it() -> None:
    async with scene(fills_told(FILL)) as now:
        [fill] = await now.venue.leader_fills(ACCOUNT, None)

    assert (fill.side, fill.position_side) == (OrderSide.BUY, PositionSide.LONG)
    assert (fill.contracts, fill.contracts_closed, fill.order_contracts) == (12, 0, 12)
    assert (fill.price, fill.at) == (Decimal("30000.1"), AT)
    assert fill.fee == Decimal("0.18000061")  # the next of our units above what was taken
    assert (fill.leverage, fill.margin_mode) == (5, MarginMode.ISOLATED)
    assert (fill.liquidity, fill.cause) == (Liquidity.TAKER, FillCause.TRADE)
    assert (fill.venue_fill_id, fill.order_id) == (f"{MS + 5}-900", "555")
    theirs = witness().parse_trade(FILL)
    assert exact(theirs["amount"]) == fill.contracts * UNIT
    assert (exact(theirs["price"]), theirs["side"]) == (fill.price, fill.side.value)
    assert (theirs["order"], theirs["takerOrMaker"]) == (fill.order_id, fill.liquidity.value)


BGB = [{"deduction": "yes", "feeCoin": "BGB", "totalFee": "-3"}]
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
BUY, SELL = OrderSide.BUY, OrderSide.SELL


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # In hedge mode a buy is an order in the long leg, whether it opens or closes it.
        ({"tradeSide": "close"}, {"side": SELL, "position_side": LONG, "contracts_closed": 12}),
        (
            {"side": "sell", "tradeSide": "open"},
            {"side": SELL, "position_side": SHORT, "contracts_closed": 0},
        ),
        (
            {"side": "sell", "tradeSide": "close"},
            {"side": BUY, "position_side": SHORT, "contracts_closed": 12},
        ),
        (
            {"tradeSide": "burst_close_short"},
            {"side": BUY, "position_side": SHORT, "cause": FillCause.LIQUIDATION},
        ),
        (
            {"tradeSide": "dte_sys_adl_close_long"},
            {"side": SELL, "position_side": LONG, "cause": FillCause.DELEVERAGING},
        ),
        ({"tradeSide": "delivery_close_long"}, {"cause": FillCause.TAKEOVER}),
        (
            {"posMode": "one_way_mode", "side": "sell", "tradeSide": "sell_single"},
            {"side": SELL, "position_side": None, "contracts_closed": None},
        ),
        ({"feeDetail": BGB}, {"fee": 0}),
        ({"feeDetail": None}, {"fee": 0}),
        ({"tradeScope": "maker"}, {"liquidity": Liquidity.MAKER}),
        ({"profit": "-1.000000001"}, {"realized_pnl": Decimal("-1.00000001")}),
    ],
)
async def test_what_a_fill_may_be_besides(told, expected) -> None:
    async with scene(fills_told({**FILL, **told})) as now:
        [fill] = await now.venue.leader_fills(ACCOUNT, None)

    assert {name: getattr(fill, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("told", "side", "leverage", "mode"),
    [
        ({}, "buy", 7, MarginMode.ISOLATED),
        ({}, "sell", 9, MarginMode.ISOLATED),
        ({"marginMode": "crossed"}, "sell", 20, MarginMode.CROSS),
    ],
)
async def test_a_fill_of_a_forgotten_order_is_backed_as_its_symbol_is_set_now(
    told, side, leverage, mode
) -> None:
    more = {"GET /mix/order/detail": GONE, "GET /mix/account/account": fine({**SETTINGS, **told})}
    async with scene({**fills_told({**FILL, "side": side}), **more}) as now:
        [fill] = await now.venue.leader_fills(ACCOUNT, None)

    assert (fill.leverage, fill.margin_mode, fill.order_contracts) == (leverage, mode, None)


async def test_fills_are_read_week_by_week_and_page_by_page() -> None:
    newer = [{**FILL, "tradeId": str(1000 - place)} for place in range(100)]
    pages = [
        fine({"fillList": newer, "endId": "901"}),
        listed("fillList", [{**FILL, "tradeId": "5"}]),
    ]
    async with scene(fills_told()) as now:
        now.script.say(FILLS, *pages, fine(None))
        told = await now.venue.leader_fills(ACCOUNT, None)

    numbers = [fill.venue_fill_id.partition("-")[2] for fill in told]
    assert numbers == ["5", *map(str, range(901, 1001))]
    asked = now.script.queries(FILLS)
    assert asked[1] == {**asked[0], "idLessThan": "901"}
    weeks = [each for each in asked if "idLessThan" not in each][:5]
    week_ms = timedelta(days=7) // timedelta(milliseconds=1)
    for earlier, later in pairwise(weeks):
        assert later["startTime"] == earlier["endTime"]  # none lies between two windows
        assert int(earlier["endTime"]) - int(earlier["startTime"]) < week_ms
    assert "endTime" not in weeks[4]


async def test_many_orders_are_listed_instead_of_asked_for() -> None:
    rows = [{**FILL, "tradeId": str(n), "orderId": str(n)} for n in range(10, 16)]
    orders = [{**ORDER, "orderId": str(n), "leverage": str(n)} for n in range(10, 15)]
    listing = {"GET /mix/order/orders-history": listed("entrustedList", orders)}
    async with scene({**fills_told(*rows), **listing}) as now:
        now.script.say(DETAIL, fine({**ORDER, "orderId": "15", "leverage": "15"}))
        told = await now.venue.leader_fills(ACCOUNT, None)

    assert [fill.leverage for fill in told] == list(range(10, 16))
    wanted = {"productType": "USDT-FUTURES", "symbol": SYMBOL, "orderId": "15"}
    assert now.script.queries(DETAIL) == [wanted]


@pytest.mark.parametrize(
    ("told", "rows", "status", "reason"),
    [
        ({}, [FILL], OrderStatus.DONE, None),
        ({}, [], OrderStatus.WORKING, None),
        ({"state": "live", "baseVolume": "0"}, [], OrderStatus.WORKING, None),
        ({"state": "partially_filled", "size": "9"}, [FILL], OrderStatus.WORKING, None),
        ({"state": "canceled", "baseVolume": "0"}, [], OrderStatus.DONE, "canceled"),
        (
            {"state": "canceled", "size": "9", "cancelReason": "ioc"},
            [FILL],
            OrderStatus.DONE,
            "ioc",
        ),
    ],
)
async def test_an_order_is_done_when_it_has_ended_and_all_its_fills_are_listed(
    told, rows, status, reason
) -> None:
    async with scene(fills_told(*rows)) as now:
        now.script.say(DETAIL, fine({**ORDER, **told}))
        report = await now.venue.find_order(ACCOUNT, SYMBOL, NAME)

    assert report is not None
    assert (report.status, report.reason) == (status, reason)
    assert report.filled == sum(12 for _ in rows)
    theirs = witness().parse_order({**ORDER, **told})
    if status is OrderStatus.DONE:
        assert theirs["status"] in {"closed", "canceled"}
        assert exact(theirs["filled"]) == report.filled * UNIT
    asked = {"productType": "USDT-FUTURES", "symbol": SYMBOL, "clientOid": NAME}
    assert now.script.queries(DETAIL) == [asked]


async def test_the_order_that_a_plan_order_became_is_found_by_the_plans_name() -> None:
    plan = {"clientOid": NAME, "planStatus": "executed", "executeOrderId": "555"}
    ended = {"GET /mix/order/orders-plan-history": listed("entrustedList", [plan])}
    async with scene({**fills_told(FILL), **ended}) as now:
        now.script.say(DETAIL, GONE, fine({**ORDER, "clientOid": "the venue's"}))
        report = await now.venue.find_order(ACCOUNT, SYMBOL, NAME)

    assert report is not None
    assert (report.client_order_id, report.venue_order_id, report.filled) == (NAME, "555", 12)


async def test_an_order_that_is_not_there_may_still_arrive_for_half_a_minute() -> None:
    gone = {"GET /mix/order/detail": GONE, "GET /mix/order/orders-plan-history": NO_PLANS}
    async with scene(gone) as now:
        with pytest.raises(VenueUnavailable, match=r"may still arrive for (30|2\d)\.\d s"):
            await now.venue.find_order(ACCOUNT, SYMBOL, NAME)


@pytest.mark.parametrize(
    ("income", "rate", "side"),
    [
        ("-1.5", "0.0001", LONG),
        ("1.5", "0.0001", SHORT),
        ("1.5", "-0.0001", LONG),
        ("-1.5", "-0.0001", SHORT),
    ],
)
async def test_funding_has_the_side_that_its_rate_says(income, rate, side) -> None:
    bill = {"billId": "1", "symbol": SYMBOL, "amount": income, "cTime": str(MS)}
    rates = [{"fundingRate": "9", "fundingTime": str(MS + 10**8)}]
    rates += [{"fundingRate": rate, "fundingTime": str(MS - 10)}]
    answers = {
        "GET /mix/account/bill": listed("bills", [bill]),
        "GET /mix/market/history-fund-rate": fine(rates),
    }
    async with scene(answers) as now:
        [paid] = await now.venue.funding(ACCOUNT, AT - timedelta(milliseconds=5))
        assert not await now.venue.funding(ACCOUNT, AT)

    assert (paid.position_side, paid.payment) == (side, -Decimal(income))
    asked, _ = now.script.queries(f"GET {API}/mix/account/bill")
    assert asked["startTime"] == str(MS - 1)
    assert (asked["businessType"], asked["coin"]) == ("contract_settle_fee", "USDT")


async def test_marks_are_those_of_what_is_traded() -> None:
    rows = [{"symbol": SYMBOL, "markPrice": "30000.1"}, {"symbol": "XUSDT", "markPrice": "1"}]
    async with scene({"GET /mix/market/tickers": fine(rows)}) as now:
        assert await now.venue.marks() == {SYMBOL: Decimal("30000.1")}
