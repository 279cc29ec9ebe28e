"""What strangers rely on: every public name is documented, and says what it needs."""

import inspect
import re
from dataclasses import FrozenInstanceError, replace
from enum import EnumMeta
from pathlib import Path

import pytest

import simexchange.rules
from simexchange.rules import OURS, RULE_SETS

PAGE = (Path(__file__).resolve().parents[3] / "docs/RULES.md").read_text(encoding="utf-8")
PUBLIC = {name: getattr(simexchange.rules, name) for name in simexchange.rules.__all__}
FUNCTIONS = {name: value for name, value in PUBLIC.items() if inspect.isfunction(value)}


@pytest.mark.parametrize("name", [*FUNCTIONS, *RULE_SETS])
def test_every_public_function_and_rule_set_stands_in_the_documentation(name):
    assert re.search(rf"`{name}\b", PAGE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_public_function_says_what_it_returns(name):
    assert (inspect.getdoc(FUNCTIONS[name]) or "").startswith("Return ")


def test_the_documentation_calls_functions_by_arguments_that_they_have():
    called = re.findall(r"`?(\w+)\(([^()`|]*(?:\([^()]*\)[^()`|]*)*)\)", PAGE)
    wrong = [
        f"{name}({argument}=)"
        for name, arguments in called
        if name in FUNCTIONS
        for argument in re.findall(r"(\w+)=", re.sub(r"\w+\([^()]*\)", "", arguments))
        if argument not in inspect.signature(FUNCTIONS[name]).parameters
    ]

    assert len(called) > 40
    assert wrong == []


def test_a_rule_set_is_a_value_and_has_the_name_it_is_found_by():
    with pytest.raises(FrozenInstanceError):
        OURS.name = "THEIRS"
    assert all(rules.name == name for name, rules in RULE_SETS.items())
    assert replace(OURS, name="MINE") != OURS


def test_no_rule_asks_for_a_venue_by_name():
    folder = Path(inspect.getfile(simexchange.rules)).parent
    asking = re.compile(r"rules\.name|\b(?:is|==) [A-Z]{4,}\b")

    asked = [
        file.name
        for file in sorted(folder.glob("*.py"))
        if file.name not in {"ruleset.py", "rulesets.py"} and asking.search(file.read_text("utf-8"))
    ]

    assert asked == []


def test_public_enumerations_refuse_nothing_silently():
    enumerations = [value for value in PUBLIC.values() if isinstance(value, EnumMeta)]

    for enumeration in enumerations:
        with pytest.raises(ValueError, match=r"."):
            enumeration("no such member")
