"""What is asked of the venue for one plan order, and what came back."""

from dataclasses import dataclass

from copyplugin.domain.identifiers import AccountId, ClientOrderId, PlanOrderId, Symbol
from copyplugin.domain.money import Contracts, Price
from copyplugin.domain.plan_order import PlanReport, PlanRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class PlacePlan:
    """Rest a plan order whose row is committed."""

    plan_id: PlanOrderId
    request: PlanRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class AmendPlan:
    """Change a resting one to what its row says now."""

    plan_id: PlanOrderId
    account: AccountId
    symbol: Symbol
    client_order_id: ClientOrderId
    contracts: Contracts
    trigger_price: Price


@dataclass(frozen=True, kw_only=True, slots=True)
class WithdrawPlan:
    plan_id: PlanOrderId
    account: AccountId
    symbol: Symbol
    client_order_id: ClientOrderId


Step = PlacePlan | AmendPlan | WithdrawPlan


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRests:
    plan_id: PlanOrderId
    report: PlanReport


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanRefused:
    """The venue said no: what rested before, if anything, rests on."""

    plan_id: PlanOrderId
    reason: str
    sentence: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanInDoubt:
    """It may have been done: the venue is asked before anything else is done about it."""

    plan_id: PlanOrderId


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanWithdrawn:
    plan_id: PlanOrderId


StepOutcome = PlanRests | PlanRefused | PlanInDoubt | PlanWithdrawn
