"""What the engine knows of its venue that pages must say before anybody starts (V6)."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.money import Money
from copyplugin.ports import MovesMoney
from copyplugin.store.rows.base import Row


class VenueTermsRow(Row, kw_only=True):
    """One row: an installation has one venue."""

    __tablename__ = "venue_terms"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64))
    moves_money: Mapped[MovesMoney]
    escrow_seconds: Mapped[int]  # a share of a follow that starts now is held so long
    at: Mapped[datetime]


class AllotmentRow(Row, kw_only=True):
    """The account that stands ready for a person's next start, where no venue moves money."""

    __tablename__ = "allotment"

    main_account: Mapped[AccountId] = mapped_column(primary_key=True)
    account: Mapped[AccountId]
    held: Mapped[Money]  # in its contract wallet when the venue was last asked
    at: Mapped[datetime]
