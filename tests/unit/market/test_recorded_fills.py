"""Recorded fills are read whole or refused with a line and a column."""

from decimal import Decimal

import pytest

from simexchange.core.types import Liquidity, PositionSide, Side
from simexchange.market.fills import FillsError, Precision, decimals_of, read_fills

HEADER = (
    "Port_ID,list_index,time,symbol,side,price,fee,feeAsset,quantity,quantityAsset,"
    "realizedProfit,realizedProfitAsset,baseAsset,qty,positionSide,activeBuy"
)
OPEN = (
    "7,1,1718899616000,DOGEUSDT,BUY,0.12182,-0.00828375,USDT,1,USDT,0.0,USDT,DOGE,136.0,LONG,True"
)
CLOSE = (
    "7,0,1718899618000,DOGEUSDT,SELL,0.1220,-0.0033,USDT,1,USDT,0.0245,USDT,DOGE,136.0,LONG,True"
)


@pytest.fixture
def write(tmp_path):
    def write_file(*lines, newline="\r\n", encoding="utf-8"):
        path = tmp_path / "fills.csv"
        path.write_bytes((newline.join(lines) + newline).encode(encoding))
        return path

    return write_file


def with_field(row, column, text):
    fields = row.split(",")
    fields[HEADER.split(",").index(column)] = text
    return ",".join(fields)


def test_a_row_becomes_a_fill_with_exact_numbers_and_our_signs(write):
    fill = read_fills(write(HEADER, CLOSE, OPEN)).by_leader["7"][0]

    assert (fill.line, fill.list_index, fill.time_ms) == (3, 1, 1718899616000)
    assert (fill.side, fill.position_side) == (Side.BUY, PositionSide.LONG)
    assert (fill.price, fill.quantity) == (Decimal("0.12182"), Decimal(136))
    assert fill.fee == Decimal("0.00828375")  # paid, so positive here
    assert fill.liquidity is Liquidity.TAKER


@pytest.mark.parametrize(
    ("side", "buyer_is_taker", "liquidity"),
    [
        ("BUY", "True", Liquidity.TAKER),
        ("BUY", "False", Liquidity.MAKER),
        ("SELL", "True", Liquidity.MAKER),
        ("SELL", "False", Liquidity.TAKER),
    ],
)
def test_the_taker_is_the_buyer_exactly_when_the_record_says_so(
    write, side, buyer_is_taker, liquidity
):
    row = with_field(with_field(OPEN, "side", side), "activeBuy", buyer_is_taker)

    assert read_fills(write(HEADER, row)).by_leader["7"][0].liquidity is liquidity


def test_a_leader_trades_in_descending_list_index_whatever_the_order_of_the_rows(write):
    for rows in ((CLOSE, OPEN), (OPEN, CLOSE)):
        fills = read_fills(write(HEADER, *rows)).by_leader["7"]

        assert [fill.list_index for fill in fills] == [1, 0]


def test_leaders_interleave_by_time_and_keep_their_own_order(write):
    other = with_field(with_field(OPEN, "Port_ID", "8"), "time", "1718899617000")
    record = read_fills(write(HEADER, CLOSE, OPEN, other))

    assert [fill.leader for fill in record.in_trading_order()] == ["7", "8", "7"]
    assert record.leaders == ("7", "8")
    assert record.only("8").leaders == ("8",)


def test_precisions_are_the_finest_decimals_of_a_symbol(write):
    record = read_fills(write(HEADER, with_field(CLOSE, "qty", "1.50"), OPEN))

    assert record.precisions == {"DOGEUSDT": Precision(price_decimals=5, quantity_decimals=1)}
    assert record.precisions["DOGEUSDT"].tick_size == Decimal("0.00001")
    assert record.precisions["DOGEUSDT"].contract_size == Decimal("0.1")


@pytest.mark.parametrize(
    ("text", "decimals"),
    [("15.0", 0), ("0.120", 2), ("1e-05", 5), ("1E+3", 0), ("0", 0), ("0.000", 0), ("100", 0)],
)
def test_decimals_are_counted_without_trailing_zeros(text, decimals):
    assert decimals_of(Decimal(text)) == decimals


def test_fills_of_one_second_symbol_side_and_position_side_are_one_order(write):
    rows = [
        with_field(OPEN, "list_index", "5"),
        with_field(with_field(OPEN, "list_index", "4"), "time", "1718899616999"),
        with_field(with_field(OPEN, "list_index", "3"), "side", "SELL"),
        with_field(with_field(OPEN, "list_index", "2"), "positionSide", "SHORT"),
        with_field(OPEN, "time", "1718899617000"),
    ]
    record = read_fills(write(HEADER, *rows))

    assert [len(order.fills) for order in record.orders("7")] == [2, 1, 1, 1]
    assert record.orders("7")[0].quantity == 272
    assert record.order_count == 4


@pytest.mark.parametrize(
    ("column", "text", "sentence"),
    [
        ("price", "cheap", "line 3, column price: 'cheap' is not a number"),
        ("price", "NaN", "line 3, column price: 'NaN' is not a finite number"),
        ("price", "0", "line 3, column price: 0 is not above zero"),
        ("price", "1e999999", "line 3, column price: 1e999999 is beyond"),
        ("fee", "1e-900", "line 3, column fee: 1e-900 is beyond"),
        ("qty", "-3", "line 3, column qty: -3 is not above zero"),
        ("qty", "", "line 3, column qty: is empty"),
        ("side", "HOLD", "line 3, column side: 'HOLD' is not one of BUY, SELL"),
        ("positionSide", "UP", "line 3, column positionSide: 'UP' is not one of"),
        ("activeBuy", "maybe", "line 3, column activeBuy: 'maybe' is not one of"),
        ("feeAsset", "BNB", "line 3, column feeAsset: 'BNB' is not one of USDT"),
        ("time", "yesterday", "line 3, column time: 'yesterday' is not a whole number"),
        ("time", "1" * 30, f"line 3, column time: {'1' * 30} is too large"),
        ("list_index", "1.5", "line 3, column list_index: '1.5' is not a whole number"),
        ("list_index", "0", "line 3, column list_index: 0 is already on line 2 for leader 7"),
        ("Port_ID", "", "line 3, column Port_ID: is empty"),
    ],
)
def test_a_bad_value_is_refused_with_its_line_and_column(write, column, text, sentence):
    path = write(HEADER, CLOSE, with_field(OPEN, column, text))

    with pytest.raises(FillsError) as refusal:
        read_fills(path)

    assert str(refusal.value).startswith(sentence)
    assert (refusal.value.line, refusal.value.column) == (3, column)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (("",), "is empty"),
        ((HEADER,), "has a header but no fill"),
        ((HEADER.replace(",qty", ",amount"), OPEN), "line 1: the header has no column qty"),
        ((HEADER.replace(",", ";"), OPEN.replace(",", ";")), "separated by semicolons; use commas"),
        ((HEADER.replace(",", "\t"), OPEN), "separated by tabs; use commas"),
        ((HEADER.replace("baseAsset", "price"), OPEN), "column price: the header names this col"),
        ((HEADER, OPEN + ",more"), "line 2: 17 fields where the header has 16"),
        ((HEADER, CLOSE, OPEN[:24]), "line 3: 4 fields where the header has 16"),
        ((HEADER, CLOSE, '"' + OPEN), "line 3: not a CSV row"),
        ((HEADER, CLOSE, OPEN.replace("DOGE", "\0")), "line 3, column symbol: '\\x00USDT' holds"),
    ],
)
def test_a_malformed_file_is_refused_with_what_to_change(write, lines, sentence):
    with pytest.raises(FillsError) as refusal:
        read_fills(write(*lines))

    assert sentence in str(refusal.value)


def test_text_in_another_encoding_is_refused(write):
    path = write(HEADER, OPEN.replace("DOGEUSDT", "ДОГ"), encoding="utf-16")

    with pytest.raises(FillsError, match="not UTF-8 text"):
        read_fills(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(FillsError, match=r"cannot read .*No such file"):
        read_fills(tmp_path / "nowhere.csv")


def test_a_byte_order_mark_and_blank_lines_do_no_harm(write):
    path = write(HEADER, "", OPEN, "", encoding="utf-8-sig")

    assert len(read_fills(path)) == 1


def test_a_leader_that_is_not_there_is_refused_with_those_that_are(write):
    with pytest.raises(FillsError, match="no leader '9'; it has 7"):
        read_fills(write(HEADER, OPEN)).only("9")
