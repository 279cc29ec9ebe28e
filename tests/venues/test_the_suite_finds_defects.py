"""A suite that nothing fails proves nothing: each mistake of an adapter is found by its test."""

import inspect
from itertools import product

import pytest

from copyplugin.errors import VenueError
from copyplugin.venues.conformance.bench import Fault
from copyplugin.venues.conformance.steps import Trial
from copyplugin.venues.conformance.suite import VenueConformance
from tests.venues.defects import DEFECTS, Defect, DefectiveVenue
from tests.venues.defects_in_time import DEFECTS_IN_TIME
from tests.venues.simulated_bench import SimulatedBench

FOUND = (AssertionError, VenueError, pytest.fail.Exception)
ALL_DEFECTS = DEFECTS | DEFECTS_IN_TIME
PARAMETRIZED = [
    (defect, test) for name, defect in ALL_DEFECTS.items() for test in defect.noticed_by
]


class DefectiveBench(SimulatedBench):
    """The venue in process with one mistake, in every process."""

    patience_seconds = 0.3

    def __init__(self, defect: Defect | None) -> None:
        super().__init__()
        self.defect = defect
        if defect is not None:
            self.venue = DefectiveVenue(self.venue, defect)

    async def reopened(self):
        venue = await super().reopened()
        return venue if self.defect is None else DefectiveVenue(venue, self.defect)


def cases(test: str) -> list[dict[str, object]]:
    """Return every set of arguments that the test is run with."""
    marks = getattr(getattr(VenueConformance, test), "pytestmark", [])
    columns = [
        [{mark.args[0]: value} for value in mark.args[1]]
        for mark in marks
        if mark.name == "parametrize"
    ]
    return [
        {name: value for part in row for name, value in part.items()} for row in product(*columns)
    ]


async def runs(test: str, defect: Defect | None) -> list[str]:
    """Run a test of the suite on a bench of its own for each case; return what went wrong."""
    found: list[str] = []
    for case in cases(test):
        async with DefectiveBench(defect) as bench:
            if not set(case.values()) & set(Fault) <= bench.faults:
                continue
            try:
                await getattr(VenueConformance(), test)(Trial(bench), **case)
            except FOUND as error:
                found.append(repr(error))
    return found


@pytest.mark.parametrize(
    ("defect", "test"),
    PARAMETRIZED,
    ids=[f"{name}-{n}" for name, d in ALL_DEFECTS.items() for n, _ in enumerate(d.noticed_by)],
)
async def test_the_suite_finds_the_mistake(defect: Defect, test: str):
    assert not await runs(test, None)

    assert await runs(test, defect)


def test_every_method_of_the_port_is_used_by_the_suite():
    used = "".join(
        inspect.getsource(inspect.getmodule(part))
        for part in (*VenueConformance.__mro__[:-1], Trial)
        if part.__module__.startswith("copyplugin.")
    )
    methods = [
        name
        for name, member in inspect.getmembers(SimulatedBench().venue._venue)
        if inspect.iscoroutinefunction(member) and not name.startswith("_")
    ]

    assert len(methods) > 15
    assert [name for name in methods if f".{name}" not in used] == []
