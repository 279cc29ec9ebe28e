"""Replaying recorded fills: what agrees, what is explained, and what is not booked."""

from decimal import Decimal

import pytest

from simexchange.core.types import PositionSide
from simexchange.market.fill_replay import replay_fills
from simexchange.market.fills import FillsError, read_fills

HEADER = (
    "Port_ID,list_index,time,symbol,side,price,fee,feeAsset,quantity,quantityAsset,"
    "realizedProfit,realizedProfitAsset,baseAsset,qty,positionSide,activeBuy"
)


@pytest.fixture
def replay(tmp_path):
    """Replay fills written as (side, price, quantity, fee, realised profit, position side)."""

    def replay_rows(*rows, symbol="BTCUSDT"):
        lines = [HEADER]
        for place, (side, price, quantity, fee, realized, position_side) in enumerate(rows):
            lines.append(
                f"7,{len(rows) - place},{1700000000000 + place * 1000},{symbol},{side},{price},"
                f"{fee},USDT,0,USDT,{realized},USDT,BTC,{quantity},{position_side},"
                f"{side == 'BUY'}"  # every fill a taker's
            )
        path = tmp_path / "fills.csv"
        path.write_text("\n".join(lines), encoding="utf-8")
        return replay_fills(read_fills(path))

    return replay_rows


def test_a_round_trip_agrees_with_its_record(replay):
    result = replay(
        ("BUY", "100.5", "2", "-0.1005", "0", "LONG"),
        ("SELL", "101.5", "2", "-0.1015", "2", "LONG"),
    )

    assert result.differing == []
    assert result.is_explained
    assert result.ledger_residue == 0
    assert result.leaders[0].realized_pnl == 2
    assert result.leaders[0].fee == Decimal("0.202")
    assert result.leaders[0].volume == 404
    assert result.leaders[0].open_positions == []


def test_long_and_short_of_one_symbol_are_two_positions(replay):
    result = replay(
        ("BUY", "100", "1", "-0.05", "0", "LONG"),
        ("SELL", "110", "1", "-0.055", "0", "SHORT"),
        ("BUY", "105", "1", "-0.0525", "5", "SHORT"),
    )

    assert result.differing == []
    [position] = result.leaders[0].open_positions
    assert (position.position_side, position.quantity) == (PositionSide.LONG, 1)
    assert position.entry_cost == 100


def test_a_close_beyond_the_known_position_books_the_known_part_alone(replay):
    result = replay(
        ("SELL", "100", "1", "-0.05", "0", "SHORT"),
        ("BUY", "90", "3", "-0.135", "45", "SHORT"),
        ("BUY", "80", "1", "-0.04", "20", "SHORT"),
    )

    partly, wholly = result.leaders[0].excess_rows
    assert (partly.excess, partly.realized_pnl, partly.fee) == (2, 10, Decimal("0.045"))
    assert (wholly.excess, wholly.realized_pnl, wholly.fee) == (1, 0, 0)
    assert [reason for _, reason in result.differing] == [
        "opened before the record (2 of 3)",
        "opened before the record (1 of 1)",
    ]
    assert result.is_explained
    assert all(row.fee_agrees for row in result.rows)  # compared for the whole row


def test_a_close_before_the_excess_shows_is_explained_by_it(replay):
    result = replay(
        ("BUY", "100", "1", "-0.05", "0", "LONG"),
        ("SELL", "110", "1", "-0.055", "20", "LONG"),  # half of what it closed was bought at 80
        ("SELL", "110", "1", "-0.055", "20", "LONG"),
    )

    assert [reason for _, reason in result.differing] == [
        "part of the position was opened before the record, as line 4 shows",
        "opened before the record (1 of 1)",
    ]
    assert result.is_explained


@pytest.mark.parametrize(
    ("fee", "realized"),
    [("-0.1", "10"), ("-0.05500002", "10"), ("-0.055", "10.000002"), ("-0.055", "-10")],
)
def test_a_row_that_nothing_explains_stays_unexplained(replay, fee, realized):
    result = replay(
        ("BUY", "100", "1", "-0.05", "0", "LONG"),
        ("SELL", "110", "1", fee, realized, "LONG"),
    )

    assert [reason for _, reason in result.differing] == [None]
    assert not result.is_explained


def test_a_wrong_fee_is_not_explained_by_an_excess(replay):
    result = replay(("SELL", "110", "1", "-0.5", "20", "LONG"))

    assert [reason for _, reason in result.differing] == [None]


@pytest.mark.parametrize(
    ("fee", "realized"), [("-0.05500001", "10.000001"), ("-0.05499999", "9.999999")]
)
def test_differences_of_exactly_the_tolerance_agree(replay, fee, realized):
    result = replay(
        ("BUY", "100", "1", "-0.05", "0", "LONG"),
        ("SELL", "110", "1", fee, realized, "LONG"),
    )

    assert result.differing == []


def test_a_one_way_account_turns_through_zero(replay):
    result = replay(
        ("BUY", "100", "1", "-0.05", "0", "BOTH"),
        ("SELL", "110", "3", "-0.165", "10", "BOTH"),
        ("BUY", "100", "2", "-0.1", "20", "BOTH"),
    )

    assert result.differing == []
    assert result.leaders[0].open_positions == []


def test_one_leader_in_two_position_modes_is_refused(replay):
    with pytest.raises(FillsError, match="line 3, column positionSide: BOTH stands beside"):
        replay(("BUY", "100", "1", "0", "0", "LONG"), ("BUY", "100", "1", "0", "0", "BOTH"))


def test_a_grid_too_fine_for_whole_money_units_is_refused(replay):
    with pytest.raises(FillsError, match="choose a larger tick size"):
        replay(("BUY", "0.000001", "0.001", "0", "0", "LONG"))


def test_a_record_of_impossible_size_is_refused_with_its_line(replay):
    with pytest.raises(FillsError, match="line 3: the rows up to here are worth more than"):
        replay(("BUY", "1", "1", "0", "0", "LONG"), ("BUY", "1000000", "1000", "0", "0", "LONG"))
