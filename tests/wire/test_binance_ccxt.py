"""ccxt's Binance USD-M, unmodified, trades on the served exchange."""

from decimal import Decimal

import ccxt
import pytest

from simexchange.core import commands
from simexchange.core.types import OrderKind, RejectReason, Side
from simexchange.server.binance.errors import REFUSALS
from simexchange.server.keys import Grant
from tests.wire.rig import SYMBOL, UNIFIED, UNIFIED_ETH, Rig


@pytest.fixture
def client(rig: Rig):
    made = rig.binance(rig.key(rig.open(contract=10_000, spot=500)))
    made.load_markets()
    return made


def test_every_refusal_of_the_exchange_has_an_answer() -> None:
    assert set(REFUSALS) == set(RejectReason)


def test_markets_have_the_exchanges_grids(client) -> None:
    assert set(client.markets) == {UNIFIED, UNIFIED_ETH}
    market = client.markets[UNIFIED]
    assert market["precision"]["price"] == Decimal("0.1")
    assert market["precision"]["amount"] == Decimal("0.001")
    assert market["limits"]["cost"]["min"] == 5
    tiers = client.fetch_leverage_tiers([UNIFIED])[UNIFIED]
    assert [tier["maxLeverage"] for tier in tiers] == [100, 50]


def test_a_market_order_is_filled_in_its_answer(client) -> None:
    order = client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    assert (order["status"], order["filled"], order["average"]) == (
        "closed",
        Decimal("0.01"),
        50_001,
    )
    balance = client.fetch_balance()["USDT"]
    assert balance["free"] == Decimal("9949.7239945")
    [position] = client.fetch_positions([UNIFIED])
    assert (position["side"], position["contracts"]) == ("long", Decimal("0.01"))
    assert position["entryPrice"] == 50_001
    assert position["liquidationPrice"] == Decimal("45252.1")
    assert position["marginMode"] == "isolated"
    [trade] = client.fetch_my_trades(UNIFIED)
    assert trade["order"] == order["id"]
    assert trade["info"]["commission"] == "0.2750055"
    asked = client.fetch_order(order["id"], UNIFIED)
    assert asked["status"] == "closed"


def test_a_limit_order_lives_from_placing_to_cancelling(client) -> None:
    made = client.create_order(
        UNIFIED, "limit", "buy", Decimal("0.02"), 40_000, {"clientOrderId": "b-1"}
    )
    assert made["status"] == "open"
    [order] = client.fetch_open_orders(UNIFIED)
    assert (order["id"], order["clientOrderId"]) == (made["id"], "b-1")
    client.edit_order(made["id"], UNIFIED, "limit", "buy", Decimal("0.03"), 41_000)
    by_name = client.fetch_order(None, UNIFIED, {"origClientOrderId": "b-1"})
    assert (by_name["price"], by_name["amount"]) == (41_000, Decimal("0.03"))
    client.cancel_order(None, UNIFIED, {"origClientOrderId": "b-1"})
    assert client.fetch_open_orders(UNIFIED) == []
    assert client.fetch_orders(UNIFIED)[-1]["status"] == "canceled"
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(made["id"], UNIFIED)


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        (("market", "buy", Decimal(10), None, {}), ccxt.InsufficientFunds),
        (("market", "sell", Decimal("0.01"), None, {"reduceOnly": True}), ccxt.InvalidOrder),
        (("limit", "buy", Decimal("0.01"), 50_001, {"postOnly": True}), ccxt.OrderNotFillable),
        (("limit", "buy", Decimal("0.001"), 4_000, {}), ccxt.BadRequest),
        (
            ("limit", "buy", Decimal("0.01"), 40_000, {"stopLoss": {"triggerPrice": 39_000}}),
            ccxt.BadRequest,
        ),
    ],
)
def test_refusals_come_as_the_errors_a_copy_engine_branches_on(client, terms, error) -> None:
    kind, side, amount, price, params = terms
    with pytest.raises(error):
        client.create_order(UNIFIED, kind, side, amount, price, params)


def test_a_client_id_is_used_once(client) -> None:
    again = {"clientOrderId": "same"}
    client.create_order(UNIFIED, "limit", "buy", Decimal("0.01"), 40_000, again)
    with pytest.raises(ccxt.InvalidOrder, match="-4116"):
        client.create_order(UNIFIED, "limit", "buy", Decimal("0.01"), 40_000, again)


def test_conditional_orders_have_their_own_ids_and_fire_once(client, rig: Rig) -> None:
    client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    stop = {"stopLossPrice": 48_000, "workingType": "MARK_PRICE"}
    made = client.create_order(UNIFIED, "market", "sell", Decimal("0.01"), None, stop)
    [waiting] = client.fetch_open_orders(UNIFIED, params={"trigger": True})
    assert (waiting["id"], waiting["info"]["triggerPrice"]) == (made["id"], "48000.0")
    assert waiting["info"]["orderType"] == "STOP_MARKET"
    assert client.fetch_open_orders(UNIFIED) == []
    rig.set_price(SYMBOL, "48000")
    assert client.fetch_open_orders(UNIFIED, params={"trigger": True}) == []
    assert client.fetch_positions([UNIFIED]) == []
    again = client.create_order(
        UNIFIED, "market", "buy", Decimal("0.01"), None, {**stop, "stopLossPrice": 52_000}
    )
    client.cancel_order(again["id"], UNIFIED, {"trigger": True})
    assert client.fetch_open_orders(UNIFIED, params={"trigger": True}) == []


def test_hedge_mode_leverage_and_margin_mode_are_per_symbol(client) -> None:
    client.set_margin_mode("cross", UNIFIED)
    with pytest.raises(ccxt.MarginModeAlreadySet):
        client.set_margin_mode("cross", UNIFIED)
    assert client.fetch_leverages([UNIFIED_ETH])[UNIFIED_ETH]["marginMode"] == "isolated"
    client.set_leverage(20, UNIFIED)
    client.set_leverage(20, UNIFIED)  # the venue takes it twice
    assert client.fetch_leverage(UNIFIED)["longLeverage"] == 20
    client.set_position_mode(True)
    assert client.fetch_position_mode()["hedged"] is True
    with pytest.raises(ccxt.OperationRejected):
        client.set_position_mode(True)
    for side, leg in (("buy", "LONG"), ("sell", "SHORT")):
        client.create_order(UNIFIED, "market", side, Decimal("0.01"), None, {"positionSide": leg})
    held = {p["side"]: p["contracts"] for p in client.fetch_positions([UNIFIED])}
    assert held == {"long": Decimal("0.01"), "short": Decimal("0.01")}


def test_a_batch_tells_each_leg_apart(client) -> None:
    legs = [
        {"symbol": UNIFIED, "type": "limit", "side": "buy", "amount": 0.01, "price": 40_000},
        {"symbol": UNIFIED, "type": "limit", "side": "buy", "amount": 90, "price": 40_000},
    ]
    answers = {answer["status"]: answer["info"] for answer in client.create_orders(legs)}
    assert set(answers) == {"open", "rejected"}
    assert answers["rejected"]["code"] == -2019
    client.cancel_all_orders(UNIFIED)
    assert client.fetch_open_orders(UNIFIED) == []


def test_money_moves_and_is_listed(client) -> None:
    moved = client.transfer("USDT", 200, "spot", "linear")
    assert client.fetch_balance()["USDT"]["free"] == 10_200
    [row] = client.fetch_transfers("USDT", None, None, {"type": "MAIN_UMFUTURE"})
    assert (row["id"], row["amount"]) == (moved["id"], 200)
    with pytest.raises(ccxt.ExchangeError):
        client.transfer("USDT", 1_000, "spot", "linear")


def test_funding_and_income_are_told(client, rig: Rig) -> None:
    client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    rig.apply(commands.SetFundingRate(SYMBOL, 10_000))
    assert client.fetch_funding_rate(UNIFIED)["fundingRate"] == Decimal("0.0001")
    rig.call(lambda: rig.clock.advance(8 * 3_600 * 1_000_000))
    rig.apply(commands.AdvanceTime())
    [paid] = client.fetch_funding_history(UNIFIED)
    assert paid["amount"] == Decimal("-0.05")
    [rate] = client.fetch_funding_rate_history(UNIFIED)
    assert rate["fundingRate"] == Decimal("0.0001")


def test_public_data_is_what_the_exchange_has(client, rig: Rig) -> None:
    taker = rig.open(contract=100_000)
    rig.apply(commands.PlaceOrder(taker, SYMBOL, Side.BUY, 10, OrderKind.MARKET))
    ticker = client.fetch_ticker(UNIFIED)
    assert (ticker["last"], ticker["baseVolume"]) == (50_001, Decimal("0.01"))
    assert client.fetch_mark_price(UNIFIED)["markPrice"] == 50_000
    assert client.fetch_order_book(UNIFIED)["bids"] == [[49_999, 20]]
    [trade] = client.fetch_trades(UNIFIED)
    assert (trade["side"], trade["price"]) == ("buy", 50_001)
    [candle] = client.fetch_ohlcv(UNIFIED, "1m")
    assert candle[1:5] == [50_001] * 4
    assert client.fetch_open_interest(UNIFIED)["info"]["openInterest"] == "0.010"
    assert client.fetch_funding_interval(UNIFIED)["interval"] == "8h"
    assert client.fetch_bids_asks([UNIFIED])[UNIFIED]["bid"] == 49_999
    assert client.fetch_last_prices([UNIFIED])[UNIFIED]["price"] == 50_001
    assert client.fetch_mark_ohlcv(UNIFIED, "1m")[-1][4] == 50_000
    assert client.fetch_index_ohlcv(UNIFIED, "1m")[-1][4] == 50_000
    assert client.fetch_status()["status"] == "ok"
    fee = client.fetch_trading_fee(UNIFIED)
    assert (fee["maker"], fee["taker"]) == (Decimal("0.0002"), Decimal("0.00055"))


def test_signature_time_and_permission_are_checked(rig: Rig, client) -> None:
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        client.fetch_balance()
    client.apiKey = "nobody"
    with pytest.raises(ccxt.AuthenticationError, match="-2015"):
        client.fetch_balance()
    reader = rig.binance(rig.key(rig.open(), Grant()))
    reader.load_markets()
    assert reader.fetch_balance()["USDT"]["free"] == 10_000
    with pytest.raises(ccxt.AuthenticationError):
        reader.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    reader.nonce = lambda: 1
    with pytest.raises(ccxt.InvalidNonce):
        reader.fetch_balance()


def test_a_sub_account_is_made_funded_and_trades_with_its_own_key(client, rig: Rig) -> None:
    made = client.sapi_post_sub_account_virtualsubaccount({"subAccountString": "follower1"})
    client.sapi_post_sub_account_futures_enable({"email": made["email"]})
    move = {
        "toEmail": made["email"],
        "fromAccountType": "SPOT",
        "toAccountType": "USDT_FUTURE",
        "asset": "USDT",
        "amount": "50",
        "clientTranId": "once",
    }
    first = client.sapi_post_sub_account_universaltransfer(move)
    assert client.sapi_post_sub_account_universaltransfer(move)["tranId"] == first["tranId"]
    listed = client.sapi_get_sub_account_universaltransfer()
    assert [row["amount"] for row in listed["result"]] == ["50"]
    [sub] = client.sapi_get_sub_account_list()["subAccounts"]
    assert sub["email"] == made["email"]
    broker = client.sapi_post_broker_subaccount()
    terms = {"canTrade": "true", "futuresTrade": "true"}
    key = client.sapi_post_broker_subaccountapi({"subAccountId": broker["subaccountId"], **terms})
    follower = rig.binance()
    follower.apiKey, follower.secret = key["apiKey"], key["secretKey"]
    follower.load_markets()
    with pytest.raises(ccxt.InsufficientFunds):
        follower.create_order(UNIFIED, "market", "buy", Decimal("0.001"))
    money = {**move, "toEmail": broker["email"], "clientTranId": "twice"}
    client.sapi_post_sub_account_universaltransfer(money)
    follower.create_order(UNIFIED, "market", "buy", Decimal("0.001"))
    assert follower.fetch_balance()["USDT"]["free"] < 50
