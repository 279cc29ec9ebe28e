"""An exchange that lives: clocks, listeners, history."""

from datetime import UTC, datetime

import pytest
from freezegun import freeze_time

from simexchange.clock import AcceleratedClock, ManualClock, SystemClock
from simexchange.core.commands import (
    CancelOrder,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetIndex,
    Transfer,
)
from simexchange.core.exchange import Exchange
from simexchange.core.types import OrderKind, OrderStatus, Wallet
from simexchange.history import History, HistoryLimits
from simexchange.simulation import Simulation
from tests.unit.core.exchange_builders import BUY, SELL, SYMBOL, make_instrument, usdt


def make_simulation(**limits):
    clock = ManualClock(start=60_000_000)
    simulation = Simulation(Exchange(), clock, History(HistoryLimits(**limits)))
    simulation.apply(ListInstrument(make_instrument()))
    for number in (1, 2):
        simulation.apply(OpenAccount())
        simulation.apply(Deposit(number, Wallet.CONTRACT, usdt(10_000)))
    simulation.apply(SetIndex(SYMBOL, 1_000))
    return simulation, clock


def trade(simulation, contracts, price):
    for number, side in ((1, SELL), (2, BUY)):
        simulation.apply(PlaceOrder(number, SYMBOL, side, contracts, OrderKind.LIMIT, price))


def test_commands_get_the_time_of_the_clock():
    simulation, clock = make_simulation()
    clock.advance(seconds=5)

    (event,) = simulation.apply(SetIndex(SYMBOL, 1_001))

    assert event.at == 65_000_000


def test_listeners_hear_every_command_in_their_order_until_they_leave():
    simulation, _ = make_simulation()
    heard = []
    leave = simulation.subscribe(lambda events: heard.append(("first", len(events))))
    simulation.subscribe(lambda events: heard.append(("second", len(events))))

    simulation.apply(SetIndex(SYMBOL, 1_001))
    leave()
    simulation.apply(SetIndex(SYMBOL, 1_002))

    assert heard == [("first", 1), ("second", 1), ("second", 1)]


def test_a_command_from_a_listener_waits_until_all_have_heard_the_present_one():
    simulation, _ = make_simulation()
    marks = []

    def answer(events):
        marks.append(("answer", events[0].mark))
        if events[0].mark == 1_001:
            assert simulation.apply(SetIndex(SYMBOL, 1_002)) == []

    simulation.subscribe(answer)
    simulation.subscribe(lambda events: marks.append(("other", events[0].mark)))

    simulation.apply(SetIndex(SYMBOL, 1_001))

    assert marks == [("answer", 1_001), ("other", 1_001), ("answer", 1_002), ("other", 1_002)]


def test_history_gives_an_accounts_executions_after_a_cursor():
    simulation, _ = make_simulation()
    for _ in range(3):
        trade(simulation, 1, 1_000)
    ids = [fill.execution_id for fill in simulation.history.executions(2)]

    assert len(ids) == 3
    newer = simulation.history.executions(2, after=ids[0])
    assert [fill.execution_id for fill in newer] == ids[1:]
    assert len(simulation.history.executions(2, limit=2)) == 2
    assert simulation.history.executions(9) == []


def test_history_knows_how_each_order_ended():
    simulation, _ = make_simulation()
    trade(simulation, 3, 1_000)
    simulation.apply(PlaceOrder(1, SYMBOL, BUY, 2, OrderKind.LIMIT, 900))
    simulation.apply(CancelOrder(1, SYMBOL, 3))

    cancelled, filled = simulation.history.orders(1)

    assert (cancelled.status, cancelled.cancel_reason) == (OrderStatus.CANCELLED, "requested")
    assert (filled.status, filled.filled, filled.filled_notional_ticks) == (
        OrderStatus.FILLED,
        3,
        3_000,
    )


def test_history_makes_candles_of_trades_and_of_the_mark_price():
    simulation, clock = make_simulation()
    for price in (1_000, 1_010, 995):
        trade(simulation, 2, price)
    clock.advance(seconds=60)
    trade(simulation, 2, 1_002)

    first, second = simulation.history.candles(SYMBOL, 60_000_000)

    assert (first.open, first.high, first.low, first.close) == (1_000, 1_010, 995, 995)
    assert (first.contracts, second.contracts) == (6, 2)
    assert second.start_at == first.start_at + 60_000_000
    assert simulation.history.mark_candles(SYMBOL, 60_000_000)[0].close == 1_000


def test_history_keeps_no_more_than_its_limits():
    simulation, _ = make_simulation(executions=2, orders=2, transfers=1)
    for _ in range(4):
        trade(simulation, 1, 1_000)
    for number in range(3):
        simulation.apply(
            Transfer(1, Wallet.CONTRACT, 2, Wallet.CONTRACT, 1, transfer_id=f"t{number}")
        )
    history = simulation.history

    assert len(history.executions(1)) == 2
    assert history.first_kept_execution(1) == 5
    assert len(history.orders(1)) == 2
    assert [t.transfer_id for t in history.transfers(1)] == ["t2"]


def test_the_system_clock_honours_freezegun_and_never_goes_back():
    clock = SystemClock()
    with freeze_time("2026-01-02 03:04:05"):
        now = clock.now()
    assert now == int(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()) * 1_000_000
    with freeze_time("2026-01-01"):
        assert clock.now() == now


def test_an_accelerated_clock_runs_ahead_of_its_base():
    base = ManualClock(start=1_000)
    clock = AcceleratedClock(base, factor=60, start=0)
    base.advance(seconds=1)

    assert clock.now() == 60_000_000


def test_a_manual_clock_refuses_to_go_back():
    clock = ManualClock(start=5)
    clock.set(9)

    with pytest.raises(ValueError, match="time cannot go back by 4"):
        clock.set(5)


def test_an_accelerated_clock_needs_a_factor():
    with pytest.raises(ValueError, match="at least 1"):
        AcceleratedClock(ManualClock(), factor=0)
