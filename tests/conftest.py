"""What every folder of tests shares: profiles of Hypothesis, recorded data, the browser."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.databases import KINDS, PostgresServer, migrated_sqlite, postgres_server, sqlite_url

ROOT = Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")

# a run that failed must fail again: examples follow from the test, not from the clock
settings.register_profile("check", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("search", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "check"))


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let browser tests come last: the event loop they leave running fails asyncio tests.

    Laws run with the slow tests, without coverage: it doubles the time of their thousands of
    examples. Those of the campaign stay: nothing else passes through its code.
    """
    items.sort(key=lambda item: "e2e" in item.path.parts)
    for item in items:
        if "laws" in item.path.parts and "campaign" not in item.path.parts:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of recorded market data, which is too large for the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("recorded market data is not here: it is expected in ../shared/data")
    return folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Return a PostgreSQL server, started once for all tests of this process."""
    with postgres_server() as server:
        yield server


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Run the test once on each kind of database."""
    return request.param


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of a database without tables, which on SQLite does not exist yet."""
    if kind == "sqlite":
        yield sqlite_url(tmp_path)
    else:
        with request.getfixturevalue("postgres").borrowed(is_migrated=False) as url:
            yield url


@pytest.fixture
def migrated_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of a database with our tables and nothing in them."""
    if kind == "sqlite":
        yield migrated_sqlite(tmp_path)
    else:
        with request.getfixturevalue("postgres").borrowed(is_migrated=True) as url:
            yield url


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium: the one $CHROMIUM names, else the first on PATH."""
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found:
        return found
    sentence = "no Chromium is on PATH: install it (Debian: chromium) or name one in CHROMIUM"
    if os.environ.get("REQUIRE_CHROMIUM") == "1":
        pytest.fail(sentence)
    pytest.skip(sentence)


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, object], chromium: str
) -> dict[str, object]:
    """Give pytest-playwright the system's browser; it downloads none."""
    return browser_type_launch_args | {"executable_path": chromium}
