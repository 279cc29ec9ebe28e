"""Binance USD-M: plan orders, which the venue keeps apart from orders under names of their own.

Each closes the whole position when it fires, and the venue withdraws it with the position.
"""

from collections.abc import Sequence

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import ClientOrderId, Symbol, VenuePlanId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import NO_CONTRACTS, Contracts, Price
from copyplugin.domain.plan_order import (
    PlanReport,
    PlanRequest,
    PlanStatus,
    TriggerBy,
    TriggerDirection,
)
from copyplugin.domain.reject_reason import RejectReason
from copyplugin.errors import OrderRejected
from copyplugin.venues.ccxt import binance_rows
from copyplugin.venues.ccxt.binance_account import rows_of
from copyplugin.venues.ccxt.binance_codes import REDUCE_ONLY
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.dialect import Book
from copyplugin.venues.ccxt.errors import NOT_FOUND
from copyplugin.venues.ccxt.gate import Urgency
from copyplugin.venues.ccxt.texts import decimal_of, plain, price_of, text_of

_TRIGGERS = {TriggerBy.MARK: "MARK_PRICE", TriggerBy.LAST: "CONTRACT_PRICE"}
_RESTING = {"NEW", "PENDING"}
_CANCELLED = {"CANCELED", "EXPIRED"}


class BinancePlans:
    """The part of the dialect that protects positions."""

    async def place_plan(
        self, client: Client, request: PlanRequest, instrument: Instrument
    ) -> PlanReport:
        params: Row = {
            "algoType": "CONDITIONAL",
            "symbol": request.symbol,
            "side": binance_rows.SIDES[request.order_side],
            "positionSide": binance_rows.LEGS[request.position_side],
            "type": _kind(request),
            "triggerPrice": plain(request.trigger_price),
            "workingType": _TRIGGERS[request.trigger_by],
            "closePosition": "true",
            "clientAlgoId": request.client_order_id,
        }
        try:
            row = await client.tell(
                "fapiprivate_post_algoorder",
                params,
                rejected=OrderRejected,
                urgency=Urgency.CLOSE,
                cost=0,
            )
        except OrderRejected as error:
            if error.reason == REDUCE_ONLY:
                raise OrderRejected(RejectReason.NO_POSITION, error.sentence) from error
            raise
        return _plan_from(row, instrument, PlanStatus.RESTING)

    async def amend_plan(
        self,
        client: Client,
        instrument: Instrument,
        client_order_id: ClientOrderId,
        *,
        contracts: Contracts,
        trigger_price: Price,
    ) -> PlanReport:
        raise AssertionError("the capabilities say that no plan order is amended here")

    async def cancel_plan(
        self, client: Client, instrument: Instrument, client_order_id: ClientOrderId
    ) -> None:
        params: Row = {"clientAlgoId": client_order_id}
        try:
            await client.tell(
                "fapiprivate_delete_algoorder",
                params,
                rejected=OrderRejected,
                urgency=Urgency.CLOSE,
            )
        except OrderRejected as error:
            if error.reason != NOT_FOUND:
                raise

    async def find_plan(
        self, client: Client, instrument: Instrument, client_order_id: ClientOrderId
    ) -> PlanReport | None:
        params: Row = {"clientAlgoId": client_order_id}
        row = await client.ask_maybe("fapiprivate_get_algoorder", params, urgency=Urgency.CLOSE)
        if row is None or row["symbol"] != instrument.symbol:
            return None
        said = row["algoStatus"]
        if said in _RESTING:
            return _plan_from(row, instrument, PlanStatus.RESTING)
        if said in _CANCELLED:
            return _plan_from(row, instrument, PlanStatus.CANCELLED, reason=said)
        if said == "REJECTED" or not text_of(row, "actualOrderId"):
            return _plan_from(row, instrument, PlanStatus.FAILED, reason=said)
        return await self._fired(client, row, instrument)

    async def _fired(self, client: Client, row: Row, instrument: Instrument) -> PlanReport:
        """Look at the order that it became: one that ended with nothing has protected nothing."""
        params: Row = {"symbol": instrument.symbol, "orderId": int(row["actualOrderId"])}
        order = await client.ask_maybe("fapiprivate_get_order", params, urgency=Urgency.CLOSE)
        if order is None:
            return _plan_from(row, instrument, PlanStatus.FIRED)
        has_ended = order["status"] not in {"NEW", "PARTIALLY_FILLED"}
        if has_ended and decimal_of(order, "executedQty") == 0:
            return _plan_from(row, instrument, PlanStatus.FAILED, reason=order["status"])
        name = ClientOrderId(order["clientOrderId"])
        return _plan_from(row, instrument, PlanStatus.FIRED, fired_order=name)

    async def plans(self, client: Client, book: Book) -> Sequence[PlanReport]:
        rows = rows_of(await client.ask("fapiprivate_get_openalgoorders", cost=40))
        return [
            _plan_from(row, book[Symbol(row["symbol"])], PlanStatus.RESTING)
            for row in rows
            if row["closePosition"] and Symbol(row["symbol"]) in book
        ]


def _kind(request: PlanRequest) -> str:
    """Return whether the venue takes it for a profit or for a loss: it waits for that price."""
    rises = request.direction is TriggerDirection.RISES
    takes_profit = rises is (request.order_side is OrderSide.SELL)
    return "TAKE_PROFIT_MARKET" if takes_profit else "STOP_MARKET"


def _plan_from(
    row: Row,
    instrument: Instrument,
    status: PlanStatus,
    *,
    fired_order: ClientOrderId | None = None,
    reason: str = "",
) -> PlanReport:
    side = binance_rows.order_side(row)
    closes_long = side is OrderSide.SELL
    leg = binance_rows.leg_of(row)
    return PlanReport(
        client_order_id=ClientOrderId(row["clientAlgoId"]),
        venue_plan_id=VenuePlanId(str(row["algoId"])),
        symbol=instrument.symbol,
        position_side=leg or (PositionSide.LONG if closes_long else PositionSide.SHORT),
        order_side=side,
        contracts=NO_CONTRACTS,
        trigger_price=price_of(row, "triggerPrice"),
        status=status,
        fired_order=fired_order,
        reason=reason,
    )
