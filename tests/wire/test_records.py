"""The records of a run agree with the exchange, whatever the run did."""

import itertools
import random

import pytest

from simexchange.clock import ManualClock
from simexchange.core import commands as c
from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.core.types import MONEY_SCALE, AccountKind, OrderKind, PositionSide, Side, Wallet
from simexchange.server.records.account import RecordLimits
from simexchange.server.records.listener import Records
from simexchange.server.records.rows import EntryKind, OrderState
from simexchange.simulation import Simulation
from tests.wire.rig import BTC_PERPETUAL, SYMBOL, Rig

PEOPLE = (2, 3, 4)


def world() -> tuple[Simulation, Records]:
    simulation = Simulation(Exchange(ExchangeConfig(check_every=50)), ManualClock(10**15))
    simulation.apply(c.ListInstrument(BTC_PERPETUAL))
    simulation.apply(c.OpenAccount(kind=AccountKind.MAKER))
    for _ in PEOPLE:
        simulation.apply(c.OpenAccount())
    records = Records(simulation.exchange, RecordLimits(orders=40))
    simulation.subscribe(records.listen)
    simulation.apply(c.Deposit(1, Wallet.CONTRACT, 10**9 * MONEY_SCALE))
    for account in PEOPLE:
        simulation.apply(c.Deposit(account, Wallet.CONTRACT, 3_000 * MONEY_SCALE))
    simulation.apply(c.SetIndex(SYMBOL, 500_000))
    return simulation, records


def one_command(chance: random.Random, price: int) -> c.Command:
    account = chance.choice(PEOPLE)
    side = chance.choice((Side.BUY, Side.SELL))
    kind = chance.random()
    if kind < 0.45:
        return c.PlaceOrder(account, SYMBOL, side, chance.randint(1, 400), OrderKind.MARKET)
    if kind < 0.65:
        near = price + chance.randint(-300, 300)
        return c.PlaceOrder(
            account, SYMBOL, side, chance.randint(1, 200), OrderKind.LIMIT, near, reduce_only=False
        )
    if kind < 0.75:
        return c.CancelAll(account, SYMBOL)
    if kind < 0.85:
        wallets = [Wallet.CONTRACT, Wallet.SPOT]
        chance.shuffle(wallets)
        money = chance.randint(1, 100) * MONEY_SCALE
        return c.Transfer(account, wallets[0], account, wallets[1], money, f"t{chance.random()}")
    if kind < 0.92:
        trigger = price + chance.randint(-500, 500)
        return c.PlacePlanOrder(account, SYMBOL, side, chance.randint(1, 50), max(1, trigger))
    money = chance.randint(-50, 50) * MONEY_SCALE
    return c.AdjustMargin(account, SYMBOL, PositionSide.NET, money)


@pytest.mark.parametrize("seed", range(6))
def test_cash_orders_and_positions_agree_with_the_exchange(seed: int) -> None:
    chance = random.Random(seed)
    simulation, records = world()
    exchange, price = simulation.exchange, 500_000
    for _ in range(600):
        price = max(300_000, price + chance.randint(-4_000, 4_000))
        simulation.clock.advance(seconds=chance.randint(1, 900))
        simulation.apply(c.CancelAll(1))
        for side in (Side.BUY, Side.SELL):
            quote = price - side * chance.randint(1, 50)
            simulation.apply(
                c.PlaceOrder(1, SYMBOL, side, chance.randint(50, 2_000), OrderKind.LIMIT, quote)
            )
        simulation.apply(c.SetIndex(SYMBOL, price))
        simulation.apply(one_command(chance, price))
        for account in PEOPLE:
            kept = records.of(account)
            assert kept.cash == records.cash(account)
            asked = {order.order_id: order for order in exchange.open_orders(account)}
            plans = {plan.plan_id for plan in exchange.open_plans(account)}
            open_now = [order for order in kept.orders.values() if order.is_open]
            waiting = {o.plan_id for o in open_now if o.state is OrderState.UNTRIGGERED}
            assert waiting == plans
            resting = {o.order_id: o for o in open_now if o.order_id is not None}
            assert set(resting) == set(asked)
            for order_id, order in resting.items():
                view = asked[order_id]
                assert (order.remaining, order.filled) == (view.remaining, view.filled)
                assert order.fee == view.fee
            held = exchange.position(account, SYMBOL).contracts
            position = kept.positions.get((SYMBOL, PositionSide.NET))
            assert (0 if position is None else position.contracts) == held
    entries = [entry for account in PEOPLE for entry in records.of(account).entries]
    assert {EntryKind.TRADE, EntryKind.TRANSFER, EntryKind.FUNDING} <= {e.kind for e in entries}
    for account in PEOPLE:
        log = list(records.of(account).entries)
        assert sum(entry.change for entry in log) == records.of(account).cash
        assert all(a.balance + b.change == b.balance for a, b in itertools.pairwise(log))


def test_open_orders_are_never_forgotten_for_newer_ones() -> None:
    simulation, records = world()
    place = c.PlaceOrder(2, SYMBOL, Side.BUY, 1, OrderKind.LIMIT, 400_000, client_order_id="old")
    simulation.apply(place)
    for _ in range(100):
        simulation.apply(c.PlaceOrder(2, SYMBOL, Side.BUY, 1, OrderKind.LIMIT, 400_000))
        simulation.apply(
            c.CancelOrder(2, SYMBOL, order_id=next(records.of(2).newest_orders()).order_id)
        )
    kept = records.of(2)
    assert len(kept.orders) == 40
    assert kept.by_client_id["old"].is_open


def test_the_days_extremes_hold_the_latest_price_at_every_moment(rig: Rig) -> None:
    taker = rig.open(contract=100_000)
    for price in (49_990, 49_980, 50_020, 49_970):
        rig.quote(SYMBOL, str(price), str(price + 2), "20")
        rig.apply(c.PlaceOrder(taker, SYMBOL, Side.SELL, 10, OrderKind.MARKET))
        day = rig.venue.tape.of(SYMBOL).day(rig.clock.now())
        last = rig.exchange.last_price(SYMBOL)
        assert day.low <= last <= day.high
    assert (day.low, day.high, day.first) == (499_700, 500_200, 499_900)
    assert (day.contracts, day.trades) == (40, 4)
    rig.call(lambda: rig.clock.advance(86_400_000_000))
    assert rig.venue.tape.of(SYMBOL).day(rig.clock.now()).trades == 0
