"""The jobs that run by the clock: each measured, none ever twice at a time."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from copyplugin.engine.surroundings import Surroundings
from copyplugin.store import job_runs

Job = Callable[[], Coroutine[Any, Any, int | None]]
"""Returns how much it left undone, where it can tell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cadence:
    seconds: int
    job: Job


class JobBook:
    """Puts jobs on the dispatcher's clock and writes down how each run went."""

    def __init__(self, around: Surroundings, jobs: Mapping[str, Cadence]) -> None:
        self._around = around
        for name, cadence in jobs.items():
            around.dispatcher.every(cadence.seconds, name, self._measured(name, cadence.job))

    def _measured(self, name: str, job: Job) -> Callable[[], Coroutine[Any, Any, None]]:
        database, clock = self._around.database, self._around.clock

        async def run() -> None:
            started_at = clock.now()
            await database.write(lambda s: job_runs.job_started(s, name, at=started_at))
            backlog: int | None = None
            failure: str | None = None
            try:
                backlog = await job()
            except Exception as error:
                failure = f"{type(error).__name__}: {error}"
                raise
            finally:
                finished_at = clock.now()
                await database.write(
                    lambda s: job_runs.job_finished(
                        s, name, backlog=backlog, error=failure, at=finished_at
                    )
                )

        return run
