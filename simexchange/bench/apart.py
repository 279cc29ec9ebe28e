"""One book measured in a process of its own."""

from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context

from simexchange.bench.timing import FrozenHeap, spent_ns
from simexchange.bench.workload import Workload, prepared_exchange

Round = Callable[[], tuple[float, str]]
"""Plays a workload on a fresh exchange; returns CPU µs an operation and the hash of its events."""

_given: list[Workload] = []  # in the process that measures: what


@contextmanager
def measured_apart(workload: Workload) -> Generator[Round]:
    """Give a round of ``workload``, to be played where no other one ever was.

    A deep book leaves the memory full of holes, into which the next exchange would have to fit: a
    shallow one after it takes a twentieth more. A process that serves has one exchange.
    """
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), initializer=_keep, initargs=(workload,)
    ) as process:
        yield lambda: process.submit(_round).result()


def _keep(workload: Workload) -> None:
    _given.append(workload)


def _round() -> tuple[float, str]:
    (workload,) = _given
    exchange = prepared_exchange(workload.setting_up)
    with FrozenHeap():
        spent = spent_ns(exchange, workload.measured)
    return spent / len(workload.measured) / 1_000, exchange.event_hash
