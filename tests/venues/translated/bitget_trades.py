"""Bitget v2 in its documented form: orders, fills and plan orders."""

from decimal import Decimal

from copyplugin.domain.fill import LeaderFill, OrderSide, PositionSide
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import NO_CONTRACTS, Contracts, Price
from copyplugin.domain.order import OrderReport, OrderRequest, OrderStatus, TimeInForce
from copyplugin.domain.plan_order import PlanRequest, PlanStatus, TriggerBy, TriggerDirection
from copyplugin.errors import OrderRejected, OutcomeUnknown
from tests.venues.translated.bitget_venue import (
    FUTURES,
    WIRE_MODES,
    BitgetVenue,
    contracts_of,
    ms,
    refusal_of,
    size,
)
from tests.venues.translated.edge import Refusal, Row

FORCES = {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
TRIGGERS = {"mark_price": TriggerBy.MARK, "fill_price": TriggerBy.LAST}
STATES = {
    PlanStatus.RESTING: "live",
    PlanStatus.FIRED: "executed",
    PlanStatus.CANCELLED: "cancelled",
    PlanStatus.FAILED: "fail_execute",
}
ONE_AT_LEAST = Contracts(1)  # what a plan order's request says; it closes whatever is held
LEGS = {"buy": PositionSide.LONG, "sell": PositionSide.SHORT}


class BitgetTrades(BitgetVenue):
    """What trades, and what rests to trade."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[tuple[AccountId, str], Row] = {}
        self.plans: dict[tuple[AccountId, str], Row] = {}
        self._books: dict[Symbol, Instrument] = {}

    async def _instrument(self, symbol: str) -> Instrument:
        if not self._books:
            self._books = dict(await self.venue.instruments())
        return self._books[Symbol(symbol)]

    def fill_message(self, fill: LeaderFill, channel: dict[str, str]) -> Row:
        row = {"symbol": fill.symbol, "tradeId": fill.venue_fill_id, "cTime": ms(fill.at)}
        row |= {"price": format(fill.price, "f"), "baseVolume": "1", "side": fill.side.value}
        row |= {"orderId": fill.order_id, "posMode": "hedge_mode", "tradeSide": "open"}
        fee = {"feeCoin": "USDT", "totalFee": "0", "deduction": "no"}
        return {"action": "snapshot", "arg": channel, "data": [{**row, "feeDetail": [fee]}]}

    # -- orders

    async def place(self, account: AccountId, params: Row) -> Row:
        assert params["productType"] == FUTURES
        assert params["marginCoin"] == "USDT"
        symbol, name = Symbol(params["symbol"]), params["clientOid"]
        assert params["marginMode"] == WIRE_MODES[self.setting(account, symbol)[1]]
        leg = LEGS[params["side"]]  # a buy that closes closes a long
        closes = {"open": False, "close": True}[params["tradeSide"]]
        price = params.get("price")
        assert (price is None) is (params["orderType"] == "market")
        request = OrderRequest(
            account=account,
            symbol=symbol,
            order_side=leg.closing_side if closes else leg.opening_side,
            position_side=leg,
            contracts=contracts_of(params["size"], await self._instrument(symbol)),
            limit_price=None if price is None else Price(Decimal(price)),
            time_in_force=FORCES[params["force"]] if price is not None else TimeInForce.IOC,
            reduce_only=closes,
            client_order_id=ClientOrderId(name),
        )
        try:
            report = await self.venue.place_order(request)
        except OutcomeUnknown as error:
            raise Refusal("40786", "Duplicate clientOid") from error
        except OrderRejected as error:
            raise refusal_of(error) from error
        self.orders[account, name] = params
        return {"orderId": report.venue_order_id, "clientOid": name}

    async def detail(self, account: AccountId, params: Row) -> Row:
        symbol, number = Symbol(params["symbol"]), params.get("orderId")
        for (owner, name), asked in self.orders.items():
            if owner != account or params.get("clientOid") not in {None, name}:
                continue
            report = await self.venue.find_order(account, symbol, ClientOrderId(name))
            assert report is not None
            if number in {None, report.venue_order_id}:
                return await self._order_row(account, asked, report)
        for row in await self._orders_by_hand(account):
            if row["orderId"] == number:
                return {**row, "state": row["status"]}
        raise Refusal("40109", "The data of the order cannot be found")

    async def _order_row(self, account: AccountId, asked: Row, report: OrderReport) -> Row:
        instrument = await self._instrument(asked["symbol"])
        is_whole = report.filled == contracts_of(asked["size"], instrument)
        ended = "filled" if is_whole else "canceled"
        leverage, mode = self.setting(account, instrument.symbol)
        return {
            **asked,
            "orderId": report.venue_order_id,
            "baseVolume": size(report.filled, instrument.contract_size),
            "state": ended if report.status is OrderStatus.DONE else "live",
            "leverage": str(leverage),
            "marginMode": WIRE_MODES[mode],
            "cancelReason": report.reason or "",
            "cTime": ms(report.acknowledged_at),
        }

    async def history(self, account: AccountId, params: Row) -> Row:
        rows = await self._orders_by_hand(account)
        return self.page(rows, params, ("entrustedList", "orderId"))

    async def _orders_by_hand(self, account: AccountId) -> list[Row]:
        """Return orders that are known by their fills alone, with names of the venue's."""
        rows: dict[str, Row] = {}
        for fill in await self.venue.leader_fills(account, None):
            unit = (await self._instrument(fill.symbol)).contract_size
            row = rows.setdefault(fill.order_id, {"baseVolume": "0"})
            ordered = fill.order_contracts or fill.contracts
            more = Decimal(row["baseVolume"]) + Decimal(size(fill.contracts, unit))
            row |= {
                "symbol": fill.symbol,
                "orderId": fill.order_id,
                "clientOid": f"venue-{fill.order_id}",
                "baseVolume": format(more, "f"),
                "size": size(ordered, unit),
                "status": "filled",
                "orderType": "market",
                "price": "",
                "leverage": format(fill.leverage, "f"),
                "marginMode": WIRE_MODES[fill.margin_mode],
                "cTime": row.get("cTime", ms(fill.at)),
            }
        return list(rows.values())

    async def fills(self, account: AccountId, params: Row) -> Row:
        assert params["productType"] == FUTURES
        told = await self.venue.leader_fills(account, None)
        rows = [await self._fill_row(account, fill) for fill in told]
        if "orderId" in params:
            rows = [row for row in rows if row["orderId"] == params["orderId"]]
        return self.page(rows, params, ("fillList", "tradeId"))

    async def _fill_row(self, account: AccountId, fill: LeaderFill) -> Row:
        unit = (await self._instrument(fill.symbol)).contract_size
        leg, fee = fill.position_side, format(-fill.fee - self.finer, "f")
        side, kind = fill.side.value, f"{fill.side.value}_single"
        if leg is not None:
            side = "buy" if leg is PositionSide.LONG else "sell"
            kind = "close" if fill.side is leg.closing_side else "open"
        return {
            "tradeId": fill.venue_fill_id,
            "symbol": fill.symbol,
            "orderId": fill.order_id,
            "price": format(fill.price, "f"),
            "baseVolume": size(fill.contracts, unit),
            "feeDetail": [
                {"deduction": "no", "feeCoin": "USDT", "totalFee": fee},
                {"deduction": "yes", "feeCoin": "BGB", "totalFee": "-0.25"},
            ],
            "side": side,
            "profit": format(fill.realized_pnl, "f"),
            "tradeSide": kind,
            "posMode": self.pos_mode(account),
            "tradeScope": fill.liquidity.value,
            "cTime": ms(fill.at),
        }

    # -- plan orders

    async def place_plan(self, account: AccountId, params: Row) -> Row:
        name, leg = params["clientOid"], PositionSide(params["holdSide"])
        assert params["planType"] in {"pos_profit", "pos_loss"}
        assert "size" not in params
        is_rise = (params["planType"] == "pos_profit") is (leg is PositionSide.LONG)
        request = PlanRequest(
            account=account,
            symbol=Symbol(params["symbol"]),
            position_side=leg,
            order_side=leg.closing_side,
            contracts=ONE_AT_LEAST,
            trigger_price=Price(Decimal(params["triggerPrice"])),
            trigger_by=TRIGGERS[params["triggerType"]],
            direction=TriggerDirection.RISES if is_rise else TriggerDirection.FALLS,
            client_order_id=ClientOrderId(name),
        )
        try:
            report = await self.venue.place_plan(request)
        except OutcomeUnknown as error:
            raise Refusal("40786", "Duplicate clientOid") from error
        except OrderRejected as error:
            raise refusal_of(error) from error
        self.plans[account, name] = {**params, "orderId": report.venue_plan_id}
        return {"orderId": report.venue_plan_id, "clientOid": name}

    def _plan_of(self, account: AccountId, number: str) -> Row:
        for (owner, _), asked in self.plans.items():
            if owner == account and asked["orderId"] == number:
                return asked
        raise Refusal("43020", "Stop profit and stop loss order does not exist")

    async def amend_plan(self, account: AccountId, params: Row) -> Row:
        asked = self._plan_of(account, params["orderId"])
        assert params["size"] == params["executePrice"] == ""
        assert params["triggerType"] == asked["triggerType"]
        name, symbol = ClientOrderId(asked["clientOid"]), Symbol(asked["symbol"])
        price = Price(Decimal(params["triggerPrice"]))
        try:
            await self.venue.amend_plan(
                account, symbol, name, contracts=NO_CONTRACTS, trigger_price=price
            )
        except OrderRejected as error:
            raise refusal_of(error) from error
        return {"orderId": asked["orderId"], "clientOid": name}

    async def cancel_plans(self, account: AccountId, params: Row) -> Row:
        (one,) = params["orderIdList"]
        asked = self._plan_of(account, one["orderId"])
        assert params["planType"] == asked["planType"]
        name = ClientOrderId(asked["clientOid"])
        await self.venue.cancel_plan(account, Symbol(asked["symbol"]), name)
        return {"successList": [{"orderId": one["orderId"]}], "failureList": []}

    async def pending_plans(self, account: AccountId, params: Row) -> Row:
        return await self._plans(account, params, is_resting=True)

    async def ended_plans(self, account: AccountId, params: Row) -> Row:
        return await self._plans(account, params, is_resting=False)

    async def _plans(self, account: AccountId, params: Row, *, is_resting: bool) -> Row:
        assert params["planType"] == "profit_loss"
        rows: list[Row] = []
        for (owner, name), asked in self.plans.items():
            if owner == account and params.get("clientOid") in {None, name}:
                rows.append(await self._plan_row(account, asked))
        found = [row for row in rows if (row["planStatus"] == "live") is is_resting]
        return self.page(found, {"limit": "100", **params}, ("entrustedList", "orderId"))

    async def _plan_row(self, account: AccountId, asked: Row) -> Row:
        name, symbol = ClientOrderId(asked["clientOid"]), Symbol(asked["symbol"])
        report = await self.venue.find_plan(account, symbol, name)
        assert report is not None
        number = ""
        if report.status is PlanStatus.FIRED:
            order = await self.venue.find_order(account, symbol, name)
            assert order is not None
            number = order.venue_order_id
        side = OrderSide.BUY if report.position_side is PositionSide.LONG else OrderSide.SELL
        return {
            **asked,
            "planStatus": STATES[report.status],
            "triggerPrice": format(report.trigger_price, "f"),
            "executeOrderId": number,
            "side": side.value,
            "posSide": report.position_side.value,
            "cTime": str(self.now_ms()),
        }
