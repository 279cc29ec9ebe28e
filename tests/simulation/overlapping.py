"""Dispatchers of worlds: one leaves work out, one does not wait for what is on its way."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from random import Random
from typing import Any

from copyplugin.dispatch.stepped import SteppedDispatcher
from copyplugin.engine.surroundings import Work
from copyplugin.ports import Clock

STEPS_A_TASK = 20
LEFT_OUT = 0.3
"""How often the world goes on while calls are out."""


class WorldDispatcher(SteppedDispatcher):
    """Drops wake-ups for work that a world does without."""

    def __init__(self, clock: Clock, left_out: frozenset[str]) -> None:
        super().__init__(clock)
        self._left_out = left_out
        self.set_apart: Callable[[], None] = lambda: None
        """Called before and after commands are carried out: a world may let time pass there."""

    def serve(
        self, name: str, handler: Callable[[frozenset[int]], Coroutine[Any, Any, None]]
    ) -> None:
        super().serve(name, handler if name != Work.COMMANDS else self._apart(handler))

    def _apart(
        self, handler: Callable[[frozenset[int]], Coroutine[Any, Any, None]]
    ) -> Callable[[frozenset[int]], Coroutine[Any, Any, None]]:
        async def carried_out(keys: frozenset[int]) -> None:
            self.set_apart()
            await handler(keys)
            self.set_apart()

        return carried_out

    def announce(self, name: str, keys: Iterable[int] = ()) -> None:
        if name not in self._left_out:
            super().announce(name, keys)


class OverlappingDispatcher(WorldDispatcher):
    """Turns run while calls to the venue are out; a seed says which call comes back when."""

    def __init__(self, clock: Clock, left_out: frozenset[str], random: Random) -> None:
        super().__init__(clock, left_out)
        self._random = random
        self._out: list[asyncio.Future[None]] = []

    async def hold(self) -> None:
        """Keep a spawned call out until a step lets it back; others pass."""
        if asyncio.current_task() in self._spawned:
            held = asyncio.get_running_loop().create_future()
            self._out.append(held)
            await held

    async def settle(self) -> None:
        while True:
            self._take_due()
            ready = [name for name in self._handlers if name in self._keys]
            if ready:
                name = self._random.choice(ready)
                await self._handlers[name](frozenset(self._keys.pop(name)))
            elif not self._spawned or (self._out and self._random.random() < LEFT_OUT):
                return
            await self._let_one_back(at_once=not ready)

    async def let_all_back(self) -> None:
        """Hold nothing any more and wait for everything."""
        while self._spawned or self._keys:
            for held in self._out:
                held.set_result(None)
            self._out.clear()
            await self.settle()

    async def kill(self) -> None:
        self._out.clear()
        await super().kill()

    async def _let_one_back(self, *, at_once: bool) -> None:
        await self._let_tasks_run()
        if self._out and (at_once or self._random.random() < 0.5):
            self._out.pop(self._random.randrange(len(self._out))).set_result(None)
            await self._let_tasks_run()

    async def _let_tasks_run(self) -> None:
        for _ in range(STEPS_A_TASK):
            await asyncio.sleep(0)
        ended = [task for task in self._spawned if task.done()]
        self._spawned = [task for task in self._spawned if not task.done()]
        for task in ended:
            task.result()
