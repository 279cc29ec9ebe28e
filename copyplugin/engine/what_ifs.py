"""What-ifs for pages (B6): each is computed in a process of its own and answers its command.

A replay of thousands of fills takes seconds of computing, which copying must not wait for. One runs
at a time; what was not finished when a process died is computed again, since it changes nothing.
"""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.identifiers import CommandId
from copyplugin.engine.arguments import Arguments
from copyplugin.engine.surroundings import Surroundings
from copyplugin.errors import Refused
from copyplugin.store.rows import CommandRow

PROGRAM = (sys.executable, "-m", "copyplugin", "what-if", "--json", "-")
DATABASE = "COPYPLUGIN_DATABASE_URL"
WAITING_MAX = 10
SECONDS_MAX = 60
DOES_NOT_ADD_UP = 1
NUMBERS = ("factor", "order_margin")

TOO_MANY = "Many what-ifs are being computed now: try again in a minute."
TOO_LONG = "This takes longer than a minute to compute: choose a shorter time."


@dataclass(frozen=True, kw_only=True, slots=True)
class WhatIfAnswer:
    """`report` is that of `copyplugin what-if --json`; None where it was refused."""

    command_id: CommandId
    report: Mapping[str, Any] | None
    sentence: str


class WhatIfs:
    """Computes one after the other; `begin` refuses when too many wait already."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._under_way: set[CommandId] = set()
        self._one_at_a_time = asyncio.Semaphore(1)
        self._process: asyncio.subprocess.Process | None = None
        self._is_stopping = False

    @property
    def is_computing(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def stop(self) -> None:
        """End what is computed; its commands wait for the next process."""
        self._is_stopping = True
        if self._process is not None and self.is_computing:
            self._process.kill()

    def begin(self, row: CommandRow) -> tuple[str, ...] | None:
        """Return what is to be run for this command; None where it is under way already.

        Raises `Refused` where the settings cannot be read, or too many wait.
        """
        if row.id in self._under_way:
            return None
        words = words_of(Arguments(row.arguments))
        if len(self._under_way) >= WAITING_MAX:
            raise Refused(TOO_MANY)
        self._under_way.add(row.id)
        return words

    async def compute(self, command_id: CommandId, words: tuple[str, ...]) -> WhatIfAnswer | None:
        """Run the program with these words and return what it says; None where it was stopped."""
        try:
            async with self._one_at_a_time:
                if self._is_stopping:
                    return None
                code, output, complaint = await self._run(words)
        except TimeoutError:
            return WhatIfAnswer(command_id=command_id, report=None, sentence=TOO_LONG)
        finally:
            self._under_way.discard(command_id)
        if self._is_stopping:
            return None
        if code not in {0, DOES_NOT_ADD_UP}:
            sentence = complaint.rpartition("Error: ")[2].strip() or f"It ended with code {code}."
            return WhatIfAnswer(command_id=command_id, report=None, sentence=sentence)
        sentence = "The what-if is computed."
        return WhatIfAnswer(command_id=command_id, report=json.loads(output), sentence=sentence)

    async def _run(self, words: tuple[str, ...]) -> tuple[int, str, str]:
        # The address of the database may hold a password, which a list of processes would show.
        surroundings = {**os.environ, DATABASE: self._around.settings.database_url}
        process = self._process = await asyncio.create_subprocess_exec(
            *PROGRAM,
            *words,
            env=surroundings,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(SECONDS_MAX):
                output, complaint = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert process.returncode is not None
        return process.returncode, output.decode(), complaint.decode(errors="replace")


def words_of(given: Arguments) -> tuple[str, ...]:
    """Return the command's arguments as the program takes them; raises `Refused`."""
    mode = given.choice("mode", CopyMode)
    follow = [f"mode={mode}", f"amount={given.decimal('copy_amount'):f}"]
    follow += [f"{name}={given.decimal(name):f}" for name in NUMBERS if name in given]
    words = [f"--leader={given.number('leader_id')}", f"--follow={','.join(follow)}"]
    words += [f"--{name}={_date(given, name)}" for name in ("since", "until") if name in given]
    if "leader_balance" in given:
        words.append(f"--leader-balance={given.decimal('leader_balance'):f}")
    return tuple(words)


def _date(given: Arguments, name: str) -> str:
    text = given.text(name)
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError as error:
        raise Refused(f"{text!r} is no date: write it like 2026-01-31.") from error
