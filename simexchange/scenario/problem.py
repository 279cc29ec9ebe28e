"""What is wrong with a scenario file, and where: a sentence that says what to write instead."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class ScenarioError(ValueError):
    """A scenario file is not right. ``problems`` are all that were found, in order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


def refuse(place: Place, message: str) -> ScenarioError:
    """Return the error of one mistake, to be raised."""
    return ScenarioError([Problem(place, message)])


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return what may have been meant by ``word``, as the end of a sentence."""
    choices = list(known)
    near = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    if not choices:
        return "there is none"
    return f"known are {', '.join(choices)}"
