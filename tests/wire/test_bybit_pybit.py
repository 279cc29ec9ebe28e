"""pybit, unmodified, against the served exchange."""

import queue
from decimal import Decimal

import pybit.exceptions
import pytest
from pybit import _websocket_trading, unified_trading

from tests.wire.rig import SYMBOL, Rig

LINEAR = {"category": "linear", "symbol": SYMBOL}


@pytest.fixture
def account(rig: Rig) -> int:
    return rig.open(contract=10_000, spot=500)


@pytest.fixture
def session(rig: Rig, account: int) -> unified_trading.HTTP:
    key = rig.key(account)
    made = unified_trading.HTTP(testnet=False, api_key=key.key, api_secret=key.secret)
    made.endpoint = rig.url
    return made


@pytest.fixture
def sockets(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    address = rig.url.replace("http", "ws")
    monkeypatch.setattr(unified_trading, "PUBLIC_WSS", f"{address}/v5/public/{{CHANNEL_TYPE}}")
    monkeypatch.setattr(unified_trading, "PRIVATE_WSS", f"{address}/v5/private")
    monkeypatch.setattr(_websocket_trading, "TRADE_WSS", f"{address}/v5/trade")


def rows(answer: dict) -> list[dict]:
    assert answer["retCode"] == 0
    return answer["result"]["list"]


def test_public_questions_are_answered(session: unified_trading.HTTP) -> None:
    assert int(session.get_server_time()["result"]["timeSecond"]) > 0
    [instrument] = rows(session.get_instruments_info(**LINEAR))
    assert instrument["lotSizeFilter"]["qtyStep"] == "0.001"
    [ticker] = rows(session.get_tickers(**LINEAR))
    assert (ticker["bid1Price"], ticker["ask1Size"]) == ("49999.0", "20")
    book = session.get_orderbook(**LINEAR)["result"]
    assert (book["b"], book["a"]) == ([["49999.0", "20"]], [["50001.0", "20"]])
    assert rows(session.get_funding_rate_history(**LINEAR)) == []
    assert len(rows(session.get_risk_limit(**LINEAR))) == 2
    assert rows(session.get_kline(**LINEAR, interval=1)) == []
    assert rows(session.get_mark_price_kline(**LINEAR, interval=60))[0][1] == "50000.0"
    assert rows(session.get_public_trade_history(**LINEAR)) == []


def test_an_order_lives_from_placing_to_history(session: unified_trading.HTTP) -> None:
    limit = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "40000"}
    made = session.place_order(**LINEAR, **limit, orderLinkId="py-1")["result"]
    assert made["orderLinkId"] == "py-1"
    [order] = rows(session.get_open_orders(**LINEAR))
    assert (order["orderId"], order["orderStatus"]) == (made["orderId"], "New")
    session.amend_order(**LINEAR, orderLinkId="py-1", qty="0.02")
    [order] = rows(session.get_open_orders(**LINEAR, orderLinkId="py-1"))
    assert order["qty"] == "0.02"
    session.cancel_order(**LINEAR, orderId=made["orderId"])
    assert rows(session.get_open_orders(**LINEAR)) == []
    [order] = rows(session.get_order_history(**LINEAR))
    assert (order["orderStatus"], order["cancelType"]) == ("Cancelled", "CancelByUser")


def test_positions_money_and_settings(session: unified_trading.HTTP) -> None:
    session.set_leverage(**LINEAR, buyLeverage="5", sellLeverage="5")
    with pytest.raises(pybit.exceptions.InvalidRequestError, match="110043"):
        session.set_leverage(**LINEAR, buyLeverage="5", sellLeverage="5")
    session.place_order(**LINEAR, side="Sell", orderType="Market", qty="0.01")
    [position] = rows(session.get_positions(**LINEAR))
    assert (position["side"], position["size"], position["leverage"]) == ("Sell", "0.01", "5")
    session.set_trading_stop(**LINEAR, takeProfit="48000", stopLoss="52000", positionIdx=0)
    [position] = rows(session.get_positions(**LINEAR))
    assert (position["takeProfit"], position["stopLoss"]) == ("48000.0", "52000.0")
    with pytest.raises(pybit.exceptions.InvalidRequestError, match="34040"):
        session.set_trading_stop(**LINEAR, takeProfit="48000", positionIdx=0)
    session.set_trading_stop(**LINEAR, takeProfit="0", stopLoss="0", positionIdx=0)
    [position] = rows(session.get_positions(**LINEAR))
    assert (position["takeProfit"], position["stopLoss"]) == ("", "")
    [wallet] = rows(session.get_wallet_balance(accountType="UNIFIED"))
    assert wallet["totalWalletBalance"] == "9999.7250055"
    [execution] = rows(session.get_executions(**LINEAR))
    assert execution["execFee"] == "0.2749945"
    [fee] = rows(session.get_fee_rates(**LINEAR))
    assert fee["takerFeeRate"] == "0.00055"
    assert rows(session.get_transaction_log(accountType="UNIFIED"))[0]["type"] == "TRADE"


def test_a_partial_stop_closes_its_part_and_ends_its_sibling(
    session: unified_trading.HTTP, rig: Rig
) -> None:
    session.place_order(**LINEAR, side="Buy", orderType="Market", qty="0.02")
    stops = {"takeProfit": "51000", "stopLoss": "49000", "tpSize": "0.01", "slSize": "0.01"}
    triggers = {"tpTriggerBy": "MarkPrice", "slTriggerBy": "MarkPrice"}
    session.set_trading_stop(**LINEAR, **stops, **triggers, tpslMode="Partial", positionIdx=0)
    waiting = rows(session.get_open_orders(**LINEAR, orderFilter="StopOrder"))
    assert {row["stopOrderType"] for row in waiting} == {"PartialTakeProfit", "PartialStopLoss"}
    rig.set_price(SYMBOL, "51000")
    [position] = rows(session.get_positions(**LINEAR))
    assert position["size"] == "0.01"
    assert rows(session.get_open_orders(**LINEAR, orderFilter="StopOrder")) == []


def test_a_trailing_stop_follows_the_price(session: unified_trading.HTTP, rig: Rig) -> None:
    session.place_order(**LINEAR, side="Buy", orderType="Market", qty="0.01")
    session.set_trading_stop(**LINEAR, trailingStop="500", positionIdx=0)
    [position] = rows(session.get_positions(**LINEAR))
    assert position["trailingStop"] == "500"
    session.set_trading_stop(**LINEAR, trailingStop="0", positionIdx=0)
    [position] = rows(session.get_positions(**LINEAR))
    assert position["trailingStop"] == "0"
    rig.exchange.check()


def test_batches_modes_and_transfers(session: unified_trading.HTTP) -> None:
    leg = {"symbol": SYMBOL, "side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "40000"}
    answer = session.place_batch_order(category="linear", request=[leg, {**leg, "qty": "0"}])
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0, 10001]
    [placed, _] = rows(answer)
    change = {"symbol": SYMBOL, "orderId": placed["orderId"], "price": "41000"}
    session.amend_batch_order(category="linear", request=[change])
    cancel = {"symbol": SYMBOL, "orderId": placed["orderId"]}
    answer = session.cancel_batch_order(category="linear", request=[cancel, cancel])
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0, 110001]
    assert rows(session.cancel_all_orders(**LINEAR)) == []
    session.switch_position_mode(category="linear", coin="USDT", mode=3)
    session.switch_position_mode(category="linear", coin="USDT", mode=3)
    with pytest.raises(pybit.exceptions.InvalidRequestError, match="110025"):
        session.switch_position_mode(category="linear", symbol=SYMBOL, mode=3)
    assert len(rows(session.get_positions(**LINEAR))) == 2
    session.set_margin_mode(setMarginMode="REGULAR_MARGIN")
    assert session.get_account_info()["result"]["marginMode"] == "REGULAR_MARGIN"
    move = {
        "transferId": "6a1e7f3c-5f3e-4c3a-8e43-0d1e6cbb1f57",
        "coin": "USDT",
        "amount": "100",
        "fromAccountType": "FUND",
        "toAccountType": "UNIFIED",
    }
    assert session.create_internal_transfer(**move)["result"]["status"] == "SUCCESS"
    [listed] = rows(session.get_internal_transfer_records())
    assert listed["transferId"] == move["transferId"]
    balance = session.get_coins_balance(accountType="FUND")["result"]["balance"]
    assert balance[0]["walletBalance"] == "400"


def test_members_and_their_keys(session: unified_trading.HTTP, rig: Rig, account: int) -> None:
    made = session.create_sub_uid(username="member01", memberType=1)["result"]
    with pytest.raises(pybit.exceptions.InvalidRequestError):
        session.create_sub_uid(username="member01", memberType=1)
    permissions = {"ContractTrade": ["Order", "Position"]}
    key = session.create_sub_api_key(subuid=int(made["uid"]), readOnly=0, permissions=permissions)[
        "result"
    ]
    session.create_universal_transfer(
        transferId="0b2f6c0e-7a4d-4a7b-8d8a-2d5f1f0d3c11",
        coin="USDT",
        amount="50",
        fromMemberId=account,
        toMemberId=int(made["uid"]),
        fromAccountType="FUND",
        toAccountType="UNIFIED",
    )
    [moved] = rows(session.get_universal_transfer_records())
    assert (moved["fromMemberId"], moved["toMemberId"]) == (str(account), made["uid"])
    member = unified_trading.HTTP(api_key=key["apiKey"], api_secret=key["secret"])
    member.endpoint = rig.url
    said = member.get_api_key_information()["result"]
    assert (said["isMaster"], said["parentUid"]) == (False, str(account))
    [wallet] = rows(member.get_wallet_balance(accountType="UNIFIED"))
    assert wallet["totalWalletBalance"] == "50"
    session.modify_sub_api_key(apikey=key["apiKey"], readOnly=1)
    with pytest.raises(pybit.exceptions.InvalidRequestError, match="10005"):
        member.place_order(**LINEAR, side="Buy", orderType="Market", qty="0.001")
    with pytest.raises(pybit.exceptions.InvalidRequestError):
        session.delete_sub_uid(subMemberId=made["uid"])  # it still holds money
    session.delete_sub_api_key(apikey=key["apiKey"])
    with pytest.raises(pybit.exceptions.InvalidRequestError):
        member.get_api_key_information()


def test_streams_survive_quick_acks_and_bring_the_news(
    sockets: None, session: unified_trading.HTTP, rig: Rig, account: int
) -> None:
    key = rig.key(account)
    heard: queue.Queue[dict] = queue.Queue()
    public = unified_trading.WebSocket(channel_type="linear", testnet=False)
    private = unified_trading.WebSocket(
        channel_type="private", testnet=False, api_key=key.key, api_secret=key.secret
    )
    trading = unified_trading.WebSocketTrading(
        testnet=False, api_key=key.key, api_secret=key.secret, recv_window=5_000
    )
    try:
        public.ticker_stream(SYMBOL, heard.put)
        public.orderbook_stream(50, SYMBOL, heard.put)
        assert {heard.get(timeout=5)["topic"] for _ in range(2)} == {
            f"tickers.{SYMBOL}",
            f"orderbook.50.{SYMBOL}",
        }
        private.order_stream(heard.put)
        private.execution_stream(heard.put)
        private.position_stream(heard.put)
        private.wallet_stream(heard.put)
        answers: queue.Queue[dict] = queue.Queue()
        trading.place_order(
            answers.put, **LINEAR, side="Buy", orderType="Market", qty="0.01", orderLinkId="ws"
        )
        assert answers.get(timeout=5)["retCode"] == 0
        news: dict[str, dict] = {}
        while not {"order", "execution", "position", "wallet"} <= set(news):
            message = heard.get(timeout=5)
            news[message["topic"]] = message["data"]
        assert news["order"][0]["orderStatus"] == "Filled"
        assert news["execution"][0]["orderLinkId"] == "ws"
        assert news["position"][0]["size"] == "0.01"
        [wallet] = rows(session.get_wallet_balance(accountType="UNIFIED"))
        assert news["wallet"][0]["totalWalletBalance"] == wallet["totalWalletBalance"]
        assert Decimal(wallet["totalWalletBalance"]) == Decimal("9999.7249945")
    finally:
        for client in (public, private, trading):
            client.exit()


def test_a_close_on_trigger_order_makes_its_way_and_is_shown_as_one(
    session: unified_trading.HTTP,
) -> None:
    market = {"orderType": "Market", "qty": "0.01"}
    session.place_order(**LINEAR, side="Buy", **market)
    resting = {"side": "Sell", "orderType": "Limit", "qty": "0.01", "price": "60000"}
    session.place_order(**LINEAR, **resting, reduceOnly=True, orderLinkId="target")

    closing = session.place_order(**LINEAR, side="Sell", **market, closeOnTrigger=True)["result"]

    [position] = rows(session.get_positions(**LINEAR))
    assert position["size"] in ("0", "0.000")
    ended = {row["orderId"]: row for row in rows(session.get_order_history(**LINEAR))}
    assert ended[closing["orderId"]]["closeOnTrigger"] is True
    assert ended[closing["orderId"]]["reduceOnly"] is True
    [target] = [row for row in ended.values() if row["orderLinkId"] == "target"]
    assert (target["orderStatus"], target["cancelType"]) == ("Cancelled", "CancelByReduceOnly")
