"""OKX v5 in its documented form: orders, fills and plan orders."""

from collections.abc import Sequence
from decimal import Decimal

from copyplugin.domain.fill import LeaderFill, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId
from copyplugin.domain.money import Price
from copyplugin.domain.order import OrderReport, OrderRequest, OrderStatus, TimeInForce
from copyplugin.domain.plan_order import (
    PlanReport,
    PlanRequest,
    PlanStatus,
    TriggerBy,
    TriggerDirection,
)
from copyplugin.errors import OrderRejected, OutcomeUnknown
from tests.venues.translated.edge import Refusal, Row
from tests.venues.translated.okx_venue import (
    OkxVenue,
    contracts_of,
    exchange_id,
    ms,
    page_of,
    refusal_of,
    size,
    venue_id,
)

TYPES = {"limit": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
STATES = {
    PlanStatus.RESTING: "live",
    PlanStatus.FIRED: "effective",
    PlanStatus.CANCELLED: "canceled",
    PlanStatus.FAILED: "order_failed",
}


class OkxTrades(OkxVenue):
    """What trades, and what rests to trade."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[tuple[AccountId, str], Row] = {}
        self.plans: dict[tuple[AccountId, str], Row] = {}

    def fill_message(self, fill: LeaderFill, channel: dict[str, str]) -> Row:
        row = self._fill_row(fill)
        more = {"state": "filled", "ordType": "market", "sz": size(fill.contracts), "px": ""}
        more |= {"cTime": ms(fill.at), "uTime": ms(fill.at), "accFillSz": row["fillSz"]}
        return {"arg": channel, "data": [row | more]}

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
            contracts=contracts_of(params["sz"]),
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
            raise refusal_of(error) from error
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
            "fee": format(-fill.fee - self.finer, "f"),
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
            contracts=contracts_of(params["sz"]),
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
            raise refusal_of(error) from error
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
                contracts=contracts_of(params["newSz"]),
                trigger_price=price,
            )
        except OrderRejected as error:
            raise refusal_of(error) from error
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


def _order_row(asked: Row, report: OrderReport) -> Row:
    is_whole = report.filled == contracts_of(asked["sz"])
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
