"""ccxt, unmodified, trades on the served exchange: every operation, and the values it returns."""

from decimal import Decimal

import ccxt
import pytest

from simexchange.core import commands
from simexchange.core.types import OrderKind, Side
from tests.wire.rig import SYMBOL, UNIFIED, UNIFIED_ETH, Rig


@pytest.fixture
def client(rig: Rig):
    made = rig.ccxt(rig.key(rig.open(contract=10_000, spot=500)))
    made.load_markets()
    return made


def test_the_default_load_of_all_markets_finds_the_linear_ones(rig: Rig) -> None:
    client = ccxt.bybit({"enableRateLimit": False})
    rig._point_here(client, rig.key(rig.open()))
    markets = client.load_markets()
    assert set(markets) == {UNIFIED, UNIFIED_ETH}
    market = markets[UNIFIED]
    assert [market[name] for name in ("linear", "swap", "active")] == [True] * 3
    assert market["contractSize"] == 1
    assert market["precision"]["price"] == Decimal("0.1")
    assert market["precision"]["amount"] == Decimal("0.001")
    assert market["limits"]["amount"]["min"] == Decimal("0.001")
    assert market["limits"]["cost"]["min"] == 5
    assert market["limits"]["leverage"]["max"] == 100
    assert set(client.currencies) >= {"USDT", "BTC", "ETH"}


def test_the_time_is_the_computers(client, rig: Rig) -> None:
    before = rig.edge.now() // 1_000
    assert before <= client.fetch_time() <= rig.edge.now() // 1_000


def test_a_market_order_moves_position_balance_and_fee_as_the_rules_say(client) -> None:
    made = client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    order = client.fetch_order(made["id"], UNIFIED, {"acknowledged": True})
    assert order["status"] == "closed"
    assert order["filled"] == Decimal("0.01")
    assert order["average"] == 50_001
    assert order["cost"] == Decimal("500.01")
    assert order["fee"]["cost"] == Decimal("0.2750055")  # 500.01 × 0.055 %
    balance = client.fetch_balance()["USDT"]
    assert balance["total"] == Decimal("9999.7249945")
    assert balance["used"] == Decimal("50.001")  # at leverage 10
    assert balance["free"] == balance["total"] - balance["used"]
    position = client.fetch_positions([UNIFIED])[0]
    assert position["side"] == "long"
    assert position["contracts"] == Decimal("0.01")
    assert position["entryPrice"] == 50_001
    assert position["leverage"] == 10
    assert position["unrealizedPnl"] == Decimal("-0.01")  # at mark 50,000
    assert position["initialMargin"] == Decimal("50.001")
    assert position["liquidationPrice"] == Decimal("45252.1")
    assert client.fetch_position(UNIFIED)["contracts"] == Decimal("0.01")


def test_the_reported_liquidation_price_is_where_it_happens(client, rig: Rig) -> None:
    client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    price = client.fetch_positions([UNIFIED])[0]["liquidationPrice"]
    rig.quote(SYMBOL, "40000", "60000", "1")
    rig.set_price(SYMBOL, str(price + Decimal("0.1")))
    assert client.fetch_positions([UNIFIED])[0]["contracts"] == Decimal("0.01")
    rig.set_price(SYMBOL, str(price))
    assert client.fetch_positions([UNIFIED])[0]["contracts"] == 0
    rows = client.private_get_v5_execution_list({"category": "linear"})["result"]["list"]
    assert [row["execType"] for row in rows] == ["BustTrade", "Trade"]


def test_a_limit_order_rests_and_is_cancelled(client) -> None:
    made = client.create_order(UNIFIED, "limit", "buy", Decimal("0.02"), 40_000)
    [order] = client.fetch_open_orders(UNIFIED)
    assert (order["id"], order["status"]) == (made["id"], "open")
    assert (order["price"], order["amount"]) == (40_000, Decimal("0.02"))
    used = client.fetch_balance()["USDT"]["used"]
    assert used == Decimal("80.44")  # 800 / 10 and the taker's fee on 800
    assert client.cancel_order(made["id"], UNIFIED)["id"] == made["id"]
    assert client.fetch_open_orders(UNIFIED) == []
    assert client.fetch_balance()["USDT"]["used"] == 0
    [ended] = client.fetch_canceled_orders(UNIFIED)
    assert ended["status"] == "canceled"


def test_an_order_is_found_and_cancelled_by_its_client_id(client) -> None:
    client.create_order(UNIFIED, "limit", "buy", Decimal("0.02"), 40_000, {"clientOrderId": "a-1"})
    found = client.fetch_order("", UNIFIED, {"orderLinkId": "a-1", "acknowledged": True})
    assert found["clientOrderId"] == "a-1"
    client.cancel_order(None, UNIFIED, {"orderLinkId": "a-1"})
    found = client.fetch_order("", UNIFIED, {"orderLinkId": "a-1", "acknowledged": True})
    assert found["status"] == "canceled"


def test_a_client_id_under_the_wrong_name_is_refused(client) -> None:
    client.create_order(UNIFIED, "limit", "buy", Decimal("0.02"), 40_000, {"clientOrderId": "a-1"})
    with pytest.raises(ccxt.BadRequest, match="clientOrderId"):
        client.cancel_order(None, UNIFIED, {"clientOrderId": "a-1"})
    assert len(client.fetch_open_orders(UNIFIED)) == 1


def test_an_order_is_amended(client) -> None:
    made = client.create_order(UNIFIED, "limit", "buy", Decimal("0.02"), 40_000)
    client.edit_order(made["id"], UNIFIED, "limit", "buy", Decimal("0.03"), 41_000)
    [order] = client.fetch_open_orders(UNIFIED)
    assert (order["price"], order["amount"]) == (41_000, Decimal("0.03"))


def test_reduce_only_never_opens(client) -> None:
    with pytest.raises(ccxt.InvalidOrder, match="110017"):
        client.create_order(UNIFIED, "market", "sell", Decimal("0.01"), None, {"reduceOnly": True})
    client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    client.create_order(UNIFIED, "market", "sell", Decimal("0.05"), None, {"reduceOnly": True})
    assert client.fetch_positions([UNIFIED])[0]["contracts"] == 0


def test_both_legs_of_hedge_mode_are_apart(client) -> None:
    client.set_position_mode(True, UNIFIED)
    with pytest.raises(ccxt.NoChange):
        client.set_position_mode(True, UNIFIED)
    client.create_order(UNIFIED, "market", "buy", Decimal("0.02"), None, {"hedged": True})
    client.create_order(UNIFIED, "market", "sell", Decimal("0.01"), None, {"hedged": True})
    held = {p["side"]: p["contracts"] for p in client.fetch_positions([UNIFIED])}
    assert held == {"long": Decimal("0.02"), "short": Decimal("0.01")}
    close = {"hedged": True, "reduceOnly": True}
    client.create_order(UNIFIED, "market", "sell", Decimal("0.02"), None, close)
    open_now = {p["side"] for p in client.fetch_positions([UNIFIED]) if p["contracts"]}
    assert open_now == {"short"}
    with pytest.raises(ccxt.BadRequest, match="existing position"):
        client.set_position_mode(False, UNIFIED)


def test_leverage_is_set_and_said_when_it_is_the_same(client) -> None:
    client.set_leverage(25, UNIFIED)
    with pytest.raises(ccxt.BadRequest, match="110043"):
        client.set_leverage(25, UNIFIED)
    client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    assert client.fetch_leverage(UNIFIED)["longLeverage"] == 25
    assert client.fetch_positions([UNIFIED])[0]["initialMargin"] == Decimal("20.0004")
    with pytest.raises(ccxt.BadRequest):
        client.set_leverage(101, UNIFIED)


def test_the_margin_mode_belongs_to_the_whole_account(client) -> None:
    client.set_margin_mode("cross")
    assert client.private_get_v5_account_info()["result"]["marginMode"] == "REGULAR_MARGIN"
    client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    with pytest.raises(ccxt.ExchangeError, match="3400045"):
        client.set_margin_mode("isolated")
    client.create_order(UNIFIED, "market", "sell", Decimal("0.01"), None, {"reduceOnly": True})
    client.set_margin_mode("isolated")


def test_a_trigger_order_waits_fires_once_and_keeps_its_ids(client, rig: Rig) -> None:
    taker = rig.open(contract=100_000)
    rig.apply(commands.PlaceOrder(taker, SYMBOL, Side.BUY, 1, OrderKind.MARKET))
    made = client.create_order(
        UNIFIED,
        "market",
        "buy",
        Decimal("0.01"),
        None,
        {"triggerPrice": 51_000, "triggerDirection": "ascending", "clientOrderId": "t-1"},
    )
    [waiting] = client.fetch_open_orders(UNIFIED, params={"trigger": True})
    assert (waiting["id"], waiting["triggerPrice"]) == (made["id"], 51_000)
    assert waiting["info"]["orderStatus"] == "Untriggered"
    rig.quote(SYMBOL, "50999", "51001", "5")
    rig.apply(commands.PlaceOrder(taker, SYMBOL, Side.BUY, 1, OrderKind.MARKET))
    order = client.fetch_order("", UNIFIED, {"orderLinkId": "t-1", "acknowledged": True})
    assert order["id"] == made["id"]
    assert (order["status"], order["filled"]) == ("closed", Decimal("0.01"))
    assert client.fetch_open_orders(UNIFIED, params={"trigger": True}) == []


def test_a_trigger_on_the_wrong_side_is_refused(client) -> None:
    for direction, price in (("ascending", 49_000), ("descending", 51_000)):
        with pytest.raises(ccxt.InvalidOrder, match="expect"):
            client.create_order(
                UNIFIED,
                "market",
                "buy",
                Decimal("0.01"),
                None,
                {"triggerPrice": price, "triggerDirection": direction, "triggerBy": "MarkPrice"},
            )


def test_stop_loss_and_take_profit_orders_close_the_position(client, rig: Rig) -> None:
    client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    client.create_order(UNIFIED, "market", "sell", Decimal("0.01"), None, {"stopLossPrice": 48_000})
    client.create_order(
        UNIFIED, "market", "sell", Decimal("0.01"), None, {"takeProfitPrice": 52_000}
    )
    waiting = client.fetch_open_orders(UNIFIED, params={"trigger": True})
    assert {order["triggerPrice"] for order in waiting} == {48_000, 52_000}
    assert all(order["reduceOnly"] for order in waiting)
    rig.quote(SYMBOL, "47990", "48000", "5")
    taker = rig.open(contract=100_000)
    rig.apply(commands.PlaceOrder(taker, SYMBOL, Side.BUY, 1, OrderKind.MARKET))
    assert client.fetch_positions([UNIFIED])[0]["contracts"] == 0


def test_attached_stops_become_the_positions_and_one_ends_the_other(client, rig: Rig) -> None:
    client.create_order(
        UNIFIED,
        "market",
        "buy",
        Decimal("0.01"),
        None,
        {"stopLoss": {"triggerPrice": 48_000}, "takeProfit": {"triggerPrice": 52_000}},
    )
    position = client.fetch_positions([UNIFIED])[0]
    assert (position["stopLossPrice"], position["takeProfitPrice"]) == (48_000, 52_000)
    rig.quote(SYMBOL, "51990", "52000", "5")
    taker = rig.open(contract=100_000)
    rig.apply(commands.PlaceOrder(taker, SYMBOL, Side.BUY, 1, OrderKind.MARKET))
    assert client.fetch_positions([UNIFIED])[0]["contracts"] == 0
    assert client.fetch_open_orders(UNIFIED, params={"trigger": True}) == []
    fired = client.fetch_my_trades(UNIFIED)[-1]
    assert fired["info"]["stopOrderType"] == "TakeProfit"
    assert fired["price"] == 51_990


def test_a_stop_on_the_wrong_side_of_the_price_is_refused(client) -> None:
    with pytest.raises(ccxt.BadRequest, match="should be lower"):
        client.create_order(
            UNIFIED,
            "market",
            "buy",
            Decimal("0.01"),
            None,
            {"stopLoss": {"triggerPrice": 52_000}},
        )
    assert client.fetch_positions([UNIFIED])[0]["contracts"] == 0


def test_a_batch_tells_each_leg_apart(client) -> None:
    legs = [
        {"symbol": UNIFIED, "type": "limit", "side": "buy", "amount": "0.01", "price": "40000"},
        {"symbol": UNIFIED, "type": "limit", "side": "buy", "amount": "90", "price": "40000"},
        {"symbol": UNIFIED, "type": "limit", "side": "buy", "amount": "0.02", "price": "41000"},
    ]
    answers = client.create_orders(legs)
    assert [bool(answer["id"]) for answer in answers] == [True, False, True]
    assert {o["price"] for o in client.fetch_open_orders(UNIFIED)} == {40_000, 41_000}
    client.cancel_orders([answers[0]["id"], answers[2]["id"]], UNIFIED)
    assert client.fetch_open_orders(UNIFIED) == []


def test_cancel_all_ends_orders_and_plan_orders_of_the_symbol_alone(client) -> None:
    client.create_order(UNIFIED, "limit", "buy", Decimal("0.01"), 40_000)
    trigger = {"triggerPrice": 52_000, "triggerDirection": "ascending", "triggerBy": "MarkPrice"}
    client.create_order(UNIFIED, "market", "buy", Decimal("0.01"), None, trigger)
    client.create_order(UNIFIED_ETH, "limit", "buy", Decimal("0.1"), 2_000)
    assert len(client.cancel_all_orders(UNIFIED)) == 2
    assert client.fetch_open_orders(UNIFIED) == []
    assert len(client.fetch_open_orders(UNIFIED_ETH)) == 1


def test_closed_orders_and_trades_agree(client) -> None:
    for side in ("buy", "sell"):
        client.create_order(UNIFIED, "market", side, Decimal("0.01"))
    closed = client.fetch_closed_orders(UNIFIED)
    trades = client.fetch_my_trades(UNIFIED)
    assert [order["id"] for order in closed] == [trade["order"] for trade in trades]
    assert [trade["price"] for trade in trades] == [50_001, 49_999]
    assert {trade["takerOrMaker"] for trade in trades} == {"taker"}
    fees = sum(Decimal(trade["info"]["execFee"]) for trade in trades)
    assert client.fetch_balance()["USDT"]["total"] == 10_000 - Decimal("0.02") - fees


def test_closed_profit_has_both_fees_in_it(client) -> None:
    for side in ("buy", "sell"):
        client.create_order(UNIFIED, "market", side, Decimal("0.01"))
    [row] = client.private_get_v5_position_closed_pnl({"category": "linear"})["result"]["list"]
    total = client.fetch_balance()["USDT"]["total"]
    assert Decimal(row["closedPnl"]) == total - 10_000
    assert (row["avgEntryPrice"], row["avgExitPrice"]) == ("50001", "49999")


def test_funding_is_seen_in_rate_history_and_account(client, rig: Rig) -> None:
    client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    before = client.fetch_balance()["USDT"]["total"]
    rig.apply(commands.SetFundingRate(SYMBOL, 10_000))
    assert client.fetch_funding_rate(UNIFIED)["fundingRate"] == Decimal("0.0001")
    rig.call(lambda: rig.clock.advance(8 * 3_600 * 1_000_000))
    rig.apply(commands.AdvanceTime())
    [paid] = client.fetch_funding_history(UNIFIED)
    assert paid["amount"] == Decimal("0.05")  # 0.01 × 50,000 × 0.01 %
    after = client.fetch_balance()["USDT"]["total"]
    assert before - after == Decimal("0.05")
    history = client.fetch_funding_rate_history(UNIFIED)
    assert [row["fundingRate"] for row in history] == [Decimal("0.0001")]
    log = client.private_get_v5_account_transaction_log({"category": "linear"})["result"]["list"]
    assert [row["type"] for row in log[:2]] == ["SETTLEMENT", "TRADE"]
    assert log[0]["change"] == "-0.05"


def test_the_log_of_money_adds_up_to_the_balance(client) -> None:
    client.create_order(UNIFIED, "market", "buy", Decimal("0.03"))
    client.create_order(UNIFIED, "market", "sell", Decimal("0.05"))
    log = client.private_get_v5_account_transaction_log({"category": "linear"})["result"]["list"]
    total = client.fetch_balance()["USDT"]["total"]
    assert Decimal(log[0]["cashBalance"]) == total
    assert sum(Decimal(row["change"]) for row in log) == total


def test_money_moves_between_the_wallets_once(client) -> None:
    moved = client.transfer("USDT", Decimal(200), "funding", "unified")
    assert moved["status"] == "ok"
    assert client.fetch_balance()["USDT"]["total"] == 10_200
    assert client.fetch_balance({"type": "funding"})["USDT"]["total"] == 300
    [row] = client.fetch_transfers("USDT")
    assert (row["id"], row["amount"]) == (moved["id"], 200)
    again = {"transferId": moved["id"]}
    with pytest.raises(ccxt.BadRequest, match="131214"):
        client.transfer("USDT", Decimal(200), "funding", "unified", again)
    assert client.fetch_balance()["USDT"]["total"] == 10_200
    with pytest.raises(ccxt.InsufficientFunds):
        client.transfer("USDT", Decimal(301), "funding", "unified")


def test_a_sub_account_is_made_funded_and_trades_with_its_own_key(client, rig: Rig) -> None:
    member = client.private_post_v5_user_create_sub_member(
        {"username": "follower01", "memberType": 1}
    )["result"]
    made = client.private_post_v5_user_create_sub_api(
        {
            "subuid": int(member["uid"]),
            "readOnly": 0,
            "permissions": {
                "ContractTrade": ["Order", "Position"],
                "Wallet": ["AccountTransfer"],
            },
        }
    )["result"]
    client.private_post_v5_asset_transfer_universal_transfer(
        {
            "transferId": client.uuid(),
            "coin": "USDT",
            "amount": "250",
            "fromMemberId": int(client.private_get_v5_user_query_api()["result"]["userID"]),
            "toMemberId": int(member["uid"]),
            "fromAccountType": "FUND",
            "toAccountType": "UNIFIED",
        }
    )
    follower = rig.ccxt()
    follower.apiKey, follower.secret = made["apiKey"], made["secret"]
    follower.load_markets()
    assert follower.fetch_balance()["USDT"]["total"] == 250
    follower.create_order(UNIFIED, "market", "buy", Decimal("0.001"))
    assert follower.fetch_positions([UNIFIED])[0]["contracts"] == Decimal("0.001")
    assert client.fetch_positions([UNIFIED])[0]["contracts"] == 0
    [listed] = client.private_get_v5_user_query_sub_members()["result"]["subMembers"]
    assert listed["username"] == "follower01"
    with pytest.raises(ccxt.PermissionDenied):
        follower.private_post_v5_user_create_sub_member({"username": "other001", "memberType": 1})


def test_public_data_is_what_the_exchange_has(client) -> None:
    client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    ticker = client.fetch_ticker(UNIFIED)
    assert (ticker["bid"], ticker["ask"], ticker["last"]) == (49_999, 50_001, 50_001)
    assert ticker["baseVolume"] == Decimal("0.01")
    assert ticker["quoteVolume"] == Decimal("500.01")
    assert ticker["markPrice"] == 50_000
    book = client.fetch_order_book(UNIFIED)
    assert book["bids"] == [[49_999, 20]]
    assert book["asks"] == [[50_001, 19.99]]
    [trade] = client.fetch_trades(UNIFIED)
    assert (trade["side"], trade["price"], trade["amount"]) == ("buy", 50_001, Decimal("0.01"))
    [candle] = client.fetch_ohlcv(UNIFIED, "1m")
    assert candle[1:] == [50_001, 50_001, 50_001, 50_001, Decimal("0.01")]
    assert set(client.fetch_tickers()) == {UNIFIED, UNIFIED_ETH}
    fee = client.fetch_trading_fee(UNIFIED)
    assert (fee["maker"], fee["taker"]) == (Decimal("0.0002"), Decimal("0.00055"))
    tiers = client.fetch_market_leverage_tiers(UNIFIED)
    assert [tier["maxLeverage"] for tier in tiers] == [100, 50]
    assert [tier["maintenanceMarginRate"] for tier in tiers] == [Decimal("0.005"), Decimal("0.01")]
    assert tiers[0]["maxNotional"] == 2_000_000


def test_a_maker_pays_the_makers_fee(client, rig: Rig) -> None:
    client.create_order(UNIFIED, "limit", "buy", Decimal("0.01"), 50_000)
    taker = rig.open(contract=100_000)
    rig.apply(commands.PlaceOrder(taker, SYMBOL, Side.SELL, 10, OrderKind.MARKET))
    [trade] = client.fetch_my_trades(UNIFIED)
    assert (trade["takerOrMaker"], trade["info"]["execFee"]) == ("maker", "0.1")


def test_a_post_only_order_that_would_trade_is_taken_and_cancelled(client) -> None:
    made = client.create_order(
        UNIFIED, "limit", "buy", Decimal("0.01"), 50_001, {"postOnly": True, "clientOrderId": "p"}
    )
    order = client.fetch_order(made["id"], UNIFIED, {"acknowledged": True})
    assert order["status"] == "canceled"
    assert order["info"]["rejectReason"] == "EC_PostOnlyWillTakeLiquidity"
    assert client.fetch_my_trades(UNIFIED) == []


@pytest.mark.parametrize(
    ("time_in_force", "price", "amount", "filled"),
    [("IOC", 2_501, 30, 30), ("IOC", 2_500, 30, 0), ("FOK", 2_500, 30, 0), ("FOK", 2_501, 30, 30)],
)
def test_what_the_book_cannot_fill_at_once_is_cancelled(
    client, time_in_force, price, amount, filled
) -> None:
    made = client.create_order(
        UNIFIED_ETH, "limit", "buy", amount, price, {"timeInForce": time_in_force}
    )
    order = client.fetch_order(made["id"], UNIFIED_ETH, {"acknowledged": True})
    assert order["filled"] == filled
    assert order["status"] == ("closed" if filled else "canceled")


def test_margin_is_added_to_and_taken_from_an_isolated_position(client) -> None:
    client.create_order(UNIFIED, "market", "buy", Decimal("0.01"))
    before = client.fetch_positions([UNIFIED])[0]["liquidationPrice"]
    more = {"category": "linear", "symbol": SYMBOL, "margin": "20", "positionIdx": 0}
    client.private_post_v5_position_add_margin(more)
    after = client.fetch_positions([UNIFIED])[0]
    assert after["liquidationPrice"] < before
    assert after["info"]["positionBalance"] == "70.001"
    assert client.fetch_balance()["USDT"]["used"] == Decimal("70.001")
