"""A copy of the exchange whose core is compiled with mypyc, for who wants it faster still.

The source is the same and the plain one is the reference: the copy lives in a directory of its
own, is measured by the same command, and its event hash must be the plain one's. Events, commands
and instruments stay as they are (msgspec makes those classes), and so does `Exchange`, which users
may subclass. Snapshots of the journal are for the plain build.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

import simexchange
from simexchange.bench.measures import Figures
from simexchange.bench.timing import spent_ns
from simexchange.bench.workload import mixed_workload, prepared_exchange

LEFT_PLAIN = frozenset(
    {
        "__init__",
        "commands",
        "config",
        "event_base",
        "events",
        "exchange",
        "instrument",
        "plan_events",
        "reads",
        "risk_events",
        "types",
        "views",
    }
)
_MYPY = """[mypy]
ignore_errors = True
"""
_RUN = "from simexchange.cli import main; main()"


class CompileError(Exception):
    """The copy could not be made or does not do what the plain exchange does."""


def measure_compiled(arguments: list[str], *, orders: int, seed: int, accounts: int) -> Figures:
    """Run `simexchange bench` with `arguments` on a compiled copy and return its figures.

    Raises CompileError without mypyc or a C compiler, and when the event hash is not the plain
    exchange's over the same `orders` commands.
    """
    with TemporaryDirectory(prefix="simexchange-compiled-") as name:
        directory = Path(name)
        compile_copy(directory)
        run = _run([sys.executable, "-c", _RUN, "bench", *arguments, "--json"], directory)
    figures = msgspec.json.decode(run, type=Figures)
    workload = mixed_workload(orders=orders, seed=seed, accounts=accounts)
    exchange = prepared_exchange(workload.setting_up)
    spent_ns(exchange, workload.measured)
    if not figures.is_compiled or figures.event_hash != exchange.event_hash:
        raise CompileError(
            f"the compiled copy gives the event hash {figures.event_hash}, the plain exchange "
            f"{exchange.event_hash}"
        )
    return figures


def compile_copy(directory: Path) -> None:
    """Copy the package into `directory` and compile the modules of its core there."""
    if importlib.util.find_spec("mypyc") is None:
        raise CompileError("mypyc is not installed; install it with: pip install mypy setuptools")
    source = Path(simexchange.__file__).parent
    shutil.copytree(source, directory / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "mypy.ini").write_text(_MYPY)
    core = Path(source.name) / "core"
    modules = sorted(p.name for p in (directory / core).glob("*.py") if p.stem not in LEFT_PLAIN)
    _run([sys.executable, "-m", "mypyc", *(str(core / name) for name in modules)], directory)


def _run(command: list[str], directory: Path) -> str:
    run = subprocess.run(  # noqa: S603 - our own interpreter in our own directory
        command,
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(directory)},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise CompileError(f"{' '.join(command[:3])} failed:\n{run.stderr or run.stdout}")
    return run.stdout
