"""A step of a liquidation, and a cross position's share of its account, are those of the rules."""

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from simexchange import rules
from simexchange.core.commands import (
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetIndex,
    SetLeverage,
    SetMarginMode,
)
from simexchange.core.events import PositionLiquidated
from simexchange.core.exchange import Exchange
from simexchange.core.liquidation import contracts_above_tier
from simexchange.core.types import MarginMode, OrderKind, PositionSide, Side, Wallet
from tests.laws.core.command_streams import TIERS, make_instrument
from tests.laws.core_and_rules.held import MAKER, SYMBOL, UNIT, Held, held, instruments, rate, sides

SYMBOLS = ("BTCUSDT", "ETHUSDT", "XRPUSDT")
ENTRY = 6_000


@given(held(), st.integers(1, 10**6))
def test_a_step_sells_what_the_rules_say_brings_the_position_below_its_tier(world, mark):
    position = world.exchange._state.accounts[1].legs[PositionSide.NET].get(SYMBOL)
    assume(position is not None)
    assume(position.contracts)
    size = world.instrument.contract_size

    expected = rules.liquidation_step_quantity(
        quantity=abs(position.contracts) * size,
        mark_price=world.price(mark),
        equity=0,
        tiers=world.table,
        quantity_step=size,
        rules=rules.OURS,
    )

    assert contracts_above_tier(position, mark) * size == expected


@given(instruments(), sides, st.integers(1, 10**5), st.data())
def test_what_a_whole_liquidation_goes_through_the_book_for_leaves_the_account_the_surplus(
    instrument, side, contracts, data
):
    """Under our rules what a close brings above bankruptcy stays with the account."""
    leverage = data.draw(st.integers(1, instrument.max_leverage))
    world = Held(instrument, leverage, 1_000)
    world.trade(side, contracts, 1_000)
    view = world.position
    assume(view.contracts)
    price = view.liquidation_price
    assume(price is not None)
    assume(price >= 1)
    world.limit(MAKER, side, contracts, price)
    before = world.exchange.account(1).contract_balance

    done = [e for e in world.liquidations(price) if e.through_book == contracts]
    assume(done)

    sign = 1 if view.contracts > 0 else -1
    proceeds = sign * instrument.notional(price, contracts)
    fee = -(-abs(proceeds) * instrument.taker_fee // 10**8)
    bankrupt = sign * (view.entry_cost - sign * view.margin)
    surplus = proceeds - fee - bankrupt
    assume(surplus >= 0)
    assert world.exchange.account(1).contract_balance - before == surplus
    assert (
        rules.insurance_fund_delta(
            proceeds=proceeds - fee, bankruptcy_quote=bankrupt, maximum_fee_rate=0, rules=rules.OURS
        )
        == 0
    )


class CrossAccountOfThree:
    """Account 1 holds up to three instruments in cross mode; account 2 took the other sides."""

    def __init__(self, holdings, money):
        self.exchange = Exchange()
        self.at = 0
        for symbol in SYMBOLS:
            self.apply(ListInstrument(make_instrument(symbol, tiers=TIERS)))
            self.apply(SetIndex(symbol, ENTRY))
        for number, deposit in ((1, money), (2, 10**15)):
            self.apply(OpenAccount())
            self.apply(Deposit(number, Wallet.CONTRACT, deposit))
        for symbol, contracts in zip(SYMBOLS, holdings, strict=False):
            self.apply(SetMarginMode(1, symbol, MarginMode.CROSS))
            self.apply(SetLeverage(1, symbol, 20))
            self.apply(SetLeverage(2, symbol, 1))
            side = Side.BUY if contracts > 0 else Side.SELL
            for number, way in ((2, Side(-side)), (1, side)):
                order = PlaceOrder(number, symbol, way, abs(contracts), OrderKind.LIMIT, ENTRY)
                self.apply(order)

    def apply(self, command):
        self.at += 1
        return self.exchange.apply(command, self.at)

    def requirement(self, view):
        instrument = self.exchange.instrument(view.symbol)
        mark = self.exchange.mark_price(view.symbol)
        notional = instrument.notional(mark, abs(view.contracts))
        tier = max((t for t in TIERS if t.floor <= notional), key=lambda t: t.floor)
        return notional * rate(tier.maintenance_rate + instrument.taker_fee) - tier.deduction


@given(
    st.lists(st.integers(1, 5_000).map(lambda n: n * (-1) ** n), min_size=2, max_size=3),
    st.integers(10**9, 10**12),
    st.integers(-300, 300),
)
def test_a_cross_positions_bankruptcy_price_is_that_of_the_rules_to_the_unit(
    holdings, money, moved
):
    world = CrossAccountOfThree(holdings, money)
    events = world.apply(SetIndex(SYMBOLS[0], ENTRY + moved))
    assume(not [e for e in events if isinstance(e, PositionLiquidated)])
    views = world.exchange.positions(1)
    assume(len(views) > 1)
    account = rules.CrossAccount(
        net_collateral=world.exchange.equity(1) * UNIT,
        maintenance_margin=sum(map(world.requirement, views)) * UNIT,
    )

    for view in views:
        instrument = world.exchange.instrument(view.symbol)
        mark = world.exchange.mark_price(view.symbol)
        quote = rules.cross_bankruptcy_quote(
            account=account,
            delta_net_notional=-instrument.notional(mark, view.contracts) * UNIT,
            delta_maintenance_margin=-world.requirement(view) * UNIT,
            unit=UNIT,
        )
        worth = view.bankruptcy_price * view.contracts * instrument.tick_value
        assert worth * UNIT == Fraction(quote)
