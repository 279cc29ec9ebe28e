"""Plan orders waiting, firing and ending."""

from simexchange.core.accounts import take_forced
from simexchange.core.commands import PlaceOrder
from simexchange.core.entry import OrderEntry
from simexchange.core.events import (
    PlanOrderAmended,
    PlanOrderCancelled,
    PlanOrderFailed,
    PlanOrderTriggered,
)
from simexchange.core.markets import Market
from simexchange.core.order_checks import may_rest
from simexchange.core.plans import Plan
from simexchange.core.price_heap import PriceHeap
from simexchange.core.state import Refusal, State
from simexchange.core.types import RATE_SCALE, CancelReason, OrderKind, RejectReason, TriggerBy

_LAST = TriggerBy.LAST
_EXPIRY = "plan expiry"


class PlanFiring:
    """Knows which plan orders wait where; lets each fire once."""

    __slots__ = ("_entry", "_state")

    def __init__(self, state: State, entry: OrderEntry) -> None:
        self._state = state
        self._entry = entry
        state.timers.handle(_EXPIRY, self._on_expiry)

    # ------------------------------------------------------------------ waiting

    def wait(self, plan: Plan) -> None:
        """Let ``plan`` wait for its price; a trailing plan also follows each new price."""
        market, trigger_by = plan.market, plan.terms.trigger_by
        if plan.terms.callback_rate is not None:
            market.trailing.setdefault(trigger_by, {})[plan.number] = plan
        if plan.trigger_price:
            key = (trigger_by, plan.direction)
            heap = market.plan_heaps.get(key)
            if heap is None:
                heap = market.plan_heaps[key] = PriceHeap(plan.direction)
            heap.push(plan, plan.trigger_price)
            plan.heap = heap
        market.has_plans = True
        market.watches_last = market.watches_last or trigger_by is _LAST

    def wait_anew(self, plan: Plan) -> None:
        """Let ``plan`` wait for a changed trigger price."""
        self._void(plan)
        self.wait(plan)

    def set_expiry(self, plan: Plan) -> None:
        if plan.terms.expires_at is not None:
            self._state.timers.set(plan.terms.expires_at, _EXPIRY, plan)

    def _void(self, plan: Plan) -> None:
        plan.version += 1
        if plan.heap is not None:
            plan.heap.live -= 1
            plan.heap = None

    # ------------------------------------------------------------------ firing

    def fire(self, market: Market, trigger_by: TriggerBy, price: int) -> None:
        """Fire what waits for ``price``: what waits for a rise first, nearest first.

        Those that are protected wait on while last and mark price are too far apart.
        """
        self._trail(market, trigger_by, price)
        for direction in (1, -1):
            heap = market.plan_heaps.get((trigger_by, direction))
            held_back: list[Plan] = []
            while heap is not None and (plan := heap.pop_due(price)) is not None:
                plan.heap = None
                if plan.terms.price_protect and _is_apart(market, trigger_by, price):
                    held_back.append(plan)
                else:
                    self._fire_one(plan, price)
            for plan in held_back:
                if plan.is_open:
                    self.wait_anew(plan)

    def after_command(self) -> None:
        """End the plans of positions that are gone, and fire what the last prices reached."""
        state = self._state
        while state.bereft or state.traded:
            while state.bereft:
                for plan in list(state.bereft.pop().plans.values()):
                    self.cancel(plan, CancelReason.POSITION_CLOSED)
            if state.traded:
                market = state.traded.pop(0)
                seen, market.seen = market.seen, []
                for price in seen:
                    self.fire(market, _LAST, price)

    def _fire_one(self, plan: Plan, price: int) -> None:
        state, terms, account = self._state, plan.terms, plan.account
        self._forget(plan)
        state.log.events.append(
            PlanOrderTriggered(
                state.log.at,
                plan.number,
                account.number,
                plan.market.symbol,
                plan.trigger_price,
                price,
                terms.client_order_id,
            )
        )
        held = abs(plan.position.contracts)
        contracts = _closing_size(plan, held) if terms.close_position else plan.contracts
        refusal: Refusal | None
        if take_forced(account, "fire"):
            refusal = Refusal(RejectReason.FORCED, "a fault plan lets this plan order fail")
        elif terms.close_position and held == 0:
            refusal = Refusal(RejectReason.NO_POSITION, "the position it would close is gone")
        else:
            refusal = self._entry.place_examined(self._order(plan, contracts), plan.number)
        if refusal is not None:
            state.log.events.append(
                PlanOrderFailed(
                    state.log.at,
                    plan.number,
                    account.number,
                    plan.market.symbol,
                    refusal.reason,
                    refusal.message,
                    terms.client_order_id,
                )
            )
            return
        self._cancel_siblings(plan)

    def _order(self, plan: Plan, contracts: int) -> PlaceOrder:
        terms = plan.terms
        return PlaceOrder(
            account=plan.account.number,
            symbol=plan.market.symbol,
            side=terms.side,
            contracts=contracts,
            kind=terms.kind,
            price=plan.price,
            time_in_force=terms.time_in_force,
            reduce_only=terms.reduce_only or terms.close_position or terms.attached,
            position_side=terms.position_side,
            client_order_id=terms.client_order_id,
            close_on_trigger=terms.close_on_trigger,
            expires_at=terms.expires_at if may_rest(terms.kind, terms.time_in_force) else None,
        )

    def _cancel_siblings(self, plan: Plan) -> None:
        """One cancels other: the rest of the group ends when one of it became an order."""
        group = plan.terms.group
        if group is None:
            return
        for other in list(plan.account.plans.values()):
            if other.terms.group == group:
                self.cancel(other, CancelReason.SIBLING_FIRED)

    def _trail(self, market: Market, trigger_by: TriggerBy, price: int) -> None:
        """Move the triggers of trailing plans whose best price ``price`` has passed."""
        trailing = market.trailing.get(trigger_by)
        if not trailing:
            return
        for plan in list(trailing.values()):
            if is_better(plan, price):
                plan.extreme = price
                trigger = trailing_trigger(plan, price)
                if trigger != plan.trigger_price:
                    plan.trigger_price = trigger
                    self.wait_anew(plan)
                    self.say_amended(plan, trailed=True)

    # ------------------------------------------------------------------ ending

    def cancel(self, plan: Plan, reason: CancelReason) -> None:
        self._forget(plan)
        self._state.log.events.append(
            PlanOrderCancelled(
                self._state.log.at,
                plan.number,
                plan.account.number,
                plan.market.symbol,
                reason,
                plan.terms.client_order_id,
            )
        )

    def say_amended(self, plan: Plan, *, trailed: bool) -> None:
        self._state.log.events.append(
            PlanOrderAmended(
                self._state.log.at,
                plan.number,
                plan.account.number,
                plan.market.symbol,
                plan.contracts,
                plan.trigger_price,
                plan.price,
                plan.terms.client_order_id,
                trailed,
            )
        )

    def _forget(self, plan: Plan) -> None:
        self._void(plan)
        plan.account.plans.pop(plan.number, None)
        plan.position.plans.pop(plan.number, None)
        plan.market.trailing.get(plan.terms.trigger_by, {}).pop(plan.number, None)

    def _on_expiry(self, thing: object) -> None:
        assert isinstance(thing, Plan)
        if thing.is_open:
            self.cancel(thing, CancelReason.EXPIRED)


def _closing_size(plan: Plan, held: int) -> int:
    """Return the contracts of an order that closes ``held``, or as many as one order may.

    Whole steps and at least the smallest order; the order is cut to the position.
    """
    instrument = plan.market.instrument
    step, most = instrument.contracts_step, instrument.max_contracts
    if plan.terms.kind is OrderKind.MARKET:
        most = min(most, instrument.max_market_contracts)
    return min(max(instrument.min_contracts, -(-held // step) * step), most // step * step)


def is_better(plan: Plan, price: int) -> bool:
    """Say whether a trailing plan follows ``price``: the best so far, or what activates it."""
    if plan.extreme is not None:
        return (price - plan.extreme) * plan.direction < 0
    start = plan.terms.activation_price
    return start is None or (price - start) * plan.direction <= 0


def trailing_trigger(plan: Plan, extreme: int) -> int:
    """Return ``extreme × (1 ∓ callback)`` in ticks: down for a fall, up for a rise; equal fires."""
    callback = plan.terms.callback_rate
    assert callback is not None
    if plan.direction < 0:
        return max(1, extreme * (RATE_SCALE - callback) // RATE_SCALE)
    return -(-extreme * (RATE_SCALE + callback) // RATE_SCALE)


def _is_apart(market: Market, trigger_by: TriggerBy, price: int) -> bool:
    """Say whether last and mark price differ by more than the instrument's ``trigger_protect``."""
    last = price if trigger_by is _LAST else market.last
    if last is None or market.mark is None:
        return False
    return abs(market.mark - last) * RATE_SCALE > market.mark * market.instrument.trigger_protect
