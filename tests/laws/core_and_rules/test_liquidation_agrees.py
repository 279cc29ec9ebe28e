"""Liquidation and bankruptcy prices are those of the rules, and liquidation keeps to them."""

import gzip
import json
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simexchange import rules
from simexchange.core.commands import SetMark
from simexchange.core.events import LiquidationStarted
from simexchange.core.types import Side
from tests.laws.core_and_rules.held import SYMBOL, Held, core_tiers, held, instruments, rate, sides

FILE = "leverage_tiers/binance_leverage_tiers_20241024.json.gz"


def price_of_the_rules(world):
    """Return the liquidation price in quote currency, on the tick; None where there is none."""
    return rules.liquidation_price_in_tiers(
        **world.as_rules_take_it(),
        tiers=world.table,
        fee_rate=rate(world.instrument.taker_fee),
        tick=world.instrument.tick_size,
        rules=rules.OURS,
    )


def check_price(world):
    reported, expected = world.position.liquidation_price, price_of_the_rules(world)
    assert (reported is None) == (expected is None)
    if expected is not None:
        assert world.price(reported) == Fraction(expected)


@given(held())
def test_the_reported_price_is_that_of_the_rules_to_the_tick_toward_the_entry(world):
    assume(world.position.contracts)

    check_price(world)


def check_liquidated_at(world):
    """Check that the reported tick liquidates and that the one before does not."""
    view = world.position
    price = view.liquidation_price
    before = price + (1 if view.contracts > 0 else -1)
    assume(price >= 1)
    if before >= 1:
        assert world.liquidations(before) == []
        assert world.position.contracts == view.contracts
    (done, *_) = world.liquidations(price)
    assert done.mark == price


@given(held())
def test_a_position_is_liquidated_at_the_reported_tick_and_not_one_tick_before(world):
    assume(world.position.contracts)
    assume(world.position.liquidation_price is not None)

    check_liquidated_at(world)


@given(held())
def test_the_rules_call_it_liquidatable_one_tick_beyond_the_report_and_not_one_before(world):
    """At the reported tick itself it is liquidated up to a tick early: never one too late."""
    view = world.position
    assume(view.contracts)
    price = view.liquidation_price
    assume(price is not None)
    step = 1 if view.contracts > 0 else -1
    for mark, expected in ((price - step, True), (price + step, False)):
        if mark < 1:
            continue
        known = world.as_rules_take_it(view)
        margin = known.pop("margin")
        notional = rules.notional(
            quantity=abs(view.contracts),
            price=world.price(mark),
            contract_size=world.instrument.contract_size,
        )
        profit = rules.unrealized_pnl(**known, mark_price=world.price(mark))
        assert expected == rules.is_liquidatable(
            equity=margin + rules.exact(profit),
            maintenance_margin=world.table.maintenance_margin(notional),
            closing_fee=rules.exact(notional) * rate(world.instrument.taker_fee),
        )


@given(held())
def test_the_bankruptcy_price_is_that_of_the_rules_exact(world):
    view = world.position
    assume(view.contracts)
    expected = rules.bankruptcy_price(**world.as_rules_take_it())
    found = world.price(view.bankruptcy_price)

    if expected is None:
        assert found <= 0
    else:
        assert rules.decimal_from(found) == expected


@given(held())
def test_liquidation_asks_for_the_bankruptcy_price_of_the_rules_with_the_fee_on_the_tick(world):
    view = world.position
    assume(view.contracts)
    price = view.liquidation_price
    assume(price is not None)
    assume(price >= 1)
    instrument = world.instrument
    expected = rules.bankruptcy_price(
        **world.as_rules_take_it(),
        fee_rate=rate(instrument.taker_fee),
        tick=instrument.tick_size,
    )

    events = world.apply(SetMark(SYMBOL, price))

    started = next(e for e in events if isinstance(e, LiquidationStarted) and e.account == 1)
    assert started.liquidation_price == price
    least = Fraction(instrument.tick_size)
    assert world.price(started.bankruptcy_price) == max(least, Fraction(expected or 0))


# --------------------------------------------------------------------------- a real table of tiers


@pytest.fixture(scope="session")
def real_tables(shared_data):
    """Return the margin tiers of the deepest tables of a venue."""
    path = shared_data / FILE
    if not path.is_file():
        pytest.skip(f"the real margin tiers are not here: they are expected in {path}")
    tables = rules.tier_tables_from_brackets(json.loads(gzip.decompress(path.read_bytes())))
    deepest = sorted(tables.items(), key=lambda item: (-len(item[1].tiers), item[0]))[:40]
    return [core_tiers(table) for _, table in deepest]


@given(st.data())
def test_in_the_tiers_of_a_real_venue_prices_agree_and_liquidation_keeps_to_them(real_tables, data):
    world = data.draw(held(st.sampled_from(real_tables)))
    assume(world.position.contracts)

    check_price(world)
    assume(world.position.liquidation_price is not None)
    check_liquidated_at(world)


@given(instruments(), sides, st.integers(1, 10**5), st.data())
def test_prices_agree_in_every_tier_that_the_position_can_reach(instrument, side, entry, data):
    tier = data.draw(st.sampled_from(instrument.tiers))
    leverage = data.draw(st.integers(1, tier.max_leverage))
    contracts = max(1, tier.floor // (entry * instrument.tick_value)) + data.draw(st.integers(0, 3))
    world = Held(instrument, leverage, entry)
    world.trade(Side(side), contracts, entry)
    assume(world.position.contracts)

    check_price(world)
    assume(world.position.liquidation_price is not None)
    check_liquidated_at(world)
