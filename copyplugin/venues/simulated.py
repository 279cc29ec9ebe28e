"""The simulated exchange of this repository as a venue, in the same process.

The one file of the plugin that knows `simexchange`. It translates units (ticks, contracts, 10⁻⁸)
to the plugin's and back, and rejections to the plugin's three errors. Every call is answered from
memory before it returns, so nothing here is ever in doubt.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from copyplugin.domain.account import (
    AccountBalance,
    FundingPayment,
    TransferOutcome,
    TransferRequest,
    VenuePosition,
    Wallet,
)
from copyplugin.domain.fill import LeaderFill, Liquidity, MarginMode, OrderSide, PositionSide
from copyplugin.domain.identifiers import (
    AccountId,
    ClientOrderId,
    Symbol,
    TransferId,
    VenueFillId,
    VenueOrderId,
)
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Price, Ratio
from copyplugin.domain.order import OrderReport, OrderRequest, OrderStatus, OwnFill, TimeInForce
from copyplugin.errors import OrderRejected, RequestRejected, TransferRejected
from copyplugin.ports import MovesMoney, Subscription, VenueCapabilities
from simexchange.core import commands, events, types
from simexchange.core.instrument import Instrument as VenueInstrument
from simexchange.core.views import OrderView, PositionView
from simexchange.simulation import Simulation

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FILLS_PAGE = 1_000

_SIDES = {OrderSide.BUY: types.Side.BUY, OrderSide.SELL: types.Side.SELL}
_LEGS = {PositionSide.LONG: types.PositionSide.LONG, PositionSide.SHORT: types.PositionSide.SHORT}
_OUR_LEGS = {theirs: ours for ours, theirs in _LEGS.items()}
_WALLETS = {Wallet.SPOT: types.Wallet.SPOT, Wallet.CONTRACT: types.Wallet.CONTRACT}
_MARGIN_MODES = {
    MarginMode.ISOLATED: types.MarginMode.ISOLATED,
    MarginMode.CROSS: types.MarginMode.CROSS,
}
_TIMES_IN_FORCE = {
    TimeInForce.GTC: types.TimeInForce.GTC,
    TimeInForce.IOC: types.TimeInForce.IOC,
    TimeInForce.FOK: types.TimeInForce.FOK,
}


class SimulatedVenue:
    """`Venue` on a `Simulation`. Call it from the thread that owns the simulation.

    `tell_balances_of` names accounts whose fills carry `available_after` and `initial_margin`
    (C5) from now on; `subscribe` adds its own. Fills from before are told without them.
    """

    name = "simulated"
    capabilities = VenueCapabilities(
        moves_money=MovesMoney.FULL,
        opens_sub_accounts=True,
        hedge_mode=True,
        streams_fills=True,
        tells_leader_balance=True,
    )

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._exchange = simulation.exchange
        self._balances = _LeaderBalances(simulation)
        self._streams: list[_Stream] = []
        self._sub_accounts = {
            (view.owner, view.label): number
            for number in self._exchange.accounts
            if (view := self._exchange.account(number)).owner is not None
        }
        simulation.subscribe(self._listen)

    # ------------------------------------------------------------------ instruments and prices

    async def instruments(self) -> Mapping[Symbol, Instrument]:
        return {Symbol(one.symbol): _instrument_from(one) for one in self._exchange.instruments}

    async def marks(self) -> Mapping[Symbol, Price]:
        return {
            Symbol(one.symbol): Price(one.ticks_to_price(mark))
            for one in self._exchange.instruments
            if (mark := self._exchange.mark_price(one.symbol)) is not None
        }

    # ------------------------------------------------------------------ accounts and money

    async def knows_account(self, account: AccountId) -> bool:
        if not account.isdecimal():
            return False
        try:
            view = self._exchange.account(int(account))
        except KeyError:
            return False
        return view.kind is not types.AccountKind.SYSTEM

    async def open_sub_account(self, owner: AccountId, label: str) -> AccountId:
        key = (_number(owner), label)
        if key not in self._sub_accounts:
            refused = self._send(commands.OpenAccount(owner=key[0], label=label))
            if refused is not None:
                raise RequestRejected(refused.reason, refused.message)
        return AccountId(str(self._sub_accounts[key]))

    async def transfer(self, request: TransferRequest) -> None:
        refused = self._send(
            commands.Transfer(
                from_account=_number(request.from_account),
                from_wallet=_WALLETS[request.from_wallet],
                to_account=_number(request.to_account),
                to_wallet=_WALLETS[request.to_wallet],
                money=_units(request.money),
                transfer_id=request.transfer_id,
            )
        )
        if refused is not None:
            raise TransferRejected(refused.reason, refused.message)

    async def transfer_outcome(self, transfer_id: TransferId) -> TransferOutcome:
        if self._exchange.transfer(transfer_id) is None:
            return TransferOutcome.UNKNOWN_TO_VENUE
        return TransferOutcome.DONE

    async def balance(self, account: AccountId) -> AccountBalance:
        number = _number(account)
        view = self._exchange.account(number)
        return AccountBalance(
            spot_available=_money(view.spot_balance),
            contract_wallet=_money(view.contract_balance),
            contract_available=_money(self._exchange.available_balance(number)),
            equity=_money(self._exchange.equity(number)),
        )

    async def positions(self, account: AccountId) -> Sequence[VenuePosition]:
        return [self._position_from(view) for view in self._exchange.positions(_number(account))]

    async def funding(self, account: AccountId, since: datetime | None) -> Sequence[FundingPayment]:
        paid = self._simulation.history.funding(_number(account), limit=_FILLS_PAGE)
        return [
            FundingPayment(
                venue_payment_id=f"{one.at}-{one.symbol}-{int(one.position_side)}",
                account=account,
                symbol=Symbol(one.symbol),
                position_side=_leg_of(one.position_side, one.contracts),
                payment=_money(one.payment),
                at=_time(one.at),
            )
            for one in reversed(paid)
            if since is None or _time(one.at) >= since
        ]

    # ------------------------------------------------------------------ how an account trades

    async def set_hedge_mode(self, account: AccountId) -> None:
        self._require(
            commands.SetPositionMode(account=_number(account), mode=types.PositionMode.HEDGE)
        )

    async def configure(
        self, account: AccountId, symbol: Symbol, leverage: Ratio, margin_mode: MarginMode
    ) -> None:
        if leverage != int(leverage):
            raise RequestRejected(
                "leverage_out_of_range", f"leverage {leverage} is not a whole number"
            )
        number = _number(account)
        self._require(
            commands.SetMarginMode(account=number, symbol=symbol, mode=_MARGIN_MODES[margin_mode])
        )
        self._require(commands.SetLeverage(account=number, symbol=symbol, leverage=int(leverage)))

    # ------------------------------------------------------------------ orders

    async def place_order(self, request: OrderRequest) -> OrderReport:
        instrument = self._exchange.instrument(request.symbol)
        limit = request.limit_price
        happened = self._simulation.apply(
            commands.PlaceOrder(
                account=_number(request.account),
                symbol=request.symbol,
                side=_SIDES[request.order_side],
                contracts=request.contracts,
                kind=types.OrderKind.MARKET if limit is None else types.OrderKind.LIMIT,
                price=None if limit is None else instrument.price_to_ticks(limit),
                time_in_force=_TIMES_IN_FORCE[request.time_in_force],
                reduce_only=request.reduce_only,
                position_side=_LEGS[request.position_side],
                client_order_id=request.client_order_id,
            )
        )
        for event in happened:
            if isinstance(event, events.OrderRejected):
                raise OrderRejected(event.reason, event.message)
        report = self._report(request.account, request.client_order_id, happened)
        assert report is not None
        return report

    async def find_order(
        self, account: AccountId, symbol: Symbol, client_order_id: ClientOrderId
    ) -> OrderReport | None:
        number = _number(account)
        view = self._exchange.order_by_client_id(number, client_order_id)
        if view is None or view.symbol != symbol:
            return None
        kept = self._simulation.history.executions(number, limit=_FILLS_PAGE**2)
        return self._report(account, client_order_id, kept)

    # ------------------------------------------------------------------ the leaders' fills

    async def leader_fills(
        self, account: AccountId, after: VenueFillId | None
    ) -> Sequence[LeaderFill]:
        fills = self._simulation.history.executions(
            _number(account), after=0 if after is None else int(after), limit=_FILLS_PAGE
        )
        return [self._leader_fill_from(fill) for fill in fills]

    async def subscribe(
        self, accounts: Collection[AccountId], on_fill: Callable[[LeaderFill], None]
    ) -> Subscription:
        numbers = frozenset(_number(account) for account in accounts)
        self._balances.follow(numbers)
        stream = _Stream(numbers, on_fill, self._streams)
        self._streams.append(stream)
        return stream

    def tell_balances_of(self, accounts: Collection[AccountId]) -> None:
        """Let the fills of these accounts carry the leader's balance from now on."""
        self._balances.follow(frozenset(_number(account) for account in accounts))

    # ------------------------------------------------------------------ listening

    def _listen(self, happened: list[events.Event]) -> None:
        fills: list[events.Filled] = []
        for event in happened:
            if isinstance(event, events.Filled):
                fills.append(event)
            elif isinstance(event, events.AccountOpened) and event.owner is not None:
                self._sub_accounts[event.owner, event.label] = event.account
        self._balances.note(fills)
        for fill in fills:
            for stream in tuple(self._streams):
                if fill.account in stream.accounts:
                    stream.on_fill(self._leader_fill_from(fill))

    # ------------------------------------------------------------------ helpers

    def _send(self, command: commands.Command) -> events.CommandRejected | None:
        """Apply a command; return its refusal, where there is one."""
        return next(
            (
                event
                for event in self._simulation.apply(command)
                if isinstance(event, events.CommandRejected)
            ),
            None,
        )

    def _require(self, command: commands.Command) -> None:
        """Apply a command whose refusal is an error, unless everything is as asked already."""
        refused = self._send(command)
        if refused is not None and refused.reason is not types.RejectReason.UNCHANGED:
            raise RequestRejected(refused.reason, refused.message)

    def _report(
        self,
        account: AccountId,
        client_order_id: ClientOrderId,
        happened: Sequence[events.Event],
    ) -> OrderReport | None:
        order = self._exchange.order_by_client_id(_number(account), client_order_id)
        if order is None:
            return None
        own = [
            event
            for event in happened
            if isinstance(event, events.Filled) and event.order_id == order.order_id
        ]
        instrument = self._exchange.instrument(order.symbol)
        return OrderReport(
            client_order_id=client_order_id,
            venue_order_id=VenueOrderId(str(order.order_id)),
            status=_status_of(order),
            filled=Contracts(order.filled),
            filled_value=_money(order.filled_notional),
            fee=_money(order.fee),
            realized_pnl=_money(sum(fill.realized_pnl for fill in own)),
            fills=tuple(_own_fill_from(fill, instrument) for fill in own),
            acknowledged_at=_time(order.created_at),
            reason=_reason_of(order),
        )

    def _position_from(self, view: PositionView) -> VenuePosition:
        instrument = self._exchange.instrument(view.symbol)
        contracts = abs(view.contracts)
        cost = _money(view.entry_cost)
        return VenuePosition(
            symbol=Symbol(view.symbol),
            position_side=_leg_of(view.position_side, view.contracts),
            contracts=Contracts(contracts),
            entry_cost=cost,
            average_entry_price=Price(cost / (contracts * instrument.contract_size)),
            unrealized_pnl=_money(view.unrealized_pnl),
            margin=_money(view.margin),
            leverage=Ratio(Decimal(view.leverage)),
            margin_mode=MarginMode(view.margin_mode.value),
            liquidation_price=(
                None
                if view.liquidation_price is None
                else Price(instrument.ticks_to_price(view.liquidation_price))
            ),
        )

    def _leader_fill_from(self, fill: events.Filled) -> LeaderFill:
        instrument = self._exchange.instrument(fill.symbol)
        balance = self._balances.of(fill.execution_id)
        return LeaderFill(
            venue_fill_id=VenueFillId(str(fill.execution_id)),
            order_id=VenueOrderId(str(fill.order_id)),
            account=AccountId(str(fill.account)),
            symbol=Symbol(fill.symbol),
            side=OrderSide.BUY if fill.side is types.Side.BUY else OrderSide.SELL,
            position_side=_OUR_LEGS.get(fill.position_side),
            contracts=Contracts(fill.contracts),
            price=Price(instrument.ticks_to_price(fill.price)),
            fee=_money(fill.fee),
            realized_pnl=_money(fill.realized_pnl),
            liquidity=Liquidity(fill.liquidity.value),
            at=_time(fill.at),
            leverage=Ratio(Decimal(fill.leverage)),
            margin_mode=MarginMode(fill.margin_mode.value),
            contracts_closed=Contracts(fill.closed_contracts),
            order_contracts=Contracts(fill.order_contracts),
            available_after=None if balance is None else _money(balance.available_after),
            initial_margin=None if balance is None else _money(balance.initial_margin),
        )


@dataclass(frozen=True, slots=True)
class _BalanceAtFill:
    available_after: int
    initial_margin: int  # of all of the order that has filled so far


class _LeaderBalances:
    """What followed accounts could still use right after each of their fills, and what it took.

    A command's fills are seen together, when it is done. What the order has in hand then (its own
    hold included, for that too was available before it was placed) is what was there before,
    less margin and fee of each fill in turn; so the figures after every fill follow.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._exchange = simulation.exchange
        self._limit = simulation.history.limits.executions
        self._accounts: frozenset[int] = frozenset()
        self._margins: dict[int, int] = {}  # by open order
        self._balances: dict[int, _BalanceAtFill] = {}  # by execution, oldest first

    def follow(self, accounts: frozenset[int]) -> None:
        self._accounts |= accounts

    def of(self, execution_id: int) -> _BalanceAtFill | None:
        return self._balances.get(execution_id)

    def note(self, fills: Sequence[events.Filled]) -> None:
        """Take note of the fills of one command."""
        by_order: dict[int, list[events.Filled]] = {}
        for fill in fills:
            if fill.account in self._accounts:
                by_order.setdefault(fill.order_id, []).append(fill)
        for order_id, own in by_order.items():
            self._note_order(order_id, own)
        while len(self._balances) > self._limit * max(1, len(self._accounts)):
            del self._balances[next(iter(self._balances))]

    def _note_order(self, order_id: int, own: Sequence[events.Filled]) -> None:
        order = self._exchange.order(order_id)
        hold = 0 if order is None else order.hold
        available = self._exchange.available_balance(own[0].account) + hold
        available += sum(self._margin(fill) + fill.fee for fill in own)
        margin = self._margins.pop(order_id, 0)
        for fill in own:
            margin += self._margin(fill)
            available -= self._margin(fill) + fill.fee
            self._balances[fill.execution_id] = _BalanceAtFill(available, margin)
        if order is not None and order.remaining:
            self._margins[order_id] = margin

    def _margin(self, fill: events.Filled) -> int:
        """Return the initial margin of what the fill opened, rounded up as the exchange does."""
        opened = fill.contracts - fill.closed_contracts
        notional = self._exchange.instrument(fill.symbol).notional(fill.price, opened)
        return -(-notional // fill.leverage)


class _Stream:
    def __init__(
        self,
        accounts: frozenset[int],
        on_fill: Callable[[LeaderFill], None],
        streams: "list[_Stream]",
    ) -> None:
        self.accounts = accounts
        self.on_fill = on_fill
        self._streams = streams

    async def close(self) -> None:
        if self in self._streams:
            self._streams.remove(self)


def _number(account: AccountId) -> int:
    return int(account)


def _money(units: int) -> Money:
    return Money(Decimal(units).scaleb(-8)) if units else ZERO_MONEY


def _units(money: Money) -> int:
    units = money.scaleb(8)
    assert units == int(units), f"{money} is finer than 10⁻⁸"
    return int(units)


def _rate(units: int) -> Ratio:
    return Ratio(Decimal(units).scaleb(-8))


def _time(at: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at)


def _leg_of(side: types.PositionSide, contracts: int) -> PositionSide:
    """Return the leg; a net position is long or short by its sign."""
    if side is types.PositionSide.NET:
        return PositionSide.LONG if contracts > 0 else PositionSide.SHORT
    return _OUR_LEGS[side]


def _status_of(order: OrderView) -> OrderStatus:
    if order.status in {types.OrderStatus.NEW, types.OrderStatus.PARTIALLY_FILLED}:
        return OrderStatus.WORKING
    return OrderStatus.DONE


def _reason_of(order: OrderView) -> str | None:
    if order.status is not types.OrderStatus.CANCELLED:
        return None
    return f"{order.contracts - order.filled} of {order.contracts} contracts found no counterparty"


def _own_fill_from(fill: events.Filled, instrument: VenueInstrument) -> OwnFill:
    return OwnFill(
        venue_fill_id=VenueFillId(str(fill.execution_id)),
        contracts=Contracts(fill.contracts),
        price=Price(instrument.ticks_to_price(fill.price)),
        fee=_money(fill.fee),
        realized_pnl=_money(fill.realized_pnl),
        liquidity=Liquidity(fill.liquidity.value),
        at=_time(fill.at),
    )


def _instrument_from(one: VenueInstrument) -> Instrument:
    return Instrument(
        symbol=Symbol(one.symbol),
        base=one.base,
        settle=one.settle,
        tick_size=one.tick_size,
        contract_size=one.contract_size,
        contracts_min=Contracts(one.min_contracts),
        contracts_max=Contracts(one.max_contracts),
        notional_min=_money(one.min_notional),
        leverage_max=Ratio(Decimal(one.max_leverage)),
        maker_fee=_rate(one.maker_fee),
        taker_fee=_rate(one.taker_fee),
    )
