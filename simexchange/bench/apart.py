"""One book measured in a process of its own."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import Self

from simexchange.bench.timing import FrozenHeap, spent_ns
from simexchange.bench.workload import Workload, prepared_exchange

_given: list[Workload] = []  # in the process that measures: what


class BookApart:
    """Measures one workload again and again where no other one was ever played.

    A deep book leaves the memory full of holes, into which the next exchange would have to fit: a
    shallow one after it takes a twentieth more. A process that serves has one exchange.
    """

    def __init__(self, workload: Workload) -> None:
        self._process = ProcessPoolExecutor(
            1, mp_context=get_context("spawn"), initializer=_keep, initargs=(workload,)
        )

    def us_per_order(self) -> tuple[float, str]:
        """Return CPU microseconds an operation on a fresh exchange, and the hash of its events."""
        return self._process.submit(_us_per_order).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.shutdown()


def _keep(workload: Workload) -> None:
    _given.append(workload)


def _us_per_order() -> tuple[float, str]:
    (workload,) = _given
    exchange = prepared_exchange(workload.setting_up)
    with FrozenHeap():
        spent = spent_ns(exchange, workload.measured)
    return spent / len(workload.measured) / 1_000, exchange.event_hash
