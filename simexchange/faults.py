"""Fault plans: what goes wrong with an exchange in a run, from a seed, the same every time.

Faults act at the edge, between a client's command and the exchange: a plan adds, changes, delays or
surrounds commands, and the exchange stays exact whatever the plan does. Chance is a hash over
(seed, rule, occasion), so a run with the same plan and the same commands is the same run.
"""

from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from hashlib import blake2b

import msgspec

from simexchange.clock import Clock
from simexchange.core.commands import (
    AdvanceTime,
    AmendOrder,
    Batch,
    CancelOrder,
    Command,
    ForceReject,
    PlaceOrder,
    PlacePlanOrder,
    SetIndex,
    SetIndexSources,
    SetMark,
    SkipFunding,
)
from simexchange.core.events import (
    Event,
    FaultArmed,
    FundingSettled,
    InstrumentListed,
    OrderRejected,
    PlanOrderFailed,
    PlanOrderRejected,
    refusal_among,
)
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    RATE_SCALE,
    AccountKind,
    OrderKind,
    RejectReason,
    Side,
    TimeInForce,
)
from simexchange.core.views import OrderView
from simexchange.history import History
from simexchange.simulation import Simulation


class Fault(StrEnum):
    """What a rule makes go wrong; the occasion on which it may."""

    REJECT_ORDERS = "reject_orders"  # a new order is refused
    REJECT_PLANS = "reject_plans"  # a new plan order is refused
    FAIL_PLANS = "fail_plans"  # a new plan order is accepted; its account's next one to fire fails
    PARTIAL_FILLS = "partial_fills"  # a new order finds makers' quotes withdrawn but for a part
    LATE_MARKS = "late_marks"  # an index or mark price reaches the exchange late
    JUMPING_MARKS = "jumping_marks"  # an index or mark price arrives wrong by a jump
    SKIP_FUNDING = "skip_funding"  # a funding exchange is left out


ALWAYS = RATE_SCALE
"""The chance of a fault that happens on every occasion."""


class FaultRule(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """One kind of fault, how often it happens, and to whom.

    ``chance`` is in rate units (10⁻⁸) for each occasion; ``at_most`` bounds how often it happens.
    ``accounts`` and ``symbols`` None: all. ``since`` and ``until`` (microseconds since the epoch;
    ``until`` excluded) bound the time. ``delay_us`` is the longest delay of a late price, drawn
    from 1 to it; ``jump`` the largest jump, in rate units of the price, drawn either way.
    """

    fault: Fault
    chance: int = ALWAYS
    at_most: int | None = None
    accounts: tuple[int, ...] | None = None
    symbols: tuple[str, ...] | None = None
    since: int | None = None
    until: int | None = None
    delay_us: int = 0
    jump: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.chance <= RATE_SCALE:
            raise ValueError("the chance of a fault is between 0 % and 100 %")
        if self.fault is Fault.LATE_MARKS and self.delay_us < 1:
            raise ValueError("late_marks needs a delay of at least one microsecond")
        if self.fault is Fault.JUMPING_MARKS and not 0 < self.jump < RATE_SCALE:
            raise ValueError("jumping_marks needs a jump above 0 % and below 100 %")


class FaultPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rules and the seed of their chance; encodes to JSON and msgpack."""

    seed: int = 0
    rules: tuple[FaultRule, ...] = ()


_FORCED = "force_reject_"

PriceCommand = SetIndex | SetIndexSources | SetMark

_Withdrawn = tuple[OrderView, int]
"""A maker's order as it was, and the contracts taken out of it."""


class _Call:
    """What one ``apply`` has to remember."""

    def __init__(self) -> None:
        self.before: list[Event] = []  # what time brought before the plan's own commands
        self.armed_before: dict[tuple[int, str], int] = {}


class FaultySimulation(Simulation):
    """A simulation whose commands pass through a fault plan.

    ``apply`` returns the events of the caller's command, after those of the late prices that come
    before it; a late price is applied before the first command at or after its time, or by
    ``deliver``, but at its own time.
    Commands that the plan adds are heard by the listeners and stand in the event hash. In a batch,
    chance decides for each order, and as many as it strikes are refused, the first ones.
    """

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        history: History | None = None,
        *,
        plan: FaultPlan | None = None,
    ) -> None:
        super().__init__(exchange, clock, history)
        self.is_on = True
        self.plan = FaultPlan()
        self.happened: list[int] = []
        """How often each rule struck."""
        self._occasions: list[int] = []
        self._late: list[tuple[int, int, PriceCommand]] = []
        self._late_number = 0
        self._undrawn_fundings: list[str] = []
        self._armed: dict[tuple[int, str], int] = {}
        self._call = _Call()
        self.subscribe(self._notice_fundings)
        self.subscribe(self._notice_armed)
        self.set_plan(plan or FaultPlan())

    def set_plan(self, plan: FaultPlan) -> None:
        """Put ``plan`` in the place of the present one; prices on their way still arrive."""
        self.plan = plan
        self.happened = [0] * len(plan.rules)
        self._occasions = [0] * len(plan.rules)
        self._undrawn_fundings = [
            instrument.symbol
            for instrument in self.exchange.instruments
            if instrument.funding is not None
        ]
        with self._calling():
            self._draw_fundings()

    @property
    def late_prices(self) -> int:
        """How many prices are still on their way."""
        return len(self._late)

    def apply(self, command: Command) -> list[Event]:
        """Apply ``command`` as the plan lets it arrive, and return its events."""
        arrived = self.deliver()
        with self._calling() as call:
            events = self._apply_through_plan(command)
            self._draw_fundings()
        return [*arrived, *call.before, *events]

    @contextmanager
    def _calling(self) -> Generator[_Call]:
        """Remember apart from an outer call, which a listener's command may stand inside of."""
        outer, self._call = self._call, _Call()
        try:
            yield self._call
        finally:
            self._call = outer

    def deliver(self) -> list[Event]:
        """Apply the late prices whose time has come, in order of arrival, each at its time."""
        now = self.clock.now()
        due = sorted((late for late in self._late if late[0] <= now), key=lambda late: late[:2])
        self._late = [late for late in self._late if late[0] > now]
        events: list[Event] = []
        for at, _, command in due:
            events.extend(self._apply_at(command, max(at, self.exchange.now)))
        return events

    def _apply_through_plan(self, command: Command) -> list[Event]:
        if isinstance(command, SetIndex | SetIndexSources | SetMark):
            arriving = self._price(command)
            return [] if arriving is None else super().apply(arriving)
        withdrawn: list[_Withdrawn] = []
        for order in command.commands if isinstance(command, Batch) else (command,):
            if isinstance(order, PlaceOrder):
                self._meddle_with_order(order)
                withdrawn.extend(self._withdraw(order))
            elif isinstance(order, PlacePlanOrder):
                self._meddle_with_plan(order)
        events = super().apply(command)
        self._disarm()
        self._return(withdrawn)
        return events

    def _add(self, command: Command) -> list[Event]:
        """Apply a command of the plan's own; what time itself brings first is the caller's."""
        if self.clock.now() > self.exchange.now:
            self._call.before.extend(super().apply(AdvanceTime()))
        return super().apply(command)

    # ------------------------------------------------------------------ chance

    def _strikes(self, fault: Fault, account: int | None, symbol: str | None) -> list[int]:
        """Return the numbers of the rules that strike on this occasion."""
        if not self.is_on:
            return []
        return [
            number
            for number, rule in enumerate(self.plan.rules)
            if rule.fault is fault
            and self._applies(rule, account, symbol)
            and self._strikes_now(number, rule)
        ]

    def _applies(self, rule: FaultRule, account: int | None, symbol: str | None) -> bool:
        now = self.clock.now()
        return (
            (rule.accounts is None or account in rule.accounts)
            and (rule.symbols is None or symbol in rule.symbols)
            and (rule.since is None or now >= rule.since)
            and (rule.until is None or now < rule.until)
        )

    def _strikes_now(self, number: int, rule: FaultRule) -> bool:
        self._occasions[number] += 1
        if rule.at_most is not None and self.happened[number] >= rule.at_most:
            return False
        if self._draw(number, "chance", RATE_SCALE) >= rule.chance:
            return False
        self.happened[number] += 1
        return True

    def _draw(self, number: int, purpose: str, below: int) -> int:
        """Return a whole number in [0, below) for the rule's present occasion."""
        key = f"{self.plan.seed}/{number}/{purpose}/{self._occasions[number]}"
        return int.from_bytes(blake2b(key.encode(), digest_size=16).digest()) % below

    # ------------------------------------------------------------------ orders and plans

    def _meddle_with_order(self, order: PlaceOrder) -> None:
        if self._strikes(Fault.REJECT_ORDERS, order.account, order.symbol):
            self._arm(order.account, "order")

    def _meddle_with_plan(self, plan: PlacePlanOrder) -> None:
        if self._strikes(Fault.REJECT_PLANS, plan.account, plan.symbol):
            self._arm(plan.account, "plan")
        if self._strikes(Fault.FAIL_PLANS, plan.account, plan.symbol):
            self._arm(plan.account, "fire")

    def _arm(self, account: int, target: str) -> None:
        """Let one more of the account's ``target`` be refused than is to be refused already."""
        count = self._armed.get((account, target), 0)
        self._call.armed_before.setdefault((account, target), count)
        self._add(ForceReject(account, target, count + 1))

    def _disarm(self) -> None:
        """Take back what was armed for this command and not used, since it was refused anyway."""
        for (account, target), before in self._call.armed_before.items():
            if target != "fire" and self._armed.get((account, target), 0) > before:
                self._add(ForceReject(account, target, before))

    def _notice_armed(self, events: list[Event]) -> None:
        """Keep count of the rejections that each account has yet to meet."""
        plans: set[int | None] = set()
        for event in events:
            if isinstance(event, FaultArmed) and event.fault.startswith(_FORCED):
                assert event.account is not None, "rejections are forced on an account"
                target = event.fault.removeprefix(_FORCED)
                self._armed[event.account, target] = event.count
            elif isinstance(event, OrderRejected) and event.reason is RejectReason.FORCED:
                plans.add(event.plan_id)
                self._armed[event.account, "order"] -= 1
            elif isinstance(event, PlanOrderRejected) and event.reason is RejectReason.FORCED:
                self._armed[event.account, "plan"] -= 1
            elif (
                isinstance(event, PlanOrderFailed)
                and event.reason is RejectReason.FORCED
                and event.plan_id not in plans  # else it was its order that was refused
            ):
                self._armed[event.account, "fire"] -= 1

    def _withdraw(self, order: PlaceOrder) -> list[_Withdrawn]:
        """Leave the order a part of what the makers offer it; return what they withdrew."""
        if order.time_in_force is TimeInForce.POST_ONLY or order.contracts <= 1:
            return []
        struck = self._strikes(Fault.PARTIAL_FILLS, order.account, order.symbol)
        if not struck:
            return []
        part = room = 1 + self._draw(struck[0], "part", order.contracts - 1)
        withdrawn: list[_Withdrawn] = []
        for quote in self._offers(order):
            kept = min(room, quote.remaining)
            room -= kept
            if kept == quote.remaining:
                continue
            least = _smallest(quote, self.exchange.instrument(order.symbol)) - quote.filled
            if 0 < kept < least:  # the first keeps what an order must have, others go
                kept = min(least, quote.remaining) if kept == part else 0
            if refusal_among(self._add(_shrunk(quote, kept))) is None:
                withdrawn.append((quote, quote.remaining - kept))
        return withdrawn

    def _offers(self, order: PlaceOrder) -> list[OrderView]:
        """Return the makers' orders that ``order`` could meet, best price and oldest first."""
        exchange, side = self.exchange, Side(order.side)
        if all(order.symbol != instrument.symbol for instrument in exchange.instruments):
            return []
        offers = [
            quote
            for number in exchange.accounts
            if exchange.account(number).kind is AccountKind.MAKER
            for quote in exchange.open_orders(number, order.symbol)
            if quote.side is not side and (order.kind is OrderKind.MARKET or _meets(quote, order))
        ]
        return sorted(offers, key=lambda quote: (side * (quote.price or 0), quote.order_id))

    def _return(self, withdrawn: list[_Withdrawn]) -> None:
        """Let makers offer again what they had withdrawn, at the back of the queue.

        An offer that would now cross is refused as any post-only order is, and stays away.
        """
        for quote, contracts in withdrawn:
            self._add(
                PlaceOrder(
                    quote.account,
                    quote.symbol,
                    quote.side,
                    contracts,
                    OrderKind.LIMIT,
                    quote.price,
                    TimeInForce.POST_ONLY,
                    position_side=quote.position_side,
                )
            )

    # ------------------------------------------------------------------ prices and funding

    def _price(self, command: PriceCommand) -> PriceCommand | None:
        """Return the price as it arrives now, or None when it arrives later."""
        if isinstance(command, SetMark) and command.price is None:
            return command
        for number in self._strikes(Fault.JUMPING_MARKS, None, command.symbol):
            command = self._jumped(number, command)
        for number in self._strikes(Fault.LATE_MARKS, None, command.symbol):
            delay = 1 + self._draw(number, "delay", self.plan.rules[number].delay_us)
            self._late_number += 1
            self._late.append((self.clock.now() + delay, self._late_number, command))
            return None
        return command

    def _jumped(self, number: int, command: PriceCommand) -> PriceCommand:
        jump = self.plan.rules[number].jump
        change = self._draw(number, "jump", 2 * jump + 1) - jump

        def moved(price: int) -> int:
            return max(1, price + price * change // RATE_SCALE)

        if isinstance(command, SetIndexSources):
            return msgspec.structs.replace(command, prices=tuple(map(moved, command.prices)))
        assert command.price is not None, "a mark given back to the formula has no price to move"
        return msgspec.structs.replace(command, price=moved(command.price))

    def _notice_fundings(self, events: list[Event]) -> None:
        """Remember the funding exchanges that now lie ahead."""
        for event in events:
            if isinstance(event, FundingSettled):
                self._undrawn_fundings.append(event.symbol)
            elif isinstance(event, InstrumentListed) and event.instrument.funding is not None:
                self._undrawn_fundings.append(event.instrument.symbol)

    def _draw_fundings(self) -> None:
        """Draw for each funding exchange ahead, once, whether it is left out."""
        undrawn, self._undrawn_fundings = self._undrawn_fundings, []
        for symbol in undrawn:
            if self._strikes(Fault.SKIP_FUNDING, None, symbol):
                self._add(SkipFunding(symbol))


def _smallest(quote: OrderView, instrument: Instrument) -> int:
    """Return the fewest contracts that an order at the quote's price may have."""
    worth = (quote.price or 1) * instrument.tick_value
    least = max(instrument.min_contracts, -(-instrument.min_notional // worth))
    return -(-least // instrument.contracts_step) * instrument.contracts_step


def _shrunk(quote: OrderView, kept: int) -> Command:
    """Return the command that leaves ``kept`` contracts of a resting order open."""
    if kept == 0:
        return CancelOrder(quote.account, quote.symbol, quote.order_id)
    return AmendOrder(quote.account, quote.symbol, quote.order_id, contracts=quote.filled + kept)


def _meets(quote: OrderView, order: PlaceOrder) -> bool:
    return (
        quote.price is not None
        and order.price is not None
        and Side(order.side) * (order.price - quote.price) >= 0
    )
