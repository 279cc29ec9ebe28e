"""Bybit: plan orders and the margin of an isolated position.

A plan order is a conditional order of quantity 0 that closes on trigger: whatever the position
holds when it fires. Its ids stay what they were when it becomes an order.
"""

from collections.abc import Sequence

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import ClientOrderId, Symbol, VenuePlanId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Price
from copyplugin.domain.plan_order import (
    PlanReport,
    PlanRequest,
    PlanStatus,
    TriggerBy,
    TriggerDirection,
)
from copyplugin.domain.reject_reason import RejectReason
from copyplugin.errors import OrderRejected
from copyplugin.venues.ccxt import bybit_rows
from copyplugin.venues.ccxt.bybit_account import LINEAR, order_row, pages
from copyplugin.venues.ccxt.bybit_codes import REDUCE_ONLY
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.dialect import Book
from copyplugin.venues.ccxt.errors import NOT_FOUND, UNCHANGED
from copyplugin.venues.ccxt.gate import Urgency
from copyplugin.venues.ccxt.texts import (
    contracts_of,
    decimal_of,
    plain,
    price_of,
    text_of,
)

_TRIGGERS = {TriggerBy.MARK: "MarkPrice", TriggerBy.LAST: "LastPrice"}
_DIRECTIONS = {TriggerDirection.RISES: 1, TriggerDirection.FALLS: 2}
_FIRED = {"Triggered", "New", "PartiallyFilled", "Filled", "PartiallyFilledCanceled"}


class BybitPlans:
    """The part of the dialect that protects positions."""

    async def place_plan(
        self, client: Client, request: PlanRequest, instrument: Instrument
    ) -> PlanReport:
        params: Row = {
            **LINEAR,
            "symbol": request.symbol,
            "side": bybit_rows.SIDES[request.order_side],
            "orderType": "Market",
            "qty": "0",
            "triggerPrice": plain(request.trigger_price),
            "triggerBy": _TRIGGERS[request.trigger_by],
            "triggerDirection": _DIRECTIONS[request.direction],
            "positionIdx": bybit_rows.INDEXES[request.position_side],
            "reduceOnly": True,
            "closeOnTrigger": True,
            "orderLinkId": request.client_order_id,
        }
        try:
            answer = await client.tell(
                "private_post_v5_order_create",
                params,
                rejected=OrderRejected,
                urgency=Urgency.CLOSE,
            )
        except OrderRejected as error:
            if error.reason == REDUCE_ONLY:
                raise OrderRejected(RejectReason.NO_POSITION, error.sentence) from error
            raise
        return PlanReport.resting(
            request,
            VenuePlanId(answer["result"]["orderId"]),
            contracts_of(decimal_of(params, "qty"), instrument.contract_size, "qty"),
        )

    async def amend_plan(
        self,
        client: Client,
        instrument: Instrument,
        client_order_id: ClientOrderId,
        *,
        contracts: Contracts,
        trigger_price: Price,
    ) -> PlanReport:
        """Move the trigger; what it closes is whatever is held, before as after."""
        params: Row = {
            **LINEAR,
            "symbol": instrument.symbol,
            "orderLinkId": client_order_id,
            "triggerPrice": plain(trigger_price),
        }
        try:
            await client.tell(
                "private_post_v5_order_amend", params, rejected=OrderRejected, urgency=Urgency.CLOSE
            )
        except OrderRejected as error:
            if error.reason != UNCHANGED:
                raise
        report = await self.find_plan(client, instrument, client_order_id)
        if report is None or report.status is not PlanStatus.RESTING:
            raise OrderRejected(RejectReason.NOT_FOUND, f"{client_order_id} rests no more")
        return report

    async def cancel_plan(
        self, client: Client, instrument: Instrument, client_order_id: ClientOrderId
    ) -> None:
        params: Row = {
            **LINEAR,
            "symbol": instrument.symbol,
            "orderLinkId": client_order_id,
            "orderFilter": "StopOrder",
        }
        try:
            await client.tell(
                "private_post_v5_order_cancel",
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
        row = await order_row(client, instrument.symbol, client_order_id)
        return None if row is None else plan_from(row, instrument)

    async def plans(self, client: Client, book: Book) -> Sequence[PlanReport]:
        params = {**LINEAR, "settleCoin": "USDT", "orderFilter": "StopOrder", "limit": 50}
        rows = await pages(client, "private_get_v5_order_realtime", params)
        return [
            plan_from(row, book[Symbol(row["symbol"])])
            for row in reversed(rows)
            if row["orderStatus"] == "Untriggered"
            and text_of(row, "orderLinkId")
            and row["reduceOnly"]
        ]

    async def adjust_margin(
        self, client: Client, instrument: Instrument, position_side: PositionSide, money: Money
    ) -> None:
        params: Row = {
            **LINEAR,
            "symbol": instrument.symbol,
            "margin": plain(money),
            "positionIdx": bybit_rows.INDEXES[position_side],
        }
        await client.tell("private_post_v5_position_add_margin", params, rejected=OrderRejected)


def plan_from(row: Row, instrument: Instrument) -> PlanReport:
    """Return what is known of a conditional order, resting, fired or ended."""
    side = bybit_rows.order_side(row)
    status = _status(row)
    leg = bybit_rows.position_side(row)
    name = ClientOrderId(row["orderLinkId"])
    return PlanReport(
        client_order_id=name,
        venue_plan_id=VenuePlanId(row["orderId"]),
        symbol=instrument.symbol,
        position_side=leg or _closed_by(row),
        order_side=side,
        contracts=contracts_of(decimal_of(row, "qty", "0"), instrument.contract_size, "qty"),
        trigger_price=price_of(row, "triggerPrice"),
        status=status,
        fired_order=name if status is PlanStatus.FIRED else None,
        reason=bybit_rows.reason_of(row) or "",
    )


def _status(row: Row) -> PlanStatus:
    said = row["orderStatus"]
    if said == "Untriggered":
        return PlanStatus.RESTING
    if said == "Deactivated":
        return PlanStatus.CANCELLED
    if said in _FIRED or decimal_of(row, "cumExecQty", "0") > 0:
        return PlanStatus.FIRED
    return PlanStatus.FAILED  # rejected, or cancelled after it had fired


def _closed_by(row: Row) -> PositionSide:
    return PositionSide.LONG if row["side"] == "Sell" else PositionSide.SHORT
