"""Long runs: all features in one stream, the book beside a slow one, seeds in two processes."""

import pytest

from simexchange.campaign.command import run_book
from simexchange.campaign.hashes import compare_hashes
from simexchange.campaign.mixed import COMMANDS_FOR_ALL_FEATURES, run_mixed

FIRST_SEEDS = (5_020, 5_200)
"""Two halves, so that two cores can share them; 100,000 commands from either meet every feature.

In such a run a fill-or-kill order once filled in part: a resting order that was not there to close
a position had closed it before the one that was.
"""


@pytest.mark.slow
@pytest.mark.timeout(300)  # 15 seconds, but the machine may be shared
@pytest.mark.parametrize("first_seed", FIRST_SEEDS)
def test_100_000_mixed_commands_keep_every_invariant_and_meet_every_feature(first_seed):
    report = run_mixed(commands=COMMANDS_FOR_ALL_FEATURES, first_seed=first_seed)

    assert report.failure is None, f"{report.failure.problem}\n{report.failure.trace}"
    assert report.never == ()
    assert report.commands >= COMMANDS_FOR_ALL_FEATURES
    assert report.full_checks == report.commands
    assert report.drained == report.seeds >= 49


@pytest.mark.slow
def test_50_seeds_give_the_same_events_in_two_processes_with_different_hash_seeds():
    report = compare_hashes(seeds=50)

    assert report.problem is None
    assert report.different == ()
    assert (report.seeds, report.distinct_hashes, report.processes) == (50, 50, 4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_the_book_trades_as_the_slow_one_does_for_10_000_commands(seed):
    report = run_book(commands=10_000, seed=seed)

    assert report.problem is None
    assert report.commands == 10_000
    assert report.trades > 1_000
