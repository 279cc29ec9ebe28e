"""Messages of Bitget by hand: sizes in BTC, in steps of 0.001."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ccxt

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol
from copyplugin.domain.money import Contracts, Price
from copyplugin.domain.order import OrderRequest, TimeInForce
from copyplugin.venues.ccxt.bitget import Bitget
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.keys import KeysInMemory, KnownAccount
from copyplugin.venues.ccxt.venue import CcxtVenue
from tests.venues.messages.scripted import KEYS, Row, Scripted, fine, listed

ACCOUNT, SUB = AccountId("111"), AccountId("222")
SYMBOL = Symbol("BTCUSDT")
MS = ccxt.bitget().milliseconds() - 86_400_000  # a day ago
API = "/api/v2"
WHERE = {"symbol": SYMBOL, "productType": "USDT-FUTURES", "marginCoin": "USDT"}

CONTRACT: Row = {
    "symbol": SYMBOL,
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "buyLimitPriceRatio": "0.01",
    "sellLimitPriceRatio": "0.01",
    "feeRateUpRatio": "0.005",
    "makerFeeRate": "0.0002",
    "takerFeeRate": "0.0006",
    "openCostUpRatio": "0.01",
    "supportMarginCoins": ["USDT"],
    "minTradeNum": "0.002",
    "priceEndStep": "5",
    "volumePlace": "3",
    "pricePlace": "1",
    "sizeMultiplier": "0.001",
    "symbolType": "perpetual",
    "minTradeUSDT": "5",
    "maxOrderQty": "1200",
    "maxMarketOrderQty": "220.0005",
    "symbolStatus": "normal",
    "minLever": "1",
    "maxLever": "125",
}
SETTINGS: Row = {
    "marginCoin": "USDT",
    "crossedMarginLeverage": 20,
    "isolatedLongLever": 7,
    "isolatedShortLever": 9,
    "marginMode": "isolated",
    "posMode": "hedge_mode",
}
POSITION: Row = {
    "symbol": SYMBOL,
    "marginCoin": "USDT",
    "holdSide": "long",
    "total": "0.123",
    "available": "0.123",
    "locked": "0",
    "openPriceAvg": "30000.15",
    "unrealizedPL": "-1.2345678901",
    "leverage": "5",
    "marginMode": "isolated",
    "marginSize": "738.003690009",
    "posMode": "hedge_mode",
    "liquidationPrice": "24500.5",
    "markPrice": "30000",
    "cTime": str(MS),
}
FILL: Row = {
    "tradeId": "900",
    "symbol": SYMBOL,
    "orderId": "555",
    "price": "30000.1",
    "baseVolume": "0.012",
    "quoteVolume": "360.0012",
    "feeDetail": [
        {
            "deduction": "no",
            "feeCoin": "USDT",
            "totalDeductionFee": "0",
            "totalFee": "-0.18000060000012",
        }
    ],
    "side": "buy",
    "profit": "0",
    "enterPointSource": "api",
    "tradeSide": "open",
    "posMode": "hedge_mode",
    "tradeScope": "taker",
    "cTime": str(MS + 5),
}
ORDER: Row = {
    "symbol": SYMBOL,
    "size": "0.012",
    "orderId": "555",
    "clientOid": "cpL1S1",
    "baseVolume": "0.012",
    "fee": "-0.18",
    "price": "",
    "priceAvg": "30000.1",
    "state": "filled",
    "side": "buy",
    "force": "gtc",
    "totalProfits": "0",
    "posSide": "long",
    "marginCoin": "USDT",
    "leverage": "5",
    "marginMode": "isolated",
    "tradeSide": "open",
    "posMode": "hedge_mode",
    "orderType": "market",
    "reduceOnly": "NO",
    "cancelReason": "",
    "cTime": str(MS),
    "uTime": str(MS + 9),
}


@dataclass(frozen=True)
class Scene:
    script: Scripted
    venue: CcxtVenue


@asynccontextmanager
async def scene(answers: Mapping[str, object] | None = None, **more: Any) -> AsyncIterator[Scene]:
    """Open a venue before a script that knows the market, the time and how a symbol is set."""
    said = {
        "GET /mix/market/contracts": fine([CONTRACT]),
        "GET /public/time": fine({"serverTime": str(ccxt.bitget().milliseconds())}),
        "GET /mix/account/account": fine(SETTINGS),
        **(answers or {}),
    }
    script = Scripted({what.replace(" ", f" {API}"): answer for what, answer in said.items()})
    main = KnownAccount(account=ACCOUNT, keys=KEYS)
    sub = KnownAccount(account=SUB, keys=KEYS, owner=ACCOUNT, label="follow-1")
    config = VenueConfig(dialect="bitget", address=await script.start(), **more)
    venue = CcxtVenue(config, KeysInMemory(main, sub), dialect=Bitget(config))
    try:
        yield Scene(script, venue)
    finally:
        await venue.close()
        await script.stop()


def order(**more: Any) -> OrderRequest:
    """Return a market order that opens 0.012 BTC, 12 contracts of ours."""
    terms: dict[str, Any] = {
        "account": ACCOUNT,
        "symbol": SYMBOL,
        "order_side": OrderSide.BUY,
        "position_side": PositionSide.LONG,
        "contracts": Contracts(12),
        "limit_price": None,
        "time_in_force": TimeInForce.IOC,
        "reduce_only": False,
        "client_order_id": ClientOrderId("cpL1S1"),
    }
    return OrderRequest(**(terms | more))


def bounded(price: str, force: TimeInForce) -> OrderRequest:
    return order(limit_price=Price(Decimal(price)), time_in_force=force)


def witness() -> ccxt.bitget:
    """Return ccxt's own exchange, which knows the one market and tells numbers as texts."""
    exchange = _Witness({"options": {"uta": False, "fetchMarkets": {"types": ["swap"]}}})
    exchange.number = str
    exchange.load_markets()
    return exchange


class _Witness(ccxt.bitget):
    """Is told of the market by hand."""

    def fetch_currencies(self, params: object = None) -> Row:
        return {}

    def fetch(self, url: str, *_: object) -> Row:
        return fine([CONTRACT] if "productType=USDT-FUTURES" in url else [])


def fills_told(*rows: object, **more: object) -> dict[str, object]:
    coin = {"marginCoin": "USDT", "accountEquity": "1000", "unrealizedPL": "0"}
    return {
        "GET /mix/order/fills": listed("fillList", rows),
        "GET /mix/order/detail": fine(ORDER),
        "GET /mix/account/accounts": fine([coin | {"crossedMaxAvailable": "900"}]),
        **more,
    }
