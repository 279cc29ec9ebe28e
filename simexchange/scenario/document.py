"""A YAML file as text with its lines: nothing is a number before a rule says which kind it is.

YAML's own conversions would read 65000.10 as a binary fraction, 10:00:00 as a count of seconds and
``no`` as false. The tree here keeps every scalar as it was written, with the line it stands on.
Each value is written once: aliases, which may also nest without end, are refused.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from simexchange.scenario.problem import Place, refuse, suggestion

_PARAMETER = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Text:
    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    place: Place
    items: tuple["Value", ...]


@dataclass(frozen=True, slots=True)
class Entries:
    place: Place
    entries: dict[str, "Value"]
    key_places: dict[str, Place]


Value = Text | Items | Entries


@dataclass(slots=True)
class _Reading:
    file: str
    parameters: Mapping[str, str]
    seen: set[int] = field(default_factory=set[int])

    def value(self, node: Node) -> Value:
        place = self.place(node)
        if id(node) in self.seen:
            raise refuse(place, "anchors and aliases are not part of the format; write it out")
        self.seen.add(id(node))
        if isinstance(node, ScalarNode):
            return Text(place, self._filled(place, str(node.value)))
        if isinstance(node, SequenceNode):
            return Items(place, tuple(self.value(item) for item in node.value))
        assert isinstance(node, MappingNode), "YAML has three kinds of node"
        return self._entries(node, place)

    def place(self, node: Node) -> Place:
        return Place(self.file, node.start_mark.line + 1)

    def _entries(self, node: MappingNode, place: Place) -> Entries:
        entries: dict[str, Value] = {}
        key_places: dict[str, Place] = {}
        for key_node, value_node in node.value:
            key_place = self.place(key_node)
            if not isinstance(key_node, ScalarNode):
                raise refuse(key_place, "a key must be a word")
            key = str(key_node.value)
            if key in entries:
                raise refuse(key_place, f"{key} is already given on line {key_places[key].line}")
            key_places[key] = key_place
            entries[key] = self.value(value_node)
        return Entries(place, entries, key_places)

    def _filled(self, place: Place, text: str) -> str:
        def value_of(match: re.Match[str]) -> str:
            name = match.group(1).strip()
            if name not in self.parameters:
                hint = suggestion(name, self.parameters)
                raise refuse(place, f"there is no parameter {name}; {hint}")
            return self.parameters[name]

        return _PARAMETER.sub(value_of, text)


def read_document(text: str, file: str, parameters: Mapping[str, str] | None = None) -> Entries:
    """Return the mapping that ``text`` holds, parameters filled in.

    The file's own ``parameters`` are defaults; ``parameters`` given by the caller replace them,
    and must be among them.
    """
    root = _composed(text, file)
    if not isinstance(root, MappingNode):
        raise refuse(Place(file, 1), "it must begin with `scenario: what it shows`")
    defaults, rest = _parameters(root, file)
    given = dict(parameters or {})
    for name in given:
        if name not in defaults:
            hint = suggestion(name, defaults)
            raise refuse(Place(file, 1), f"the file has no parameter {name}; {hint}")
    root.value = rest
    document = _Reading(file, defaults | given).value(root)
    assert isinstance(document, Entries)
    return document


def _composed(text: str, file: str) -> Node | None:
    try:
        loader = yaml.SafeLoader(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise refuse(Place(file, line), f"this is not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise refuse(Place(file, 1), f"this is not YAML: {error}") from error


def _parameters(root: MappingNode, file: str) -> tuple[dict[str, str], list[tuple[Node, Node]]]:
    """Take the section ``parameters`` out of the document."""
    defaults: dict[str, str] = {}
    rest: list[tuple[Node, Node]] = []
    for key_node, value_node in root.value:
        if not (isinstance(key_node, ScalarNode) and key_node.value == "parameters"):
            rest.append((key_node, value_node))
            continue
        section = _Reading(file, {}).value(value_node)
        if not isinstance(section, Entries):
            raise refuse(section.place, "parameters are a mapping: `parameters: {seed: 7}`")
        for name, value in section.entries.items():
            if not isinstance(value, Text):
                raise refuse(value.place, f"the parameter {name} must be one value")
            defaults[name] = value.text
    return defaults, rest
