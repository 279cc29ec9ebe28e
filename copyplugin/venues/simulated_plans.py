"""Plan orders of the simulated exchange in the plugin's words.

Each is tied to its position: it closes whatever is held when it fires, and the exchange withdraws
it with the position. An order that it fires keeps its client order id.
"""

from collections.abc import Sequence

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.domain.identifiers import ClientOrderId, Symbol, VenuePlanId
from copyplugin.domain.money import Contracts, Price
from copyplugin.domain.plan_order import (
    PlanReport,
    PlanRequest,
    PlanStatus,
    TriggerBy,
    TriggerDirection,
)
from copyplugin.domain.reject_reason import RejectReason
from copyplugin.errors import OrderRejected, OutcomeUnknown
from copyplugin.venues.simulated_values import LEGS, SIDES
from simexchange.core import commands as c
from simexchange.core import events as e
from simexchange.core import types as t
from simexchange.core.instrument import Instrument as ExchangeInstrument
from simexchange.plan_history import PlanOutcome, PlanRecord
from simexchange.simulation import Simulation

_TRIGGERS = {TriggerBy.MARK: t.TriggerBy.MARK, TriggerBy.LAST: t.TriggerBy.LAST}
_DIRECTIONS = {
    TriggerDirection.RISES: t.TriggerDirection.RISES,
    TriggerDirection.FALLS: t.TriggerDirection.FALLS,
}
_STATUSES = {
    PlanOutcome.WAITING: PlanStatus.RESTING,
    PlanOutcome.TRIGGERED: PlanStatus.FIRED,
    PlanOutcome.FAILED: PlanStatus.FAILED,
    PlanOutcome.CANCELLED: PlanStatus.CANCELLED,
}
_REASONS: dict[str, RejectReason] = {
    t.RejectReason.WOULD_TRIGGER_NOW: RejectReason.ALREADY_THROUGH,
    t.RejectReason.UNKNOWN_PLAN: RejectReason.NOT_FOUND,
    t.RejectReason.NO_POSITION: RejectReason.NO_POSITION,
}


def place_plan(simulation: Simulation, request: PlanRequest) -> PlanReport:
    instrument = _instrument(simulation, request.symbol)
    events = simulation.apply(
        c.PlacePlanOrder(
            account=int(request.account),
            symbol=request.symbol,
            side=SIDES[request.order_side],
            contracts=0,
            trigger_price=instrument.price_to_ticks(request.trigger_price),
            trigger_by=_TRIGGERS[request.trigger_by],
            direction=_DIRECTIONS[request.direction],
            position_side=LEGS[request.position_side],
            client_order_id=request.client_order_id,
            close_position=True,
            attached=True,
            refuse_if_through=True,
        )
    )
    for event in events:
        if isinstance(event, e.PlanOrderRejected):
            if event.reason is t.RejectReason.DUPLICATE_CLIENT_ORDER_ID:
                raise OutcomeUnknown(f"{request.client_order_id} is known already: ask for it")
            raise _rejected(event.reason, event.message)
    report = find_plan(simulation, int(request.account), request.symbol, request.client_order_id)
    assert report is not None
    return report


def amend_plan(
    simulation: Simulation,
    account: int,
    symbol: Symbol,
    client_order_id: ClientOrderId,
    trigger_price: Price,
) -> PlanReport:
    instrument = _instrument(simulation, symbol)
    events = simulation.apply(
        c.AmendPlanOrder(
            account=account,
            symbol=symbol,
            client_order_id=client_order_id,
            trigger_price=instrument.price_to_ticks(trigger_price),
        )
    )
    for event in events:
        if isinstance(event, e.CommandRejected) and event.reason is not t.RejectReason.UNCHANGED:
            raise _rejected(event.reason, event.message)
    report = find_plan(simulation, account, symbol, client_order_id)
    assert report is not None
    return report


def cancel_plan(
    simulation: Simulation, account: int, symbol: Symbol, client_order_id: ClientOrderId
) -> None:
    events = simulation.apply(
        c.CancelPlanOrder(account=account, symbol=symbol, client_order_id=client_order_id)
    )
    for event in events:
        if isinstance(event, e.CommandRejected) and event.reason is not t.RejectReason.UNKNOWN_PLAN:
            raise _rejected(event.reason, event.message)


def find_plan(
    simulation: Simulation, account: int, symbol: Symbol, client_order_id: ClientOrderId
) -> PlanReport | None:
    record = simulation.history.plans.plan_by_client_id(account, client_order_id)
    if record is None or record.accepted.symbol != symbol:
        return None
    return _report(record, client_order_id, _instrument(simulation, symbol))


def resting_plans(simulation: Simulation, account: int) -> Sequence[PlanReport]:
    found = [
        find_plan(simulation, account, Symbol(view.symbol), ClientOrderId(view.client_order_id))
        for view in simulation.exchange.open_plans(account)
        if view.client_order_id is not None  # the rest are not ours
    ]
    return [report for report in found if report is not None]


def _report(
    record: PlanRecord, client_order_id: ClientOrderId, instrument: ExchangeInstrument
) -> PlanReport:
    accepted, status = record.accepted, _STATUSES[record.outcome]
    is_long = accepted.side is t.Side.SELL
    return PlanReport(
        client_order_id=client_order_id,
        venue_plan_id=VenuePlanId(str(accepted.plan_id)),
        symbol=Symbol(accepted.symbol),
        position_side=PositionSide.LONG if is_long else PositionSide.SHORT,
        order_side=OrderSide.SELL if is_long else OrderSide.BUY,
        contracts=Contracts(record.contracts),
        trigger_price=Price(instrument.ticks_to_price(record.trigger_price)),
        status=status,
        fired_order=client_order_id if status is PlanStatus.FIRED else None,
        reason="" if record.reason is None else record.reason.value,
    )


def _instrument(simulation: Simulation, symbol: Symbol) -> ExchangeInstrument:
    try:
        return simulation.exchange.instrument(symbol)
    except KeyError as error:
        raise OrderRejected(t.RejectReason.UNKNOWN_INSTRUMENT.value, str(error)) from error


def _rejected(reason: t.RejectReason, sentence: str) -> OrderRejected:
    return OrderRejected(_REASONS.get(reason, reason.value), sentence)
