"""OKX v5 in its documented form, over the simulated exchange."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from copyplugin.domain.account import TransferRequest, VenuePosition, Wallet
from copyplugin.domain.fill import LeaderFill, MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol, TransferId
from copyplugin.domain.money import Contracts, Money, Price, Ratio, product, total
from copyplugin.domain.order import OrderReport, OrderRequest, OrderStatus, TimeInForce
from copyplugin.domain.plan_order import (
    PlanReport,
    PlanRequest,
    PlanStatus,
    TriggerBy,
    TriggerDirection,
)
from copyplugin.errors import OrderRejected, OutcomeUnknown, RequestRejected, TransferRejected
from simexchange.core.types import PositionMode
from tests.venues.scenery import INSTRUMENTS
from tests.venues.translated.edge import LIMITED, Edge, Refusal, Row

LOT = Decimal("0.1")  # of the venue's contract, which is ten of the exchange's
SMALLEST = "0.3"  # what an order must be worth at the exchange is three of its contracts
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CODES = {
    "insufficient_margin": "51008",
    "no_position": "51169",
    "reduce_only_rejected": "51169",
    "below_minimum": "51020",
    "below_minimum_notional": "51020",
    "price_outside_band": "51006",
    "forced": "51005",
    "already_through": "51304",
    "unknown_instrument": "51001",
    "leverage_out_of_range": "59102",
    "would_liquidate": "59301",
    "margin_limit": "59301",
    "insufficient_balance": "58350",
}
TYPES = {"limit": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
STATES = {
    PlanStatus.RESTING: "live",
    PlanStatus.FIRED: "effective",
    PlanStatus.CANCELLED: "canceled",
    PlanStatus.FAILED: "order_failed",
}
WALLETS = {"6": Wallet.SPOT, "18": Wallet.CONTRACT}


def venue_id(symbol: str) -> str:
    return f"{symbol.removesuffix('USDT')}-USDT-SWAP"


def exchange_id(instrument: str) -> Symbol:
    base, quote, _ = instrument.split("-")
    return Symbol(base + quote)


def ms(at: datetime) -> str:
    return str((at - EPOCH) // timedelta(milliseconds=1))


def size(contracts: int) -> str:
    return format(product(contracts, LOT), "f")


class OkxEdge(Edge):
    prefix = "/api/v5"
    stale_code = "50102"

    def __init__(self) -> None:
        super().__init__(taker_fee=50_000)
        self.orders: dict[tuple[AccountId, str], Row] = {}
        self.plans: dict[tuple[AccountId, str], Row] = {}
        self.transfers: list[Row] = []
        self.sub_accounts: dict[AccountId, list[Row]] = {}
        self.account_modes: dict[AccountId, str] = {}
        self.permissions: dict[AccountId, str] = {}
        public = {
            "public/time": self.time,
            "public/instruments": self.instruments,
            "public/mark-price": self.marks,
            "public/funding-rate-history": self.rates,
            "account/config": self.config,
            "account/balance": self.balance,
            "account/positions": self.positions,
            "account/leverage-info": self.leverage,
            "account/trade-fee": self.fees,
            "account/bills-archive": self.bills,
            "asset/balances": self.funding_balance,
            "asset/transfer-state": self.transfer_state,
            "trade/order": self.order,
            "trade/orders-history-archive": self.order_history,
            "trade/fills": self.fills,
            "trade/fills-history": self.fills,
            "trade/order-algo": self.plan,
            "trade/orders-algo-pending": self.pending_plans,
            "users/subaccount/list": self.subs,
        }
        posts = {
            "account/set-position-mode": self.set_position_mode,
            "account/set-leverage": self.set_leverage,
            "account/position/margin-balance": self.margin_balance,
            "asset/transfer": self.transfer,
            "trade/order": self.place,
            "trade/order-algo": self.place_plan,
            "trade/amend-algos": self.amend_plan,
            "trade/cancel-algos": self.cancel_plans,
        }
        self.routes = {("GET", f"/{path}"): handler for path, handler in public.items()}
        self.routes |= {("POST", f"/{path}"): handler for path, handler in posts.items()}

    # -- the form of the wire

    def signer_of(self, request: web.Request, target: str, body: str) -> AccountId | None:
        headers = request.headers
        if "OK-ACCESS-KEY" not in headers:
            assert "/public/" in target, f"{target} was not signed"
            return None
        known = self.keys.get(headers["OK-ACCESS-KEY"])
        if known is None:
            raise Refusal("50111", "Invalid OK-ACCESS-KEY", status=401)
        keys, account = known
        stamp = headers["OK-ACCESS-TIMESTAMP"]
        at = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
        self.check_age(int(ms(at)))
        if headers["OK-ACCESS-PASSPHRASE"] != keys.passphrase:
            raise Refusal("50105", "OK-ACCESS-PASSPHRASE incorrect", status=401)
        if headers["OK-ACCESS-SIGN"] != self.signature(keys, stamp + request.method + target + body):
            raise Refusal("50113", "Invalid Sign", status=401)
        return account

    def answer(self, data: object) -> object:
        return {"code": "0", "msg": "", "data": data}

    def refused(self, refusal: Refusal) -> object:
        if refusal.code.startswith(("501", "58")):
            return {"code": refusal.code, "msg": refusal.said, "data": []}
        row = {"ordId": "", "clOrdId": "", "sCode": refusal.code, "sMsg": refusal.said}
        return {"code": "1", "msg": "All operations failed", "data": [row]}

    def limited(self) -> tuple[int, object]:
        return LIMITED, {"code": "50011", "msg": "Too Many Requests", "data": []}

    def closed(self) -> tuple[int, object]:
        return 503, {"code": "50001", "msg": "Service temporarily unavailable", "data": []}

    def login_of(self, message: dict[str, Any]) -> AccountId:
        keys, account = self.keys[message["apiKey"]]
        payload = message["timestamp"] + "GET" + "/users/self/verify"
        assert message["sign"] == self.signature(keys, payload)
        assert message["passphrase"] == keys.passphrase
        assert abs(int(message["timestamp"]) * 1000 - self.now_ms()) < 30_000
        return account

    def fill_message(self, fill: LeaderFill, channel: dict[str, str]) -> Row:
        row = self._fill_row(fill)
        more = {"state": "filled", "ordType": "market", "sz": size(fill.contracts), "px": ""}
        more |= {"cTime": ms(fill.at), "uTime": ms(fill.at), "accFillSz": row["fillSz"]}
        return {"arg": channel, "data": [row | more]}

    # -- the market

    async def time(self, _: AccountId, __: Row) -> list[Row]:
        return [{"ts": str(self.now_ms())}]

    async def instruments(self, _: AccountId, params: Row) -> list[Row]:
        assert params == {"instType": "SWAP"}
        return [
            {
                "instId": venue_id(each.symbol),
                "instType": "SWAP",
                "instFamily": f"{each.base}-USDT",
                "uly": f"{each.base}-USDT",
                "baseCcy": "",
                "quoteCcy": "",
                "settleCcy": "USDT",
                "ctVal": format(each.contract_size / LOT, "f"),
                "ctMult": "1",
                "ctValCcy": each.base,
                "ctType": "linear",
                "lever": str(each.max_leverage),
                "tickSz": format(each.tick_size, "f"),
                "lotSz": format(LOT, "f"),
                "minSz": SMALLEST if each.symbol == "BTCUSDT" else format(LOT, "f"),
                "maxLmtSz": size(each.max_contracts),
                "maxMktSz": size(each.max_contracts),
                "state": "live",
                "listTime": "1600000000000",
                "expTime": "",
            }
            for each in INSTRUMENTS
        ]

    async def marks(self, _: AccountId, __: Row) -> list[Row]:
        return [
            {"instId": venue_id(symbol), "instType": "SWAP", "markPx": format(price, "f")}
            for symbol, price in (await self.venue.marks()).items()
        ]

    async def rates(self, _: AccountId, params: Row) -> list[Row]:
        """Tell the one rate there ever was; its time is that of any payment."""
        times: set[str] = set()
        for _, account in self.keys.values():
            times |= {ms(each.at) for each in await self.venue.funding(account, None)}
        return [
            {"instId": params["instId"], "fundingRate": "0.001", "fundingTime": at}
            for at in sorted(times, reverse=True)
            if int(params["before"]) < int(at) < int(params["after"])
        ]

    # -- the account

    def _is_hedged(self, account: AccountId) -> bool:
        view = self.simulation.exchange.account(int(account))
        return view.position_mode is PositionMode.HEDGE

    async def config(self, account: AccountId, _: Row) -> list[Row]:
        owners = [owner for owner, rows in self.sub_accounts.items() if _has(rows, account)]
        return [
            {
                "uid": account,
                "mainUid": owners[0] if owners else account,
                "acctLv": self.account_modes.get(account, "2"),
                "posMode": "long_short_mode" if self._is_hedged(account) else "net_mode",
                "perm": self.permissions.get(account, "read_only,trade"),
            }
        ]

    async def balance(self, account: AccountId, params: Row) -> list[Row]:
        assert params == {"ccy": "USDT"}
        told = await self.venue.balance(account)
        coin = {
            "ccy": "USDT",
            "eq": format(told.equity, "f"),
            "upl": format(total(told.equity, -told.contract_wallet), "f"),
            "availEq": format(told.contract_available, "f"),
            "availBal": format(told.contract_available, "f"),
        }
        return [{"totalEq": "", "details": [coin]}]

    async def funding_balance(self, account: AccountId, params: Row) -> list[Row]:
        assert params == {"ccy": "USDT"}
        told = await self.venue.balance(account)
        return [{"ccy": "USDT", "availBal": format(told.spot_available, "f"), "frozenBal": "0"}]

    async def positions(self, account: AccountId, params: Row) -> list[Row]:
        held = await self.venue.positions(account)
        rows = [self._position_row(account, each) for each in held]
        return [row for row in rows if params.get("instId") in {None, row["instId"]}]

    def _position_row(self, account: AccountId, held: VenuePosition) -> Row:
        sign = 1
        leg: str = held.position_side
        if not self._is_hedged(account):
            sign, leg = (1 if leg == "long" else -1), "net"
        is_isolated = held.margin_mode is MarginMode.ISOLATED
        return {
            "instId": venue_id(held.symbol),
            "instType": "SWAP",
            "posSide": leg,
            "pos": size(sign * held.contracts),
            "avgPx": format(held.average_entry_price, "f"),
            "upl": format(held.unrealized_pnl, "f"),
            "lever": format(held.leverage, "f"),
            "mgnMode": held.margin_mode.value,
            "margin": format(held.margin, "f") if is_isolated else "",
            "imr": "" if is_isolated else format(held.margin, "f"),
            "liqPx": "" if held.liquidation_price is None else format(held.liquidation_price, "f"),
        }

    async def leverage(self, account: AccountId, params: Row) -> list[Row]:
        raise AssertionError("every order of the fake is known")

    async def fees(self, _: AccountId, __: Row) -> list[Row]:
        return [{"instType": "SWAP", "makerU": "-0.0002", "takerU": "-0.0005", "level": "Lv1"}]

    async def set_position_mode(self, account: AccountId, params: Row) -> list[Row]:
        assert params == {"posMode": "long_short_mode"}
        await self.venue.set_hedge_mode(account)
        return [params]

    async def set_leverage(self, account: AccountId, params: Row) -> list[Row]:
        is_isolated = params["mgnMode"] == "isolated"
        assert (params.get("posSide") in {"long", "short"}) is is_isolated
        symbol = exchange_id(params["instId"])
        wanted = Ratio(Decimal(params["lever"])), MarginMode(params["mgnMode"])
        try:
            await self.venue.configure(account, symbol, *wanted)
        except RequestRejected as error:
            raise _refusal(error) from error
        return [params]

    async def margin_balance(self, account: AccountId, params: Row) -> list[Row]:
        sign = 1 if params["type"] == "add" else -1
        money = Money(sign * Decimal(params["amt"]))
        leg = PositionSide(params["posSide"])
        try:
            await self.venue.adjust_margin(account, exchange_id(params["instId"]), leg, money)
        except RequestRejected as error:
            raise _refusal(error) from error
        return [params]

    async def bills(self, account: AccountId, params: Row) -> list[Row]:
        assert params["type"] == "8"
        rows = [
            {
                "billId": str(number),
                "instId": venue_id(each.symbol),
                "type": "8",
                "pnl": format(-each.payment, "f"),
                "ts": ms(each.at),
            }
            for number, each in enumerate(await self.venue.funding(account, None))
        ]
        return page_of(rows, params, "billId", "ts")

    # -- orders

    async def place(self, account: AccountId, params: Row) -> list[Row]:
        name = params["clOrdId"]
        assert name.isalnum()
        assert len(name) <= 32
        assert (params["posSide"] in {"long", "short"}) is self._is_hedged(account)
        leg = PositionSide(params["posSide"])
        side = OrderSide(params["side"])
        closes = side is leg.closing_side
        if closes and await self._held_mode(account, params) not in {None, params["tdMode"]}:
            raise Refusal("51169", "no position in this margin mode")
        price = params.get("px")
        assert (price is None) is (params["ordType"] == "market")
        request = OrderRequest(
            account=account,
            symbol=exchange_id(params["instId"]),
            order_side=side,
            position_side=leg,
            contracts=_contracts(params["sz"]),
            limit_price=None if price is None else Price(Decimal(price)),
            time_in_force=TYPES.get(params["ordType"], TimeInForce.IOC),
            reduce_only=closes,
            client_order_id=ClientOrderId(name),
        )
        try:
            report = await self.venue.place_order(request)
        except OutcomeUnknown as error:
            raise Refusal("51016", "Client order ID already exists.") from error
        except OrderRejected as error:
            raise _refusal(error) from error
        self.orders[account, name] = params
        return [{"ordId": report.venue_order_id, "clOrdId": name, "sCode": "0", "sMsg": ""}]

    async def _held_mode(self, account: AccountId, params: Row) -> str | None:
        for row in await self.positions(account, {"instId": params["instId"]}):
            if row["posSide"] == params["posSide"]:
                return str(row["mgnMode"])
        return None

    async def order(self, account: AccountId, params: Row) -> list[Row]:
        symbol = exchange_id(params["instId"])
        number = params.get("ordId")
        for (owner, name), asked in self.orders.items():
            if owner != account or params.get("clOrdId") not in {None, name}:
                continue
            report = await self.venue.find_order(account, symbol, ClientOrderId(name))
            assert report is not None
            if number in {None, report.venue_order_id}:
                return [_order_row(asked, report)]
        rows = [row for row in await self._orders_by_hand(account) if row["ordId"] == number]
        if not rows:
            raise Refusal("51603", "Order does not exist")
        return rows

    async def order_history(self, account: AccountId, params: Row) -> list[Row]:
        return page_of(await self._orders_by_hand(account), params, "ordId", "cTime")

    async def _orders_by_hand(self, account: AccountId) -> list[Row]:
        """Return orders that are known by their fills alone, with no name of ours."""
        rows: dict[str, Row] = {}
        for fill in await self.venue.leader_fills(account, None):
            row = rows.setdefault(fill.order_id, self._fill_row(fill))
            more = Decimal(row.get("accFillSz", 0)) + Decimal(size(fill.contracts))
            ordered = fill.order_contracts or fill.contracts
            row |= {
                "accFillSz": format(more, "f"),
                "sz": size(ordered),
                "state": "filled",
                "ordType": "market",
                "clOrdId": "",
                "px": "",
                "tdMode": fill.margin_mode.value,
                "lever": format(fill.leverage, "f"),
                "cTime": row["fillTime"],
            }
        return list(rows.values())

    async def fills(self, account: AccountId, params: Row) -> list[Row]:
        assert params["instType"] == "SWAP"
        rows = [self._fill_row(fill) for fill in await self.venue.leader_fills(account, None)]
        if "ordId" in params:
            rows = [row for row in rows if row["ordId"] == params["ordId"]]
        return page_of(rows, params, "billId", "ts")

    def _fill_row(self, fill: LeaderFill) -> Row:
        is_trade = fill.venue_fill_id.isdigit()
        return {
            "instId": venue_id(fill.symbol),
            "instType": "SWAP",
            "tradeId": fill.venue_fill_id,
            "billId": fill.venue_fill_id if is_trade else "9" * 9,
            "ordId": fill.order_id if is_trade else "",
            "clOrdId": "",
            "side": fill.side.value,
            "posSide": "net" if fill.position_side is None else fill.position_side.value,
            "fillPx": format(fill.price, "f"),
            "fillSz": size(fill.contracts),
            "fillPnl": format(fill.realized_pnl, "f"),
            "fee": format(-fill.fee, "f"),
            "feeCcy": "USDT",
            "execType": "T" if fill.liquidity == "taker" else "M",
            "subType": "1",
            "fillTime": ms(fill.at),
            "ts": ms(fill.at),
        }

    # -- plan orders

    async def place_plan(self, account: AccountId, params: Row) -> list[Row]:
        name = params["algoClOrdId"]
        assert params["ordType"] == "conditional"
        assert params["reduceOnly"] is params["cxlOnClosePos"] is True
        kind = "tp" if "tpTriggerPx" in params else "sl"
        assert params[f"{kind}OrdPx"] == "-1"
        side, leg = OrderSide(params["side"]), PositionSide(params["posSide"])
        assert params["tdMode"] == await self._held_mode(account, params)
        is_rise = (kind == "tp") is (side is OrderSide.SELL)
        request = PlanRequest(
            account=account,
            symbol=exchange_id(params["instId"]),
            position_side=leg,
            order_side=side,
            contracts=_contracts(params["sz"]),
            trigger_price=Price(Decimal(params[f"{kind}TriggerPx"])),
            trigger_by=TriggerBy(params[f"{kind}TriggerPxType"]),
            direction=TriggerDirection.RISES if is_rise else TriggerDirection.FALLS,
            client_order_id=ClientOrderId(name),
        )
        try:
            report = await self.venue.place_plan(request)
        except OutcomeUnknown as error:
            raise Refusal("51065", "algoClOrdId already exists.") from error
        except OrderRejected as error:
            raise _refusal(error) from error
        self.plans[account, name] = params
        return [{"algoId": report.venue_plan_id, "algoClOrdId": name, "sCode": "0", "sMsg": ""}]

    async def amend_plan(self, account: AccountId, params: Row) -> list[Row]:
        name = params["algoClOrdId"]
        asked = self.plans.get((account, name))
        if asked is None:
            raise Refusal("51503", "Order modification failed as the order does not exist")
        kind = "Tp" if "newTpTriggerPx" in params else "Sl"
        price = Price(Decimal(params[f"new{kind}TriggerPx"]))
        asked["sz"] = params["newSz"]
        try:
            await self.venue.amend_plan(
                account,
                exchange_id(params["instId"]),
                ClientOrderId(name),
                contracts=_contracts(params["newSz"]),
                trigger_price=price,
            )
        except OrderRejected as error:
            raise _refusal(error) from error
        return [{"algoClOrdId": name, "sCode": "0", "sMsg": ""}]

    async def cancel_plans(self, account: AccountId, params: Sequence[Row]) -> list[Row]:
        (one,) = params
        name, symbol = ClientOrderId(one["algoClOrdId"]), exchange_id(one["instId"])
        found = await self.venue.find_plan(account, symbol, name)
        if found is None or found.status is not PlanStatus.RESTING:
            raise Refusal("51400", "Cancellation failed as the order does not exist.")
        await self.venue.cancel_plan(account, symbol, name)
        return [{"algoClOrdId": name, "sCode": "0", "sMsg": ""}]

    async def plan(self, account: AccountId, params: Row) -> list[Row]:
        asked = self.plans.get((account, params["algoClOrdId"]))
        if asked is None:
            raise Refusal("51603", "Order does not exist")
        return [await self._plan_row(account, asked)]

    async def pending_plans(self, account: AccountId, params: Row) -> list[Row]:
        assert params["ordType"] == "conditional"
        asked = [plan for (owner, _), plan in self.plans.items() if owner == account]
        rows = [await self._plan_row(account, plan) for plan in asked]
        return page_of([row for row in rows if row["state"] == "live"], params, "algoId", None)

    async def _plan_row(self, account: AccountId, asked: Row) -> Row:
        name, symbol = ClientOrderId(asked["algoClOrdId"]), exchange_id(asked["instId"])
        report: PlanReport | None = await self.venue.find_plan(account, symbol, name)
        assert report is not None
        kind = "tp" if "tpTriggerPx" in asked else "sl"
        numbers: list[str] = []
        if report.status is PlanStatus.FIRED:
            order = await self.venue.find_order(account, symbol, name)
            assert order is not None
            numbers = [order.venue_order_id]
        price = format(report.trigger_price, "f")
        prices = {"tpTriggerPx": "", "slTriggerPx": "", f"{kind}TriggerPx": price}
        return {
            **asked,
            **prices,
            "algoId": report.venue_plan_id,
            "state": STATES[report.status],
            "ordIdList": numbers,
            "failCode": report.reason if report.status is PlanStatus.FAILED else "",
        }

    # -- money

    async def subs(self, account: AccountId, _: Row) -> list[Row]:
        return self.sub_accounts.get(account, [])

    async def transfer(self, account: AccountId, params: Row) -> list[Row]:
        """Move it whenever asked: the venue promises nothing of a name used again."""
        giver = taker = account
        if params["type"] != "0":
            subs = {row["subAcct"]: row["uid"] for row in self.sub_accounts[account]}
            other = AccountId(subs[params["subAcct"]])
            giver, taker = (account, other) if params["type"] == "1" else (other, account)
        number = len(self.transfers)
        request = TransferRequest(
            transfer_id=TransferId(f"okx-{number}"),
            from_account=giver,
            from_wallet=WALLETS[params["from"]],
            to_account=taker,
            to_wallet=WALLETS[params["to"]],
            money=Money(Decimal(params["amt"])),
        )
        assert params["clientId"].isalnum()
        assert len(params["clientId"]) <= 32
        try:
            await self.venue.transfer(request)
        except TransferRejected as error:
            raise _refusal(error) from error
        self.transfers.append({**params, "transId": str(number), "state": "success"})
        return [{"transId": str(number), "clientId": params["clientId"], "amt": params["amt"]}]

    async def transfer_state(self, _: AccountId, params: Row) -> list[Row]:
        for row in self.transfers:
            if row["clientId"] == params["clientId"] and row["type"] == params["type"]:
                return [row]
        raise Refusal("58129", "clientId does not exist")


def page_of(rows: Sequence[Row], params: Row, name: str, time: str | None) -> list[Row]:
    """Return a page, newest first, after the row that is named."""
    newest = list(reversed(rows))
    if time is not None and "begin" in params:
        newest = [row for row in newest if int(row[time]) >= int(params["begin"])]
    if "after" in params:
        place = [row[name] for row in newest].index(params["after"])
        newest = newest[place + 1 :]
    return newest[: int(params["limit"])]


def _order_row(asked: Row, report: OrderReport) -> Row:
    is_whole = report.filled == _contracts(asked["sz"])
    ended = "filled" if is_whole else "canceled"
    return {
        **asked,
        "ordId": report.venue_order_id,
        "accFillSz": size(report.filled),
        "lever": "5",
        "state": ended if report.status is OrderStatus.DONE else "live",
        "cancelSource": "" if is_whole else "20",
        "cancelSourceReason": report.reason or "",
        "cTime": ms(report.acknowledged_at),
    }


def _contracts(text: str) -> Contracts:
    count = Decimal(text) / LOT
    assert count == int(count), f"{text} is no multiple of the lot"
    return Contracts(int(count))


def _refusal(error: RequestRejected) -> Refusal:
    return Refusal(CODES[error.reason], error.sentence)


def _has(rows: Sequence[Row], account: AccountId) -> bool:
    return any(row["uid"] == account for row in rows)
