"""Laws of the fill replay, against an oracle that keeps averages as exact fractions."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType

from hypothesis import given, settings
from hypothesis import strategies as st

from simexchange.core.types import Liquidity, PositionSide, Side
from simexchange.market.fill_replay import replay_fills
from simexchange.market.fills import Precision, RecordedFill, RecordedFills

UNIT = Decimal("1e-8")


@st.composite
def fills(draw):
    """One leader's fills in one symbol, both sides, sometimes closing more than is open."""
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from([PositionSide.LONG, PositionSide.SHORT]),
                st.sampled_from([Side.BUY, Side.SELL]),
                st.integers(1, 10**6),
                st.integers(1, 500),
                st.sampled_from(Liquidity),
            ),
            min_size=1,
            max_size=30,
        )
    )
    return [
        RecordedFill(
            line=place + 2,
            leader="L",
            list_index=len(rows) - place,
            time_ms=place * 500,
            symbol="XUSDT",
            side=side,
            position_side=position_side,
            price=Decimal(ticks).scaleb(-2),
            quantity=Decimal(contracts).scaleb(-3),
            fee=Decimal(0),
            realized_pnl=Decimal(0),
            liquidity=liquidity,
        )
        for place, (position_side, side, ticks, contracts, liquidity) in enumerate(rows)
    ]


def record_of(rows):
    return RecordedFills(
        Path("made.csv"),
        MappingProxyType({"L": tuple(rows)}),
        MappingProxyType({"XUSDT": Precision(price_decimals=2, quantity_decimals=3)}),
    )


def average_entry_oracle(rows):
    """Yield the exact profit of each fill, and how much of it no known position covers."""
    held = {PositionSide.LONG: Fraction(0), PositionSide.SHORT: Fraction(0)}
    cost = dict(held)
    for fill in rows:
        leg, quantity, price = fill.position_side, Fraction(fill.quantity), Fraction(fill.price)
        if fill.side == leg:
            held[leg] += quantity
            cost[leg] += quantity * price
            yield Fraction(0), Fraction(0)
            continue
        closed = min(quantity, held[leg])
        share = cost[leg] * closed / held[leg] if closed else Fraction(0)
        held[leg] -= closed
        cost[leg] -= share
        yield leg * (closed * price - share), quantity - closed


@settings(deadline=None, max_examples=60)
@given(fills())
def test_profit_follows_the_average_entry_to_a_money_unit_a_close(rows):
    replay = replay_fills(record_of(rows))

    expected = average_entry_oracle(rows)
    for place, (row, (profit, excess)) in enumerate(zip(replay.rows, expected, strict=True)):
        assert row.excess == excess
        assert abs(Fraction(row.realized_pnl) - profit) <= place * Fraction(UNIT)


@settings(deadline=None, max_examples=60)
@given(fills())
def test_a_position_closed_to_the_last_contract_realises_exactly_its_cash_flow(rows):
    for row in rows[:]:  # close what each side of the record leaves open
        rows.append(
            replace(row, side=Side(-row.side), list_index=-len(rows), time_ms=len(rows) * 500)
        )
    replay = replay_fills(record_of(rows))

    cash = sum(
        -row.fill.side * row.fill.price * (row.fill.quantity - row.excess) for row in replay.rows
    )
    still_held = sum(
        position.entry_cost * position.position_side
        for position in replay.leaders[0].open_positions
    )
    assert replay.leaders[0].realized_pnl == cash + still_held
    assert replay.ledger_residue == 0


@settings(deadline=None, max_examples=60)
@given(fills())
def test_a_record_made_of_the_replay_agrees_with_it(rows):
    first = replay_fills(record_of(rows))
    recorded = [
        replace(row.fill, fee=row.full_fee, realized_pnl=row.realized_pnl) for row in first.rows
    ]
    again = replay_fills(record_of(recorded))

    assert again.differing == []
    assert again.event_hash == first.event_hash
