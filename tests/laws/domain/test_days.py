"""Days of a time zone follow each other without a gap and without an overlap."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyplugin.domain.days import day_begins, day_of, span_of_day

ZONES = [
    ZoneInfo(name)
    for name in ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu")
]
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive by contract


@given(MOMENTS, st.sampled_from(ZONES))
def test_every_moment_lies_in_its_own_day_and_in_no_other(at, zone):
    day = day_of(at, zone)

    assert at in span_of_day(day, zone)
    assert at not in span_of_day(day - timedelta(days=1), zone)
    assert at not in span_of_day(day + timedelta(days=1), zone)


@given(st.dates(date(2000, 1, 1), date(2060, 1, 1)), st.sampled_from(ZONES))
def test_a_day_ends_where_the_next_begins(day, zone):
    span = span_of_day(day, zone)

    assert span.ends == day_begins(day + timedelta(days=1), zone)
    assert timedelta(hours=23) <= span.ends - span.begins <= timedelta(hours=25)


@pytest.mark.parametrize(
    ("zone", "day", "begins"),
    [
        ("Asia/Shanghai", date(2026, 3, 1), datetime(2026, 2, 28, 16, tzinfo=UTC)),
        # Brazil moved its clocks at midnight: the day began at one o'clock.
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        # ... and had two midnights when it moved them back: the last hour came twice before it.
        ("America/Sao_Paulo", date(2018, 2, 18), datetime(2018, 2, 18, 3, tzinfo=UTC)),
    ],
)
def test_a_day_begins_where_its_clocks_say(zone, day, begins):
    assert day_begins(day, ZoneInfo(zone)) == begins


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 10, 26), 24),
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # begins at one
        ("America/Sao_Paulo", date(2018, 2, 17), 25),  # its last hour came twice
        ("America/Havana", date(2026, 11, 1), 25),  # midnight came twice, the first one counts
        ("Africa/Cairo", date(2026, 4, 24), 23),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
    ],
)
def test_a_day_on_which_clocks_are_moved_is_as_long_as_it_is(zone, day, hours):
    span = span_of_day(day, ZoneInfo(zone))

    assert span.ends - span.begins == timedelta(hours=hours)
    last = span.ends - timedelta(microseconds=1)
    assert day_of(span.begins, ZoneInfo(zone)) == day_of(last, ZoneInfo(zone)) == day
