"""Seeded worlds with stops under faults: safe at every step, whole after healing, as the twin."""

import os
from random import Random

import pytest

from tests.simulation.faults import Faults
from tests.simulation.protected_crowd import ProtectedCrowd
from tests.simulation.test_crowds import bad_day, good_day

SEEDS = range(int(os.environ.get("COPY_WORLDS", "1")))
"""One world of each kind always; COPY_WORLDS=200 for a campaign."""

STEPS = 10


def kills_only(seed: int) -> Faults:
    """Return a venue that answers, and a process that dies and is not woken."""
    return Faults(random=Random(seed + 2000), kills=15, lost_wakes=200)


async def lived_through(tmp_path, seed: int, faults: Faults, **terms: object) -> ProtectedCrowd:
    crowd = ProtectedCrowd(tmp_path, seed, faults, **terms)
    await crowd.start()
    for _ in range(STEPS):
        await crowd.step()
    await crowd.recover()
    return crowd


@pytest.mark.parametrize("seed", SEEDS)
async def test_while_the_venue_answers_no_position_is_five_seconds_without_its_stop(tmp_path, seed):
    crowd = await lived_through(tmp_path, seed, kills_only(seed), prices_move=True)

    crowd.check_alive()
    crowd.check_protected()
    crowd.check_no_alarm()
    await crowd.end_all()
    crowd.check_money_home()
    crowd.plugin.close()


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_fails_everybody_is_protected_or_out_in_the_end(tmp_path, seed, monkeypatch):
    monkeypatch.setattr(ProtectedCrowd, "watch_stops", lambda _: None)  # the venue is often silent
    crowd = await lived_through(tmp_path, seed, bad_day(seed), prices_move=True)

    assert crowd.faults.happened > 0
    crowd.check_alive()
    crowd.check_protected()
    crowd.check_no_alarm()
    await crowd.end_all()
    crowd.check_money_home()
    crowd.plugin.close()


@pytest.mark.parametrize("seed", SEEDS)
async def test_stops_that_do_not_fire_rest_where_they_do_without_faults(
    tmp_path, seed, monkeypatch
):
    monkeypatch.setattr(ProtectedCrowd, "watch_stops", lambda _: None)
    (tmp_path / "bad").mkdir()
    (tmp_path / "good").mkdir()
    terms = {"stop_loss": "0.02", "take_profit": "0.03", "modes": ("fixed", "fixed")}

    bad = await lived_through(tmp_path / "bad", seed, bad_day(seed), **terms)
    good = await lived_through(tmp_path / "good", seed, good_day(seed), **terms)

    assert bad.holdings() == good.holdings() != {}
    assert bad.resting() == good.resting() != {}
    for crowd in (bad, good):
        crowd.check_protected()
        crowd.plugin.close()


async def test_stops_are_booked_and_moved_on_postgresql_too(tmp_path, postgres, monkeypatch):
    monkeypatch.setattr(ProtectedCrowd, "watch_stops", lambda _: None)
    crowd = await lived_through(tmp_path, 1, bad_day(1), prices_move=True, url=postgres.migrated())

    crowd.check_alive()
    crowd.check_protected()
    assert crowd.count_fires() > 0
    await crowd.end_all()
    crowd.check_money_home()
    crowd.plugin.close()
