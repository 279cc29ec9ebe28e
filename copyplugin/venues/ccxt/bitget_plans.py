"""Bitget: plan orders, which the venue keeps apart from orders.

Each is tied to its position: one take profit and one stop loss for all that is held, withdrawn with
it. What one becomes is an order with a name of the venue's.
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
from copyplugin.errors import OrderRejected, OutcomeUnknown
from copyplugin.venues.ccxt import bitget_rows
from copyplugin.venues.ccxt.bitget_account import FUTURES, IN_USDT, BitgetAccount, pages, rows_of
from copyplugin.venues.ccxt.bitget_codes import REDUCE_ONLY
from copyplugin.venues.ccxt.bitget_fills import order_row
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.dialect import Book
from copyplugin.venues.ccxt.errors import NOT_FOUND, UNCHANGED
from copyplugin.venues.ccxt.gate import Urgency
from copyplugin.venues.ccxt.texts import plain, price_of, text_of

_TRIGGERS = {TriggerBy.MARK: "mark_price", TriggerBy.LAST: "fill_price"}
_TAKE, _STOP = "pos_profit", "pos_loss"
_TIED: Row = {**FUTURES, "planType": "profit_loss"}
_RESTING = {"live", "not_trigger"}
_FIRED = {"executed", "executing", "triggered"}
_CANCELLED = {"cancelled", "canceled"}
_NAMES = ("entrustedList", "orderId")


class BitgetPlans(BitgetAccount):
    """The part of the dialect that protects positions."""

    async def place_plan(
        self, client: Client, request: PlanRequest, instrument: Instrument
    ) -> PlanReport:
        params: Row = {
            **IN_USDT,
            "symbol": request.symbol,
            "planType": _kind(request),
            "triggerPrice": plain(request.trigger_price),
            "triggerType": _TRIGGERS[request.trigger_by],
            "holdSide": bitget_rows.LEGS[request.position_side],
            "clientOid": request.client_order_id,
        }
        try:
            answer = await client.tell(
                "private_mix_post_v2_mix_order_place_tpsl_order",
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
            VenuePlanId(answer["data"]["orderId"]),
            NO_CONTRACTS,
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
        row = await _resting(client, instrument, client_order_id)
        if row is None:
            raise OrderRejected(RejectReason.NOT_FOUND, f"{client_order_id} rests no more")
        params: Row = {
            **IN_USDT,
            "symbol": instrument.symbol,
            "orderId": row["orderId"],
            "triggerPrice": plain(trigger_price),
            "triggerType": row["triggerType"],
            "executePrice": "",  # at market
            "size": "",  # whatever is held
        }
        try:
            await client.tell(
                "private_mix_post_v2_mix_order_modify_tpsl_order",
                params,
                rejected=OrderRejected,
                urgency=Urgency.CLOSE,
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
        """Withdraw it; the venue takes lists, and tells of each whether it was done."""
        row = await _resting(client, instrument, client_order_id)
        if row is None:
            return
        params: Row = {
            **IN_USDT,
            "symbol": instrument.symbol,
            "planType": row["planType"],
            "orderIdList": [{"orderId": row["orderId"]}],
        }
        try:
            answer = await client.tell(
                "private_mix_post_v2_mix_order_cancel_plan_order",
                params,
                rejected=OrderRejected,
                urgency=Urgency.CLOSE,
            )
        except OrderRejected as error:
            if error.reason != NOT_FOUND:
                raise
            return
        failed = rows_of(answer, "failureList")
        if failed and await _resting(client, instrument, client_order_id) is not None:
            raise OutcomeUnknown(f"{client_order_id}: {text_of(failed[0], 'errorMsg')}")

    async def find_plan(
        self, client: Client, instrument: Instrument, client_order_id: ClientOrderId
    ) -> PlanReport | None:
        """Look among the resting ones, then in the history."""
        row = await _resting(client, instrument, client_order_id)
        if row is not None:
            return _plan_from(row, instrument, PlanStatus.RESTING)
        row = await ended_plan(client, instrument, client_order_id)
        if row is None:
            return None
        said = text_of(row, "planStatus")
        if said in _CANCELLED:
            return _plan_from(row, instrument, PlanStatus.CANCELLED)
        number = text_of(row, "executeOrderId")
        if said not in _FIRED or not number:
            return _plan_from(row, instrument, PlanStatus.FAILED)
        # An order that ended with nothing has protected nothing.
        order = await order_row(client, instrument.symbol, number, urgency=Urgency.CLOSE)
        if order is not None and bitget_rows.ended_with_nothing(order):
            return _plan_from(row, instrument, PlanStatus.FAILED)
        return _plan_from(row, instrument, PlanStatus.FIRED)

    async def plans(self, client: Client, book: Book) -> Sequence[PlanReport]:
        method = "private_mix_get_v2_mix_order_orders_plan_pending"
        return [
            _plan_from(row, book[Symbol(row["symbol"])], PlanStatus.RESTING)
            for row in await pages(client, method, _TIED, _NAMES)
            if text_of(row, "planType") in {_TAKE, _STOP} and Symbol(row["symbol"]) in book
        ]


async def _resting(client: Client, instrument: Instrument, name: ClientOrderId) -> Row | None:
    method = "private_mix_get_v2_mix_order_orders_plan_pending"
    row = await _named(client, method, instrument, name)
    return row if row is not None and text_of(row, "planStatus") in _RESTING else None


async def ended_plan(client: Client, instrument: Instrument, name: ClientOrderId) -> Row | None:
    """Return a plan order that rests no more."""
    method = "private_mix_get_v2_mix_order_orders_plan_history"
    return await _named(client, method, instrument, name)


async def _named(
    client: Client, method: str, instrument: Instrument, name: ClientOrderId
) -> Row | None:
    params: Row = {**_TIED, "symbol": instrument.symbol, "clientOid": name}
    answer = await client.ask_maybe(method, params, urgency=Urgency.CLOSE)
    rows = rows_of(answer, "entrustedList")
    return next((row for row in rows if row["clientOid"] == name), None)


def _kind(request: PlanRequest) -> str:
    """Return whether the venue takes it for a profit or for a loss: it waits for that price."""
    rises = request.direction is TriggerDirection.RISES
    return _TAKE if rises is (request.order_side is OrderSide.SELL) else _STOP


def _plan_from(row: Row, instrument: Instrument, status: PlanStatus) -> PlanReport:
    leg = PositionSide.LONG if row["posSide"] == "long" else PositionSide.SHORT
    name = ClientOrderId(row["clientOid"])
    return PlanReport(
        client_order_id=name,
        venue_plan_id=VenuePlanId(row["orderId"]),
        symbol=instrument.symbol,
        position_side=leg,
        order_side=leg.closing_side,
        contracts=NO_CONTRACTS,
        trigger_price=price_of(row, "triggerPrice"),
        status=status,
        fired_order=name if status is PlanStatus.FIRED else None,
        reason=text_of(row, "planStatus"),
    )
