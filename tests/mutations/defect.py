"""One small wrong change of the code."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Defect:
    """`old`, which is in the file exactly once, becomes `new`; `tests` are what may catch it."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
