"""`simexchange scenario run FILE…` and `simexchange scenario check FILE…`."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from simexchange.scenario.parser import read_scenario
from simexchange.scenario.problem import ScenarioError
from simexchange.scenario.runner import Outcome, run_scenario

PASSED, FAILED, WRONG_FILE = 0, 1, 2


@click.group("scenario")
def scenario() -> None:
    """Run or check scenario files (docs/SCENARIOS.md)."""


_FILES = click.argument("files", nargs=-1, required=True, metavar="FILE…")
_SETTINGS = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Give a parameter of the files another value.",
)
_JSON = click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, writable=True, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="Also write the results as JSON; - is the standard output, and silences the rest.",
)


@scenario.command("run")
@_FILES
@_SETTINGS
@_JSON
@click.option("--verbose", "-v", is_flag=True, help="Print the transcript of what passes, too.")
def run(
    files: tuple[str, ...],
    settings: tuple[str, ...],
    json_file: Path | None,
    verbose: bool,  # noqa: FBT001 - click passes its options so
) -> None:
    """Run scenario files.

    Exit code 0: all went as expected; 1: one did not; 2: a file has a mistake.
    """
    report = _Report(json_file)
    worst = PASSED
    for file in files:
        try:
            outcome = run_scenario(read_scenario(file, _parameters(settings)))
        except ScenarioError as error:
            report.add_problems(file, error)
            worst = WRONG_FILE
            continue
        worst = worst if outcome.passed else max(worst, FAILED)
        report.add(as_object(file, outcome), report_lines(file, outcome, verbose=verbose))
    report.finish()
    sys.exit(worst)


@scenario.command("check")
@_FILES
@_SETTINGS
@_JSON
def check(files: tuple[str, ...], settings: tuple[str, ...], json_file: Path | None) -> None:
    """Read scenario files without running them.

    Exit code 0: all are right; 2: a file has a mistake.
    """
    report = _Report(json_file)
    worst = PASSED
    for file in files:
        try:
            read = read_scenario(file, _parameters(settings))
        except ScenarioError as error:
            report.add_problems(file, error)
            worst = WRONG_FILE
            continue
        line = f"ok      {file}: {read.title} ({len(read.steps)} steps)"
        report.add({"file": file, "scenario": read.title, "problems": []}, [line])
    report.finish()
    sys.exit(worst)


class _Report:
    """What a command says: lines for people as it goes, one JSON object at the end."""

    def __init__(self, json_file: Path | None) -> None:
        self._json_file = json_file
        self._is_silent = json_file is not None and str(json_file) == "-"
        self._results: list[dict[str, Any]] = []

    def add(self, result: dict[str, Any], lines: list[str]) -> None:
        self._results.append(result)
        if not self._is_silent:
            print("\n".join(lines))

    def add_problems(self, file: str, error: ScenarioError) -> None:
        problems = [
            {"file": each.place.file, "line": each.place.line, "message": each.message}
            for each in error.problems
        ]
        self._results.append({"file": file, "passed": False, "problems": problems})
        for problem in error.problems:
            print(f"wrong   {problem}", file=sys.stderr)

    def finish(self) -> None:
        if self._json_file is None:
            return
        text = json.dumps({"results": self._results}, ensure_ascii=False, indent=2)
        if self._is_silent:
            print(text)
        else:
            self._json_file.write_text(text + "\n", encoding="utf-8")


def _parameters(settings: tuple[str, ...]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name:
            raise click.BadParameter(f"{setting!r} is not NAME=VALUE", param_hint="--set")
        parameters[name] = value
    return parameters


def report_lines(file: str, outcome: Outcome, *, verbose: bool = False) -> list[str]:
    """Return what a person reads about one run: a verdict, and for a failure everything else."""
    title = outcome.scenario.title
    if outcome.failure is None:
        lines = [f"passed  {file}: {title} (hash {outcome.event_hash[:16]})"]
        return [*outcome.transcript, *lines] if verbose else lines
    failure = outcome.failure
    return [
        *outcome.transcript,
        "",
        *outcome.picture,
        "",
        f"FAILED  {failure.place}: {title}",
        *(f"    {mismatch}" for mismatch in failure.mismatches),
    ]


def as_object(file: str, outcome: Outcome) -> dict[str, Any]:
    """Return one run as JSON's types."""
    failure = outcome.failure
    return {
        "file": file,
        "scenario": outcome.scenario.title,
        "seed": outcome.scenario.seed,
        "passed": outcome.passed,
        "steps_done": outcome.steps_done,
        "event_hash": outcome.event_hash,
        "line": None if failure is None else failure.place.line,
        "problems": [],
        "failures": [
            {"what": wrong.what, "expected": wrong.expected, "found": wrong.found}
            for wrong in (failure.mismatches if failure else ())
        ],
        "transcript": outcome.transcript,
        "picture": outcome.picture,
    }
