"""Commands given at the command line: written down for an engine that runs elsewhere."""

from collections.abc import Mapping

from copyplugin.dispatch.announcing import announcer_of
from copyplugin.domain.command import CommandKind
from copyplugin.domain.identifiers import CommandId
from copyplugin.engine.surroundings import Work
from copyplugin.store import commands
from copyplugin.store.database import Database, Session, libpq_address
from copyplugin.system_clock import SystemClock


def written_down(
    database: Database,
    database_url: str,
    kind: CommandKind,
    arguments: Mapping[str, object],
    *,
    actor: str,
) -> CommandId:
    """Write a command down, wake the engine where it can be woken, and return its number."""
    announcer = announcer_of(libpq_address(database_url))
    now = SystemClock().now()

    def write(session: Session) -> CommandId:
        row = commands.submit_command(
            session,
            kind,
            arguments,
            actor=actor,
            idempotency_key=f"{actor}: {kind} at {now.isoformat()}",
            at=now,
        )
        if announcer is not None:
            announcer.announce_within(session, Work.COMMANDS)
        return row.id

    return database.write_and_wait(write)
