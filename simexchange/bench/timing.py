"""CPU time of one thread over commands that have just arrived."""

import gc
import time

from simexchange.bench.workload import PackedCommands, Stream, prepared_exchange, unpacked
from simexchange.collector import spare_what_lives
from simexchange.core.exchange import Exchange

CHUNK = 10_000


class FrozenHeap:
    """Let the collector treat the exchange as `simexchange serve` does, and then as before."""

    def __enter__(self) -> None:
        self._before = gc.get_threshold()
        spare_what_lives()

    def __exit__(self, *_: object) -> None:
        gc.unfreeze()
        gc.set_threshold(*self._before)


def spent_ns(exchange: Exchange, commands: PackedCommands, at: int = 0) -> int:
    """Apply the commands at `at`, `at` + 1, … and return what that took."""
    apply, spent = exchange.apply, 0
    for chunk in commands.arriving():
        start = time.thread_time_ns()
        for command in chunk:
            apply(command, at)
            at += 1
        spent += time.thread_time_ns() - start
    return spent


def arrival_us(commands: PackedCommands) -> float:
    """Return what it takes to make a command of its bytes and to let go of it, in microseconds."""
    spent = 0
    for content in commands.chunks:
        start = time.thread_time_ns()
        arrived = unpacked(content)
        arrived.clear()
        spent += time.thread_time_ns() - start
    return spent / len(commands) / 1_000


def late_ratio(*, orders: int, seed: int, accounts: int) -> float:
    """Return what the last 30 % of a long run cost over the first 30 %.

    The stream is made while it is applied, so that a million commands need not be kept.
    """
    stream = Stream(seed=seed, accounts=accounts)
    exchange = prepared_exchange(stream.setting_up)
    part = orders * 3 // 10
    first = _stretch_ns(exchange, stream, part)
    _stretch_ns(exchange, stream, orders - 2 * part)
    last = _stretch_ns(exchange, stream, part)
    return round(last / first, 3)


def _stretch_ns(exchange: Exchange, stream: Stream, orders: int) -> int:
    spent = 0
    for start in range(0, orders, CHUNK):
        commands = PackedCommands.of(stream.commands(min(CHUNK, orders - start)))
        with FrozenHeap():
            spent += spent_ns(exchange, commands, exchange.now)
    return spent
