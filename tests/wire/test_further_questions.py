"""Questions beside trading, on both wires: the fund, the index, basis, takers, what never ends."""

import pytest
import requests

from simexchange.core import commands
from simexchange.core.types import MONEY_SCALE, Wallet
from tests.wire.raw import Raw, RawBinance
from tests.wire.rig import SYMBOL, Rig
from tests.wire.samples import lacking, sample


@pytest.fixture
def raw(rig: Rig) -> Raw:
    return Raw(rig, rig.key(rig.open(contract=1_000, spot=7)))


def result(answer: requests.Response, code: int = 0):
    body = answer.json()
    assert body["retCode"] == code, body
    return body["result"]


def test_the_fund_is_told_on_both_wires(rig: Rig, raw: Raw, raw_binance: RawBinance) -> None:
    rig.apply(commands.Deposit(0, Wallet.CONTRACT, 12 * MONEY_SCALE + 50))
    [row] = result(raw.get("/v5/market/insurance", coin="USDT"))["list"]
    assert (row["coin"], row["symbols"]) == ("USDT", "BTCUSDT,ETHUSDT")
    assert row["balance"] == row["value"] == "1000012.0000005"
    assert result(raw.get("/v5/market/insurance", coin="BTC"))["list"] == []
    told = raw_binance.public("/fapi/v1/insuranceBalance", symbol=SYMBOL).json()
    assert told["assets"][0]["marginBalance"] == "1000012.0000005"
    assert raw_binance.public("/fapi/v1/insuranceBalance").json() == [told]


def test_an_index_has_one_source(raw_binance: RawBinance) -> None:
    told = raw_binance.public("/fapi/v1/constituents", symbol=SYMBOL).json()
    [source] = told["constituents"]
    assert (told["symbol"], source["price"], source["weight"]) == (SYMBOL, "50000.0", "1.00000000")
    assert raw_binance.public("/fapi/v1/indexInfo").json() == []
    assert raw_binance.public("/fapi/v1/constituents", symbol="NOPE").json()["code"] == -1121


def test_takers_and_basis_are_counted_by_period(raw_binance: RawBinance) -> None:
    rig = raw_binance.rig
    raw_binance.order(quantity="0.03")
    raw_binance.order(side="SELL", quantity="0.01")
    rig.apply(commands.SetMark(SYMBOL, 501_000))
    asked = {"symbol": SYMBOL, "period": "1d"}
    row = raw_binance.public("/futures/data/takerlongshortRatio", **asked).json()[-1]
    assert (row["buyVol"], row["sellVol"], row["buySellRatio"]) == ("0.030", "0.010", "3")
    asked = {"pair": SYMBOL, "period": "1d", "contractType": "PERPETUAL"}
    row = raw_binance.public("/futures/data/basis", **asked).json()[-1]
    assert (row["indexPrice"], row["futuresPrice"]) == ("50000.0", "50100.0")
    assert (row["basis"], row["basisRate"]) == ("100.0", "0.002")
    none = {**asked, "contractType": "NEXT_QUARTER"}
    assert raw_binance.public("/futures/data/basis", **none).json() == []
    wrong = raw_binance.public("/futures/data/basis", **{**asked, "period": "7m"})
    assert wrong.json()["code"] == -1130


def test_what_may_be_moved_out_is_told(raw: Raw) -> None:
    told = result(raw.get("/v5/account/withdrawal", coinName="USDT,BTC"))
    assert told["availableWithdrawal"] == "1000"
    assert told["availableWithdrawalMap"] == {"USDT": "1000", "BTC": "0"}
    raw.order(qty="0.1")
    after = result(raw.get("/v5/account/withdrawal", coinName="USDT"))["availableWithdrawal"]
    balance = raw.rig.exchange.available_balance(raw.key.account)
    assert after == f"{balance / MONEY_SCALE:.8f}".rstrip("0")


def test_nothing_is_borrowed_delivered_or_settled_by_session(raw: Raw) -> None:
    [coin] = result(raw.get("/v5/account/collateral-info"))["list"]
    assert (coin["currency"], coin["borrowable"], coin["borrowAmount"]) == ("USDT", False, "0")
    assert result(raw.get("/v5/account/borrow-history"))["list"] == []
    for path in ("market/delivery-price", "asset/delivery-record", "asset/settlement-record"):
        told = result(raw.get(f"/v5/{path}", category="linear"))
        assert told == {"category": "linear", "nextPageCursor": "", "list": []}


def test_an_account_knows_its_instruments_and_its_wallets(raw: Raw) -> None:
    asked = {"category": "linear", "symbol": SYMBOL}
    own = result(raw.get("/v5/account/instruments-info", **asked))
    assert own == result(raw.get("/v5/market/instruments-info", **asked))
    told = result(raw.get("/v5/user/get-member-type"))["accounts"]
    assert told == [{"uid": str(raw.key.account), "accountType": ["UNIFIED", "FUND"]}]
    result(raw.get("/v5/user/get-member-type", memberIds="999"), 10001)


def test_settings_that_are_not_a_unified_accounts_are_refused(raw: Raw) -> None:
    terms = {"category": "linear", "symbol": SYMBOL}
    isolated = {**terms, "tradeMode": 1, "buyLeverage": "5", "sellLeverage": "5"}
    result(raw.post("/v5/position/switch-isolated", isolated), 100028)
    result(raw.post("/v5/position/set-auto-add-margin", {**terms, "autoAddMargin": 0}))
    result(raw.post("/v5/position/set-auto-add-margin", {**terms, "autoAddMargin": 1}), 10001)


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("/v5/account/collateral-info", {}, "Account__GetCollateralInfo"),
        ("/v5/market/insurance", {}, "ExchangeData__GetInsurance"),
        ("/v5/user/get-member-type", {}, "Account__GetAccountTypes"),
    ],
)
def test_no_field_of_a_recorded_answer_is_missing(raw: Raw, path, query, name) -> None:
    wanted = sample("bybit", f"Endpoints__V5Api__{name}")["result"]
    assert lacking(wanted, result(raw.get(path, **query))) == []


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("/fapi/v1/insuranceBalance", {"symbol": SYMBOL}, "GetInsuranceFundBalances"),
        ("/fapi/v1/constituents", {"symbol": SYMBOL}, "GetIndexPriceConstituents"),
        (
            "/futures/data/basis",
            {"pair": SYMBOL, "period": "1d", "contractType": "PERPETUAL"},
            "GetBasis",
        ),
    ],
)
def test_nor_of_one_of_the_second_dialect(raw_binance: RawBinance, path, query, name) -> None:
    wanted = sample("binance", f"Endpoints__UsdFutures__ExchangeData__{name}")
    assert lacking(wanted, raw_binance.public(path, **query).json()) == []
