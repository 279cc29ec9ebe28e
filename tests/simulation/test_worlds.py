"""Seeded worlds: safe at every step, alive after healing, equal to their twin, money home."""

import pytest

from tests.simulation.campaign import FAULTS, KINDS, Campaign, kind_of, run_worlds

WORLDS = range(1, 201)
"""Always; `python -m tests.simulation.campaign --worlds 10000 --jobs 2` for a campaign."""

REGRESSIONS = (
    # what was liquidated before more was opened was booked at the average cost of both
    100,
    360,
)
"""Worlds that broke a law once."""


@pytest.fixture(scope="module")
def lived() -> Campaign:
    return Campaign()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_world_keeps_its_laws(kind: str, lived: Campaign):
    numbers = [number for number in (*WORLDS, *REGRESSIONS) if kind_of(number) == kind]

    campaign = run_worlds(numbers)

    assert campaign.failures == []
    assert campaign.worlds == len(numbers) >= len(WORLDS) // len(KINDS)
    lived.add(campaign)


def test_between_them_the_worlds_have_every_fault_there_is(lived: Campaign):
    if len(lived.by_kind) < len(KINDS):
        pytest.skip("only some kinds of worlds were chosen to run")
    assert set(lived.tally.faults) == FAULTS
    assert min(lived.tally.kills, lived.tally.orders, lived.tally.skips) > 0
