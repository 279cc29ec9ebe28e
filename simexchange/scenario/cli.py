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
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file.")


@scenario.command("run")
@_FILES
@_SETTINGS
@_JSON
@click.option("--verbose", "-v", is_flag=True, help="Print the transcript of what passes, too.")
def run(files: tuple[str, ...], settings: tuple[str, ...], as_json: bool, verbose: bool) -> None:  # noqa: FBT001 - click passes its options so
    """Run scenario files.

    Exit code 0: all went as expected; 1: one did not; 2: a file has a mistake.
    """
    worst = PASSED
    for file in files:
        try:
            outcome = run_scenario(read_scenario(file, _parameters(settings)))
        except ScenarioError as error:
            _print_problems(file, error, as_json=as_json)
            worst = WRONG_FILE
            continue
        if not outcome.passed:
            worst = max(worst, FAILED)
        if as_json:
            print(json.dumps(as_object(file, outcome), ensure_ascii=False))
        else:
            print("\n".join(report_lines(file, outcome, verbose=verbose)))
    sys.exit(worst)


@scenario.command("check")
@_FILES
@_SETTINGS
@_JSON
def check(files: tuple[str, ...], settings: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001 - click passes its options so
    """Read scenario files without running them.

    Exit code 0: all are right; 2: a file has a mistake.
    """
    worst = PASSED
    for file in files:
        try:
            read = read_scenario(file, _parameters(settings))
        except ScenarioError as error:
            _print_problems(file, error, as_json=as_json)
            worst = WRONG_FILE
            continue
        if as_json:
            print(json.dumps({"file": file, "problems": []}))
        else:
            print(f"ok      {file}: {read.title} ({len(read.steps)} steps)")
    sys.exit(worst)


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
        "file": str(Path(file)),
        "scenario": outcome.scenario.title,
        "seed": outcome.scenario.seed,
        "passed": outcome.passed,
        "steps_done": outcome.steps_done,
        "event_hash": outcome.event_hash,
        "line": None if failure is None else failure.place.line,
        "failures": [
            {"what": wrong.what, "expected": wrong.expected, "found": wrong.found}
            for wrong in (failure.mismatches if failure else ())
        ],
        "transcript": outcome.transcript,
        "picture": outcome.picture,
    }


def _print_problems(file: str, error: ScenarioError, *, as_json: bool) -> None:
    if as_json:
        problems = [
            {"file": each.place.file, "line": each.place.line, "message": each.message}
            for each in error.problems
        ]
        print(json.dumps({"file": file, "problems": problems}, ensure_ascii=False))
        return
    for problem in error.problems:
        print(f"wrong   {problem}", file=sys.stderr)
