"""The simulated exchange in this process as a `Venue`.

The exchange counts in ticks, contracts and units of 10⁻⁸; the plugin in prices, contracts and
money. The conversions, all exact, are in `simulated_values`; plan orders in `simulated_plans`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from copyplugin.domain.account import (
    AccountBalance,
    FundingPayment,
    TransferOutcome,
    TransferRequest,
    VenuePosition,
)
from copyplugin.domain.capacity import Depth, Levels, depth_within
from copyplugin.domain.fill import LeaderFill, MarginMode, PositionSide
from copyplugin.domain.identifiers import (
    AccountId,
    ClientOrderId,
    Symbol,
    VenueFillId,
    VenueOrderId,
)
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import (
    Contracts,
    Money,
    Price,
    Ratio,
)
from copyplugin.domain.order import (
    OrderReport,
    OrderRequest,
    OrderStatus,
)
from copyplugin.domain.plan_order import PlanReport, PlanRequest
from copyplugin.errors import (
    ConfigurationError,
    OrderRejected,
    OutcomeUnknown,
    RequestRejected,
    TransferRejected,
)
from copyplugin.ports import FundingTerms, MovesMoney, VenueCapabilities
from copyplugin.venues import simulated_plans
from copyplugin.venues.simulated_values import (
    LEGS,
    WALLETS,
    PositionEvent,
    funding_from,
    instrument_from,
    money_from,
    own_fill_from,
    place_order_command,
    position_from,
    refusal_of,
    seized_from,
    time_from,
    trade_from,
    units_of,
)
from simexchange.core import commands as c
from simexchange.core import events as e
from simexchange.core import types as t
from simexchange.core.views import OrderView
from simexchange.simulation import Simulation

_EXECUTIONS_KEPT = 1_000_000


LEVELS_MAX = 1_000
"""Of one side of the book, for its depth."""


class SimulatedVenue:
    """Calls take no time and end before they return; one thread owns exchange and plugin.

    An account's name is its number, as text. `available_after` of a fill is what its account had
    available then, as if the part of the order that still rests tied up nothing: so that adding the
    fill's margin and fee gives what was there before the order (C5).
    """

    name = "simulated"
    capabilities = VenueCapabilities(
        moves_money=MovesMoney.FULL,
        opens_sub_accounts=True,
        hedge_mode=True,
        streams_fills=True,
        tells_leader_balance=True,
        plan_orders=True,
        amends_plans=True,
        adjusts_margin=True,
    )

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._exchange = simulation.exchange
        self._callbacks: dict[int, list[Callable[[LeaderFill], None]]] = {}
        self._told: dict[int, list[LeaderFill]] = {}
        self._places: dict[int, dict[VenueFillId, int]] = {}
        self._sub_accounts: dict[tuple[int, str], int] = {}
        for number in self._exchange.accounts:
            view = self._exchange.account(number)
            if view.owner is not None:
                self._sub_accounts.setdefault((view.owner, view.label), number)
        self._unsubscribe = simulation.subscribe(self._listen)

    def close(self) -> None:
        """Stop listening to the exchange."""
        self._unsubscribe()

    # -- questions

    async def instruments(self) -> Mapping[Symbol, Instrument]:
        return {
            Symbol(listed.symbol): instrument_from(listed) for listed in self._exchange.instruments
        }

    async def marks(self) -> Mapping[Symbol, Price]:
        marks: dict[Symbol, Price] = {}
        for listed in self._exchange.instruments:
            ticks = self._exchange.mark_price(listed.symbol)
            if ticks is not None:
                marks[Symbol(listed.symbol)] = Price(listed.ticks_to_price(ticks))
        return marks

    async def funding_terms(self) -> Mapping[Symbol, FundingTerms]:
        found: dict[Symbol, FundingTerms] = {}
        for listed in self._exchange.instruments:
            funding = self._exchange.funding(listed.symbol)
            if funding is not None:
                found[Symbol(listed.symbol)] = FundingTerms(
                    rate=Ratio(Decimal(funding.rate) / t.RATE_SCALE),
                    next_at=time_from(funding.next_funding_at),
                )
        return found

    async def depth(self, symbol: Symbol, bound: Ratio) -> Depth:
        bids, asks = self.levels(symbol)
        return depth_within(bids, asks, (await self.instruments())[symbol], bound)

    def levels(self, symbol: Symbol) -> tuple[Levels, Levels]:
        """Return bids and asks, each from the best outwards."""
        listed = self._exchange.instrument(symbol)
        bids, asks = (
            [(Price(listed.ticks_to_price(ticks)), Contracts(count)) for ticks, count in side]
            for side in self._exchange.depth(symbol, levels=LEVELS_MAX)
        )
        return bids, asks

    async def knows_account(self, account: AccountId) -> bool:
        if not (account.isascii() and account.isdigit()) or account.startswith("0"):
            return False  # number 0 is the exchange's insurance fund
        return int(account) in self._exchange.accounts

    async def balance(self, account: AccountId) -> AccountBalance:
        number = int(account)
        view = self._exchange.account(number)
        isolated = sum(
            position.margin
            for position in self._exchange.positions(number)
            if position.margin_mode is t.MarginMode.ISOLATED
        )
        return AccountBalance(
            spot_available=money_from(view.spot_balance),
            # The exchange counts the margin of an isolated position apart; it is his money still.
            contract_wallet=money_from(view.contract_balance + isolated),
            contract_available=money_from(self._exchange.available_balance(number)),
            equity=money_from(self._exchange.equity(number)),
        )

    async def positions(self, account: AccountId) -> Sequence[VenuePosition]:
        return [
            position_from(view, self._exchange.instrument(view.symbol))
            for view in self._exchange.positions(int(account))
        ]

    async def find_order(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        view = self._exchange.order_by_client_id(int(account), client_order_id)
        if view is None:
            return None
        kept = self._simulation.history.executions(int(account), limit=_EXECUTIONS_KEPT)
        fills = [fill for fill in kept if fill.order_id == view.order_id]
        assert sum(fill.contracts for fill in fills) == view.filled, "its fills are kept no more"
        record = self._simulation.history.order(int(account), view.order_id)
        reason = None if record is None else record.cancel_reason
        return self._report(view, fills, reason, client_order_id)

    async def leader_fills(
        self, account: AccountId, after: VenueFillId | None
    ) -> Sequence[LeaderFill]:
        number = int(account)
        told = self._watch(number)
        if after is None:
            return list(told)
        place = self._places[number].get(after)
        if place is None:
            raise ConfigurationError(
                f"this exchange has no fill {after} of account {account}: "
                "the database belongs to another one, or its history was cut off before that"
            )
        return told[place + 1 :]

    async def funding(self, account: AccountId, since: datetime | None) -> Sequence[FundingPayment]:
        kept = self._simulation.history.funding(int(account), limit=_EXECUTIONS_KEPT)
        payments = [funding_from(event, account) for event in reversed(kept)]
        return [payment for payment in payments if since is None or payment.at >= since]

    async def transfer_outcome(self, request: TransferRequest) -> TransferOutcome:
        known = self._exchange.transfer(request.transfer_id)
        return TransferOutcome.UNKNOWN_TO_VENUE if known is None else TransferOutcome.DONE

    # -- the stream

    async def subscribe(
        self, accounts: Collection[AccountId], on_fill: Callable[[LeaderFill], None]
    ) -> "SimulatedSubscription":
        numbers = [int(account) for account in accounts]
        for number in numbers:
            self._watch(number)
            self._callbacks.setdefault(number, []).append(on_fill)
        return SimulatedSubscription(lambda: self._forget(numbers, on_fill))

    def _forget(self, numbers: Iterable[int], on_fill: Callable[[LeaderFill], None]) -> None:
        for number in numbers:
            self._callbacks[number].remove(on_fill)

    def _watch(self, number: int) -> list[LeaderFill]:
        """Keep the account's fills in order from now on; what was before comes from the history."""
        told = self._told.get(number)
        if told is not None:
            return told
        history = self._simulation.history
        takeovers = [
            event
            for event in reversed(history.liquidations(number, limit=_EXECUTIONS_KEPT))
            if not isinstance(event, e.PositionLiquidated)
        ]
        past: list[PositionEvent] = [
            *history.executions(number, limit=_EXECUTIONS_KEPT),
            *takeovers,
        ]
        past.sort(key=lambda event: event.at)  # stable: a takeover follows the fills of its time
        self._told[number], self._places[number] = [], {}
        for event in past:
            self._note(number, self._fill_from(event, available_after=None))
        return self._told[number]

    def _note(self, number: int, fill: LeaderFill) -> None:
        self._places[number][fill.venue_fill_id] = len(self._told[number])
        self._told[number].append(fill)

    def _listen(self, events: list[e.Event]) -> None:
        for event in events:
            if isinstance(event, e.AccountOpened) and event.owner is not None:
                self._sub_accounts.setdefault((event.owner, event.label), event.account)
        watched = [
            event
            for event in events
            if isinstance(event, e.Filled | e.BankruptcyTakeover | e.Deleveraged)
            and event.account in self._told
        ]
        for number in dict.fromkeys(event.account for event in watched):
            for fill in self._told_now([event for event in watched if event.account == number]):
                self._note(number, fill)
                for callback in tuple(self._callbacks.get(number, ())):
                    callback(fill)

    def _told_now(self, events: Sequence[PositionEvent]) -> list[LeaderFill]:
        """Return one account's fills of one command, each with what was available after it.

        The exchange is asked once, after the last; an earlier fill had left what the later ones
        then took.
        """
        last = events[-1]
        available = self._exchange.available_balance(last.account)
        is_fill = isinstance(last, e.Filled)
        view = self._exchange.order(last.order_id, last.account) if is_fill else None
        if view is not None:
            available += view.hold
        fills: list[LeaderFill] = []
        for event in reversed(events):
            fills.append(self._fill_from(event, available_after=available))
            if isinstance(event, e.Filled):
                available += event.fee + self._initial_margin(event)
        fills.reverse()
        return fills

    def _initial_margin(self, fill: e.Filled) -> int:
        instrument = self._exchange.instrument(fill.symbol)
        opened = fill.contracts - fill.closed_contracts
        return -(-instrument.notional(fill.price, opened) // fill.leverage)

    def _fill_from(self, event: PositionEvent, *, available_after: int | None) -> LeaderFill:
        instrument = self._exchange.instrument(event.symbol)
        available = None if available_after is None else money_from(available_after)
        if isinstance(event, e.Filled):
            return trade_from(event, instrument, available)
        view = self._exchange.position(event.account, event.symbol, event.position_side)
        return seized_from(event, instrument, view, available)

    # -- what changes something

    async def open_sub_account(self, owner: AccountId, label: str) -> AccountId:
        key = (int(owner), label)
        if key not in self._sub_accounts:
            events = self._simulation.apply(c.OpenAccount(owner=int(owner), label=label))
            refusal = refusal_of(events)
            if refusal is not None:
                raise RequestRejected(*refusal)
        return AccountId(str(self._sub_accounts[key]))

    async def transfer(self, request: TransferRequest) -> None:
        events = self._simulation.apply(
            c.Transfer(
                from_account=int(request.from_account),
                from_wallet=WALLETS[request.from_wallet],
                to_account=int(request.to_account),
                to_wallet=WALLETS[request.to_wallet],
                money=units_of(request.money),
                transfer_id=request.transfer_id,
            )
        )
        refusal = refusal_of(events)
        if refusal is not None:
            raise TransferRejected(*refusal)

    async def set_hedge_mode(self, account: AccountId) -> None:
        self._set(c.SetPositionMode(int(account), t.PositionMode.HEDGE))

    async def configure(
        self, account: AccountId, symbol: Symbol, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        if leverage != int(leverage):
            raise OrderRejected("leverage_out_of_range", f"leverage {leverage} is not whole")
        self._set(c.SetMarginMode(int(account), symbol, t.MarginMode(margin_mode.value)))
        self._set(c.SetLeverage(int(account), symbol, int(leverage)))

    def _set(self, command: c.SetPositionMode | c.SetMarginMode | c.SetLeverage) -> None:
        refusal = refusal_of(self._simulation.apply(command))
        if refusal is not None and refusal[0] != t.RejectReason.UNCHANGED:
            raise OrderRejected(*refusal)

    async def place_order(self, request: OrderRequest) -> OrderReport:
        account = int(request.account)
        try:
            instrument = self._exchange.instrument(request.symbol)
        except KeyError as error:
            raise OrderRejected(t.RejectReason.UNKNOWN_INSTRUMENT.value, str(error)) from error
        events = self._simulation.apply(place_order_command(request, account, instrument))
        refusal = refusal_of(events)
        if refusal is not None and refusal[0] == t.RejectReason.DUPLICATE_CLIENT_ORDER_ID:
            raise OutcomeUnknown(f"{request.client_order_id} is known already: ask for it")
        if refusal is not None:
            raise OrderRejected(*refusal)
        view = self._exchange.order_by_client_id(account, request.client_order_id)
        assert view is not None
        fills = [
            event
            for event in events
            if isinstance(event, e.Filled) and event.order_id == view.order_id
        ]
        reason = next(
            (
                event.reason
                for event in events
                if isinstance(event, e.OrderCancelled) and event.order_id == view.order_id
            ),
            None,
        )
        return self._report(view, fills, reason, request.client_order_id)

    async def adjust_margin(
        self, account: AccountId, symbol: Symbol, position_side: PositionSide, money: Money
    ) -> None:
        number, units = int(account), units_of(money)
        command = c.AdjustMargin(number, symbol, LEGS[position_side], units)
        refusal = refusal_of(self._simulation.apply(command))
        if refusal is not None:
            raise OrderRejected(*refusal)

    async def place_plan(self, request: PlanRequest) -> PlanReport:
        return simulated_plans.place_plan(self._simulation, request)

    async def amend_plan(
        self,
        account: AccountId,
        symbol: Symbol,
        client_order_id: ClientOrderId,
        *,
        contracts: Contracts,
        trigger_price: Price,
    ) -> PlanReport:
        return simulated_plans.amend_plan(
            self._simulation, int(account), symbol, client_order_id, trigger_price
        )

    async def cancel_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> None:
        simulated_plans.cancel_plan(self._simulation, int(account), symbol, client_order_id)

    async def find_plan(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> PlanReport | None:
        return simulated_plans.find_plan(self._simulation, int(account), symbol, client_order_id)

    async def plans(self, account: AccountId) -> Sequence[PlanReport]:
        return simulated_plans.resting_plans(self._simulation, int(account))

    def _report(
        self,
        view: OrderView,
        fills: Sequence[e.Filled],
        reason: t.CancelReason | None,
        client_order_id: ClientOrderId,
    ) -> OrderReport:
        instrument = self._exchange.instrument(view.symbol)
        return OrderReport(
            client_order_id=client_order_id,
            venue_order_id=VenueOrderId(str(view.order_id)),
            status=OrderStatus.WORKING if view.remaining else OrderStatus.DONE,
            filled=Contracts(view.filled),
            filled_value=money_from(view.filled_notional),
            fee=money_from(view.fee),
            realized_pnl=money_from(sum(fill.realized_pnl for fill in fills)),
            fills=tuple(own_fill_from(fill, instrument) for fill in fills),
            acknowledged_at=time_from(view.created_at),
            reason=None if reason is None else reason.value,
        )


class SimulatedSubscription:
    """Ends with `close`."""

    def __init__(self, forget: Callable[[], None]) -> None:
        self._forget = forget

    async def close(self) -> None:
        self._forget()
