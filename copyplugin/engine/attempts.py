"""Doing the same for many, so that one that fails stops nobody else."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Hashable, Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
R = TypeVar("R")


async def attempt_all(items: Iterable[T], work: Callable[[T], Awaitable[object]]) -> None:
    """Do the work for each item in order, then raise what failed, all of it together."""
    failures: list[Exception] = []
    for item in items:
        try:
            await work(item)
        except Exception as error:  # noqa: BLE001 - raised below, when everybody had his turn
            failures.append(error)
    if failures:
        raise ExceptionGroup(f"{len(failures)} failed", failures)


async def answers_of(
    items: Iterable[K], ask: Callable[[K], Awaitable[R]], *, at_once: int
) -> tuple[dict[K, R], list[Exception]]:
    """Ask for each item, so many at a time; return the answers, and what failed."""
    waiting, answers, failures = iter(items), dict[K, R](), list[Exception]()

    async def work() -> None:
        for item in waiting:
            try:
                answers[item] = await ask(item)
            except Exception as error:  # noqa: BLE001 - handed on, when everybody had his turn
                failures.append(error)

    tasks = [asyncio.ensure_future(work()) for _ in range(at_once)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    return answers, failures


def in_sets(items: Sequence[T], size: int) -> Generator[Sequence[T]]:
    """Yield the items in their order, so many at a time."""
    for first in range(0, len(items), size):
        yield items[first : first + size]
