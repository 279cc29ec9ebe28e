"""What the pages need from the rest: read models, commands and a clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, cast

from flask import current_app

from copyplugin.ports import Clock
from copyplugin.store.queries import Queries
from web.live import LiveHub
from web.settings import WebSettings

EXTENSION = "copytrading"


class Result(Protocol):
    """What a command came to within the time the page waits."""

    @property
    def command_id(self) -> int: ...


class Commands(Protocol):
    """The only way a page changes anything."""

    def submit(
        self, kind: str, arguments: Mapping[str, object], *, actor: str, idempotency_key: str
    ) -> Result: ...


@dataclass(frozen=True, kw_only=True)
class Services:
    queries: Queries
    commands: Commands
    clock: Clock
    live: LiveHub
    settings: WebSettings


def services() -> Services:
    """Return the services of the running application."""
    return cast("Services", current_app.extensions[EXTENSION])
