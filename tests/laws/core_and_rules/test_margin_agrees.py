"""Margins, order cost and fees of the exchange are those of the rules, rounded one way."""

import gzip
import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simexchange import rules
from simexchange.core.commands import SetMark
from simexchange.core.instrument import Instrument
from simexchange.core.margin import maintenance_margin
from simexchange.core.types import Liquidity, Side
from tests.laws.core_and_rules.held import (
    SYMBOL,
    UNIT,
    Held,
    core_tiers,
    held,
    instruments,
    rate,
    sides,
    tier_table,
    tiers,
    units,
)

FILE = "binance_leverage_tiers_20241024.json.gz"
UNIT_TICK = Decimal("0.01")


@pytest.fixture(scope="session")
def real_tables(shared_data):
    """Return symbol → tier table of a venue, as it published it."""
    path = shared_data / "leverage_tiers" / FILE
    if not path.is_file():
        pytest.skip(f"the real margin tiers are not here: they are expected in {path}")
    return rules.tier_tables_from_brackets(json.loads(gzip.decompress(path.read_bytes())))


def ceil(value):
    return -(-Fraction(value) // 1)


@given(held())
def test_a_fill_ties_up_the_initial_margin_of_the_rules_rounded_up(world):
    before = contracts = 0
    instrument = world.instrument
    for fill in (fill for fill in world.fills if fill.account == 1):
        if not fill.closed_contracts and not contracts * fill.side < 0:
            expected = rules.initial_margin(
                quantity=fill.contracts,
                price=world.price(fill.price),
                leverage=fill.leverage,
                contract_size=instrument.contract_size,
                unit=UNIT,
            )
            assert fill.margin - before == units(expected)
        before, contracts = fill.margin, fill.position_contracts


@given(held())
def test_a_fee_is_that_of_the_rules_rounded_up_and_a_rebate_rounded_down(world):
    for fill in world.fills:
        taker = fill.liquidity is Liquidity.TAKER
        instrument = world.instrument
        expected = rules.trading_fee(
            quantity=fill.contracts,
            price=world.price(fill.price),
            fee_rate=rate(instrument.taker_fee if taker else instrument.maker_fee),
            contract_size=instrument.contract_size,
        )
        assert fill.fee == ceil(units(expected))


@given(held(), st.integers(1, 10**6))
def test_maintenance_margin_at_any_mark_is_that_of_the_tier_of_the_rules_rounded_up(world, mark):
    assume(world.position.contracts)
    world.apply(SetMark(SYMBOL, mark))
    view = world.position
    assume(view.contracts)
    instrument = world.instrument
    notional = instrument.notional(mark, abs(view.contracts))
    tier = world.table.tier_of(notional * UNIT)

    assert view.maintenance_margin == ceil(units(world.table.maintenance_margin(notional * UNIT)))
    assert view.maintenance_margin == units(
        rules.maintenance_margin(
            quantity=abs(view.contracts),
            price=world.price(mark),
            maintenance_margin_rate=tier.maintenance_margin_rate,
            maintenance_amount=tier.maintenance_amount,
            contract_size=instrument.contract_size,
            unit=UNIT,
        )
    )


@given(tiers(), st.integers(0, 10**16))
def test_deductions_and_every_margin_of_a_table_are_those_of_the_rules(table, notional):
    known = tier_table(table)

    assert core_tiers(known) == table
    for value in (notional, *(tier.floor for tier in table), *(tier.floor + 1 for tier in table)):
        expected = units(known.maintenance_margin(value * UNIT))
        assert maintenance_margin(table, value) == ceil(expected)


def test_every_real_table_can_be_listed_and_gives_the_margins_of_the_rules(real_tables):
    assert len(real_tables) > 100
    for symbol, table in real_tables.items():
        listed = core_tiers(table)
        leverage = listed[0].max_leverage
        instrument = Instrument(
            symbol=symbol,
            base=symbol,
            tick_size=UNIT_TICK,
            contract_size=UNIT_TICK,
            tiers=listed,
            max_leverage=leverage,
            default_leverage=1,
        )
        assert instrument.problem() is None
        for tier in listed:
            for notional in (tier.floor, tier.floor + 1, tier.floor * 3 // 2 + 12_345):
                expected = units(table.maintenance_margin(notional * UNIT))
                assert maintenance_margin(listed, notional) == ceil(expected)


@given(instruments(), sides, st.integers(1, 10**5), st.integers(2, 10**5), st.data())
def test_a_resting_order_holds_margin_open_loss_and_fee_of_the_rules(
    instrument, side, contracts, mark, data
):
    near, far = st.integers(-2, 2), st.integers(-mark // 3, mark // 3)
    price = max(1, mark + data.draw(st.one_of(near, far)))
    leverage = data.draw(st.integers(1, instrument.max_leverage))
    world = Held(instrument, leverage, mark)

    world.limit(1, side, contracts, price)
    orders = world.exchange.open_orders(1)
    assume(orders)  # not refused: the leverage is allowed for its notional

    cost = rules.order_cost(
        side="long" if side is Side.BUY else "short",
        quantity=contracts,
        price=world.price(price),
        leverage=leverage,
        fee_rate=rate(max(instrument.maker_fee, instrument.taker_fee)),
        mark_price=world.price(mark),
        contract_size=instrument.contract_size,
    )
    parts = (cost.initial_margin, cost.open_loss, cost.opening_fee, cost.closing_fee)
    assert orders[0].hold == sum(ceil(units(part)) for part in parts)
