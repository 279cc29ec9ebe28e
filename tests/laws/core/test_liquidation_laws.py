"""Liquidation happens exactly at the price the exchange reports, and costs nobody else."""

from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from simexchange.core.commands import (
    AdjustMargin,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetIndex,
    SetLeverage,
    SetMark,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import Filled, PositionLiquidated
from simexchange.core.exchange import Exchange
from simexchange.core.types import RATE_SCALE, OrderKind, PositionSide, Side, Wallet
from tests.laws.core.command_streams import TIERS, make_instrument

SYMBOL = "BTCUSDT"
ENTRY = 6_000


class Trade:
    """Account 1 holds ``contracts`` at ENTRY against account 2, who has margin to spare."""

    def __init__(self, side, contracts, leverage, added=0, tiers=TIERS, taker_fee=50_000):
        self.exchange = Exchange(ExchangeConfig(check_every=1))
        self.at = 0
        self.side = side
        self.apply(ListInstrument(make_instrument(tiers=tiers, taker_fee=taker_fee)))
        for number in (1, 2):
            self.apply(OpenAccount())
            self.apply(Deposit(number, Wallet.CONTRACT, 10**14))
        self.apply(SetIndex(SYMBOL, ENTRY))
        self.apply(SetLeverage(1, SYMBOL, leverage))
        self.apply(SetLeverage(2, SYMBOL, 1))
        self.limit(2, Side(-side), contracts, ENTRY)
        self.filled = any(isinstance(e, Filled) for e in self.limit(1, side, contracts, ENTRY))
        if added:
            self.apply(AdjustMargin(1, SYMBOL, PositionSide.NET, added))

    def apply(self, command):
        self.at += 1
        return self.exchange.apply(command, self.at)

    def limit(self, number, side, contracts, price):
        return self.apply(PlaceOrder(number, SYMBOL, side, contracts, OrderKind.LIMIT, price))

    @property
    def position(self):
        return self.exchange.position(1, SYMBOL)

    def liquidations(self, mark):
        events = self.apply(SetMark(SYMBOL, mark))
        return [e.account for e in events if isinstance(e, PositionLiquidated)]


trades = st.builds(
    Trade,
    st.sampled_from((Side.BUY, Side.SELL)),
    st.integers(1, 100_000),
    st.sampled_from((2, 3, 7, 10, 20, 50, 125)),
    st.integers(0, 10**9),
    taker_fee=st.sampled_from((0, 50_000, 123_457)),
)


def exact_price(trade):
    """Solve margin + profit = maintenance margin + closing fee, tier by tier, in fractions."""
    position, instrument = trade.position, trade.exchange.instrument(SYMBOL)
    sign = int(trade.side)
    quantity = abs(position.contracts) * instrument.tick_value
    fee = Fraction(instrument.taker_fee, RATE_SCALE)
    for index, tier in enumerate(instrument.tiers):
        rate = Fraction(tier.maintenance_rate, RATE_SCALE)
        debt = position.entry_cost - sign * (position.margin + tier.deduction)
        price = Fraction(debt) / (quantity * (1 - sign * (rate + fee)))
        above = instrument.tiers[index + 1].floor if index + 1 < len(instrument.tiers) else None
        if price * quantity >= tier.floor and (above is None or price * quantity < above):
            return price
    return None


@given(trades)
def test_a_position_is_liquidated_at_the_reported_price_and_not_one_tick_before(trade):
    assume(trade.filled)
    price = trade.position.liquidation_price
    assume(price is not None)
    before = price + 1 if trade.side is Side.BUY else price - 1

    assert trade.liquidations(before) == []
    assert trade.liquidations(price) == [1]
    assert trade.position.contracts == 0
    assert trade.position.margin == 0


@given(trades)
def test_the_reported_price_solves_the_equation_rounded_to_the_tick_toward_the_entry(trade):
    assume(trade.filled)
    exact = exact_price(trade)
    reported = trade.position.liquidation_price

    if exact is None or exact <= 0:
        assert reported is None
    elif trade.side is Side.BUY:
        assert reported - 1 < exact <= reported
    else:
        assert reported <= exact < reported + 1


@given(trades, st.integers(1, 400))
def test_a_takeover_costs_the_account_its_margin_and_nothing_else(trade, beyond):
    assume(trade.filled)
    price = trade.position.liquidation_price
    assume(price is not None)
    wallet = trade.exchange.account(1).contract_balance
    other = trade.exchange.account(2).contract_balance
    mark = max(1, price - int(trade.side) * beyond)

    assert 1 in trade.liquidations(mark)

    assert trade.exchange.account(1).contract_balance == wallet
    assert trade.exchange.account(2).contract_balance == other
