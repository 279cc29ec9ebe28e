"""OKX: plan orders, which the venue calls algo orders and keeps apart under names of their own.

The venue has one that closes whatever is held, but only one for a position, and take profit and
stop loss are two of ours: so each has a size. It is withdrawn with the position.
"""

from collections.abc import Sequence

from copyplugin.domain.fill import MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import ClientOrderId, Symbol, VenuePlanId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Price
from copyplugin.domain.plan_order import (
    PlanReport,
    PlanRequest,
    PlanStatus,
    TriggerBy,
    TriggerDirection,
)
from copyplugin.domain.reject_reason import RejectReason
from copyplugin.errors import OrderRejected
from copyplugin.venues.ccxt import okx_rows
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.dialect import Book
from copyplugin.venues.ccxt.errors import NOT_FOUND, UNCHANGED
from copyplugin.venues.ccxt.gate import Urgency
from copyplugin.venues.ccxt.okx_account import SWAP, OkxAccount, pages
from copyplugin.venues.ccxt.okx_codes import REDUCE_ONLY
from copyplugin.venues.ccxt.okx_fills import one, order_row
from copyplugin.venues.ccxt.texts import (
    contracts_of,
    decimal_of,
    plain,
    price_of,
    quantity_text,
    text_of,
)

_TRIGGERS = {TriggerBy.MARK: "mark", TriggerBy.LAST: "last"}
_AT_MARKET = "-1"
_RESTING = {"live", "pause"}
_FIRED = {"effective", "partially_effective"}


class OkxPlans(OkxAccount):
    """The part of the dialect that protects positions."""

    async def place_plan(
        self, client: Client, request: PlanRequest, instrument: Instrument
    ) -> PlanReport:
        """Rest it in the margin mode that its leg is held in."""
        mode = await self.mode(client, request.symbol, request.position_side)
        try:
            number = await self._rest(client, request, mode)
        except OrderRejected as error:
            if error.reason == REDUCE_ONLY:
                raise OrderRejected(RejectReason.NO_POSITION, error.sentence) from error
            raise
        return PlanReport.resting(
            request,
            VenuePlanId(number),
            request.contracts,
        )

    async def _rest(self, client: Client, request: PlanRequest, mode: MarginMode) -> str:
        kind = _kind(request)
        params: Row = {
            "instId": request.symbol,
            "tdMode": okx_rows.MODES[mode],
            "side": okx_rows.SIDES[request.order_side],
            "posSide": okx_rows.LEGS[request.position_side],
            "ordType": "conditional",
            "sz": quantity_text(request.contracts, self.lot(request.symbol)),
            f"{kind}TriggerPx": plain(request.trigger_price),
            f"{kind}TriggerPxType": _TRIGGERS[request.trigger_by],
            f"{kind}OrdPx": _AT_MARKET,
            "reduceOnly": True,
            "cxlOnClosePos": True,
            "algoClOrdId": request.client_order_id,
            # ccxt writes its own name and tag into an order that has no name.
            "clOrdId": request.client_order_id,
        }
        answer = await client.tell(
            "private_post_trade_order_algo",
            params,
            rejected=OrderRejected,
            urgency=Urgency.CLOSE,
        )
        return str(answer["data"][0]["algoId"])

    async def amend_plan(
        self,
        client: Client,
        instrument: Instrument,
        client_order_id: ClientOrderId,
        *,
        contracts: Contracts,
        trigger_price: Price,
    ) -> PlanReport:
        """Change trigger and size; which of the two triggers it has is asked for first."""
        row = await self.plan_row(client, client_order_id)
        if row is None or row["state"] not in _RESTING:
            raise OrderRejected(RejectReason.NOT_FOUND, f"{client_order_id} rests no more")
        params: Row = {
            "instId": instrument.symbol,
            "algoClOrdId": client_order_id,
            "newSz": quantity_text(contracts, self.lot(instrument.symbol)),
            f"new{_trigger_of(row).capitalize()}TriggerPx": plain(trigger_price),
        }
        try:
            await client.tell(
                "private_post_trade_amend_algos",
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
        """Withdraw it; the venue takes lists of them."""
        params: list[Row] = [{"instId": instrument.symbol, "algoClOrdId": client_order_id}]
        try:
            await client.tell(
                "private_post_trade_cancel_algos",
                params,
                rejected=OrderRejected,
                urgency=Urgency.CLOSE,
            )
        except OrderRejected as error:
            if error.reason != NOT_FOUND:
                raise

    async def plan_row(self, client: Client, name: ClientOrderId) -> Row | None:
        params: Row = {"algoClOrdId": name}
        return await one(client, "private_get_trade_order_algo", params, urgency=Urgency.CLOSE)

    def fired_order_of(self, row: Row) -> str | None:
        """Return the venue's number of the order that a plan order became."""
        numbers = [str(number) for number in row.get("ordIdList") or () if number]
        return numbers[0] if numbers else text_of(row, "ordId") or None

    async def find_plan(
        self, client: Client, instrument: Instrument, client_order_id: ClientOrderId
    ) -> PlanReport | None:
        row = await self.plan_row(client, client_order_id)
        if row is None or row["instId"] != instrument.symbol:
            return None
        status = await self._status(client, instrument, row)
        return self._plan_from(row, instrument, status)

    async def _status(self, client: Client, instrument: Instrument, row: Row) -> PlanStatus:
        said = row["state"]
        if said in _RESTING:
            return PlanStatus.RESTING
        if said == "canceled":
            return PlanStatus.CANCELLED
        number = self.fired_order_of(row)
        if said not in _FIRED or number is None:
            return PlanStatus.FAILED
        # An order that ended with nothing has protected nothing.
        order = await order_row(client, instrument.symbol, number, urgency=Urgency.CLOSE)
        if order is None:
            return PlanStatus.FIRED
        is_empty = decimal_of(order, "accFillSz", "0") == 0
        has_ended = order["state"] in {"canceled", "mmp_canceled"}
        return PlanStatus.FAILED if has_ended and is_empty else PlanStatus.FIRED

    async def plans(self, client: Client, book: Book) -> Sequence[PlanReport]:
        params: Row = {**SWAP, "ordType": "conditional"}
        rows = await pages(client, "private_get_trade_orders_algo_pending", params, "algoId")
        return [
            self._plan_from(row, book[Symbol(row["instId"])], PlanStatus.RESTING)
            for row in rows
            if Symbol(row["instId"]) in book and text_of(row, "algoClOrdId")
        ]

    def _plan_from(self, row: Row, instrument: Instrument, status: PlanStatus) -> PlanReport:
        """Return what is known of it; the order that it became is found by its own name."""
        side = okx_rows.order_side(row)
        closes_long = side is OrderSide.SELL
        leg = okx_rows.leg_of(row)
        name = ClientOrderId(row["algoClOrdId"])
        return PlanReport(
            client_order_id=name,
            venue_plan_id=VenuePlanId(row["algoId"]),
            symbol=instrument.symbol,
            position_side=leg or (PositionSide.LONG if closes_long else PositionSide.SHORT),
            order_side=side,
            contracts=contracts_of(decimal_of(row, "sz", "0"), self.lot(instrument.symbol), "sz"),
            trigger_price=price_of(row, f"{_trigger_of(row)}TriggerPx"),
            status=status,
            fired_order=name if status is PlanStatus.FIRED else None,
            reason=text_of(row, "failCode") or text_of(row, "state"),
        )


def _kind(request: PlanRequest) -> str:
    """Return whether the venue takes it for a profit or for a loss: it waits for that price."""
    rises = request.direction is TriggerDirection.RISES
    return "tp" if rises is (request.order_side is OrderSide.SELL) else "sl"


def _trigger_of(row: Row) -> str:
    return "tp" if text_of(row, "tpTriggerPx") else "sl"
