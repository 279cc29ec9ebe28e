"""Scenario files as tests of pytest: one file, one test, named by its title."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from simexchange.scenario.cli import report_lines
from simexchange.scenario.model import Scenario
from simexchange.scenario.parser import read_scenario
from simexchange.scenario.problem import ScenarioError
from simexchange.scenario.runner import Outcome, run_scenario


class ScenarioFailed(Exception):
    """A step did not go as the scenario says; ``outcome`` holds the transcript."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("a step did not go as the scenario says")
        self.outcome = outcome


class ScenarioFile(pytest.File):
    """A file with mistakes fails its collection with all of them, each with its line."""

    @classmethod
    def in_directory(cls, parent: pytest.Collector, path: Path) -> "ScenarioFile":
        return cls.from_parent(parent, path=path)  # pyright: ignore[reportUnknownMemberType] - pytest's **kw has no type

    def collect(self) -> Iterable[pytest.Item]:
        try:
            scenario = read_scenario(self.path)
        except ScenarioError as error:
            raise self.CollectError(str(error)) from error
        yield ScenarioItem.from_parent(self, name=scenario.title, scenario=scenario)  # pyright: ignore[reportUnknownMemberType] - as above


class ScenarioItem(pytest.Item):
    def __init__(self, *, scenario: Scenario, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # pyright: ignore[reportUnknownMemberType] - as above
        self.scenario = scenario

    def runtest(self) -> None:
        outcome = run_scenario(self.scenario)
        if not outcome.passed:
            raise ScenarioFailed(outcome)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, ScenarioFailed):
            return "\n".join(report_lines(str(self.path), excinfo.value.outcome))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, 0, f"scenario: {self.name}"
