"""Everybody's follows with play money, for the command line (B6)."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.store.queries.copies import FollowLine, copies_of_many
from copyplugin.store.rows import FollowerRow


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperLine:
    """`follower_name` is the person's for whom the follow stands."""

    follower_name: str
    follow: FollowLine


def paper_lines(session: Session) -> tuple[PaperLine, ...]:
    """Return every follow with play money, newest first."""
    twins = session.scalars(select(FollowerRow).where(FollowerRow.paper_of.is_not(None)))
    names = {twin.id: twin.name for twin in twins}
    found = copies_of_many(session, names).values() if names else ()
    lines = [
        PaperLine(follower_name=names[line.follower_id], follow=line)
        for copies in found
        for line in copies.follows
    ]
    return tuple(sorted(lines, key=lambda line: -line.follow.follow_id))
