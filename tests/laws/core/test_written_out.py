"""What is written out where it is hot gives what the public formula gives."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simexchange.core.commands import Deposit, ListInstrument, OpenAccount, PlaceOrder, SetMark
from simexchange.core.entry import OrderEntry
from simexchange.core.events import Filled, OrderAccepted, OrderRejected
from simexchange.core.exchange import Exchange
from simexchange.core.fees import fee_of
from simexchange.core.margin import initial_margin, order_cost
from simexchange.core.positions import cost_share
from simexchange.core.state import Refusal
from simexchange.core.trading import Trading
from simexchange.core.types import MONEY_SCALE, OrderKind, PositionSide, RejectReason, Side, Wallet
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
)
def test_a_resting_order_holds_the_order_cost_and_not_one_unit_less_will_do(
    sign, contracts, price, mark, share_short
):
    exchange = listed(mark)
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
    fee=st.integers(-(10**6), 10**6),
)
def test_settling_takes_the_share_of_cost_and_margin_and_moves_money_by_nothing(
    *, held, sign, contracts, notional, value, margin, fee
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

    closed, realized = Trading(state).settle(position, sign, contracts, notional, fee)

    after = position.contracts
    assert after == held + sign * contracts
    if held * sign > 0:
        assert (closed, realized) == (0, 0)
        assert position.cost == cost + sign * notional
        assert position.margin == margin + initial_margin(notional, position.leverage)
    else:
        assert closed == min(contracts, size)
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
