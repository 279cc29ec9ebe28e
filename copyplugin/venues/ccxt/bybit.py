"""Bybit v5, linear, unified trading account."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from copyplugin.domain.capacity import Levels
from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Price, Ratio
from copyplugin.domain.order import OrderReport, OrderRequest, TimeInForce
from copyplugin.errors import OrderRejected
from copyplugin.ports import FundingTerms, MovesMoney, VenueCapabilities
from copyplugin.venues.ccxt import bybit_rows
from copyplugin.venues.ccxt.bybit_account import (
    LINEAR,
    BybitAccount,
    executions,
    order_row,
    pages,
)
from copyplugin.venues.ccxt.bybit_codes import REFUSALS
from copyplugin.venues.ccxt.bybit_money import BybitMoney
from copyplugin.venues.ccxt.bybit_plans import BybitPlans
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialect import Book, ListedFill, PlainDialect, Tier
from copyplugin.venues.ccxt.gate import Rate, Urgency
from copyplugin.venues.ccxt.lean import Routes, Signed
from copyplugin.venues.ccxt.texts import (
    decimal_of,
    levels_of,
    plain,
    quantity_text,
    text_of,
    time_of,
)

LEVELS_MAX = 500
"""The venue tells no more levels of a side at once."""

_POSTS = Routes("private", "private_post_")
_TIMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}


class Bybit(BybitAccount, BybitMoney, BybitPlans, PlainDialect):
    """Orders are acknowledged first and traded then: what became of one is asked for.

    Margin mode is one for all of an account's symbols; leverage and legs are per symbol.
    """

    name = "bybit"
    ccxt_id = "bybit"
    is_proven = True
    refusals: Mapping[str, str] = REFUSALS
    account_rate: Rate | None = Rate(10, 10)
    address_rate: Rate | None = Rate(110, 500)  # the venue bans at 600 in 5 s
    capabilities = VenueCapabilities(
        moves_money=MovesMoney.OWN_ACCOUNTS,
        opens_sub_accounts=True,
        hedge_mode=True,
        streams_fills=True,
        tells_leader_balance=True,
        plan_orders=True,
        amends_plans=True,
        adjusts_margin=True,
    )

    def __init__(self, config: VenueConfig) -> None:
        self.config = config

    def signed(self, client: Client, method: str, params: Mapping[str, object]) -> Signed | None:
        """Sign a POST: time, key, window and body, in this order."""
        exchange = client.ccxt
        url = _POSTS.url(exchange, method)
        if url is None or not client.signer.can_sign:
            return None
        body = msgspec.json.encode(params)
        stamp, key, window = str(exchange.nonce()), exchange.apiKey, exchange.options["recvWindow"]
        headers = {
            "Content-Type": "application/json",
            "X-BAPI-API-KEY": key,
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": str(window),
            "X-BAPI-SIGN": client.signer.signature(f"{stamp}{key}{window}".encode() + body),
        }
        return Signed(url, headers, body)

    def options(self, config: VenueConfig) -> dict[str, Any]:
        alive = max(1, int(config.socket_silence.total_seconds() * 1000 / 3))
        return {
            "fetchMarkets": {"types": ["linear"]},
            "recvWindow": int(config.receive_window.total_seconds() * 1000),
            # Every account is a unified one since 2025: ccxt need not ask each.
            "enableUnifiedMargin": False,
            "enableUnifiedAccount": True,
            "unifiedMarginStatus": 6,
            "defaultType": "swap",
            "ws": {"compress": 0, "keepAlive": alive},
        }

    async def server_time(self, client: Client) -> int:
        answer = await client.ask("public_get_v5_market_time", urgency=Urgency.CLOSE)
        return int(answer["result"]["timeNano"]) // 1_000_000

    # -- the market

    def instrument(self, market: Row) -> Instrument | None:
        row = market["info"]
        if row.get("contractType") != "LinearPerpetual" or row["settleCoin"] != "USDT":
            return None
        return bybit_rows.instrument_from(market)

    def is_trading(self, market: Row) -> bool:
        return market["info"]["status"] == "Trading"

    async def tiers(self, client: Client) -> Mapping[Symbol, Tier]:
        rows = await pages(client, "public_get_v5_market_risk_limit", LINEAR)
        fees: dict[str, Row] = {}
        if client.account is not None:
            told = await client.ask("private_get_v5_account_fee_rate", LINEAR)
            fees = {row["symbol"]: row for row in told["result"]["list"]}
        return {
            Symbol(row["symbol"]): Tier(
                leverage_max=Ratio(decimal_of(row, "maxLeverage")),
                maintenance_rate=Ratio(decimal_of(row, "maintenanceMargin")),
                maker_fee=bybit_rows.fee_of(fees, row["symbol"], "makerFeeRate"),
                taker_fee=bybit_rows.fee_of(fees, row["symbol"], "takerFeeRate"),
            )
            for row in rows
            if str(row["isLowestRisk"]) == "1"
        }

    async def marks(self, client: Client) -> Mapping[Symbol, Price]:
        answer = await client.ask("public_get_v5_market_tickers", LINEAR)
        return bybit_rows.marks_from(answer["result"]["list"])

    async def funding_terms(self, client: Client) -> Mapping[Symbol, FundingTerms]:
        answer = await client.ask("public_get_v5_market_tickers", LINEAR)
        return bybit_rows.funding_terms_from(answer["result"]["list"])

    async def levels(self, client: Client, instrument: Instrument) -> tuple[Levels, Levels]:
        asked: Row = {**LINEAR, "symbol": instrument.symbol, "limit": LEVELS_MAX}
        answer = await client.ask("public_get_v5_market_orderbook", asked)
        book, unit = answer["result"], instrument.contract_size
        return levels_of(book["b"], unit), levels_of(book["a"], unit)

    # -- orders

    async def place_order(
        self, client: Client, request: OrderRequest, instrument: Instrument
    ) -> OrderReport:
        params: Row = {
            **LINEAR,
            "symbol": request.symbol,
            "side": bybit_rows.SIDES[request.order_side],
            "orderType": "Market",
            "qty": quantity_text(request.contracts, instrument.contract_size),
            "positionIdx": bybit_rows.INDEXES[request.position_side],
            "reduceOnly": request.reduce_only,
            "orderLinkId": request.client_order_id,
        }
        if request.limit_price is not None:
            params["orderType"] = "Limit"
            params["price"] = plain(request.limit_price)
            params["timeInForce"] = _TIMES[request.time_in_force]
        answer = await client.tell(
            "private_post_v5_order_create",
            params,
            rejected=OrderRejected,
            urgency=Urgency.CLOSE if request.reduce_only else Urgency.TRADE,
        )
        return bybit_rows.acknowledged(answer, request.client_order_id)

    async def find_order(
        self, client: Client, instrument: Instrument, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        """Look among the open and lately ended orders, then in the history."""
        row = await order_row(client, instrument.symbol, client_order_id)
        if row is None:
            return None
        rows: list[Row] = []
        if decimal_of(row, "cumExecQty", "0"):
            created, changed = time_of(row["createdTime"]), time_of(row["updatedTime"])
            which: Row = {"symbol": row["symbol"], "orderId": row["orderId"]}
            # A plan order may have rested for weeks before it filled.
            found = await executions(client, created, changed, which)
            rows = [each for each in found if each["execType"] != "Funding"]
        return bybit_rows.report_from(row, rows, instrument)

    # -- fills

    async def fills(
        self,
        client: Client,
        book: Book,
        since: datetime,
        until: datetime,
        symbols: Collection[Symbol] | None = None,
    ) -> Sequence[ListedFill]:
        assert client.account is not None
        rows = [
            row
            for row in await executions(client, since, until)
            if row["execType"] in bybit_rows.FILL_TYPES and Symbol(row["symbol"]) in book
        ]
        if not rows:
            return []
        found = dict.fromkeys(Symbol(row["symbol"]) for row in rows)
        asking = asyncio.gather(*(self._legs(client, symbol) for symbol in found))
        mode, legs = await asyncio.gather(self.margin_mode(client), asking)
        by_symbol = dict(zip(found, legs, strict=True))
        return [
            self._fill(row, book, client.account, by_symbol[Symbol(row["symbol"])], mode)
            for row in rows
        ]

    def _fill(
        self,
        row: Row,
        book: Book,
        account: AccountId,
        legs: Mapping[PositionSide | None, Ratio],
        mode: MarginMode,
    ) -> ListedFill:
        side = bybit_rows.leg_of(row, is_hedged=None not in legs)
        instrument = book[Symbol(row["symbol"])]
        fill = bybit_rows.leader_fill_from(row, instrument, account, (side, legs[side]), mode)
        return ListedFill(fill=fill, resting_value=bybit_rows.resting_value(row))

    async def _legs(self, client: Client, symbol: Symbol) -> Mapping[PositionSide | None, Ratio]:
        """Return the leverage of each leg of a symbol; one without a name in one-way mode."""
        rows = await self.position_rows(client, {"symbol": symbol})
        return {
            bybit_rows.position_side(row): Ratio(decimal_of(row, "leverage", "1")) for row in rows
        }

    async def watch(self, exchange: Any) -> None:
        await exchange.watch_my_trades()

    def is_subscribed(self, message: Row) -> bool:
        return message.get("op") == "subscribe" and bool(message.get("success"))

    def tells_of_fills(self, message: Row) -> bool:
        return text_of(message, "topic").startswith("execution")
