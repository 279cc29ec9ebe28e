from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from copyplugin.domain.fill import OrderSide
from copyplugin.store.columns import (
    MONEY_MAX,
    DecimalColumn,
    EnumColumn,
    MoneyColumn,
    UtcColumn,
)

DIALECTS = [sqlite.dialect(), postgresql.dialect()]
dialects = st.sampled_from(DIALECTS)
units = st.integers(-(2**63) + 1, 2**63 - 1)
exact = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30)


def there_and_back(column, value, dialect):
    stored = column.process_bind_param(value, dialect)
    return column.process_result_value(stored, dialect)


@given(units, dialects)
def test_every_amount_that_fits_comes_back_to_the_last_unit(number, dialect):
    amount = Decimal(number).scaleb(-8)

    assert there_and_back(MoneyColumn(), amount, dialect) == amount
    assert MoneyColumn().process_bind_param(amount, dialect) == number


@given(units, units, dialects)
def test_amounts_are_stored_in_their_order_and_their_sums_are_the_sums_stored(one, other, dialect):
    column = MoneyColumn()
    first, second = (Decimal(number).scaleb(-8) for number in (one, other))
    stored = [column.process_bind_param(amount, dialect) for amount in (first, second)]

    assert (stored[0] < stored[1]) == (first < second)
    assert column.process_result_value(sum(stored), dialect) == first + second


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("0.000000001", "round it first"),
        ("NaN", "round it first"),
        ("Infinity", "round it first"),
        ("92233720368.54775808", "the largest amount that is stored"),
        ("-92233720368.54775808", "the largest amount that is stored"),
        ("1E+20", "the largest amount that is stored"),
    ],
)
def test_an_amount_that_cannot_be_stored_says_why(amount, sentence):
    with pytest.raises(ValueError, match=sentence):
        MoneyColumn().process_bind_param(Decimal(amount), DIALECTS[0])


def test_the_largest_amount_fits():
    assert there_and_back(MoneyColumn(), MONEY_MAX, DIALECTS[0]) == MONEY_MAX


@given(exact, dialects)
def test_a_price_comes_back_digit_by_digit(price, dialect):
    try:
        found = there_and_back(DecimalColumn(), price, dialect)
    except ValueError:
        assert len(f"{price:f}") > 80
    else:
        assert found == price


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1E+90"])
def test_a_price_that_is_no_number_or_too_long_is_refused(text):
    with pytest.raises(ValueError, match=r"can be stored|more than 80"):
        DecimalColumn().process_bind_param(Decimal(text), DIALECTS[0])


@given(
    st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001 - the strategy adds the zone
    st.integers(-14 * 60, 14 * 60),
    dialects,
)
def test_a_time_comes_back_as_the_same_moment_in_utc(naive, minutes, dialect):
    at = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))

    found = there_and_back(UtcColumn(), at, dialect)

    assert found == at
    assert found.tzinfo is UTC


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="no time zone"):
        UtcColumn().process_bind_param(datetime(2026, 3, 1), DIALECTS[0])  # noqa: DTZ001 - the fault


def test_a_word_that_is_not_in_the_list_is_an_error_both_ways():
    column = EnumColumn(OrderSide)

    with pytest.raises(ValueError, match="sideways"):
        column.process_bind_param("sideways", DIALECTS[0])
    with pytest.raises(ValueError, match="sideways"):
        column.process_result_value("sideways", DIALECTS[0])
    assert there_and_back(column, OrderSide.BUY, DIALECTS[0]) is OrderSide.BUY


@pytest.mark.parametrize(
    "column", [MoneyColumn(), DecimalColumn(), UtcColumn(), EnumColumn(OrderSide)]
)
def test_nothing_is_stored_as_nothing(column):
    assert there_and_back(column, None, DIALECTS[0]) is None
