"""The thread that writes: what is urgent first, nothing never, and each once."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copyplugin.store.writer_thread import PATIENCE_SECONDS, WriterThread


class Desk:
    """A writer that is busy until it is let, and a clock that stands still until it is set."""

    def __init__(self):
        self.time = 0.0
        self.done = []
        self.writer = WriterThread(now=lambda: self.time)
        self._is_free = threading.Event()
        self.writer.submit(self._is_free.wait, urgent=True)

    def ask(self, name, *, urgent):
        return self.writer.submit(lambda: self.done.append(name), urgent=urgent)

    def finish(self):
        self._is_free.set()
        self.writer.close()
        return self.done


def test_what_is_urgent_goes_before_what_was_asked_for_earlier():
    desk = Desk()

    desk.ask("statistics", urgent=False)
    desk.ask("first fill", urgent=True)
    desk.ask("second fill", urgent=True)

    assert desk.finish() == ["first fill", "second fill", "statistics"]


def test_what_has_waited_long_enough_goes_before_urgent_work_that_came_after():
    desk = Desk()

    desk.ask("statistics", urgent=False)
    desk.time = PATIENCE_SECONDS * 2
    desk.ask("fill", urgent=True)

    assert desk.finish() == ["statistics", "fill"]


def test_what_can_wait_does_not_slip_in_between_a_fill_and_its_orders():
    done = []
    writer = WriterThread(pause_seconds=600)

    fill = writer.submit(lambda: done.append("fill"), urgent=True)
    statistics = writer.submit(lambda: done.append("statistics"), urgent=False)
    fill.result()
    writer.submit(lambda: done.append("orders"), urgent=True).result()
    writer.close()

    assert done == ["fill", "orders", "statistics"]
    assert statistics.done()


def test_what_can_wait_runs_when_nothing_follows_on_what_was_urgent():
    done = []
    writer = WriterThread()

    writer.submit(lambda: done.append("fill"), urgent=True)
    writer.submit(lambda: done.append("statistics"), urgent=False).result(timeout=60)
    writer.close()

    assert done == ["fill", "statistics"]


@given(asked=st.lists(st.tuples(st.booleans(), st.integers(0, 100)), max_size=30))
def test_everything_runs_once_and_of_each_kind_in_the_order_it_was_asked_for(asked):
    desk = Desk()

    for number, (urgent, milliseconds) in enumerate(asked):
        desk.time += milliseconds / 1000
        desk.ask(number, urgent=urgent)

    done = desk.finish()
    assert sorted(done) == list(range(len(asked)))
    for kind in (True, False):
        of_kind = [number for number in done if asked[number][0] is kind]
        assert of_kind == sorted(of_kind)


def test_what_nobody_awaits_any_more_is_left_out_and_the_rest_runs():
    desk = Desk()

    desk.ask("given up", urgent=False).cancel()
    desk.ask("kept", urgent=False)

    assert desk.finish() == ["kept"]


def test_what_work_raises_reaches_whoever_asked_and_nobody_else():
    desk = Desk()

    failing = desk.writer.submit(lambda: 1 // 0, urgent=True)
    desk.ask("next", urgent=False)

    assert desk.finish() == ["next"]
    with pytest.raises(ZeroDivisionError):
        failing.result()
