"""Bitget v2: USDT futures of a classic account."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from copyplugin.domain.capacity import Levels
from copyplugin.domain.identifiers import ClientOrderId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Price
from copyplugin.domain.order import OrderReport, OrderRequest, TimeInForce
from copyplugin.errors import OrderRejected
from copyplugin.ports import MovesMoney, VenueCapabilities
from copyplugin.venues.ccxt import bitget_rows
from copyplugin.venues.ccxt.bitget_account import FUTURES, IN_USDT, BitgetAccount
from copyplugin.venues.ccxt.bitget_codes import ABSENT, REFUSALS
from copyplugin.venues.ccxt.bitget_fills import BitgetFills, fills_of, one_order, order_row
from copyplugin.venues.ccxt.bitget_money import BitgetMoney, teach
from copyplugin.venues.ccxt.bitget_plans import BitgetPlans, ended_plan
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialect import PlainDialect, Tier
from copyplugin.venues.ccxt.gate import Rate, Urgency
from copyplugin.venues.ccxt.movements import Movements
from copyplugin.venues.ccxt.texts import decimal_of, levels_of, plain, quantity_text, text_of

STALE_AFTER = timedelta(seconds=30)
"""The venue refuses a request that was signed longer ago."""

_FORCES = {TimeInForce.GTC: "gtc", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}


class Bitget(BitgetFills, BitgetMoney, BitgetPlans, PlainDialect):
    """Orders are acknowledged first and traded then: what became of one is asked for.

    An order says whether it opens or closes a leg, and one that closes can do nothing else.
    """

    name = "bitget"
    ccxt_id = "bitget"
    is_proven = False
    needs_passphrase = True
    refusals: Mapping[str, str] = REFUSALS
    absences = ABSENT
    account_rate: Rate | None = Rate(10, 10)
    address_rate: Rate | None = Rate(90, 90)  # 6000 in a minute

    def __init__(self, config: VenueConfig) -> None:
        BitgetAccount.__init__(self)
        self.config = config
        self.movements = Movements(self.request_lives)
        has_wallets = not config.testnet  # demo trading has one wallet and no sub-accounts
        self.capabilities = VenueCapabilities(
            moves_money=MovesMoney.OWN_ACCOUNTS if has_wallets else MovesMoney.NONE,
            opens_sub_accounts=has_wallets,
            hedge_mode=True,
            streams_fills=True,
            tells_leader_balance=True,
            plan_orders=True,
            amends_plans=True,
            adjusts_margin=True,
            counts_finer=True,
        )

    @property
    def request_lives(self) -> timedelta:
        """Return what the venue sets, whatever window we should like better."""
        return STALE_AFTER

    def options(self, config: VenueConfig) -> dict[str, Any]:
        alive = max(1, int(config.socket_silence.total_seconds() * 1000 / 3))
        return {
            "fetchMarkets": {"types": ["swap"]},
            "defaultType": "swap",
            "uta": False,  # a classic account: ccxt need not ask each
            "ws": {"compress": 0, "keepAlive": alive},
        }

    def prepare(self, exchange: Any) -> None:
        """Load no currencies, and sign in to streams with the venue's time."""
        teach(exchange)
        exchange.has = {**exchange.has, "fetchCurrencies": False}
        exchange.seconds = lambda: int(exchange.nonce()) // 1000

    async def server_time(self, client: Client) -> int:
        answer = await client.ask("public_common_get_v2_public_time", urgency=Urgency.CLOSE)
        return int(answer["data"]["serverTime"])

    # -- the market

    def instrument(self, market: Row) -> Instrument | None:
        row = market["info"]
        if row.get("symbolType") != "perpetual" or row.get("quoteCoin") != "USDT":
            return None
        if "USDT" not in row["supportMarginCoins"]:
            return None
        return bitget_rows.instrument_from(row)

    def is_trading(self, market: Row) -> bool:
        return bool(market["info"]["symbolStatus"] == "normal")

    async def tiers(self, client: Client) -> Mapping[Symbol, Tier]:
        """Return none: fees come with the contracts, and tiers are told one symbol at a time."""
        del client
        return {}

    async def marks(self, client: Client) -> Mapping[Symbol, Price]:
        answer = await client.ask("public_mix_get_v2_mix_market_tickers", FUTURES)
        return bitget_rows.marks_from(answer["data"])

    async def levels(self, client: Client, instrument: Instrument) -> tuple[Levels, Levels]:
        asked: Row = {**FUTURES, "symbol": instrument.symbol, "limit": "max"}
        answer = await client.ask("public_mix_get_v2_mix_market_merge_depth", asked)
        book, unit = answer["data"], instrument.contract_size
        return levels_of(book["bids"], unit), levels_of(book["asks"], unit)

    # -- orders

    async def place_order(
        self, client: Client, request: OrderRequest, instrument: Instrument
    ) -> OrderReport:
        closes = request.order_side is request.position_side.closing_side
        mode = await self.mode(client, request.symbol)
        params: Row = {
            **IN_USDT,
            "symbol": request.symbol,
            "marginMode": bitget_rows.MODES[mode],
            "size": quantity_text(request.contracts, instrument.contract_size),
            "side": bitget_rows.SIDES[request.position_side],
            "tradeSide": "close" if closes else "open",
            "orderType": "market",
            "clientOid": request.client_order_id,
        }
        if request.limit_price is not None:
            params["orderType"] = "limit"
            params["price"] = plain(request.limit_price)
            params["force"] = _FORCES[request.time_in_force]
        answer = await client.tell(
            "private_mix_post_v2_mix_order_place_order",
            params,
            rejected=OrderRejected,
            urgency=Urgency.CLOSE if request.reduce_only else Urgency.TRADE,
        )
        return bitget_rows.acknowledged(answer, request.client_order_id)

    async def find_order(
        self, client: Client, instrument: Instrument, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        """Look for the order, or the one that a plan order of this name became."""
        which: Row = {"symbol": instrument.symbol, "clientOid": client_order_id}
        row = await one_order(client, which, urgency=Urgency.CLOSE)
        if row is None:
            plan = await ended_plan(client, instrument, client_order_id)
            number = "" if plan is None else text_of(plan, "executeOrderId")
            if not number:
                return None
            row = await order_row(client, instrument.symbol, number, urgency=Urgency.CLOSE)
        if row is None:
            return None
        rows: list[Row] = []
        if decimal_of(row, "baseVolume", "0"):
            rows = await fills_of(client, row)
        named = {**row, "clientOid": client_order_id}
        return bitget_rows.report_from(named, rows, instrument)
