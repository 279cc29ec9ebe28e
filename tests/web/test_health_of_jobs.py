"""Jobs on the health page: what failed is told until a run goes well, and a silent engine is."""

from datetime import timedelta

import pytest

from copyplugin.store.rows import JobRunRow
from tests.web.builders import NOW


@pytest.fixture
def job(world, small):
    def job(name="copy", **more):
        values = {
            "started_at": NOW - timedelta(seconds=3),
            "finished_at": NOW - timedelta(seconds=2),
            "duration_ms": 40,
            "backlog": 7,
            "runs": 12,
        } | more
        world.add(JobRunRow(name=name, **values))

    return job


def test_each_job_shows_its_last_run_duration_and_backlog(client, job, queries):
    job()

    text = client.get("/health").text

    assert "40 ms" in text
    assert ">7<" in text
    assert queries.health().is_well


def test_an_error_of_an_earlier_run_does_not_keep_the_page_unwell(client, job, queries):
    job(failures=1, last_error="KeyError: 'x'")

    assert queries.health().is_well
    assert "KeyError" not in client.get("/health").text


def test_a_job_that_fails_now_is_told_with_its_error_and_since_when(client, job, queries):
    job(failures=1, last_error="KeyError: 'x'", failing_since=NOW - timedelta(minutes=2))

    text = client.get("/health").text

    assert "Job copy failed: KeyError" in text
    assert "11:58:00" in text
    assert not queries.health().is_well


@pytest.mark.parametrize(("seconds", "is_silent"), [(60, False), (61, True), (86_400, True)])
def test_an_engine_that_begins_no_job_is_silent(client, job, queries, seconds, is_silent):
    job(started_at=NOW - timedelta(seconds=seconds), name="copy")
    job(started_at=NOW - timedelta(days=2), name="ledger")

    assert ("The engine has been silent for" in client.get("/health").text) is is_silent
    assert queries.health().is_well is not is_silent
