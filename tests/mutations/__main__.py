"""`python -m tests.mutations [--only WORDS] [--jobs N]`: break the engine; a test must notice.

Each defect is put into a copy of the tree and its tests are run there; each job has its own copy.
Prints one JSON object; exit code 1 where a defect survives, 2 where its text is not in the code any
more.
"""

import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from tests.mutations.defect import Defect
from tests.mutations.defects import DEFECTS

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("copyplugin", "migrations", "simexchange", "web", "tests", "pyproject.toml")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", "*.pyc")
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+(?:\[[^\]]*\])?)", re.MULTILINE)
TESTS_FAILED = 1
SECONDS_MAX = 300


def copied_to(folder: Path) -> Path:
    """Copy what tests need; the copy is read before the installed packages."""
    folder.mkdir()
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=LEFT_OUT)
        else:
            shutil.copy(source, folder / name)
    return folder


def caught_by(tree: Path, tests: str) -> str | None:
    """Return the first of these tests that fails in the tree, None where all pass."""
    words = ["-q", "-x", "--no-cov", "-p", "no:cacheprovider"]
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", *words, tests],
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"{tests} (which does not end in {SECONDS_MAX} s)"
    if ran.returncode == 0:
        return None
    found = FAILED.search(ran.stdout)
    if ran.returncode != TESTS_FAILED or found is None:
        raise click.ClickException(f"pytest could not run {tests}:\n{ran.stdout[-2000:]}")
    return found[1]


def try_out(tree: Path, defect: Defect) -> dict[str, object]:
    """Put a defect into the tree, run its tests, and take it out again."""
    began = time.monotonic()
    path = tree / defect.file
    right = path.read_text()
    if right.count(defect.old) != 1:
        return {"defect": defect.name, "file": defect.file, "caught_by": None, "missing": True}
    path.write_text(right.replace(defect.old, defect.new))
    caught = None
    try:
        for tests in defect.tests:  # the quick ones stand first
            caught = caught_by(tree, tests)
            if caught is not None:
                break
    finally:
        path.write_text(right)
    return {
        "defect": defect.name,
        "file": defect.file,
        "caught_by": caught,
        "seconds": round(time.monotonic() - began, 1),
    }


@click.command()
@click.option("--only", default="", help="Defects whose name or file has these words.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True)
def main(*, only: str, jobs: int) -> None:
    """Try every defect, or some."""
    chosen = [each for each in DEFECTS if only in each.name or only in each.file]
    if not chosen:
        raise click.UsageError(f"no defect has {only!r} in its name or file")
    trees = queue.SimpleQueue[Path]()

    def tried(defect: Defect) -> dict[str, object]:
        tree = trees.get()
        result = try_out(tree, defect)
        trees.put(tree)
        sys.stderr.write(f"{result['caught_by'] or 'SURVIVES'}: {defect.name}\n")
        return result

    with (
        tempfile.TemporaryDirectory(prefix="copyplugin-mutations-") as folder,
        ThreadPoolExecutor(jobs) as pool,
    ):
        for number in range(jobs):
            trees.put(copied_to(Path(folder) / f"tree{number}"))
        results = list(pool.map(tried, chosen))
    survived = [each["defect"] for each in results if each["caught_by"] is None]
    missing = [each["defect"] for each in results if each.get("missing")]
    click.echo(
        json.dumps(
            {
                "defects": len(results),
                "caught": len(results) - len(survived),
                "survived": survived,
                "missing": missing,
                "seconds": round(sum(float(str(each.get("seconds", 0))) for each in results), 1),
                "results": results,
            },
            indent=2,
        )
    )
    sys.exit(2 if missing else bool(survived))


if __name__ == "__main__":
    main()
