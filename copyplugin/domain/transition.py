"""What a leader's fills did to his position: opened, added, reduced, closed; a flip is two."""

from enum import StrEnum


class Effect(StrEnum):
    OPEN = "open"
    ADD = "add"
    REDUCE = "reduce"
    CLOSE = "close"

    @property
    def increases(self) -> bool:
        return self in {Effect.OPEN, Effect.ADD}
