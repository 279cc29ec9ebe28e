"""What became of plan orders: the exchange itself forgets one as soon as it waits no more."""

from enum import StrEnum

import msgspec

from simexchange.core.events import (
    PlanOrderAccepted,
    PlanOrderAmended,
    PlanOrderCancelled,
    PlanOrderFailed,
    PlanOrderTriggered,
)
from simexchange.core.types import CancelReason, RejectReason


class PlanOutcome(StrEnum):
    WAITING = "waiting"
    TRIGGERED = "triggered"  # it became an order
    FAILED = "failed"  # it fired and its order was refused
    CANCELLED = "cancelled"


class PlanRecord(msgspec.Struct):
    """A plan order as its events told it; ``reason`` None while it waits and once it fired."""

    accepted: PlanOrderAccepted
    contracts: int
    trigger_price: int
    outcome: PlanOutcome = PlanOutcome.WAITING
    reason: CancelReason | RejectReason | None = None


class PlanHistory:
    """The latest plan orders of each account, at most ``limit``; the oldest goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._plans: dict[int, dict[int, PlanRecord]] = {}
        self._numbers: dict[int, dict[str, int]] = {}

    def plan_by_client_id(self, account: int, client_order_id: str) -> PlanRecord | None:
        """Return the plan order that used this id, whatever became of it; None if none is kept."""
        number = self._numbers.get(account, {}).get(client_order_id)
        return None if number is None else self._plans[account][number]

    def note_accepted(self, event: PlanOrderAccepted) -> None:
        plans = self._plans.setdefault(event.account, {})
        plans[event.plan_id] = PlanRecord(event, event.contracts, event.trigger_price)
        numbers = self._numbers.setdefault(event.account, {})
        if event.client_order_id is not None:
            numbers[event.client_order_id] = event.plan_id
        if len(plans) > self._limit:
            oldest = plans.pop(next(iter(plans))).accepted.client_order_id
            if oldest is not None:
                del numbers[oldest]

    def note_change(
        self,
        event: PlanOrderAmended | PlanOrderTriggered | PlanOrderFailed | PlanOrderCancelled,
    ) -> None:
        record = self._plans.get(event.account, {}).get(event.plan_id)
        if record is None:
            return
        match event:
            case PlanOrderAmended():
                record.contracts, record.trigger_price = event.contracts, event.trigger_price
            case PlanOrderTriggered():
                record.outcome = PlanOutcome.TRIGGERED
            case PlanOrderFailed():
                record.outcome, record.reason = PlanOutcome.FAILED, event.reason
            case PlanOrderCancelled():
                record.outcome, record.reason = PlanOutcome.CANCELLED, event.reason
