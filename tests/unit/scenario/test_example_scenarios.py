"""Every example passes, and every one of its expectations can fail."""

import re
from pathlib import Path

import pytest

from simexchange.scenario.model import Check
from simexchange.scenario.parser import parse_scenario, read_scenario
from simexchange.scenario.problem import ScenarioError
from simexchange.scenario.runner import run_scenario

EXAMPLES = sorted(
    (Path(__file__).resolve().parents[3] / "examples" / "simexchange").glob("*.scenario.yaml")
)
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w.:%])")
COMPARED = re.compile(r"(?:at least|at most|more than|less than|within) *$")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_goes_as_it_says(path):
    outcome = run_scenario(read_scenario(path))

    assert outcome.passed, "\n".join([*outcome.transcript, *map(str, outcome.failure.mismatches)])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_expects_something_and_runs_the_same_twice(path):
    scenario = read_scenario(path)

    assert any(isinstance(step, Check) for step in scenario.steps)
    assert run_scenario(scenario).event_hash == run_scenario(read_scenario(path)).event_hash


def expected_numbers(path):
    """Yield the example with one expected number changed, for each of them."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    is_expected = False
    for number, line in enumerate(lines):
        if line.startswith("  - "):
            is_expected = line.startswith("  - expect:")
        if not is_expected or line.lstrip().startswith("#") or "no_event" in line:
            continue
        for match in NUMBER.finditer(line):
            if COMPARED.search(line[: match.start()]) or line[match.end() :].startswith(" within"):
                continue  # a bound still holds for a number that is near
            text = match.group()
            other = text[:-1] + ("7" if text[-1] != "7" else "4")
            changed = line[: match.start()] + other + line[match.end() :]
            yield number + 1, "".join([*lines[:number], changed, *lines[number + 1 :]])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_fails_when_any_number_that_it_expects_is_another(path):
    for line, text in expected_numbers(path):
        try:
            outcome = run_scenario(parse_scenario(text, str(path)))
        except ScenarioError:
            continue  # a price off the tick can not even be asked for
        assert not outcome.passed, f"{path.name}:{line} is not compared"
        assert outcome.failure is not None
        assert outcome.failure.place.line <= line
