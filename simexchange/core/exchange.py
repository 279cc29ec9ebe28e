"""The exchange: commands in, events out. All state changes happen in ``Exchange.apply``."""

from simexchange.core.commands import Command
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import Event


class Exchange:
    """One deterministic exchange."""

    def __init__(self, config: ExchangeConfig | None = None) -> None:
        self.config = config or ExchangeConfig()

    def apply(self, command: Command, at: int) -> list[Event]:
        """Apply one command at ``at`` (microseconds) and return what happened.

        A refused command changes nothing and returns exactly one rejection.
        """
        raise NotImplementedError
