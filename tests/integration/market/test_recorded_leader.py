"""Recorded leaders on the exchange: their orders, prices, fees and profit are the record's."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simexchange.core.types import Liquidity, PositionMode, PositionSide, Side
from simexchange.market.audit import residue
from simexchange.market.fills import Precision, RecordedFill, RecordedOrder, read_fills
from simexchange.market.recorded import LeaderCannotTrade, LeaderLiquidated, RecordedLeader
from simexchange.market.scripted import ScriptedMarket, recorded_instrument, recorded_instruments

RECORD = Path(__file__).parents[3] / "../shared/data/leader_fills/leader_fills.csv"


def fill(price: str, quantity: str, liquidity: Liquidity = Liquidity.TAKER) -> RecordedFill:
    return RecordedFill(
        line=2,
        leader="one",
        list_index=0,
        time_ms=1_000,
        symbol="BTCUSDT",
        side=Side.BUY,
        position_side=PositionSide.LONG,
        price=Decimal(price),
        quantity=Decimal(quantity),
        fee=Decimal(0),
        realized_pnl=Decimal(0),
        liquidity=liquidity,
    )


def order(*fills: RecordedFill, side: Side = Side.BUY) -> RecordedOrder:
    own = tuple(replace(one, side=side) for one in fills)
    return RecordedOrder("one", 1, "BTCUSDT", side, PositionSide.LONG, own)


def make_market() -> ScriptedMarket:
    precision = Precision(price_decimals=1, quantity_decimals=3)
    instrument = recorded_instrument("BTCUSDT", precision, maker_fee=20_000, taker_fee=50_000)
    return ScriptedMarket({"BTCUSDT": instrument})


def make_leader(
    market: ScriptedMarket, balance: int | None = None, leverage: int = 10
) -> RecordedLeader:
    mode = PositionMode.HEDGE
    return RecordedLeader(market, "one", mode=mode, leverage=leverage, balance=balance)


levels = st.lists(
    st.builds(
        fill,
        st.integers(9_990, 10_010).map(str),
        st.integers(1, 500).map(lambda n: str(Decimal(n) / 1000)),
        st.sampled_from(Liquidity),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=100, deadline=None)
@given(opened=levels, closed=levels)
def test_fills_are_those_of_the_record_in_its_sequence_and_one_order(opened, closed) -> None:
    market = make_market()
    leader = make_leader(market)

    for side, fills in ((Side.BUY, opened), (Side.SELL, closed)):
        played = leader.play(order(*fills, side=side))

        wanted = [(level.price, level.contracts, level.liquidity) for level in played.levels]
        kept = market.simulation.history.executions(leader.account)
        own = kept[len(kept) - len(wanted) :]
        assert [(one.price, one.contracts, one.liquidity) for one in own] == wanted
        assert len({one.order_id for one in own}) <= 1
        assert sum(level.contracts for level in played.levels) + played.excess == sum(
            int(one.quantity * 1000) for one in fills
        )
    assert residue(market.exchange) == 0


def test_what_is_offered_again_is_the_same_levels_and_is_withdrawn_after_it() -> None:
    market = make_market()
    leader = make_leader(market)
    played = leader.play(order(fill("100", "0.002"), fill("101", "0.003", Liquidity.MAKER)))

    with leader.offered(played):
        _, asks = market.exchange.depth("BTCUSDT")

    assert asks == [(1000, 2), (1010, 3)]
    assert market.exchange.depth("BTCUSDT") == ([], [])


def test_a_close_of_what_the_record_never_opened_is_excess_and_not_traded() -> None:
    market = make_market()
    leader = make_leader(market)
    leader.play(order(fill("100", "0.002")))

    played = leader.play(order(fill("101", "0.005"), side=Side.SELL))

    assert [level.contracts for level in played.levels] == [2]
    assert played.excess == 3
    assert leader.play(order(fill("101", "1"), side=Side.SELL)).execution_id is None


def test_a_balance_that_cannot_bear_the_record_is_refused_with_a_sentence() -> None:
    leader = make_leader(make_market(), balance=1_000_000)

    with pytest.raises(LeaderCannotTrade, match="line 2: leader one could not have traded 1 BTC"):
        leader.play(order(fill("100", "1")))


def test_a_leverage_that_does_not_outlive_the_record_is_refused_with_what_to_change() -> None:
    leader = make_leader(make_market(), balance=12 * 10**8, leverage=10)
    leader.play(order(fill("100", "1")))

    with pytest.raises(LeaderLiquidated, match="assume a larger balance or a lower leverage"):
        leader.play(order(fill("100", "0.001"), fill("80", "0.001")))


@pytest.mark.skipif(not RECORD.exists(), reason="the recorded fills are not beside this checkout")
def test_the_three_recorded_leaders_trade_1039_orders_and_earn_what_the_record_says() -> None:
    record = read_fills(RECORD)
    instruments = recorded_instruments(record, maker_fee=20_000, taker_fee=50_000)
    market = ScriptedMarket(instruments)
    orders = 0
    for name in record.leaders:
        leader = RecordedLeader(market, name, mode=PositionMode.HEDGE, leverage=20, balance=None)
        excess = [played for one in record.orders(name) if (played := leader.play(one)).excess]
        own = market.simulation.history.executions(leader.account, limit=10**6)
        orders += len({one.order_id for one in own})
        earned = Decimal(sum(one.realized_pnl for one in own)).scaleb(-8)
        recorded = sum(one.realized_pnl for one in record.by_leader[name])
        assert bool(excess) or abs(earned - recorded) < Decimal("1e-6") * len(own)
    assert orders == 1039
    assert residue(market.exchange) == 0
