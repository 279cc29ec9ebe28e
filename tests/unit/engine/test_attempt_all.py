"""Doing the same for many."""

import pytest

from copyplugin.engine.attempts import attempt_all


async def test_everybody_has_his_turn_before_what_failed_is_raised():
    done: list[int] = []

    async def work(number: int) -> None:
        if number % 2:
            raise ValueError(number)
        done.append(number)

    with pytest.raises(ExceptionGroup) as caught:
        await attempt_all([1, 2, 3, 4], work)

    assert done == [2, 4]
    assert [error.args for error in caught.value.exceptions] == [(1,), (3,)]


async def test_the_end_of_the_process_stops_everything_at_once():
    done: list[int] = []

    async def work(number: int) -> None:
        done.append(number)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await attempt_all([1, 2], work)

    assert done == [1]
