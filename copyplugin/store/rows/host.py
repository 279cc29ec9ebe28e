"""What a host exchange has told of its leaders' accounts, word for word."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.identifiers import AccountId, VenueFillId
from copyplugin.store.rows.base import Row


class HostMessageRow(Row, kw_only=True):
    """One message of one account; the numbers of an account run from 1 without a gap."""

    __tablename__ = "host_message"

    account: Mapped[AccountId] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[str]
    received_at: Mapped[datetime]


class HostFillRow(Row, kw_only=True):
    """Which message told a fill: a fill is told once."""

    __tablename__ = "host_fill"
    __table_args__ = (
        UniqueConstraint("account", "venue_fill_id"),
        ForeignKeyConstraint(
            ["account", "number"], ["host_message.account", "host_message.number"]
        ),
    )

    account: Mapped[AccountId] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    venue_fill_id: Mapped[VenueFillId] = mapped_column(primary_key=True)
