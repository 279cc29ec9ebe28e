"""What the wire has as text is had as the same number, digit by digit, and never as a float."""

from dataclasses import fields, is_dataclass
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.fill import MarginMode, PositionSide
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import MONEY_STEP, Contracts, Money, Ratio, is_storable, total
from copyplugin.errors import VenueUnavailable
from copyplugin.venues.ccxt import binance_rows, bybit_rows
from copyplugin.venues.ccxt.answers import exact_json
from copyplugin.venues.ccxt.texts import (
    charge_of,
    contracts_of,
    credit_of,
    decimal_of,
    plain,
    quantity_text,
)

ME = AccountId("7")
BTC = Instrument(
    symbol=Symbol("BTCUSDT"),
    base="BTC",
    settle="USDT",
    tick_size=Decimal("0.1"),
    contract_size=Decimal("0.001"),
    contracts_min=Contracts(1),
    contracts_max=Contracts(10**6),
    notional_min=Money(Decimal(5)),
    leverage_max=Ratio(Decimal(100)),
    maker_fee=Ratio(Decimal("0.0002")),
    taker_fee=Ratio(Decimal("0.0005")),
)
amounts = st.decimals(-(10**12), 10**12, places=18, allow_nan=False).map(lambda d: format(d, "f"))
prices = st.integers(1, 10**9).map(lambda n: format(Decimal(n).scaleb(-1), "f"))
sizes = st.integers(1, 10**6)


def numbers_of(value: object) -> list[object]:
    if is_dataclass(value):
        return [n for field in fields(value) for n in numbers_of(getattr(value, field.name))]
    if isinstance(value, tuple):
        return [n for each in value for n in numbers_of(each)]
    return [value]


def assert_no_float(value: object) -> None:
    assert not any(isinstance(number, float) for number in numbers_of(value))


@given(price=prices, size=sizes, fee=amounts, profit=amounts)
def test_an_execution_of_bybit_keeps_its_digits(price, size, fee, profit) -> None:
    row = {
        "symbol": "BTCUSDT",
        "orderId": "o",
        "side": "Buy",
        "execId": "e",
        "execTime": "1700000000001",
        "execPrice": price,
        "execQty": quantity_text(size, BTC.contract_size),
        "execFee": fee,
        "execPnl": profit,
        "execType": "Trade",
        "isMaker": False,
        "closedSize": "0",
        "orderQty": quantity_text(size, BTC.contract_size),
    }
    own = bybit_rows.own_fill_from(row, BTC)
    leg = (PositionSide.LONG, Ratio(Decimal(10)))
    told = bybit_rows.leader_fill_from(row, BTC, ME, leg, MarginMode.CROSS)
    for fill in (own, told):
        assert (fill.price, fill.fee, fill.realized_pnl) == (
            Decimal(price),
            Decimal(fee),
            Decimal(profit),
        )
        assert fill.contracts == size
        assert_no_float(fill)
    assert own.venue_fill_id == told.venue_fill_id


@given(price=prices, size=sizes, fee=amounts, profit=amounts)
def test_a_trade_of_binance_keeps_its_digits(price, size, fee, profit) -> None:
    row = {
        "symbol": "BTCUSDT",
        "id": 3,
        "orderId": 5,
        "side": "SELL",
        "positionSide": "LONG",
        "price": price,
        "qty": quantity_text(size, BTC.contract_size),
        "commission": fee,
        "realizedPnl": profit,
        "maker": True,
        "time": 1700000000001,
    }
    settings = {"leverage": "10", "marginType": "ISOLATED"}
    own = binance_rows.own_fill_from(row, BTC)
    told = binance_rows.leader_fill_from(row, None, ME, BTC, settings)
    for fill in (own, told):
        assert (fill.price, fill.fee, fill.realized_pnl) == (
            Decimal(price),
            Decimal(fee),
            Decimal(profit),
        )
        assert fill.contracts == size
        assert_no_float(fill)
    assert told.contracts_closed == size
    assert own.venue_fill_id == told.venue_fill_id


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_a_number_that_json_writes_without_quotes_is_not_rounded(number) -> None:
    text = format(number, "f")
    read = exact_json(f'{{"a": {text}, "b": "{text}"}}')
    assert decimal_of(read, "a") == decimal_of(read, "b") == number


@given(st.floats())
def test_a_float_is_never_taken_for_an_amount(number) -> None:
    with pytest.raises(VenueUnavailable, match="as float"):
        decimal_of({"a": number}, "a")


@pytest.mark.parametrize("text", ["abc", "NaN", "Infinity", "1,5", [], {}])
def test_what_is_no_number_is_no_answer(text) -> None:
    with pytest.raises(VenueUnavailable):
        decimal_of({"a": text}, "a")
    with pytest.raises(VenueUnavailable, match="lacks b"):
        decimal_of({"a": "1"}, "b")


@given(sizes, st.sampled_from(["0.001", "1", "10", "0.00000001"]))
def test_contracts_survive_the_wire(count: int, unit: str) -> None:
    text = quantity_text(count, Decimal(unit))
    assert contracts_of(Decimal(text), Decimal(unit), "qty") == count
    assert "E" not in text


def test_a_part_of_a_contract_is_not_rounded_away() -> None:
    with pytest.raises(VenueUnavailable, match="no multiple"):
        contracts_of(Decimal("0.0015"), Decimal("0.001"), "qty")


def test_a_small_number_is_written_plainly() -> None:
    assert plain(Decimal("1E-8")) == "0.00000001"


@given(st.lists(st.tuples(amounts, amounts), max_size=40))
def test_books_of_a_venue_that_counts_finer_never_say_more_than_its_wallet_has(fills) -> None:
    booked, wallet = Decimal(0), Decimal(0)
    for profit, fee in fills:
        row = {"profit": profit, "fee": fee}  # charges are negative there
        booked = total(booked, credit_of(row, "profit"), -charge_of(row, "fee"))
        wallet = total(wallet, Decimal(profit), Decimal(fee))
    assert is_storable(booked)
    assert 0 <= total(wallet, -booked) < MONEY_STEP * 2 * max(len(fills), 1)
