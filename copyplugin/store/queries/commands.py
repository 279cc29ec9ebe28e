"""What became of a command."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import CommandId
from copyplugin.store.rows import CommandRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    command_id: CommandId
    actor: str
    kind: CommandKind
    arguments: Mapping[str, object]
    state: CommandState
    message: str | None  # a sentence for the actor
    result: Mapping[str, object]
    created_at: datetime
    done_at: datetime | None


def command(session: Session, command_id: CommandId, actor: str) -> Command | None:
    """Return the command, or None where this actor gave none of that id."""
    row = session.get(CommandRow, command_id)
    if row is None or row.actor != actor:
        return None
    return Command(
        command_id=row.id,
        actor=row.actor,
        kind=row.kind,
        arguments=row.arguments,
        state=row.state,
        message=row.message,
        result=row.result or {},
        created_at=row.created_at,
        done_at=row.done_at,
    )
