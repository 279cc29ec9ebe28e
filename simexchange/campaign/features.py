"""What a run must have met before it may say that all is well: every event, reason and mode."""

from collections.abc import Callable, Iterator
from typing import Any, get_args

from simexchange.core import events as e
from simexchange.core.commands import Batch, Command, PlaceOrder, SetFundingInterval
from simexchange.core.events import Event
from simexchange.core.types import (
    CancelReason,
    Liquidity,
    MarginMode,
    OrderKind,
    PositionSide,
    RejectReason,
    SelfTradePrevention,
    TimeInForce,
    TriggerBy,
)

_PLAN_FEATURES = (
    "attached",
    "callback_rate",
    "close_on_trigger",
    "close_position",
    "expires_at",
    "group",
)
_LIQUIDATIONS = ("through book", "taken over", "deleveraged", "partial", "whole")


def features_of(command: Command, events: list[Event]) -> Iterator[str]:
    """Yield the names of what happened; one name may come several times."""
    yield f"command {type(command).__name__}"
    if isinstance(command, Batch):
        for part in command.commands:
            yield f"batched {type(part).__name__}"
    for event in events:
        yield from _of_event(event)
        if isinstance(event, e.SelfTradePrevented) and isinstance(command, PlaceOrder):
            yield f"self-trade prevention {command.self_trade_prevention}"
        if isinstance(event, e.FundingRateSet) and isinstance(command, SetFundingInterval):
            yield "funding interval set"
        if isinstance(event, e.OrderAccepted) and getattr(command, "close_on_trigger", False):
            yield "order close-on-trigger"
        if isinstance(event, e.OrderAccepted) and getattr(command, "expires_at", None):
            yield "order that expires"


def _of_event(event: Event) -> Iterator[str]:
    describe = _DESCRIBED.get(type(event))
    return iter(()) if describe is None else describe(event)


def _of_refusal(
    event: e.CommandRejected | e.OrderRejected | e.PlanOrderRejected | e.PlanOrderFailed,
) -> Iterator[str]:
    yield f"refused: {event.reason}"


def _of_ending(event: e.OrderCancelled | e.PlanOrderCancelled) -> Iterator[str]:
    yield f"ended: {event.reason}"


def _of_order(event: e.OrderAccepted) -> Iterator[str]:
    yield f"order {event.kind} {event.time_in_force}"
    yield f"order of position side {event.position_side.name}"
    if event.reduce_only:
        yield "order reduce-only"
    if event.plan_id is not None:
        yield "order of a plan"


def _of_fill(event: e.Filled) -> Iterator[str]:
    yield f"fill {event.liquidity} {event.margin_mode}"
    if event.fee < 0:
        yield "fill with a rebate"


def _of_amendment(event: e.OrderAmended) -> Iterator[str]:
    yield "order kept its place" if event.kept_place else "order lost its place"


def _of_plan(event: e.PlanOrderAccepted) -> Iterator[str]:
    yield f"plan by {event.trigger_by}"
    for name in _PLAN_FEATURES:
        if getattr(event, name):
            yield f"plan {name}"


def _of_plan_amendment(event: e.PlanOrderAmended) -> Iterator[str]:
    yield "plan trailed" if event.trailed else "plan amended"


def _of_liquidation(event: e.PositionLiquidated) -> Iterator[str]:
    whole = event.position_contracts == 0
    happened = (event.through_book, event.taken_over, event.deleveraged, not whole, whole)
    if event.position_side is not PositionSide.NET:
        yield f"liquidation {event.margin_mode} of a hedged leg"
    for name, did in zip(_LIQUIDATIONS, happened, strict=True):
        if did:
            yield f"liquidation {event.margin_mode} {name}"


def _of_funding(event: e.FundingSettled) -> Iterator[str]:
    yield "funding skipped" if event.skipped else "funding settled"
    if event.rate < 0 and not event.skipped:
        yield "funding at a negative rate"


def _of_fund(event: e.InsuranceFundMoved) -> Iterator[str]:
    yield f"insurance fund: {event.cause}"


def _of_transfer(event: e.Transferred) -> Iterator[str]:
    if event.repeated:
        yield "transfer repeated"
    elif event.from_account != event.to_account:
        yield "transfer between accounts"


_DESCRIBED: dict[type, Callable[[Any], Iterator[str]]] = {
    e.CommandRejected: _of_refusal,
    e.OrderRejected: _of_refusal,
    e.PlanOrderRejected: _of_refusal,
    e.PlanOrderFailed: _of_refusal,
    e.OrderCancelled: _of_ending,
    e.PlanOrderCancelled: _of_ending,
    e.OrderAccepted: _of_order,
    e.Filled: _of_fill,
    e.OrderAmended: _of_amendment,
    e.PlanOrderAccepted: _of_plan,
    e.PlanOrderAmended: _of_plan_amendment,
    e.PositionLiquidated: _of_liquidation,
    e.FundingSettled: _of_funding,
    e.InsuranceFundMoved: _of_fund,
    e.Transferred: _of_transfer,
}


def expected_features() -> frozenset[str]:
    """Return every name that a long run must meet; built from the exchange's own lists."""
    names = {f"command {command.__name__}" for command in get_args(Command)}
    names |= {f"batched {name}" for name in ("PlaceOrder", "AmendOrder", "CancelOrder")}
    names |= {f"refused: {reason}" for reason in RejectReason}
    names |= {f"ended: {reason}" for reason in CancelReason}
    names |= {f"order {kind} {tif}" for kind in OrderKind for tif in TimeInForce}
    names |= {f"order of position side {side.name}" for side in PositionSide}
    names |= {f"fill {liquidity} {mode}" for liquidity in Liquidity for mode in MarginMode}
    names |= {f"plan by {by}" for by in TriggerBy}
    names |= {f"plan {name}" for name in _PLAN_FEATURES}
    names |= {f"liquidation {mode} {how}" for mode in MarginMode for how in _LIQUIDATIONS}
    names |= {
        f"self-trade prevention {mode}"
        for mode in SelfTradePrevention
        if mode is not SelfTradePrevention.NONE
    }
    return frozenset(names) | {
        "fill with a rebate",
        "funding at a negative rate",
        "funding interval set",
        "funding settled",
        "funding skipped",
        "insurance fund: liquidation_fee",
        "insurance fund: shortfall",
        "liquidation cross of a hedged leg",
        "liquidation isolated of a hedged leg",
        "order close-on-trigger",
        "order that expires",
        "order kept its place",
        "order lost its place",
        "order of a plan",
        "order reduce-only",
        "plan amended",
        "plan trailed",
        "transfer between accounts",
        "transfer repeated",
    }


def expected_events() -> frozenset[str]:
    """Return the names of all types of events."""
    return frozenset(event.__name__ for event in get_args(Event))
