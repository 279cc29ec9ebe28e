"""What is written out where it is hot gives what the public formula gives."""

from dataclasses import dataclass
from typing import Self

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simexchange.core.book import BookSide
from simexchange.core.commands import (
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetFeeTier,
    SetLeverage,
    SetMark,
)
from simexchange.core.entry import OrderEntry
from simexchange.core.events import Filled, OrderAccepted, OrderRejected
from simexchange.core.exchange import Exchange
from simexchange.core.fees import FeeRate, fee_of
from simexchange.core.margin import initial_margin, order_cost
from simexchange.core.orders import Order
from simexchange.core.positions import Position, cost_share
from simexchange.core.state import Refusal, State
from simexchange.core.trading import Trading
from simexchange.core.types import (
    MONEY_SCALE,
    Liquidity,
    OrderKind,
    PositionSide,
    RejectReason,
    Side,
    Wallet,
)
from tests.laws.core.command_streams import make_instrument, make_run

SYMBOL = "BTCUSDT"
RICH = 10**12 * MONEY_SCALE


def listed(mark: int | None = None) -> Exchange:
    exchange = Exchange()
    exchange.apply(ListInstrument(make_instrument(SYMBOL)), 0)
    exchange.apply(OpenAccount(), 0)
    exchange.apply(Deposit(1, Wallet.CONTRACT, RICH), 0)
    if mark is not None:
        exchange.apply(SetMark(SYMBOL, mark), 0)
    return exchange


@given(
    sign=st.sampled_from((1, -1)),
    contracts=st.integers(1, 50),
    price=st.integers(1, 10**6),
    mark=st.one_of(st.none(), st.integers(1, 10**6)),
    share_short=st.integers(-1, 0),
    leverage=st.sampled_from((1, 3, 7, 20, 100)),
    taker_fee=st.sampled_from((0, 1, 33_333, 50_000)),
    fees_first=st.booleans(),
)
def test_a_resting_order_holds_the_order_cost_and_not_one_unit_less_will_do(
    *, sign, contracts, price, mark, share_short, leverage, taker_fee, fees_first
):
    exchange = listed(mark)
    terms = [SetFeeTier(1, 0, taker_fee), SetLeverage(1, SYMBOL, leverage)]
    for command in terms if fees_first else reversed(terms):
        exchange.apply(command, 0)
    market = exchange._state.markets[SYMBOL]
    position = exchange._state.position(exchange._state.accounts[1], market, PositionSide.NET)
    cost = order_cost(
        sign,
        contracts,
        contracts * price * market.tick_value,
        price,
        market,
        position.leverage,
        position.hold_fee.rate,
    )
    exchange._state.accounts[1].wallet = cost + share_short
    side = Side.BUY if sign > 0 else Side.SELL

    (event,) = exchange.apply(PlaceOrder(1, SYMBOL, side, contracts, OrderKind.LIMIT, price), 0)

    if share_short == 0:
        assert isinstance(event, OrderAccepted)
        assert exchange.account(1).order_hold == cost
    elif isinstance(event, OrderRejected):  # a tier may say no to either
        assert event.reason in {RejectReason.INSUFFICIENT_MARGIN, RejectReason.EXCEEDS_TIER}
    else:
        raise AssertionError(event)


@given(
    held=st.integers(-60, 60),
    sign=st.sampled_from((1, -1)),
    contracts=st.integers(1, 90),
    notional=st.integers(1, 10**14),
    value=st.integers(1, 10**14),
    margin=st.integers(0, 10**13),
)
def test_settling_takes_the_share_of_cost_and_margin_and_moves_money_by_nothing(
    *, held, sign, contracts, notional, value, margin
):
    assume(held != 0)
    state = listed()._state
    account, market = state.accounts[1], state.markets[SYMBOL]
    position = state.position(account, market, PositionSide.NET)
    state.adopt(position)
    size = abs(held)
    cost = value if held > 0 else -value
    position.contracts, position.cost, position.margin = held, cost, margin
    market.clearing = -cost
    places = account.wallet + margin - cost + state.ledger.fees

    realized = Trading(state).settle(position, sign, contracts, notional)

    after = position.contracts
    assert after == held + sign * contracts
    if held * sign > 0:
        assert realized == 0
        assert position.cost == cost + sign * notional
        assert position.margin == margin + initial_margin(notional, position.leverage)
    else:
        closed = min(contracts, size)
        part = notional * closed // contracts
        share = cost_share(cost, size, closed)
        assert realized == -sign * part - share
        opened = notional - part
        assert position.cost == cost - share + sign * opened
        kept = margin + -(margin * closed // size)
        assert position.margin == kept + (
            initial_margin(opened, position.leverage) if contracts > size else 0
        )
    clearing = market.clearing
    assert account.wallet + position.margin + clearing + state.ledger.fees == places


@dataclass
class Holding:
    """An account that holds one position, and all the places that a fill moves money between."""

    state: State
    position: Position

    @classmethod
    def of(cls, held: int, value: int, leverage: int) -> Self:
        state = listed()._state
        market = state.markets[SYMBOL]
        position = state.position(state.accounts[1], market, PositionSide.NET)
        position.set_leverage(leverage)
        state.adopt(position)
        position.contracts, position.cost = held, (held > 0) * value - (held < 0) * value
        position.margin = value // leverage if held else 0
        return cls(state, position)

    def order(self, sign: int, contracts: int, liquidity: Liquidity) -> Order:
        """Return an order as it is just before it trades: it holds for what it may open."""
        position = self.position
        order = Order()
        order.order_id, order.position, order.sign, order.plan_id = 1, position, sign, None
        order.command = PlaceOrder(1, SYMBOL, Side(sign), contracts, OrderKind.LIMIT, 1)
        order.contracts = order.remaining = contracts
        order.closing, order.level = False, None
        order.filled = order.filled_ticks = order.fee = 0
        order.promised = min(contracts, max(0, -sign * position.contracts))
        order.hold = position.account.hold = (contracts - order.promised) * 1_000_003
        if liquidity is Liquidity.MAKER and order.promised:
            position.closers[1] = order
            position.promised = order.promised
        return order

    def money(self) -> list[int]:
        position, market = self.position, self.position.market
        return [
            position.contracts,
            position.cost,
            position.margin,
            position.account.wallet,
            market.clearing,
            market.open_interest,
            self.state.ledger.fees,
        ]


@given(
    held=st.integers(-60, 60),
    sign=st.sampled_from((1, -1)),
    contracts=st.integers(1, 90),
    more=st.integers(0, 5),
    price=st.integers(1, 10**6),
    value=st.integers(1, 10**14),
    leverage=st.sampled_from((1, 3, 7, 20, 100)),
    fee_rate=st.sampled_from((-7, 0, 1, 20_000, 33_333)),
    liquidity=st.sampled_from(Liquidity),
)
def test_a_fill_moves_what_settling_moves(
    *, held, sign, contracts, more, price, value, leverage, fee_rate, liquidity
):
    settled, filled = Holding.of(held, value, leverage), Holding.of(held, value, leverage)
    tick_value = settled.position.market.tick_value
    ticks, notional = price * contracts, price * contracts * tick_value
    fee = fee_of(notional, fee_rate)
    order = filled.order(sign, contracts + more, liquidity)
    trading = Trading(filled.state)
    fill = trading.fill_closing if sign * held < 0 else trading.fill_opening

    rate = FeeRate(fee_rate, tick_value)
    fill(order, rate, liquidity, 1, 1, contracts, price, ticks, notional)
    realized = Trading(settled.state).settle(settled.position, sign, contracts, notional)

    settled.position.account.wallet -= fee
    settled.state.ledger.fees += fee
    assert filled.money() == settled.money()
    event = next(e for e in filled.state.log.events if isinstance(e, Filled))
    closed = min(contracts, max(0, -sign * held))
    assert (event.closed_contracts, event.realized_pnl, event.fee) == (closed, realized, fee)
    assert event.entry_cost == abs(settled.position.cost)
    assert event.position_contracts == settled.position.contracts
    assert (order.filled, order.remaining, order.fee) == (contracts, more, fee)
    assert filled.position.account.hold == order.hold
    assert (order.hold == 0) == (order.remaining == order.promised)
    resting = liquidity is Liquidity.MAKER and order.promised > 0
    assert filled.position.promised == (order.promised if resting else 0)
    assert bool(filled.position.closers) == resting


def test_every_fee_of_a_mixed_stream_is_that_of_the_formula():
    fills: list[Filled] = []
    stream = make_run(5, 0)
    stream.listeners.append(
        lambda _, events: fills.extend(event for event in events if isinstance(event, Filled))
    )
    for _ in range(2_000):
        stream.step()

    compared = 0
    for fill in fills:
        market = stream.exchange._state.markets[fill.symbol]
        account = stream.exchange._state.accounts[fill.account]
        if account.maker_fee is None and account.taker_fee is None:
            fee = market.maker_fee if fill.liquidity == "maker" else market.taker_fee
            assert fill.fee == fee_of(fill.price * fill.contracts * market.tick_value, fee.rate)
            compared += 1
    assert compared > 50


class Examining:
    """An entry that takes no order the short way."""

    def __init__(self, entry: OrderEntry) -> None:
        self._entry = entry

    def place(self, command: PlaceOrder) -> Refusal | None:
        return self._entry.place_examined(command, None)


@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_an_order_placed_the_short_way_is_the_order_that_was_examined(seed):
    stream = make_run(seed, 1_500, check_every=0)
    short, examined = Exchange(stream.exchange.config), Exchange(stream.exchange.config)
    examined._entry = Examining(examined._entry)
    examined._handlers[PlaceOrder] = examined._entry.place  # of those in a batch, too

    for command, at in stream.log:
        assert short.apply(command, at) == examined.apply(command, at)

    assert short.event_hash == examined.event_hash == stream.exchange.event_hash
    assert short.state_hash() == examined.state_hash()


@given(
    resting=st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=12),
    sign=st.sampled_from((1, -1)),
    contracts=st.integers(1, 30),
    limit=st.one_of(st.none(), st.integers(0, 10)),
    knows_best=st.booleans(),
)
def test_how_far_an_order_reaches_is_what_a_walk_over_all_orders_finds(
    *, resting, sign, contracts, limit, knows_best
):
    side = BookSide(sign)
    for price, remaining in resting:
        order = Order()
        order.remaining = remaining
        side.append(order, price)
    if knows_best:
        side.best()
    limit_key = None if limit is None else limit * sign

    taken = worst = 0
    for price, remaining in sorted(resting, key=lambda row: row[0] * sign):
        if taken < contracts and (limit_key is None or price * sign <= limit_key):
            taken, worst = min(contracts, taken + remaining), price

    assert side.reach(contracts, limit_key) == (taken, worst)
