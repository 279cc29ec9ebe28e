"""What the laws of the rules draw from: positions, rates, tier tables, rule sets."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st

from simexchange.rules import (
    BINANCE,
    BYBIT,
    BYBIT_INVERSE,
    CHAINUP,
    OURS,
    Position,
    TierTable,
)

sides = st.sampled_from(["long", "short"])
order_sides = st.sampled_from(["BUY", "SELL"])
contract_types = st.sampled_from(["linear", "inverse"])


def decimals(least, most, places):
    """Return decimals between two whole numbers with at most so many places."""
    scale = 10**places
    return st.integers(least * scale, most * scale).map(lambda n: Decimal(n) / scale)


def ratios(least, most):
    """Return ratios between two numbers of ten-thousandths."""
    return st.integers(least, most).map(lambda n: Fraction(n, 10_000))


prices = decimals(1, 100_000, 2)
quantities = st.integers(1, 10**7).map(lambda n: Decimal(n) / 1000)
leverages = st.integers(1, 125)
fee_rates = ratios(0, 100)
margin_rates = ratios(0, 3000)
positions = st.builds(Position.of, sides, quantities, prices, st.just(1), contract_types)
linear_positions = st.builds(Position.of, sides, quantities, prices)

# One rule set for each way of counting margin and fee.
rule_sets = st.sampled_from([OURS, BINANCE, BYBIT, BYBIT_INVERSE, CHAINUP])


@st.composite
def tier_tables(draw):
    """Return a table with up to five tiers whose rates rise and whose leverage falls."""
    steps = draw(st.lists(st.integers(1, 10**6), max_size=4))
    rates = sorted(
        draw(st.lists(ratios(1, 4000), min_size=len(steps) + 1, max_size=len(steps) + 1))
    )
    rows, floor = [], 0
    for index, rate in enumerate(rates):
        # The greatest whole leverage that still leaves initial margin above maintenance margin.
        rows.append((floor, rate, -(-1 // rate) - 1))
        floor += steps[index] if index < len(steps) else 0
    return TierTable.from_rates(rows)
