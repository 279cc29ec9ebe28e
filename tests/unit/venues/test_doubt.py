"""An order that the venue does not know is lost only when it could not arrive any more."""

import asyncio
from datetime import timedelta

import pytest

from copyplugin.domain.identifiers import AccountId, ClientOrderId
from copyplugin.errors import VenueUnavailable
from copyplugin.venues.ccxt.doubt import CLOCKS_APART_SECONDS, Doubts

ME, ORDER, OTHER = AccountId("7"), ClientOrderId("cpL1S1"), ClientOrderId("cpL1S2")
WINDOW = timedelta(milliseconds=50)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def pass_window(self) -> None:
        self.seconds += WINDOW.total_seconds() + CLOCKS_APART_SECONDS


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(Doubts, "_now", staticmethod(lambda: made.seconds))
    return made


def test_what_an_earlier_process_sent_may_still_arrive(clock: Clock) -> None:
    doubts = Doubts(WINDOW)
    doubts.asked()
    with pytest.raises(VenueUnavailable, match="may still arrive"):
        doubts.check_over(ME, ORDER)
    clock.pass_window()
    doubts.check_over(ME, ORDER)


def test_what_was_not_answered_may_arrive_until_its_window_has_passed(clock: Clock) -> None:
    doubts = Doubts(WINDOW)
    doubts.asked()
    clock.pass_window()
    doubts.sent(ME, ORDER).remains()
    doubts.check_over(ME, OTHER)
    with pytest.raises(VenueUnavailable, match="may still arrive"):
        doubts.check_over(ME, ORDER)
    clock.pass_window()
    doubts.check_over(ME, ORDER)


def test_an_acknowledged_order_is_never_lost_however_late_it_is_listed(clock: Clock) -> None:
    doubts = Doubts(WINDOW)
    doubts.asked()
    sending = doubts.sent(ME, ORDER)
    sending.remains()
    sending.is_acknowledged()
    for _ in range(100):
        clock.pass_window()
        with pytest.raises(VenueUnavailable, match="not listed yet"):
            doubts.check_over(ME, ORDER)
    doubts.forget((ME, ORDER))  # found
    doubts.check_over(ME, ORDER)


def test_only_so_many_acknowledged_orders_are_remembered(clock: Clock, monkeypatch) -> None:
    monkeypatch.setattr("copyplugin.venues.ccxt.doubt.ACKNOWLEDGED_MAX", 1)
    doubts = Doubts(WINDOW)
    doubts.asked()
    clock.pass_window()
    for name in (ORDER, OTHER):
        doubts.sent(ME, name).is_acknowledged()
    doubts.check_over(ME, ORDER)
    with pytest.raises(VenueUnavailable):
        doubts.check_over(ME, OTHER)


async def test_time_is_the_loops() -> None:
    assert Doubts._now() == pytest.approx(asyncio.get_running_loop().time(), abs=1)
