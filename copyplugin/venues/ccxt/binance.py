"""Binance USD-M futures."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from copyplugin.domain.capacity import Levels
from copyplugin.domain.identifiers import ClientOrderId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Price, Ratio
from copyplugin.domain.order import OrderReport, OrderRequest, TimeInForce
from copyplugin.errors import OrderRejected
from copyplugin.ports import FundingTerms, MovesMoney, VenueCapabilities
from copyplugin.venues.ccxt import binance_rows
from copyplugin.venues.ccxt.binance_account import rows_of
from copyplugin.venues.ccxt.binance_codes import ABSENT, REFUSALS
from copyplugin.venues.ccxt.binance_fills import TRADES_PAGE, BinanceFills
from copyplugin.venues.ccxt.binance_money import BinanceMoney
from copyplugin.venues.ccxt.binance_plans import BinancePlans
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialect import PlainDialect, Tier
from copyplugin.venues.ccxt.gate import Rate, Urgency
from copyplugin.venues.ccxt.lean import Routes, Signed
from copyplugin.venues.ccxt.texts import decimal_of, levels_of, plain, quantity_text

LEVELS_MAX = 500
"""Levels of a side in one answer; the venue has up to 1,000, at twice the cost."""

_SIX_DAYS_MS = 6 * 24 * 3_600 * 1_000
_POSTS = Routes("fapiPrivate", "fapiprivate_post_")
_TIMES = {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}


class Binance(BinanceFills, BinancePlans, BinanceMoney, PlainDialect):
    """An order's answer tells how it ended; its fills, with their fees, are listed apart.

    Margin mode and leverage are per symbol. Two legs are kept apart by `positionSide`, which also
    says that an order against a leg only reduces it.
    """

    name = "binance"
    ccxt_id = "binanceusdm"
    is_proven = True
    tells_when_connected = True
    refusals: Mapping[str, str] = REFUSALS
    absences = ABSENT
    account_rate: Rate | None = Rate(20, 100)  # 300 orders in 10 s, 1200 in a minute
    address_rate: Rate | None = Rate(36, 400)  # weight 2400 in a minute

    def __init__(self, config: VenueConfig) -> None:
        self.config = config
        has_wallets = not config.testnet  # the testnet has no spot wallet and no sub-accounts
        self.capabilities = VenueCapabilities(
            moves_money=MovesMoney.OWN_ACCOUNTS if has_wallets else MovesMoney.NONE,
            opens_sub_accounts=has_wallets and config.is_broker,
            hedge_mode=True,
            streams_fills=True,
            tells_leader_balance=True,
            plan_orders=True,
            amends_plans=False,
            adjusts_margin=True,
            forgets_empty_seconds=3 * 24 * 3_600,
        )

    def options(self, config: VenueConfig) -> dict[str, Any]:
        alive = max(1, int(config.socket_silence.total_seconds() * 1000 / 3))
        return {
            "fetchMarkets": {"types": ["linear"]},
            "recvWindow": int(config.receive_window.total_seconds() * 1000),
            "fetchCurrencies": False,
            "watchPositions": {"fetchPositionsSnapshot": False, "awaitPositionsSnapshot": False},
            "watchBalance": {"fetchBalanceSnapshot": False, "awaitBalanceSnapshot": False},
            "ws": {"compress": 0, "keepAlive": alive},
        }

    def prepare(self, exchange: Any) -> None:
        """Use the linear table of errors everywhere: ccxt chooses it by the venue's host."""
        exact = exchange.exceptions["exact"]
        linear = exchange.exceptions["linear"]["exact"]
        exchange.exceptions = {**exchange.exceptions, "exact": {**exact, **linear}}

    def signed(self, client: Client, method: str, params: Mapping[str, object]) -> Signed | None:
        """Sign a POST of the futures: its form, with time and window in it."""
        exchange = client.ccxt
        url = _POSTS.url(exchange, method)
        if url is None or not client.signer.can_sign or method.endswith("_listenkey"):
            return None
        stamped = {
            "timestamp": exchange.nonce(),
            **params,
            "recvWindow": exchange.options["recvWindow"],
        }
        form = urlencode(stamped)
        body = f"{form}&signature={client.signer.signature(form.encode())}".encode()
        headers = {
            "X-MBX-APIKEY": exchange.apiKey,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return Signed(url, headers, body)

    def use_testnet(self, exchange: Any) -> None:
        """Use the venue's demo trading: ccxt sends no more to its futures testnet."""
        exchange.enable_demo_trading(True)

    async def server_time(self, client: Client) -> int:
        answer = await client.ask("fapipublic_get_time", urgency=Urgency.CLOSE)
        return int(answer["serverTime"])

    # -- the market

    def instrument(self, market: Row) -> Instrument | None:
        row = market["info"]
        if row.get("contractType") != "PERPETUAL" or row.get("marginAsset") != "USDT":
            return None
        return binance_rows.instrument_from(market)

    def is_trading(self, market: Row) -> bool:
        return market["info"]["status"] == "TRADING"

    async def tiers(self, client: Client) -> Mapping[Symbol, Tier]:
        """Ask as an account: to others the venue does not tell."""
        if client.account is None:
            return {}
        rows = rows_of(await client.ask("fapiprivate_get_leveragebracket"))
        lowest = {row["symbol"]: row["brackets"][0] for row in rows}
        # An account's fees are the same for all symbols, and told for one at a time.
        one = {"symbol": rows[0]["symbol"]}
        fees = await client.ask("fapiprivate_get_commissionrate", one, cost=20)
        return {
            Symbol(symbol): Tier(
                leverage_max=Ratio(decimal_of(row, "initialLeverage")),
                maintenance_rate=Ratio(decimal_of(row, "maintMarginRatio")),
                maker_fee=Ratio(decimal_of(fees, "makerCommissionRate")),
                taker_fee=Ratio(decimal_of(fees, "takerCommissionRate")),
            )
            for symbol, row in lowest.items()
        }

    async def marks(self, client: Client) -> Mapping[Symbol, Price]:
        return binance_rows.marks_from(
            rows_of(await client.ask("fapipublic_get_premiumindex", cost=10))
        )

    async def funding_terms(self, client: Client) -> Mapping[Symbol, FundingTerms]:
        return binance_rows.funding_terms_from(
            rows_of(await client.ask("fapipublic_get_premiumindex", cost=10))
        )

    async def levels(self, client: Client, instrument: Instrument) -> tuple[Levels, Levels]:
        asked: Row = {"symbol": instrument.symbol, "limit": LEVELS_MAX}
        book = await client.ask("fapipublic_get_depth", asked, cost=10)
        unit = instrument.contract_size
        return levels_of(book["bids"], unit), levels_of(book["asks"], unit)

    # -- orders

    async def place_order(
        self, client: Client, request: OrderRequest, instrument: Instrument
    ) -> OrderReport:
        params: Row = {
            "symbol": request.symbol,
            "side": binance_rows.SIDES[request.order_side],
            "positionSide": binance_rows.LEGS[request.position_side],
            "type": "MARKET",
            "quantity": quantity_text(request.contracts, instrument.contract_size),
            "newClientOrderId": request.client_order_id,
            "newOrderRespType": "RESULT",
        }
        if request.limit_price is not None:
            params["type"] = "LIMIT"
            params["price"] = plain(request.limit_price)
            params["timeInForce"] = _TIMES[request.time_in_force]
        row = await client.tell(
            "fapiprivate_post_order",
            params,
            rejected=OrderRejected,
            urgency=Urgency.CLOSE if request.reduce_only else Urgency.TRADE,
            cost=0,
        )
        return binance_rows.report_from(row, (), instrument)

    async def find_order(
        self, client: Client, instrument: Instrument, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        params: Row = {"symbol": instrument.symbol, "origClientOrderId": client_order_id}
        row = await client.ask_maybe("fapiprivate_get_order", params, urgency=Urgency.CLOSE)
        if row is None:
            return None
        rows: list[Row] = []
        if decimal_of(row, "executedQty"):
            rows = await _trades_of(client, row)
        return binance_rows.report_from(row, rows, instrument)


async def _trades_of(client: Client, order: Row) -> list[Row]:
    """Return an order's trades: those of a week, which ours never outlive, then by id.

    The week ends after the order's last change: one that a plan order became may be called as old
    as that.
    """
    latest_ms = int(order["updateTime"]) - _SIX_DAYS_MS
    asked: Row = {
        "symbol": order["symbol"],
        "orderId": order["orderId"],
        "startTime": max(int(order["time"]), latest_ms),
        "limit": TRADES_PAGE,
    }
    rows: list[Row] = []
    while True:
        found = rows_of(
            await client.ask("fapiprivate_get_usertrades", asked, urgency=Urgency.CLOSE, cost=5)
        )
        rows += found
        if len(found) < TRADES_PAGE:
            return rows
        asked = {
            "symbol": order["symbol"],
            "orderId": order["orderId"],
            "fromId": int(found[-1]["id"]) + 1,
            "limit": TRADES_PAGE,
        }
