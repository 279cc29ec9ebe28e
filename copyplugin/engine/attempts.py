"""Doing the same for many, so that one that fails stops nobody else."""

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


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
