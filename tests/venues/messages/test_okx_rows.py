"""What we read from OKX, to the last digit, beside what ccxt itself reads."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from copyplugin.domain.fill import FillCause, Liquidity, MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import ClientOrderId
from copyplugin.domain.order import OrderStatus
from copyplugin.errors import VenueUnavailable
from copyplugin.venues.ccxt.okx import Okx
from tests.venues.messages.okx_script import (
    ACCOUNT,
    API,
    CONFIG,
    FILL,
    INSTRUMENT,
    MS,
    ORDER,
    POSITION,
    SUB,
    SYMBOL,
    scene,
    witness,
)
from tests.venues.messages.scripted import no, ok

AT = datetime.fromtimestamp((MS + 5) / 1000, UTC)
NAME = ClientOrderId("cpL1S1")
FILLS, HISTORY = f"GET {API}/trade/fills", f"GET {API}/trade/fills-history"
ONE_ORDER = f"GET {API}/trade/order"
COIN = {"ccy": "USDT", "eq": "1000.123456789", "upl": "-0.5", "availEq": "900.987654321"}
UNIT = Decimal("0.001")  # of BTC: what a contract of ours is here


def exact(text: object) -> Decimal:
    return Decimal(str(text))


async def test_a_contract_of_ours_is_one_lot_of_the_venues() -> None:
    async with scene() as now:
        instrument = (await now.venue.instruments())[SYMBOL]

    assert (instrument.contract_size, instrument.tick_size) == (UNIT, Decimal("0.1"))
    assert (instrument.contracts_min, instrument.contracts_max) == (2, 120_000)
    assert (instrument.base, instrument.settle) == ("BTC", "USDT")
    assert (instrument.leverage_max, instrument.notional_min) == (100, 0)
    assert (instrument.maker_fee, instrument.taker_fee) == (Decimal("0.0002"), Decimal("0.0005"))
    market = witness().market("BTC/USDT:USDT")
    assert instrument.contract_size == exact(market["contractSize"]) * exact(
        market["precision"]["amount"]
    )
    assert instrument.tick_size == exact(market["precision"]["price"])


@pytest.mark.parametrize(
    "other",
    [
        {"settleCcy": "BTC", "ctType": "inverse"},
        {"settleCcy": "USDC"},
        {"instType": "FUTURES"},
        {"state": "preopen", "ctVal": "", "lotSz": "", "minSz": ""},
    ],
)
def test_what_is_no_linear_perpetual_in_usdt_is_left_out(other) -> None:
    assert Okx.instrument(_Bare(), {"info": {**INSTRUMENT, **other}}) is None


class _Bare:
    """What `Okx.instrument` writes sizes into."""

    def __init__(self) -> None:
        self._lots: dict[str, Decimal] = {}


async def test_a_position_is_read_as_ccxt_reads_it() -> None:
    async with scene({"GET /account/positions": ok(POSITION)}) as now:
        [held] = await now.venue.positions(ACCOUNT)

    assert (held.position_side, held.contracts) == (PositionSide.LONG, 123)
    assert held.entry_cost == Decimal("0.123") * Decimal("30000.15")
    assert (held.margin, held.margin_mode) == (Decimal("738.00369"), MarginMode.ISOLATED)
    assert held.unrealized_pnl == Decimal("-1.23456790")  # rounded down, against the account
    assert (held.leverage, held.liquidation_price) == (5, Decimal("24500.5"))
    theirs = witness().parse_position(POSITION)
    assert exact(theirs["contracts"]) * exact(theirs["contractSize"]) == held.contracts * UNIT
    assert theirs["side"] == held.position_side.value
    assert exact(theirs["entryPrice"]) == held.average_entry_price
    assert theirs["marginMode"] == held.margin_mode.value
    assert exact(theirs["liquidationPrice"]) == held.liquidation_price
    assert exact(theirs["leverage"]) == held.leverage


async def test_a_short_in_net_mode_is_negative_and_cross_margin_is_its_requirement() -> None:
    row = {**POSITION, "posSide": "net", "pos": "-0.1", "mgnMode": "cross", "imr": "6.1"}
    async with scene({"GET /account/positions": ok({**row, "margin": "", "liqPx": ""})}) as now:
        [held] = await now.venue.positions(ACCOUNT)

    assert (held.position_side, held.contracts) == (PositionSide.SHORT, 1)
    assert (held.margin_mode, held.margin) == (MarginMode.CROSS, Decimal("6.1"))
    assert held.liquidation_price is None


async def test_half_a_lot_is_no_answer() -> None:
    async with scene({"GET /account/positions": ok({**POSITION, "pos": "0.05"})}) as now:
        with pytest.raises(VenueUnavailable, match="no multiple of"):
            await now.venue.positions(ACCOUNT)


async def test_money_finer_than_ours_is_rounded_against_the_account() -> None:
    wallets = {"GET /asset/balances": ok({"ccy": "USDT", "availBal": "12.345678919"})}
    async with scene({**wallets, "GET /account/balance": ok({"details": [COIN]})}) as now:
        balance = await now.venue.balance(ACCOUNT)

    assert balance.spot_available == Decimal("12.34567891")
    assert balance.contract_wallet == Decimal("1000.62345678")  # equity without open losses
    assert balance.contract_available == Decimal("900.98765432")
    assert balance.equity == Decimal("1000.12345678")
    assert now.script.queries(f"GET {API}/account/balance") == [{"ccy": "USDT"}]


async def test_an_account_without_usdt_has_nothing() -> None:
    answers = {"GET /asset/balances": ok(), "GET /account/balance": ok({"details": []})}
    async with scene(answers) as now:
        balance = await now.venue.balance(ACCOUNT)

    assert (balance.spot_available, balance.contract_wallet, balance.equity) == (0, 0, 0)


@pytest.mark.parametrize(
    ("told", "account", "owner", "may"),
    [
        ({}, ACCOUNT, None, (True, True, False)),
        ({"uid": "222", "mainUid": "111", "perm": "read_only"}, SUB, ACCOUNT, (False,) * 3),
        ({"perm": "withdraw,trade,read_only"}, ACCOUNT, None, (True, True, True)),
    ],
)
async def test_a_key_says_whose_it_is_and_what_it_may(told, account, owner, may) -> None:
    async with scene({"GET /account/config": ok({**CONFIG, **told})}) as now:
        identity = await now.venue.identity(ACCOUNT)

    assert (identity.account, identity.owner) == (account, owner)
    assert (identity.can_trade, identity.can_transfer, identity.can_withdraw) == may


def fills(*rows: object, **more: object) -> dict[str, object]:
    found = ok(*rows)
    return {
        "GET /trade/fills": found,
        "GET /trade/fills-history": found,
        "GET /account/balance": ok({"details": [COIN]}),
        "GET /trade/order": ok(ORDER),
        **more,
    }


async def test_a_fill_is_read_as_ccxt_reads_it() -> None:
    async with scene(fills(FILL)) as now:
        [fill] = await now.venue.leader_fills(ACCOUNT, None)

    assert (fill.side, fill.position_side) == (OrderSide.BUY, PositionSide.LONG)
    assert (fill.contracts, fill.contracts_closed, fill.order_contracts) == (12, 0, 12)
    assert (fill.price, fill.at) == (Decimal("30000.1"), AT)
    assert fill.fee == Decimal("0.18000061")  # the next of our units above what was taken
    assert (fill.leverage, fill.margin_mode) == (5, MarginMode.ISOLATED)
    assert (fill.liquidity, fill.cause) == (Liquidity.TAKER, FillCause.TRADE)
    assert (fill.venue_fill_id, fill.order_id) == (f"{MS + 5}-900", "555")
    theirs = witness().parse_trade(FILL)
    assert exact(theirs["amount"]) * Decimal("0.01") == fill.contracts * UNIT
    assert (exact(theirs["price"]), theirs["side"]) == (fill.price, fill.side.value)
    assert 0 <= fill.fee - exact(theirs["fee"]["cost"]) < Decimal("0.00000001")
    assert (theirs["order"], theirs["takerOrMaker"]) == (fill.order_id, fill.liquidity.value)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"fee": "0.01", "execType": "M"}, {"fee": Decimal("-0.01"), "liquidity": Liquidity.MAKER}),
        ({"fee": "-3", "feeCcy": "OKB"}, {"fee": 0}),
        ({"side": "sell", "fillPnl": "1.000000009"}, {"realized_pnl": Decimal("1.00000000")}),
        ({"side": "sell"}, {"side": OrderSide.SELL, "contracts_closed": 12}),
        ({"side": "buy", "posSide": "short"}, {"contracts_closed": 12}),
        ({"posSide": "net"}, {"position_side": None, "contracts_closed": None}),
        ({"subType": "101"}, {"cause": FillCause.LIQUIDATION}),
        ({"subType": "104"}, {"cause": FillCause.LIQUIDATION}),
        ({"subType": "110"}, {"cause": FillCause.TAKEOVER}),
        ({"subType": "125"}, {"cause": FillCause.DELEVERAGING}),
        ({"fillTime": ""}, {"at": AT + timedelta(milliseconds=4)}),
    ],
)
async def test_what_a_fill_may_be_besides(told, expected) -> None:
    async with scene(fills({**FILL, **told})) as now:
        [fill] = await now.venue.leader_fills(ACCOUNT, None)

    assert {name: getattr(fill, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("positions", "leverage", "mode"),
    [
        (ok(POSITION), 5, MarginMode.ISOLATED),
        (ok({**POSITION, "posSide": "short"}), 7, MarginMode.CROSS),
    ],
)
async def test_a_fill_of_a_forgotten_order_is_backed_as_its_leg_is_now(
    positions, leverage, mode
) -> None:
    more = {
        "GET /trade/order": no("51603"),
        "GET /account/positions": positions,
        "GET /account/leverage-info": ok({"lever": "7", "posSide": "long"}),
    }
    async with scene({**fills(FILL), **more}) as now:
        [fill] = await now.venue.leader_fills(ACCOUNT, None)

    assert (fill.leverage, fill.margin_mode, fill.order_contracts) == (leverage, mode, None)


async def test_fills_are_read_page_by_page_from_a_time() -> None:
    newer = [{**FILL, "billId": str(1000 - place)} for place in range(100)]
    older = {**FILL, "billId": "899", "fillTime": str(MS)}
    async with scene(fills()) as now:
        now.script.say(HISTORY, ok(*newer), ok(older))
        now.script.say(FILLS, ok())
        listed = await now.venue.leader_fills(ACCOUNT, None)

    assert [fill.venue_fill_id.partition("-")[2] for fill in listed] == [
        "899",
        *map(str, range(901, 1001)),
    ]
    first, second = now.script.queries(HISTORY)[:2]
    assert (first["instType"], first["limit"], "after" in first) == ("SWAP", "100", False)
    assert (second["after"], second["begin"]) == ("901", first["begin"])
    history = timedelta(milliseconds=int(now.venue.clock_ahead_ms)) + now.venue.config.history
    begin = datetime.fromtimestamp(int(first["begin"]) / 1000, UTC)
    assert abs(datetime.now(UTC) - history - begin) < timedelta(minutes=5)  # noqa: TID251


async def test_many_orders_are_listed_instead_of_asked_for() -> None:
    rows = [{**FILL, "billId": str(n), "ordId": str(n)} for n in range(10, 16)]
    orders = [{**ORDER, "ordId": str(n), "lever": str(n)} for n in range(10, 15)]
    listing = {"GET /trade/orders-history-archive": ok(*orders)}
    async with scene({**fills(*rows), **listing}) as now:
        now.script.say(ONE_ORDER, ok({**ORDER, "ordId": "15", "lever": "15"}))
        told = await now.venue.leader_fills(ACCOUNT, None)

    assert [fill.leverage for fill in told] == list(range(10, 16))
    assert now.script.queries(ONE_ORDER) == [{"instId": SYMBOL, "ordId": "15"}]


async def test_the_rest_of_a_resting_order_counts_as_available() -> None:
    resting = {**ORDER, "ordType": "limit", "state": "partially_filled", "px": "30000", "sz": "2.2"}
    at = str(int(datetime.now(UTC).timestamp() * 1000))  # noqa: TID251 - the venue's clock is ours
    async with scene({**fills({**FILL, "fillTime": at, "ts": at})}) as now:
        now.script.say(ONE_ORDER, ok(resting))
        [fill] = await now.venue.leader_fills(ACCOUNT, None)

    rest = Decimal("0.01") * 30_000
    held = rest / 5 + 2 * rest * Decimal("0.0005")
    assert fill.available_after == Decimal("900.98765432") + held


@pytest.mark.parametrize(
    ("told", "listed_fills", "status", "reason"),
    [
        ({}, [FILL], OrderStatus.DONE, None),
        ({}, [], OrderStatus.WORKING, None),
        ({"state": "live", "accFillSz": "0"}, [], OrderStatus.WORKING, None),
        ({"state": "partially_filled", "sz": "9"}, [FILL], OrderStatus.WORKING, None),
        ({"state": "canceled", "accFillSz": "0"}, [], OrderStatus.DONE, "canceled"),
        (
            {"state": "canceled", "sz": "9", "cancelSource": "9"},
            [FILL],
            OrderStatus.DONE,
            "9",
        ),
    ],
)
async def test_an_order_is_done_when_it_has_ended_and_all_its_fills_are_listed(
    told, listed_fills, status, reason
) -> None:
    async with scene(fills(*listed_fills)) as now:
        now.script.say(ONE_ORDER, ok({**ORDER, **told}))
        report = await now.venue.find_order(ACCOUNT, SYMBOL, NAME)

    assert report is not None
    assert (report.status, report.reason) == (status, reason)
    assert report.filled == sum(12 for _ in listed_fills)
    theirs = witness().parse_order({**ORDER, **told})
    if status is OrderStatus.DONE:
        assert theirs["status"] in {"closed", "canceled"}
        assert exact(theirs["filled"]) * Decimal("0.01") == report.filled * UNIT
    assert now.script.queries(ONE_ORDER) == [{"instId": SYMBOL, "clOrdId": NAME}]


async def test_the_order_that_a_plan_order_became_is_found_by_the_plans_name() -> None:
    plan = {"algoClOrdId": NAME, "instId": SYMBOL, "state": "effective", "ordIdList": ["555"]}
    async with scene({**fills(FILL), "GET /trade/order-algo": ok(plan)}) as now:
        now.script.say(ONE_ORDER, no("51603"), ok({**ORDER, "clOrdId": ""}))
        report = await now.venue.find_order(ACCOUNT, SYMBOL, NAME)

    assert report is not None
    assert (report.client_order_id, report.venue_order_id, report.filled) == (NAME, "555", 12)
    asked = [{"instId": SYMBOL, "clOrdId": NAME}, {"instId": SYMBOL, "ordId": "555"}]
    assert now.script.queries(ONE_ORDER) == asked


async def test_an_order_that_is_not_there_may_still_arrive_for_half_a_minute() -> None:
    gone = {"GET /trade/order": no("51603"), "GET /trade/order-algo": no("51603")}
    async with scene(gone) as now:
        with pytest.raises(VenueUnavailable, match=r"may still arrive for (30|2\d)\.\d s"):
            await now.venue.find_order(ACCOUNT, SYMBOL, NAME)


@pytest.mark.parametrize(
    ("income", "rate", "side"),
    [
        ("-1.5", "0.0001", PositionSide.LONG),
        ("1.5", "0.0001", PositionSide.SHORT),
        ("1.5", "-0.0001", PositionSide.LONG),
        ("-1.5", "-0.0001", PositionSide.SHORT),
    ],
)
async def test_funding_has_the_side_that_its_rate_says(income, rate, side) -> None:
    bill = {"billId": "1", "instId": SYMBOL, "type": "8", "pnl": income, "ts": str(MS)}
    answers = {
        "GET /account/bills-archive": ok(bill),
        "GET /public/funding-rate-history": ok({"fundingRate": rate, "realizedRate": rate}),
    }
    async with scene(answers) as now:
        [paid] = await now.venue.funding(ACCOUNT, AT - timedelta(milliseconds=5))
        assert not await now.venue.funding(ACCOUNT, AT)

    assert (paid.position_side, paid.payment) == (side, -Decimal(income))
    first, _ = now.script.queries(f"GET {API}/account/bills-archive")
    assert first == {"instType": "SWAP", "type": "8", "begin": str(MS - 1), "limit": "100"}


async def test_marks_are_those_of_what_is_traded() -> None:
    rows = ok({"instId": SYMBOL, "markPx": "30000.1"}, {"instId": "X-USD-SWAP", "markPx": "1"})
    async with scene({"GET /public/mark-price": rows}) as now:
        assert await now.venue.marks() == {SYMBOL: Decimal("30000.1")}
