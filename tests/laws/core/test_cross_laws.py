"""Cross margin: the reported price is exact for one instrument, hedged too; nobody else pays."""

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from simexchange.core.commands import (
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetIndex,
    SetLeverage,
    SetMarginMode,
    SetMark,
    SetPositionMode,
    Withdraw,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import LiquidationStarted
from simexchange.core.exchange import Exchange
from simexchange.core.types import (
    RATE_SCALE,
    MarginMode,
    OrderKind,
    PositionMode,
    PositionSide,
    Side,
    Wallet,
)
from tests.laws.core.command_streams import TIERS, make_instrument

SYMBOL = "BTCUSDT"
OTHER = "ETHUSDT"  # where it is isolated
ENTRY = 6_000
LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


class CrossHedge:
    """Account 1 holds a long and a short leg in cross mode; account 2 took the other sides."""

    def __init__(self, long, short, long_price, short_price, spare):
        self.exchange = Exchange(ExchangeConfig(check_every=1))
        self.at = 0
        self.apply(ListInstrument(make_instrument(tiers=TIERS)))
        for number in (1, 2):
            self.apply(OpenAccount())
            self.apply(Deposit(number, Wallet.CONTRACT, 10**15))
        self.apply(SetIndex(SYMBOL, ENTRY))
        self.apply(SetPositionMode(1, PositionMode.HEDGE))
        self.apply(SetMarginMode(1, SYMBOL, MarginMode.CROSS))
        self.apply(SetLeverage(1, SYMBOL, 20))
        self.apply(SetLeverage(2, SYMBOL, 1))
        for side, contracts, price in ((LONG, long, long_price), (SHORT, short, short_price)):
            if contracts:
                self.trade(side, contracts, price)
        free = self.exchange.available_balance(1)
        if free > spare:
            self.apply(Withdraw(1, Wallet.CONTRACT, free - spare))

    def apply(self, command):
        self.at += 1
        return self.exchange.apply(command, self.at)

    def trade(self, leg, contracts, price):
        limit = OrderKind.LIMIT
        self.apply(PlaceOrder(2, SYMBOL, Side(-leg), contracts, limit, price))
        self.apply(PlaceOrder(1, SYMBOL, Side(leg), contracts, limit, price, position_side=leg))

    def positions(self):
        return self.exchange.positions(1)

    def slack(self, mark):
        """Compute equity less requirements in fractions, from the views alone."""
        instrument = self.exchange.instrument(SYMBOL)
        total = Fraction(self.exchange.account(1).contract_balance)
        for position in self.positions():
            sign = -1 if position.position_side is SHORT else 1
            notional = position.contracts * mark * instrument.tick_value
            tier = max((t for t in TIERS if t.floor <= notional), key=lambda t: t.floor)
            rate = Fraction(tier.maintenance_rate + instrument.taker_fee, RATE_SCALE)
            total += sign * (notional - position.entry_cost) - notional * rate + tier.deduction
        return total

    def is_liquidated_at(self, mark):
        events = self.apply(SetMark(SYMBOL, mark))
        return any(isinstance(e, LiquidationStarted) and e.account == 1 for e in events)


prices = st.integers(ENTRY - 60, ENTRY + 60)
hedges = st.builds(
    CrossHedge,
    st.integers(0, 60_000),
    st.integers(0, 60_000),
    prices,
    prices,
    st.integers(1, 10**11),
)


@given(hedges)
def test_a_cross_account_is_liquidated_at_the_reported_price_and_not_one_tick_before(hedge):
    positions = hedge.positions()
    assume(positions)
    assume(hedge.slack(ENTRY - 1) > 0)
    assume(hedge.slack(ENTRY + 1) > 0)
    (price,) = {position.liquidation_price for position in positions}
    assume(price is not None)
    step = 1 if price > ENTRY else -1

    assert not hedge.is_liquidated_at(price - step)
    assert hedge.is_liquidated_at(price)


@given(
    st.builds(
        CrossHedge,
        st.integers(100, 60_000),
        st.integers(0, 90),
        prices,
        prices,
        st.integers(10**9, 10**11),
    ),
    st.integers(1, 200),
)
def test_an_isolated_trade_of_the_account_moves_the_price_at_which_it_is_liquidated(
    hedge, contracts
):
    hedge.apply(ListInstrument(make_instrument(OTHER)))
    assume(hedge.slack(ENTRY) > 0)
    hedge.apply(SetMark(SYMBOL, ENTRY))  # by which its bands are worked out
    limit = OrderKind.LIMIT
    hedge.apply(PlaceOrder(2, OTHER, Side.SELL, contracts, limit, ENTRY))
    hedge.apply(PlaceOrder(1, OTHER, Side.BUY, contracts, limit, ENTRY, position_side=LONG))
    positions = [position for position in hedge.positions() if position.symbol == SYMBOL]
    assume(len(hedge.positions()) > len(positions) > 0)  # else it had not the money
    (price,) = {position.liquidation_price for position in positions}
    assume(price is not None and abs(price - ENTRY) > 1)
    step = 1 if price > ENTRY else -1

    assert not hedge.is_liquidated_at(price - step)
    assert hedge.is_liquidated_at(price)


@given(hedges)
def test_the_reported_price_is_where_slack_meets_zero_rounded_toward_the_present_mark(hedge):
    positions = hedge.positions()
    assume(positions)
    assume(hedge.slack(ENTRY) > 0)
    (price,) = {position.liquidation_price for position in positions}
    assume(price is not None)
    step = 1 if price > ENTRY else -1

    assert hedge.slack(price + step) < 0 or hedge.slack(price) <= 0
    assert hedge.slack(price - step) > 0


@given(hedges, st.integers(1, 12_000))
def test_whatever_the_mark_nobody_but_the_account_and_the_fund_pays(hedge, mark):
    assume(hedge.positions())
    other = hedge.exchange.account(2).contract_balance
    held = sum(position.margin for position in hedge.exchange.positions(2))

    hedge.apply(SetMark(SYMBOL, mark))

    assert hedge.exchange.account(1).contract_balance >= 0
    if hedge.exchange.positions(2):
        assert hedge.exchange.account(2).contract_balance == other
        assert sum(position.margin for position in hedge.exchange.positions(2)) == held
