"""Every answer of the second dialect has all fields that the venue's recorded answers have."""

from typing import Any

import pytest

from simexchange.core import commands
from tests.wire.raw import RawBinance
from tests.wire.rig import SYMBOL, Rig
from tests.wire.samples import lacking, sample

ONE = {"symbol": SYMBOL}
NEW = {**ONE, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "30000"}
NEW |= {"quantity": "0.01"}
ALGO = {"algoType": "CONDITIONAL", **ONE, "side": "SELL", "type": "STOP_MARKET"}
ALGO |= {"quantity": "0.01", "triggerPrice": "44000"}
TOLERATED = {
    ".activatePrice",  # of a trailing stop
    ".priceRate",
    "[].activatePrice",
    "[].priceRate",
    ".cumBase",  # of contracts that are margined in coins
    ".pair",
    "[].isAutoAddMargin",  # here the venue's own client wants other kinds than the record has
    ".assets[].autoAssetExchange",
    "[].tranId",
}
OLDER_VERSION = {f"[].{n}" for n in ("leverage", "maxNotionalValue", "marginType")} | {
    "[].isAutoAddMargin"
}
REQUESTS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("Account__GetAccountConfiguration", "GET", "/fapi/v1/accountConfig", {}),
    ("Account__GetAccountInfo", "GET", "/fapi/v2/account", {}),
    ("Account__GetAccountInfoV3", "GET", "/fapi/v3/account", {}),
    ("Account__GetBalances", "GET", "/fapi/v3/balance", {}),
    ("Account__GetBrackets", "GET", "/fapi/v1/leverageBracket", {}),
    ("Account__GetBnbBurnStatus", "GET", "/fapi/v1/feeBurn", {}),
    ("Account__GetMarginChangeHistory", "GET", "/fapi/v1/positionMargin/history", ONE),
    ("Account__GetMultiAssetsMode", "GET", "/fapi/v1/multiAssetsMargin", {}),
    ("Account__GetOrderRateLimit", "GET", "/fapi/v1/rateLimit/order", {}),
    ("Account__GetPositionInformation", "GET", "/fapi/v2/positionRisk", ONE),
    ("Account__GetSymbolConfiguration", "GET", "/fapi/v1/symbolConfig", ONE),
    ("Account__GetUserCommissionRate", "GET", "/fapi/v1/commissionRate", ONE),
    ("Account__ModifyPositionMargin", "POST", "/fapi/v1/positionMargin", {**ONE, "amount": "1"}),
    ("Account__ChangeInitialLeverage", "POST", "/fapi/v1/leverage", {**ONE, "leverage": 20}),
    ("Account__StartUserStream", "POST", "/fapi/v1/listenKey", {}),
    ("ExchangeData__GetAggregatedTradeHistory", "GET", "/fapi/v1/aggTrades", ONE),
    ("ExchangeData__GetBookPrice", "GET", "/fapi/v1/ticker/bookTicker", ONE),
    ("ExchangeData__GetExchangeInfo", "GET", "/fapi/v1/exchangeInfo", {}),
    ("ExchangeData__GetFundingInfo", "GET", "/fapi/v1/fundingInfo", {}),
    ("ExchangeData__GetFundingRates", "GET", "/fapi/v1/fundingRate", ONE),
    ("ExchangeData__GetKlines", "GET", "/fapi/v1/klines", {**ONE, "interval": "1m"}),
    ("ExchangeData__GetMarkPrice", "GET", "/fapi/v1/premiumIndex", ONE),
    ("ExchangeData__GetMarkPriceKlines", "GET", "/fapi/v1/markPriceKlines", ONE),
    ("ExchangeData__GetOpenInterest", "GET", "/fapi/v1/openInterest", ONE),
    ("ExchangeData__GetOrderBook", "GET", "/fapi/v1/depth", ONE),
    ("ExchangeData__GetPrice", "GET", "/fapi/v2/ticker/price", ONE),
    ("ExchangeData__GetRecentTrades", "GET", "/fapi/v1/trades", ONE),
    ("ExchangeData__GetTicker", "GET", "/fapi/v1/ticker/24hr", ONE),
    ("ExchangeData__GetTradeHistory", "GET", "/fapi/v1/historicalTrades", ONE),
    ("Trading__CancelAllOrdersAfterTimeout", "POST", "/fapi/v1/countdownCancelAll", ONE),
    ("Trading__EditOrder", "PUT", "/fapi/v1/order", {**NEW, "price": "31000"}),
    ("Trading__GetConditionalOrder", "GET", "/fapi/v1/algoOrder", {"clientAlgoId": "stop"}),
    ("Trading__GetConditionalOrders", "GET", "/fapi/v1/allAlgoOrders", ONE),
    ("Trading__GetOpenConditionalOrders", "GET", "/fapi/v1/openAlgoOrders", {}),
    ("Trading__GetOpenOrder", "GET", "/fapi/v1/openOrder", {**ONE, "origClientOrderId": "rests"}),
    ("Trading__GetOpenOrders", "GET", "/fapi/v1/openOrders", {}),
    ("Trading__GetOrder", "GET", "/fapi/v1/order", {**ONE, "origClientOrderId": "rests"}),
    ("Trading__GetOrderEditHistory", "GET", "/fapi/v1/orderAmendment", ONE),
    ("Trading__GetOrders", "GET", "/fapi/v1/allOrders", ONE),
    ("Trading__GetPositions", "GET", "/fapi/v3/positionRisk", {}),
    ("Trading__GetUserTrades", "GET", "/fapi/v1/userTrades", ONE),
    ("Trading__PlaceConditionalOrder", "POST", "/fapi/v1/algoOrder", ALGO),
    ("Trading__PlaceOrder", "POST", "/fapi/v1/order", NEW),
    ("Trading__CancelOrder", "DELETE", "/fapi/v1/order", {**ONE, "origClientOrderId": "rests"}),
]
MORE: dict[str, dict[str, Any]] = {
    "Account__ModifyPositionMargin": {"type": 1},
    "ExchangeData__GetMarkPriceKlines": {"interval": "1m"},
    "Trading__CancelAllOrdersAfterTimeout": {"countdownTime": 0},
}


@pytest.fixture(scope="module")
def busy() -> Any:
    """Give a client whose account has something of everything."""
    with Rig() as rig:
        client = RawBinance(rig, rig.key(rig.open(contract=100_000, spot=500)))
        client.order()
        client.limit_order("40000", newClientOrderId="rests")
        terms = {**ONE, "side": "BUY", "origClientOrderId": "rests", "quantity": "0.02"}
        client.ask("PUT", "/fapi/v1/order", **terms, price="40001")
        client.ask("POST", "/fapi/v1/algoOrder", **ALGO, clientAlgoId="stop")
        client.ask("POST", "/fapi/v1/positionMargin", **ONE, amount="5", type=1)
        rig.call(lambda: rig.clock.advance(8 * 3_600 * 1_000_000))
        rig.apply(commands.AdvanceTime())
        yield client


@pytest.mark.parametrize(("name", "method", "path", "values"), REQUESTS)
def test_an_answer_has_every_field_of_the_venues(
    busy: RawBinance, name: str, method: str, path: str, values: dict[str, Any]
) -> None:
    wanted = sample("binance", f"Endpoints__UsdFutures__{name}")
    values = {**values, **MORE.get(name, {})}
    if name == "Trading__EditOrder":
        values = {n: v for n, v in values.items() if n not in ("type", "timeInForce")}
        values["origClientOrderId"] = "rests"
    found = busy.ask(method, path, **values)
    problems = {problem.partition(" ")[0] for problem in lacking(wanted, found)} - TOLERATED
    if path.startswith("/fapi/v3/"):
        problems -= OLDER_VERSION
    assert not problems
