"""OKX v5: linear swaps in USDT, in futures mode or above it."""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from copyplugin.domain.capacity import Levels
from copyplugin.domain.fill import MarginMode
from copyplugin.domain.identifiers import ClientOrderId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Price, Ratio
from copyplugin.domain.order import OrderReport, OrderRequest, TimeInForce
from copyplugin.domain.reject_reason import RejectReason
from copyplugin.errors import OrderRejected
from copyplugin.ports import MovesMoney, VenueCapabilities
from copyplugin.venues.ccxt import okx_rows
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.ccxt.dialect import PlainDialect, Tier
from copyplugin.venues.ccxt.gate import Rate, Urgency
from copyplugin.venues.ccxt.movements import Movements
from copyplugin.venues.ccxt.okx_account import SWAP, OkxAccount, data
from copyplugin.venues.ccxt.okx_codes import ABSENT, REFUSALS
from copyplugin.venues.ccxt.okx_fills import OkxFills, fill_rows, one, order_row
from copyplugin.venues.ccxt.okx_money import OkxMoney
from copyplugin.venues.ccxt.okx_plans import OkxPlans
from copyplugin.venues.ccxt.texts import (
    decimal_of,
    levels_of,
    plain,
    quantity_text,
    text_of,
    time_of,
)

LEVELS_MAX = 400
"""The venue tells no more levels of a side at once."""

STALE_AFTER = timedelta(seconds=30)
"""The venue refuses a request that was signed longer ago."""

_SIZES = ("ctVal", "ctValCcy", "lotSz", "minSz", "maxLmtSz", "tickSz", "lever")
_TYPES = {TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}


class Okx(OkxFills, OkxMoney, OkxPlans, PlainDialect):
    """Orders are acknowledged first and traded then: what became of one is asked for.

    Each order says its margin mode, and in which leg it trades; one against a leg only reduces it.
    """

    name = "okx"
    ccxt_id = "okx"
    is_proven = False
    needs_passphrase = True
    refusals: Mapping[str, str] = REFUSALS
    absences = ABSENT
    account_rate: Rate | None = Rate(25, 50)  # 60 orders of a symbol in 2 s
    address_rate: Rate | None = None  # private requests are limited for each account

    def __init__(self, config: VenueConfig) -> None:
        OkxAccount.__init__(self)
        self.config = config
        self.movements = Movements(self.request_lives)
        self.capabilities = VenueCapabilities(
            # Demo trading has no sub-accounts and moves nothing.
            moves_money=MovesMoney.NONE if config.testnet else MovesMoney.OWN_ACCOUNTS,
            opens_sub_accounts=False,  # by its owner only, in the app or on the site
            hedge_mode=True,
            streams_fills=True,
            tells_leader_balance=True,
            plan_orders=True,
            amends_plans=True,
            adjusts_margin=True,
            counts_finer=True,
            forgets_empty_seconds=2 * 3_600,
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
            "ws": {"compress": 0, "keepAlive": alive},
        }

    def prepare(self, exchange: Any) -> None:
        """Load no currencies, and sign in to streams with the venue's time."""
        exchange.has = {**exchange.has, "fetchCurrencies": False}
        exchange.seconds = lambda: int(exchange.nonce()) // 1000

    async def server_time(self, client: Client) -> int:
        rows = await data(client, "public_get_public_time", urgency=Urgency.CLOSE)
        return int(rows[0]["ts"])

    # -- the market

    def can_speak_of(self, symbol: Symbol) -> bool:
        """Return whether its lot is known: the venue counts in contracts of its own."""
        return symbol in self._lots

    def instrument(self, market: Row) -> Instrument | None:
        row = market["info"]
        if row.get("instType") != "SWAP" or row.get("settleCcy") != "USDT":
            return None
        if row.get("ctType") != "linear" or not all(text_of(row, name) for name in _SIZES):
            return None  # one that is announced has no sizes yet
        instrument, lot = okx_rows.instrument_from(row)
        self._lots[instrument.symbol] = lot
        return instrument

    def is_trading(self, market: Row) -> bool:
        return bool(market["info"]["state"] == "live")

    async def tiers(self, client: Client) -> Mapping[Symbol, Tier]:
        """Ask for the account's fees; of margin tiers the venue tells one family at a time."""
        if client.account is None:
            return {}
        fees = (await data(client, "private_get_account_trade_fee", SWAP))[0]
        rows: list[Row] = [market["info"] for market in client.ccxt.markets.values()]
        return {
            Symbol(row["instId"]): Tier(
                leverage_max=Ratio(decimal_of(row, "lever")),
                maintenance_rate=None,
                maker_fee=_fee(fees, "makerU"),
                taker_fee=_fee(fees, "takerU"),
            )
            for row in rows
            if row.get("settleCcy") == "USDT" and text_of(row, "lever")
        }

    async def marks(self, client: Client) -> Mapping[Symbol, Price]:
        return okx_rows.marks_from(await data(client, "public_get_public_mark_price", SWAP))

    async def levels(self, client: Client, instrument: Instrument) -> tuple[Levels, Levels]:
        asked: Row = {"instId": instrument.symbol, "sz": LEVELS_MAX}
        [book] = await data(client, "public_get_market_books", asked)
        lot = self.lot(instrument.symbol)
        return levels_of(book["bids"], lot), levels_of(book["asks"], lot)

    # -- orders

    async def place_order(
        self, client: Client, request: OrderRequest, instrument: Instrument
    ) -> OrderReport:
        """Send it; one that closes and finds its leg in the other margin mode is sent in that one.

        Nothing of a refused order is left, so that its name can be used again.
        """
        mode = await self.mode(client, request.symbol, request.position_side)
        try:
            return await self._send(client, request, mode)
        except OrderRejected as error:
            if not request.reduce_only or error.reason != RejectReason.NO_POSITION:
                raise
            held = await self.mode_held(client, request.symbol, request.position_side)
            if held is None or held is mode:
                raise
            return await self._send(client, request, held)

    async def _send(self, client: Client, request: OrderRequest, mode: MarginMode) -> OrderReport:
        params: Row = {
            "instId": request.symbol,
            "tdMode": okx_rows.MODES[mode],
            "side": okx_rows.SIDES[request.order_side],
            "posSide": okx_rows.LEGS[request.position_side],
            "ordType": "market",
            "sz": quantity_text(request.contracts, self.lot(request.symbol)),
            "clOrdId": request.client_order_id,
        }
        if request.limit_price is not None:
            params["ordType"] = _TYPES[request.time_in_force]
            params["px"] = plain(request.limit_price)
        answer = await client.tell(
            "private_post_trade_order",
            params,
            rejected=OrderRejected,
            urgency=Urgency.CLOSE if request.reduce_only else Urgency.TRADE,
        )
        now_ms = int(client.ccxt.nonce())
        return okx_rows.acknowledged(answer["data"][0], request.client_order_id, now_ms)

    async def find_order(
        self, client: Client, instrument: Instrument, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        """Look for the order, or the one that a plan order of this name became.

        The venue forgets after two hours an order that ended with nothing.
        """
        params: Row = {"instId": instrument.symbol, "clOrdId": client_order_id}
        method = "private_get_trade_order"
        row = await one(client, method, params, urgency=Urgency.CLOSE)
        if row is None:
            row = await self._fired_by(client, instrument, client_order_id)
        if row is None:
            return None
        rows: list[Row] = []
        if decimal_of(row, "accFillSz", "0"):
            which: Row = {"instId": instrument.symbol, "ordId": row["ordId"]}
            since, until = time_of(row["cTime"]), time_of(int(client.ccxt.nonce()))
            rows = await fill_rows(client, since, until, which, urgency=Urgency.CLOSE)
        lot = self.lot(instrument.symbol)
        return okx_rows.report_from(row, rows, client_order_id, instrument, lot)

    async def _fired_by(
        self, client: Client, instrument: Instrument, name: ClientOrderId
    ) -> Row | None:
        """Return the order of a plan order, which does not carry its name."""
        plan = await self.plan_row(client, name)
        number = None if plan is None else self.fired_order_of(plan)
        if number is None:
            return None
        return await order_row(client, instrument.symbol, number, urgency=Urgency.CLOSE)


def _fee(row: Row, name: str) -> Ratio | None:
    """Return a rate as a charge; the venue writes charges as negative."""
    return Ratio(-Decimal(row[name])) if text_of(row, name) else None
