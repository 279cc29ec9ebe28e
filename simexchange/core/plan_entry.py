"""Placing, changing and cancelling plan orders."""

from simexchange.core.accounts import Account, take_forced
from simexchange.core.commands import AmendPlanOrder, CancelPlanOrder, PlacePlanOrder
from simexchange.core.events import PlanOrderAccepted, PlanOrderRejected
from simexchange.core.markets import Market
from simexchange.core.order_checks import side_problem, size_problem, unknown
from simexchange.core.plan_firing import PlanFiring, is_better, trailing_trigger
from simexchange.core.plans import Plan, observed_price
from simexchange.core.positions import Position
from simexchange.core.state import Refusal, State
from simexchange.core.types import (
    RATE_SCALE,
    CancelReason,
    OrderKind,
    RejectReason,
    TriggerDirection,
)


class PlanEntry:
    """Accepts or refuses plan orders.

    The checks, in order of precedence: account, instrument, forced rejection, trigger and price,
    expiry, size, position side, client order id, number of plan orders, a present price to compare
    with, a position to close, already through.
    """

    __slots__ = ("_firing", "_state")

    def __init__(self, state: State, firing: PlanFiring) -> None:
        self._state = state
        self._firing = firing

    def place(self, command: PlacePlanOrder) -> None:
        state = self._state
        account = state.accounts.get(command.account)
        market = state.markets.get(command.symbol)
        if account is None or market is None:
            self._refuse(command, unknown(command.account, command.symbol, account))
            return
        refusal = _form_problem(command, account, market, state.log.at)
        if refusal is None:
            refusal = self._place(command, account, market)
        if refusal is not None:
            self._refuse(command, refusal)

    def _place(self, command: PlacePlanOrder, account: Account, market: Market) -> Refusal | None:
        state = self._state
        now = observed_price(market, command.trigger_by)
        if now is None:
            return Refusal(
                RejectReason.NO_PRICE, f"{market.symbol} has no {command.trigger_by} price now"
            )
        position = state.position(account, market, command.position_side)
        if (command.attached or command.close_position) and not _closes(command, position):
            return Refusal(
                RejectReason.NO_POSITION,
                f"the position holds {position.contracts} contracts, which this plan order would "
                "not close",
            )
        direction = _direction(command, now)
        through = command.trigger_price and (now - command.trigger_price) * direction >= 0
        if through and command.refuse_if_through:
            return Refusal(
                RejectReason.WOULD_TRIGGER_NOW,
                f"the {command.trigger_by} price {now} is at or through the trigger "
                f"{command.trigger_price} already",
            )
        state.adopt(position)
        plan = Plan(state.next_plan_id, command, position, direction)
        state.next_plan_id += 1
        if command.callback_rate is not None and is_better(plan, now):
            plan.extreme = now
            plan.trigger_price = trailing_trigger(plan, now)
        self._accept(plan)
        if through:
            self._firing.fire(market, command.trigger_by, now)
        return None

    def _accept(self, plan: Plan) -> None:
        terms, account = plan.terms, plan.account
        account.plans[plan.number] = plan
        if terms.attached:
            plan.position.plans[plan.number] = plan
        if terms.client_order_id is not None:
            account.client_ids[terms.client_order_id] = plan
        self._firing.wait(plan)
        self._firing.set_expiry(plan)
        self._state.log.events.append(
            PlanOrderAccepted(
                self._state.log.at,
                plan.number,
                account.number,
                plan.market.symbol,
                terms.side,
                plan.position.side,
                plan.contracts,
                plan.trigger_price,
                terms.trigger_by,
                TriggerDirection(plan.direction),
                terms.kind,
                plan.price,
                terms.reduce_only or terms.close_on_trigger,
                terms.close_position,
                terms.attached,
                terms.group,
                terms.callback_rate,
                terms.expires_at,
                terms.client_order_id,
                terms.close_on_trigger,
                terms.price_protect,
            )
        )

    def amend(self, command: AmendPlanOrder) -> None:
        plan = self._find(command)
        if plan is None:
            return
        trigger = plan.trigger_price if command.trigger_price is None else command.trigger_price
        price = plan.price if command.price is None else command.price
        contracts = plan.contracts if command.contracts is None else command.contracts
        refusal = self._amend_problem(plan, trigger, price, contracts)
        if refusal is not None:
            self._state.refuse(
                command,
                refusal.reason,
                refusal.message,
                account=command.account,
                symbol=command.symbol,
            )
            return
        plan.trigger_price, plan.price, plan.contracts = trigger, price, contracts
        self._firing.wait_anew(plan)
        self._firing.say_amended(plan, trailed=False)

    def _amend_problem(
        self, plan: Plan, trigger: int, price: int | None, contracts: int
    ) -> Refusal | None:
        if (trigger, price, contracts) == (plan.trigger_price, plan.price, plan.contracts):
            return Refusal(RejectReason.UNCHANGED, "the plan order has these terms already")
        if trigger != plan.trigger_price and (problem := _trigger_problem(plan, trigger)):
            return problem
        if (price is None) is (plan.terms.kind is OrderKind.LIMIT) or (
            price is not None and price < 1
        ):
            return Refusal(
                RejectReason.INVALID_PRICE, "a limit order has a price of at least 1 tick"
            )
        return _contracts_problem(plan.terms, contracts, plan.market)

    def cancel(self, command: CancelPlanOrder) -> None:
        plan = self._find(command)
        if plan is not None:
            self._firing.cancel(plan, CancelReason.REQUESTED)

    def _find(self, command: AmendPlanOrder | CancelPlanOrder) -> Plan | None:
        account = self._state.accounts.get(command.account)
        plan = None
        if account is not None:
            if command.plan_id is not None:
                plan = account.plans.get(command.plan_id)
            elif command.client_order_id is not None:
                known = account.client_ids.get(command.client_order_id)
                plan = known if isinstance(known, Plan) and known.is_open else None
        if plan is not None and plan.market.symbol == command.symbol:
            return plan
        if account is None or command.symbol not in self._state.markets:
            refusal = unknown(command.account, command.symbol, account)
        else:
            name = command.plan_id if command.plan_id is not None else command.client_order_id
            refusal = Refusal(
                RejectReason.UNKNOWN_PLAN,
                f"account {command.account} has no waiting plan order {name!r} in "
                f"{command.symbol}; it may have fired or been cancelled",
            )
        self._state.refuse(
            command,
            refusal.reason,
            refusal.message,
            account=command.account,
            symbol=command.symbol,
        )
        return None

    def _refuse(self, command: PlacePlanOrder, refusal: Refusal) -> None:
        self._state.log.events.append(
            PlanOrderRejected(
                self._state.log.at,
                command.account,
                command.symbol,
                command.client_order_id,
                refusal.reason,
                refusal.message,
            )
        )


def _form_problem(
    command: PlacePlanOrder, account: Account, market: Market, now: int
) -> Refusal | None:
    if take_forced(account, "plan"):
        return Refusal(RejectReason.FORCED, "a fault plan refuses this plan order")
    return (
        _price_problem(command)
        or _expiry_problem(command, now)
        or _contracts_problem(command, command.contracts, market)
        or _account_problem(command, account, market)
    )


def _price_problem(command: PlacePlanOrder) -> Refusal | None:
    callback = command.callback_rate
    if callback is None and command.trigger_price < 1:
        return Refusal(
            RejectReason.INVALID_PRICE,
            f"a trigger price is at least 1 tick, not {command.trigger_price}",
        )
    if callback is not None and (not 0 < callback < RATE_SCALE or command.trigger_price):
        return Refusal(
            RejectReason.INVALID_PRICE,
            "a trailing plan needs a callback rate between 0 and 100 % and trigger price 0",
        )
    is_limit = command.kind is OrderKind.LIMIT
    if is_limit is (command.price is None) or (command.price is not None and command.price < 1):
        return Refusal(
            RejectReason.INVALID_PRICE,
            "a limit order needs a price of at least 1 tick, a market order takes none",
        )
    return None


def _expiry_problem(command: PlacePlanOrder, now: int) -> Refusal | None:
    if command.expires_at is None or command.expires_at > now:
        return None
    message = f"a plan order that is to end at {command.expires_at} came at {now}"
    return Refusal(RejectReason.INVALID_REQUEST, message)


def _contracts_problem(terms: PlacePlanOrder, contracts: int, market: Market) -> Refusal | None:
    if not terms.close_position:
        return size_problem(terms.kind, contracts, market)
    if contracts == 0:
        return None
    return Refusal(
        RejectReason.INVALID_CONTRACTS,
        "a plan order that closes the position takes its size then; contracts must be 0",
    )


def _account_problem(command: PlacePlanOrder, account: Account, market: Market) -> Refusal | None:
    if (command.position_side == 0) is not (account.is_one_way):
        return side_problem(account)
    client_order_id = command.client_order_id
    if client_order_id is not None and client_order_id in account.client_ids:
        return Refusal(
            RejectReason.DUPLICATE_CLIENT_ORDER_ID,
            f"client order id {client_order_id!r} was used before by this account",
        )
    if len(account.plans) >= market.instrument.max_open_plans:
        return Refusal(
            RejectReason.TOO_MANY_ORDERS,
            f"account {account.number} has {len(account.plans)} plan orders, the most allowed",
        )
    return None


def _trigger_problem(plan: Plan, trigger: int) -> Refusal | None:
    if plan.terms.callback_rate is not None:
        return Refusal(RejectReason.INVALID_REQUEST, "a trailing trigger sets itself")
    if trigger < 1:
        return Refusal(RejectReason.INVALID_PRICE, f"a trigger is at least 1 tick, not {trigger}")
    now = observed_price(plan.market, plan.terms.trigger_by)
    if now is not None and (now - trigger) * plan.direction >= 0:
        return Refusal(
            RejectReason.WOULD_TRIGGER_NOW,
            f"the price {now} is at or through the trigger {trigger} already",
        )
    return None


def _closes(command: PlacePlanOrder, position: Position) -> bool:
    return position.contracts * command.side < 0


def _direction(command: PlacePlanOrder, now: int) -> int:
    """Return +1 to wait for a rise, -1 for a fall.

    A trailing sell waits for a fall from the best price, a trailing buy for a rise. Without a
    direction a plan waits for the price to come to its trigger from where it is now.
    """
    if command.callback_rate is not None:
        return -1 if command.side < 0 else 1
    if command.direction is not None:
        return int(command.direction)
    return 1 if command.trigger_price >= now else -1
