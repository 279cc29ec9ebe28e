"""How the jobs that run by the clock fare: the latest run of each, and totals."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.store.rows import JobRunRow

_MILLISECOND = timedelta(milliseconds=1)


def job_started(session: Session, name: str, *, at: datetime) -> None:
    row = session.get(JobRunRow, name)
    if row is None:
        row = JobRunRow(name=name, started_at=at)
        session.add(row)
    row.started_at = at
    row.finished_at = None
    row.duration_ms = None


def job_finished(
    session: Session, name: str, *, backlog: int | None, error: str | None, at: datetime
) -> None:
    """Record the end of the run that `job_started` began.

    `backlog` is how much it left undone, where the job can tell; an error counts as a failure, and
    the job fails from the first such run until one has none.
    """
    row = session.get_one(JobRunRow, name)
    row.finished_at = at
    row.duration_ms = (at - row.started_at) // _MILLISECOND
    row.backlog = backlog
    row.runs += 1
    if error is None:
        row.failing_since = None
        return
    row.failures += 1
    row.last_error = error
    if row.failing_since is None:
        row.failing_since = at


def job_runs(session: Session) -> list[JobRunRow]:
    """Return every job that ever ran, by name."""
    return list(session.scalars(select(JobRunRow).order_by(JobRunRow.name)))
