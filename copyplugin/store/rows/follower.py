"""Followers: whose money copies."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.identifiers import AccountId, FollowerId
from copyplugin.store.rows.base import Row


class FollowerRow(Row, kw_only=True):
    __tablename__ = "follower"
    __table_args__ = (Index("uq_follower_paper_of", "paper_of", unique=True),)

    id: Mapped[FollowerId] = mapped_column(primary_key=True, init=False)
    account: Mapped[AccountId] = mapped_column(unique=True)
    name: Mapped[str]
    # Whose follows with play money these are; None: he is somebody himself.
    paper_of: Mapped[FollowerId | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
