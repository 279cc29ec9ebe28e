"""`copyplugin halt` and `resume`: the kill switch, for a leader or for everybody (P5)."""

from copyplugin.domain.command import CommandKind
from copyplugin.domain.halt import HaltScope
from copyplugin.store import commands
from copyplugin.store.database import Database
from copyplugin.store.rows import CommandRow
from copyplugin.system_clock import SystemClock

ACTOR = "operator at the command line"


def submit(
    database: Database, kind: CommandKind, leader_id: int | None, **more: object
) -> CommandRow:
    """Write the command down for the engine; without a leader it is for everybody."""
    scope = HaltScope.GLOBAL if leader_id is None else HaltScope.LEADER
    given = {"scope": scope.value} | ({} if leader_id is None else {"leader_id": leader_id}) | more
    now = SystemClock().now()
    return database.write_and_wait(
        lambda session: commands.submit_command(
            session,
            kind,
            given,
            actor=ACTOR,
            idempotency_key=f"{ACTOR}: {kind} at {now.isoformat()}",
            at=now,
        )
    )
