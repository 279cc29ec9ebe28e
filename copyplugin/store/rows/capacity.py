"""What the market offers near its prices, and how much copying of a leader it bears."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.identifiers import LeaderId, Symbol
from copyplugin.domain.money import Money
from copyplugin.store.rows.base import Row


class DepthSampleRow(Row, kw_only=True):
    """What a taker could buy and sell inside the price bound at one moment, in USDT."""

    __tablename__ = "depth_sample"

    symbol: Mapped[Symbol] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    buy: Mapped[Money]
    sell: Mapped[Money]


class LeaderCapacityRow(Row, kw_only=True):
    """The copy amounts that fit, and the instrument that is the narrowest; none where unknown."""

    __tablename__ = "leader_capacity"

    leader_id: Mapped[LeaderId] = mapped_column(ForeignKey("leader.id"), primary_key=True)
    symbol: Mapped[Symbol]
    copy_amount: Mapped[Money]
    at: Mapped[datetime]
