"""What the pages need from the rest: read models, commands, and the live figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from flask import current_app

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import CommandId
from copyplugin.operator_questions import OperatorQuestions
from copyplugin.store.queries import Queries
from web.live import LiveHub
from web.settings import WebSettings

EXTENSION = "copytrading"


class Outcome(Protocol):
    """What a command came to within the time a page waits; pending is an outcome too."""

    @property
    def command_id(self) -> CommandId: ...

    @property
    def state(self) -> CommandState: ...

    @property
    def message(self) -> str | None: ...


class Commands(Protocol):
    """The only way a page changes anything; the engine carries it out."""

    def submit(
        self,
        kind: CommandKind,
        arguments: Mapping[str, object],
        *,
        actor: str,
        idempotency_key: str,
    ) -> Outcome: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    queries: Queries
    commands: Commands
    operator: OperatorQuestions | None  # None: there are no operator's pages
    live: LiveHub
    settings: WebSettings


def services() -> Services:
    """Return the services of the running application."""
    return cast("Services", current_app.extensions[EXTENSION])
