"""How figures look."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web import formatting as f
from web.drawing import draw


@pytest.fixture(autouse=True)
def _in_a_request(app):
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1234.5", "+1,234.50"),
        ("-1234.5", "-1,234.50"),
        ("0", "0.00"),
        ("0.004", "0.00"),
        ("-0.004", "0.00"),
        ("0.005", "+0.01"),
        ("-0.005", "-0.01"),
        (None, "–"),
    ],
)
def test_a_sign_is_shown_unless_the_figure_rounds_to_zero(value, shown):
    assert f.signed(None if value is None else Decimal(value)) == shown


def test_ratios_are_percent_with_two_decimals():
    assert f.signed_percent(Fraction(1, 3)) == "+33.33%"
    assert f.percent(Fraction(2, 3)) == "66.67%"
    assert f.percent(None) == "–"


def test_prices_have_the_instruments_precision():
    assert f.price(Decimal("60000.123"), Decimal("0.10")) == "60,000.1"
    assert f.price(Decimal(5), Decimal("0.5")) == "5.0"
    assert f.price(Decimal(5), Decimal(10)) == "5"


def test_sizes_have_no_trailing_zeros():
    assert f.quantity(Decimal("0.0500")) == "0.05"
    assert f.quantity(Decimal(100)) == "100"


def test_spans_are_told_in_two_units():
    assert f.duration(timedelta(days=3, hours=4, minutes=9)) == "3 d 4 h"
    assert f.duration(timedelta(seconds=62)) == "1 min 2 s"
    assert f.duration(timedelta()) == "0 s"
    assert f.milliseconds(timedelta(microseconds=1001)) == "2 ms"


def test_times_are_utc():
    at = datetime(2026, 11, 22, 9, 5, 7, tzinfo=UTC)

    assert f.date_and_time(at) == "Nov 22, 2026, 09:05:07"
    assert f.iso(at) == "2026-11-22T09:05:07+00:00"


def test_long_names_are_cut_after_twenty_characters():
    assert f.short_name("a" * 20) == "a" * 20
    assert f.short_name("a" * 21) == "a" * 20 + "…"


money = st.integers(-(10**16), 10**16).map(lambda units: Decimal(units).scaleb(-8))


@given(value=money)
def test_an_exact_amount_reads_back_as_itself(value):
    shown = f.exact(value)

    assert Decimal((shown.coarse + shown.fine).replace(",", "")) == value
    assert len(shown.fine) == 6


@given(values=st.lists(money, min_size=2, max_size=60))
def test_a_drawing_stays_in_its_box(values):
    drawing = draw(values, width=100, height=40)
    points = [pair.split() for pair in drawing.line.removeprefix("M").split("L")]

    assert len(points) == len(values)
    assert all(0 <= float(x) <= 100.1 and 0 <= float(y) <= 40 for x, y in points)
    assert (drawing.low, drawing.high) == (min(values), max(values))


def test_one_point_is_no_line():
    assert draw([Decimal(1)], width=10, height=10) is None
