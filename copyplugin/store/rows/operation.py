"""What the operator set, and how the jobs that run by the clock fare."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.store.rows.base import Row


class SettingRow(Row, kw_only=True):
    __tablename__ = "setting"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]


class JobRunRow(Row, kw_only=True):
    """The latest run of one job, and its totals since the database was made."""

    __tablename__ = "job_run"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    duration_ms: Mapped[int | None] = mapped_column(default=None)
    backlog: Mapped[int | None] = mapped_column(default=None)
    runs: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str | None] = mapped_column(default=None)  # of any run there was
    failing_since: Mapped[datetime | None] = mapped_column(default=None)  # None: the last went well
