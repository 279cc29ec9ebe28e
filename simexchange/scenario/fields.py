"""Reads the mappings of a scenario file key by key; whatever nobody asked for is refused."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from simexchange.scenario.document import Entries, Items, Text, Value
from simexchange.scenario.problem import Place, Problem, ScenarioError, refuse, suggestion

_T = TypeVar("_T")

_YES_NO = {"yes": True, "no": False, "true": True, "false": False}


def text_of(value: Value, what: str) -> Text:
    if not isinstance(value, Text) or not value.text:
        raise refuse(value.place, f"{what} must be one value, such as a number or a word")
    return value


def entries_of(value: Value, what: str) -> Entries:
    if not isinstance(value, Entries):
        raise refuse(value.place, f"{what} must be a mapping, such as {{account: alice}}")
    return value


def items_of(value: Value, what: str) -> Items:
    if not isinstance(value, Items):
        raise refuse(value.place, f"{what} must be a list, each item begun with a dash")
    return value


def converted(text: Text, conversion: Callable[[str], _T]) -> _T:
    """Return ``conversion`` of the text; its ValueError gets the line."""
    try:
        return conversion(text.text)
    except ScenarioError:
        raise
    except ValueError as error:
        raise refuse(text.place, str(error)) from error


def chosen(text: Text, what: str, choices: Mapping[str, _T]) -> _T:
    """Return the choice that ``text`` names; a typo gets a suggestion."""
    if text.text not in choices:
        hint = suggestion(text.text, choices)
        raise refuse(text.place, f"{text.text} is no {what}; {hint}")
    return choices[text.text]


class Fields:
    """One mapping whose keys are known beforehand. ``what`` names it in refusals."""

    def __init__(
        self, value: Value, what: str, *, required: Iterable[str] = (), optional: Iterable[str] = ()
    ) -> None:
        entries = entries_of(value, what)
        self.place: Place = entries.place
        self.what = what
        self._entries = entries
        wanted = [*required]
        known = [*wanted, *optional]
        problems = [
            Problem(place, f"{what} has no {key}; {suggestion(key, known)}")
            for key, place in entries.key_places.items()
            if key not in known
        ]
        missing = [key for key in wanted if key not in entries.entries]
        if missing and not problems:
            problems.append(Problem(entries.place, f"{what} needs {' and '.join(missing)}"))
        if problems:
            raise ScenarioError(problems)

    def __contains__(self, key: str) -> bool:
        return key in self._entries.entries

    def keys(self) -> tuple[str, ...]:
        return tuple(self._entries.entries)

    def place_of(self, key: str) -> Place:
        return self._entries.key_places[key]

    def value(self, key: str) -> Value:
        return self._entries.entries[key]

    def text(self, key: str) -> Text:
        return text_of(self.value(key), key)

    def get(self, key: str, conversion: Callable[[str], _T], default: _T) -> _T:
        """Return the converted value of an optional key."""
        return converted(self.text(key), conversion) if key in self else default

    def maybe(self, key: str, conversion: Callable[[str], _T]) -> _T | None:
        return converted(self.text(key), conversion) if key in self else None

    def one_of(self, key: str, choices: Mapping[str, _T], default: _T) -> _T:
        return chosen(self.text(key), key, choices) if key in self else default

    def flag(self, key: str) -> bool:
        return self.one_of(key, _YES_NO, default=False)


def gathered(readers: Iterable[Callable[[], _T]]) -> list[_T]:
    """Run every reader and return their results, or raise the problems of all of them at once."""
    results: list[_T] = []
    problems: list[Problem] = []
    for read in readers:
        try:
            results.append(read())
        except ScenarioError as error:
            problems.extend(error.problems)
    if problems:
        raise ScenarioError(problems)
    return results
