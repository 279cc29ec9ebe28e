"""Orphans: contracts in a sub-account that no lane wants."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import FollowId, Symbol
from copyplugin.domain.money import Contracts
from copyplugin.store.rows.base import KEY, Row

_HELD = text("gone_at IS NULL")


class OrphanRow(Row, kw_only=True):
    """`contracts` are those beyond what the lane holds by our books, as last seen."""

    __tablename__ = "orphan"
    __table_args__ = (
        CheckConstraint("contracts > 0", "contracts_positive"),
        Index(
            "uq_orphan_follow_id_symbol_position_side_held",
            "follow_id",
            "symbol",
            "position_side",
            unique=True,
            sqlite_where=_HELD,
            postgresql_where=_HELD,
        ),
    )

    id: Mapped[int] = mapped_column(KEY, primary_key=True, init=False)
    follow_id: Mapped[FollowId] = mapped_column(ForeignKey("follow.id"))
    symbol: Mapped[Symbol]
    position_side: Mapped[PositionSide]
    contracts: Mapped[Contracts]
    found_at: Mapped[datetime]
    close_asked_by: Mapped[str | None] = mapped_column(default=None)
    close_asked_at: Mapped[datetime | None] = mapped_column(default=None)
    gone_at: Mapped[datetime | None] = mapped_column(default=None)  # closed, or taken in
