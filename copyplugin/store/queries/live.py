"""Everything that moves on the pages of many visitors, read in one go once a second."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import FollowerId, LeaderId
from copyplugin.store.queries.copies import Copies, copies_of_many
from copyplugin.store.queries.leader_page import OpenTrade, open_trades_of
from copyplugin.store.queries.marks import Mark, marks


@dataclass(frozen=True, kw_only=True, slots=True)
class Moving:
    """The same moment for every visitor."""

    marks: tuple[Mark, ...]
    copies: Mapping[FollowerId, Copies]
    open_trades: Mapping[LeaderId, tuple[OpenTrade, ...]]


def moving(
    session: Session, followers: Collection[FollowerId], leaders: Collection[LeaderId]
) -> Moving:
    """Return the marks, these followers' copies and what these leaders hold."""
    return Moving(
        marks=marks(session),
        copies=copies_of_many(session, followers) if followers else {},
        open_trades=open_trades_of(session, leaders) if leaders else {},
    )
