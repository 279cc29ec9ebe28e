"""The plugin put together, and what an exchange that embeds it holds in its hands.

```python
plugin = CopyPlugin(load_settings(), venue, SystemClock())
await plugin.start()
plugin.commands.submit(CommandKind.START_FOLLOW, {...}, actor="follower:7", idempotency_key="...")
plugin.queries.leaders(...)
await plugin.stop()
```
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from copyplugin.dispatch.announcing import announcer_of
from copyplugin.dispatch.in_process import InProcessDispatcher
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import CommandId
from copyplugin.domain.money import Ratio
from copyplugin.engine.engine import Engine
from copyplugin.engine.surroundings import Surroundings, Work
from copyplugin.host.feed import open_host_feed
from copyplugin.notify.ways_out import ways_out
from copyplugin.operator_questions import OperatorQuestions
from copyplugin.ports import Clock, Dispatcher, Venue
from copyplugin.settings import Settings
from copyplugin.store import commands
from copyplugin.store.database import Database, Session, libpq_address, open_database
from copyplugin.store.queries import Queries
from copyplugin.store.rows import CommandRow
from copyplugin.venues.host_fed import HostFedVenue
from copyplugin.venues.paper import PaperSettings, PaperVenue
from copyplugin.venues.routed import RoutedVenue

LOOK_AGAIN_SECONDS = 0.25
"""How often a waiting caller reads the row itself: the engine may live in another process."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandResult:
    """What a command came to within the time its caller waits; pending is an answer too."""

    command_id: CommandId
    state: CommandState
    message: str | None
    result: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Commands:
    """The one way to change anything, for pages and programs, from any thread but the engine's."""

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._wait = timedelta(milliseconds=settings.command_wait_milliseconds)
        self._answered = threading.Condition()
        self._wake: Callable[[], object] | None = None
        self._announcer = announcer_of(libpq_address(settings.database_url))

    def submit(
        self,
        kind: CommandKind,
        arguments: Mapping[str, object],
        *,
        actor: str,
        idempotency_key: str,
    ) -> CommandResult:
        """Write the command down, wake the engine, and wait a little for its answer.

        The same key again returns the command it was first used for. Raises `Refused` where the key
        was used for another request.
        """

        def write(session: Session) -> CommandId:
            row = commands.submit_command(
                session,
                kind,
                arguments,
                actor=actor,
                idempotency_key=idempotency_key,
                at=self._clock.now(),
            )
            if self._wake is None and self._announcer is not None:
                self._announcer.announce_within(session, Work.COMMANDS)
            return row.id

        command_id = self._database.write_and_wait(write, urgent=True)
        if self._wake is not None:
            self._wake()
        return self._wait_for(command_id)

    def answered(self, command_id: CommandId) -> None:
        """Let whoever waits for it look."""
        with self._answered:
            self._answered.notify_all()

    def wake_with(self, wake: Callable[[], object] | None) -> None:
        """Say how the engine of this process is told that a command waits."""
        self._wake = wake

    def _wait_for(self, command_id: CommandId) -> CommandResult:
        rounds = int(self._wait.total_seconds() / LOOK_AGAIN_SECONDS)
        with self._answered:
            for _ in range(rounds):
                row = self._read(command_id)
                if row.state is not CommandState.PENDING:
                    break
                self._answered.wait(LOOK_AGAIN_SECONDS)
            row = self._read(command_id)
        return CommandResult(
            command_id=command_id,
            state=row.state,
            message=row.message,
            result=row.result or {},
        )

    def _read(self, command_id: CommandId) -> CommandRow:
        with self._database.read() as session:
            return commands.get_command(session, command_id)


def with_paper(venue: Venue, settings: Settings, clock: Clock) -> RoutedVenue | None:
    """Return the venue with accounts for play money beside it; None where there are none.

    Raises `ConfigurationError` where the play money of an earlier run cannot be used.
    """
    folder = settings.paper_folder
    if folder is None:
        return None
    wanted = PaperSettings(directory=folder, slippage=Ratio(settings.paper_slippage))
    return RoutedVenue(venue, PaperVenue(venue, clock, wanted))


class CopyPlugin:
    """Copy trading on one venue. Made where its event loop will run, or before it runs.

    Raises `ConfigurationError` where the database is not at the schema this program needs.
    """

    def __init__(
        self,
        settings: Settings,
        venue: Venue,
        clock: Clock,
        *,
        dispatcher: Dispatcher | None = None,
    ) -> None:
        self.settings = settings
        self.database = open_database(settings.database_url)
        self.queries = Queries(
            self.database, clock, settings.zone, has_paper=settings.paper_folder is not None
        )
        self.commands = Commands(self.database, clock, settings)
        self.operator_questions = OperatorQuestions(self.database, clock, settings)
        self.dispatcher = dispatcher or InProcessDispatcher(clock)
        self.host_feed = open_host_feed(self.database, clock, settings)
        if self.host_feed is not None:
            venue = HostFedVenue(venue, self.host_feed)
        self._routed = with_paper(venue, settings, clock)
        self.engine = Engine(
            Surroundings(
                settings=settings,
                database=self.database,
                venue=self._routed or venue,
                clock=clock,
                dispatcher=self.dispatcher,
                has_paper=self._routed is not None,
                notifiers=ways_out(settings, clock),
            ),
            on_answer=self.commands.answered,
        )

    async def start(self) -> None:
        """Start the engine on the running loop; it picks up whatever was left unfinished."""
        loop = asyncio.get_running_loop()
        dispatcher = self.dispatcher
        self.commands.wake_with(
            lambda: loop.call_soon_threadsafe(dispatcher.announce, Work.COMMANDS)
        )
        await self.engine.start()

    async def stop(self) -> None:
        """Stop the engine, wait for what is under way, and let go of the database."""
        self.commands.wake_with(None)
        await self.engine.stop()
        if self._routed is not None:
            self._routed.close()
        await asyncio.get_running_loop().run_in_executor(None, self.database.close)
