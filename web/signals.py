"""Ctrl-C, and the request to end that a supervisor sends."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from threading import Event


@contextmanager
def stop_on_signal() -> Generator[Event]:
    """Yield an event that is set by the first signal; a second one ends the process at once."""
    stop = Event()

    def ask(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        stop.set()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
