"""What users and operators asked for; the engine carries it out and answers in the same row."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import CommandId
from copyplugin.store.rows.base import Row


class CommandRow(Row, kw_only=True):
    __tablename__ = "command"
    __table_args__ = (Index("ix_command_state_id", "state", "id"),)

    id: Mapped[CommandId] = mapped_column(primary_key=True, init=False)
    idempotency_key: Mapped[str] = mapped_column(String(128), unique=True)
    actor: Mapped[str]
    kind: Mapped[CommandKind]
    arguments: Mapped[dict[str, Any]]
    state: Mapped[CommandState] = mapped_column(default=CommandState.PENDING)
    message: Mapped[str | None] = mapped_column(default=None)  # a sentence for the actor
    result: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    done_at: Mapped[datetime | None] = mapped_column(default=None)
