"""`simexchange scenario run FILE…` and `simexchange scenario check FILE…`."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from simexchange.core.config import ExchangeConfig
from simexchange.core.exchange import Exchange
from simexchange.journal.journaled import JournaledExchange
from simexchange.journal.writer import Durability
from simexchange.output import STANDARD_OUTPUT, write_json
from simexchange.scenario.model import Scenario
from simexchange.scenario.parser import read_scenario
from simexchange.scenario.problem import ScenarioError
from simexchange.scenario.runner import Outcome, Runner

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
    "json_target",
    metavar="FILE",
    help="Also write the results as JSON; - is the standard output, and silences the rest.",
)


@scenario.command("run")
@_FILES
@_SETTINGS
@_JSON
@click.option(
    "--journal",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write every command of one scenario there, for `simexchange replay`.",
)
@click.option("--verbose", "-v", is_flag=True, help="Print the transcript of what passes, too.")
def run(
    files: tuple[str, ...],
    settings: tuple[str, ...],
    json_target: str | None,
    journal: Path | None,
    verbose: bool,  # noqa: FBT001 - click passes its options so
) -> None:
    """Run scenario files.

    Exit code 0: all went as expected; 1: one did not; 2: a file has a mistake.
    """
    _refuse_journal(files, journal)
    report = _Report(json_target)
    worst = PASSED
    for file in files:
        try:
            outcome = _outcome(read_scenario(file, _parameters(settings)), journal)
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
def check(files: tuple[str, ...], settings: tuple[str, ...], json_target: str | None) -> None:
    """Read scenario files without running them.

    Exit code 0: all are right; 2: a file has a mistake.
    """
    report = _Report(json_target)
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


def _refuse_journal(files: tuple[str, ...], journal: Path | None) -> None:
    if journal is None:
        return
    if len(files) != 1:
        raise click.BadParameter("a journal is of one run: name one FILE", param_hint="--journal")
    if journal.exists():
        sentence = f"{journal} exists; a run begins a journal of its own, so name another file"
        raise click.BadParameter(sentence, param_hint="--journal")


def _outcome(read: Scenario, journal: Path | None) -> Outcome:
    if journal is None:
        return Runner(read).run()
    with ExitStack() as opened:

        def journaled(config: ExchangeConfig) -> Exchange:
            exchange = JournaledExchange(journal, config, durability=Durability.SYSTEM)
            return opened.enter_context(exchange)

        return Runner(read, journaled).run()


class _Report:
    """What a command says: lines for people as it goes, one JSON object at the end."""

    def __init__(self, json_target: str | None) -> None:
        self._json_target = json_target
        self._is_silent = json_target == STANDARD_OUTPUT
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
        if self._json_target is not None:
            write_json(self._json_target, {"results": self._results})


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
