"""Laws of margin tiers: nothing jumps where two of them meet."""

import gzip
import json
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from simexchange.rules import tier_tables_from_brackets
from tests.laws.rules.rule_strategies import tier_tables

notionals = st.integers(0, 10**9).map(lambda n: Decimal(n) / 100)
SMALL = Fraction(1, 10**9)


@given(tier_tables(), notionals)
def test_the_maintenance_amount_is_each_slice_at_its_own_rate(tiers, notional):
    assert tiers.maintenance_margin(notional) == tiers.maintenance_margin_by_slices(notional)


@given(tier_tables())
def test_maintenance_margin_does_not_jump_where_two_tiers_meet(tiers):
    for tier in tiers.tiers[1:]:
        edge = Fraction(tier.floor)
        below = Fraction(tiers.maintenance_margin(edge - SMALL))
        above = Fraction(tiers.maintenance_margin(edge + SMALL))

        assert 0 <= above - below <= 2 * SMALL * Fraction(tier.maintenance_margin_rate)


@given(tier_tables(), notionals, notionals)
def test_a_larger_position_never_needs_less_margin(tiers, one, other):
    small, large = sorted([one, other])

    assert tiers.maintenance_margin(small) <= tiers.maintenance_margin(large)


@given(tier_tables(), notionals)
def test_initial_margin_at_full_leverage_exceeds_maintenance_margin(tiers, notional):
    initial = Fraction(notional) / Fraction(tiers.maximum_leverage(notional))

    assert initial > Fraction(tiers.maintenance_margin(notional)) or notional == 0


def test_the_laws_hold_for_every_bracket_of_a_real_venue(shared_data):
    file = shared_data / "leverage_tiers/binance_leverage_tiers_20241024.json.gz"
    with gzip.open(file, "rt") as opened:
        tables = tier_tables_from_brackets(json.load(opened))

    edges = [(table, tier.floor) for table in tables.values() for tier in table.tiers[1:]]

    assert len(tables) == 349
    assert len(edges) == 2456
    for table, edge in edges:
        assert table.maintenance_margin(edge) == table.maintenance_margin_by_slices(edge)
        assert table.maintenance_margin(edge + 1) == table.maintenance_margin_by_slices(edge + 1)
