"""Leases: which process works on a shard now, so that never two do."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.store.rows.base import Row


class LeaseRow(Row, kw_only=True):
    """A shard's number, or that of the engine. `epoch` grows with every change of owner."""

    __tablename__ = "lease"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner: Mapped[str | None] = mapped_column(default=None)
    epoch: Mapped[int] = mapped_column(default=0)
    until: Mapped[datetime | None] = mapped_column(default=None)
