"""Commands: written by pages, carried out by the engine, answered in the same row."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import CommandId
from copyplugin.errors import Refused
from copyplugin.store.rows import CommandRow


def submit_command(
    session: Session,
    kind: CommandKind,
    arguments: Mapping[str, Any],
    *,
    actor: str,
    idempotency_key: str,
    at: datetime,
) -> CommandRow:
    """Write the command down; the same key again returns the command it was first used for.

    Raises `Refused` where the key was used for something else.
    """
    known = session.scalars(
        select(CommandRow).where(CommandRow.idempotency_key == idempotency_key)
    ).one_or_none()
    if known is not None:
        if (known.actor, known.kind, known.arguments) != (actor, kind, dict(arguments)):
            raise Refused("This request's key was used for another request: send a new key.")
        return known
    row = CommandRow(
        idempotency_key=idempotency_key,
        actor=actor,
        kind=kind,
        arguments=dict(arguments),
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row


def pending_commands(session: Session, *, limit: int) -> list[CommandRow]:
    """Return the commands that wait, in the order they were given."""
    query = (
        select(CommandRow)
        .where(CommandRow.state == CommandState.PENDING)
        .order_by(CommandRow.id)
        .limit(limit)
    )
    return list(session.scalars(query))


def get_command(session: Session, command_id: CommandId) -> CommandRow:
    return session.get_one(CommandRow, command_id)


def finish_command(
    session: Session,
    command_id: CommandId,
    state: CommandState,
    *,
    message: str,
    result: Mapping[str, Any] | None,
    at: datetime,
) -> None:
    """Answer a command: what was done, or why not, in a sentence for the one who asked."""
    row = get_command(session, command_id)
    assert row.state is CommandState.PENDING
    assert state is not CommandState.PENDING
    row.state = state
    row.message = message
    row.result = None if result is None else dict(result)
    row.done_at = at
