"""The pytest plugin: a simulated exchange as a fixture, and scenario files as tests.

pytest imports this module in every run of whoever has the package installed, so nothing but pytest
is imported here; the exchange comes with the first test that asks for it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from simexchange.clock import Clock
    from simexchange.pytest_plugin.facade import ExchangeFacade
    from simexchange.pytest_plugin.served import ServedExchange

SCENARIO_SUFFIX = ".scenario.yaml"
_MARKER = (
    "simexchange(instruments=None, seed=0, clock='manual', start='2026-01-01 00:00:00', "
    "check_ledger=True, insurance_fund='1000000', rate_limits=False): how the exchange of this "
    "test is made"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("simexchange", "simulated exchange")
    group.addoption(
        "--simexchange-scenarios",
        action="store_true",
        default=False,
        help=f"collect files named *{SCENARIO_SUFFIX} as tests",
    )
    parser.addini(
        "simexchange_scenarios",
        f"collect files named *{SCENARIO_SUFFIX} as tests",
        type="bool",
        default=False,
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a scenario file where that is asked for."""
    if not file_path.name.endswith(SCENARIO_SUFFIX):
        return None
    config = parent.config
    if not (config.getoption("simexchange_scenarios") or config.getini("simexchange_scenarios")):
        return None
    from simexchange.pytest_plugin.scenarios import (  # noqa: PLC0415 - see the module's docstring
        ScenarioFile,
    )

    return ScenarioFile.in_directory(parent, file_path)


def _marked(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the marker's settings; a nearer marker replaces those of one farther away."""
    settings: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers("simexchange"))):
        if mark.args:
            raise ValueError(
                "the marker simexchange names what it sets: simexchange(instruments=…), not "
                f"simexchange({mark.args[0]!r})"
            )
        settings |= mark.kwargs
    return settings


@pytest.fixture
def simexchange_clock(request: pytest.FixtureRequest) -> "Clock":
    """Give the time of ``exchange``: one that tests move, or the computer's."""
    from simexchange.pytest_plugin.making import (  # noqa: PLC0415 - see the module's docstring
        make_clock,
    )

    return make_clock(_marked(request))


@pytest.fixture
def exchange(
    request: pytest.FixtureRequest, simexchange_clock: "Clock"
) -> Iterator["ExchangeFacade"]:
    """Give this test an exchange of its own; its ledger is checked when the test ends."""
    from simexchange.pytest_plugin.making import (  # noqa: PLC0415 - see the module's docstring
        make_exchange,
    )

    settings = _marked(request)
    made = make_exchange(settings, simexchange_clock)
    yield made
    if settings.get("check_ledger", True):
        made.assert_balanced()


@pytest.fixture
def served_exchange(
    request: pytest.FixtureRequest, simexchange_clock: "Clock"
) -> Iterator["ServedExchange"]:
    """Serve an exchange of this test's own on a free port; its ledger is checked at the end."""
    from simexchange.pytest_plugin.making import (  # noqa: PLC0415 - see the module's docstring
        make_exchange,
    )
    from simexchange.pytest_plugin.served import (  # noqa: PLC0415 - see the module's docstring
        ServedExchange,
    )

    settings = _marked(request)
    made = make_exchange(settings, simexchange_clock)
    with ServedExchange(made, rate_limits=bool(settings.get("rate_limits"))) as served:
        yield served
    if settings.get("check_ledger", True):
        made.assert_balanced()
