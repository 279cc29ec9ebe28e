"""Messages of OKX by hand: one contract is 0.01 BTC, and may be divided into tenths."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import ccxt

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol
from copyplugin.domain.money import Contracts, Price
from copyplugin.domain.order import OrderRequest, TimeInForce
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.keys import KeysInMemory, KnownAccount
from copyplugin.venues.ccxt.okx import Okx
from copyplugin.venues.ccxt.venue import CcxtVenue
from tests.venues.messages.scripted import KEYS, Row, Scripted, ok

ACCOUNT, SUB = AccountId("111"), AccountId("222")
SYMBOL = Symbol("BTC-USDT-SWAP")
MS = ccxt.okx().milliseconds() - 86_400_000  # a day ago

INSTRUMENT: Row = {
    "instId": SYMBOL,
    "instType": "SWAP",
    "uly": "BTC-USDT",
    "instFamily": "BTC-USDT",
    "baseCcy": "",
    "quoteCcy": "",
    "settleCcy": "USDT",
    "ctVal": "0.01",
    "ctMult": "1",
    "ctValCcy": "BTC",
    "ctType": "linear",
    "lever": "100",
    "tickSz": "0.1",
    "lotSz": "0.1",
    "minSz": "0.2",
    "maxLmtSz": "100000",
    "maxMktSz": "12000.05",
    "state": "live",
}
CONFIG: Row = {
    "uid": ACCOUNT,
    "mainUid": ACCOUNT,
    "acctLv": "2",
    "posMode": "long_short_mode",
    "perm": "read_only,trade",
}
POSITION: Row = {
    "instId": SYMBOL,
    "instType": "SWAP",
    "mgnMode": "isolated",
    "posSide": "long",
    "pos": "12.3",
    "avgPx": "30000.15",
    "upl": "-1.2345678901",
    "lever": "5",
    "liqPx": "24500.5",
    "margin": "738.00369",
    "imr": "",
    "markPx": "30000",
    "notionalUsd": "3690",
    "mgnRatio": "10",
    "cTime": str(MS),
    "uTime": str(MS),
}
FILL: Row = {
    "instId": SYMBOL,
    "instType": "SWAP",
    "tradeId": "77",
    "ordId": "555",
    "clOrdId": "",
    "billId": "900",
    "subType": "3",
    "side": "buy",
    "posSide": "long",
    "fillPx": "30000.1",
    "fillSz": "1.2",
    "fillPnl": "0",
    "fee": "-0.18000060000012",
    "feeCcy": "USDT",
    "execType": "T",
    "fillTime": str(MS + 5),
    "ts": str(MS + 9),
}
ORDER: Row = {
    "instId": SYMBOL,
    "instType": "SWAP",
    "ordId": "555",
    "clOrdId": "cpL1S1",
    "side": "buy",
    "posSide": "long",
    "tdMode": "isolated",
    "ordType": "market",
    "sz": "1.2",
    "px": "",
    "avgPx": "30000.1",
    "accFillSz": "1.2",
    "fillSz": "1.2",
    "fillPx": "30000.1",
    "fee": "-0.18",
    "feeCcy": "USDT",
    "lever": "5",
    "state": "filled",
    "cTime": str(MS),
    "uTime": str(MS + 9),
    "cancelSource": "",
    "reduceOnly": "false",
}
API = "/api/v5"


@dataclass(frozen=True)
class Scene:
    script: Scripted
    venue: CcxtVenue


@asynccontextmanager
async def scene(answers: dict[str, object] | None = None, **more: Any) -> AsyncIterator[Scene]:
    """Open a venue before a script that knows the market, the time and the account."""
    script = Scripted(
        {
            f"GET {API}/public/instruments": ok(INSTRUMENT),
            f"GET {API}/public/time": ok({"ts": str(ccxt.okx().milliseconds())}),
            f"GET {API}/account/trade-fee": ok({"makerU": "-0.0002", "takerU": "-0.0005"}),
            f"GET {API}/account/config": ok(CONFIG),
            **{
                f"{what[:4].strip()} {API}{what[4:].strip()}": said
                for what, said in (answers or {}).items()
            },
        }
    )
    main = KnownAccount(account=ACCOUNT, keys=KEYS)
    sub = KnownAccount(account=SUB, keys=KEYS, owner=ACCOUNT, is_pooled=True)
    config = VenueConfig(dialect="okx", address=await script.start(), **more)
    venue = CcxtVenue(config, KeysInMemory(main, sub), dialect=Okx(config))
    try:
        yield Scene(script, venue)
    finally:
        await venue.close()
        await script.stop()


def order(**more: Any) -> OrderRequest:
    """Return a market order that opens 1.2 contracts of the venue, 12 of ours."""
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


def witness() -> ccxt.okx:
    """Return ccxt's own exchange, which knows the one market and tells numbers as texts."""
    exchange = ccxt.okx()
    exchange.number = str
    exchange.set_markets([exchange.parse_market(INSTRUMENT)])
    return exchange
