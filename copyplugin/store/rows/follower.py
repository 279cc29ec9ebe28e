"""Followers: whose money copies."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.identifiers import AccountId, FollowerId
from copyplugin.store.rows.base import Row


class FollowerRow(Row, kw_only=True):
    __tablename__ = "follower"

    id: Mapped[FollowerId] = mapped_column(primary_key=True, init=False)
    account: Mapped[AccountId] = mapped_column(unique=True)
    name: Mapped[str]
    # Whose follows with play money these are; None: he is somebody himself.
    paper_of: Mapped[FollowerId | None] = mapped_column(
        ForeignKey("follower.id"), unique=True, default=None
    )
    created_at: Mapped[datetime]
