"""Which of a follower's follows open nothing new now, and why (P5)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.actor import STAFF, role_of
from copyplugin.domain.follow import COPIES_OPENS
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.identifiers import FollowerId, FollowId
from copyplugin.store.halts import halt_of
from copyplugin.store.rows import FollowRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Halted:
    """`until` None: until somebody resumes."""

    scope: HaltScope
    actor: str
    reason: str
    until: datetime | None

    @property
    def is_own(self) -> bool:
        """Tell whether the follower himself may resume."""
        return self.scope is HaltScope.FOLLOW and role_of(self.actor) not in STAFF


def halted_follows(
    session: Session, follower_id: FollowerId, *, now: datetime
) -> dict[FollowId, Halted]:
    """Return what halts each of these follows; the widest halt where there are several."""
    query = select(FollowRow.id, FollowRow.leader_id).where(
        FollowRow.follower_id == follower_id, FollowRow.state.in_(COPIES_OPENS)
    )
    found: dict[FollowId, Halted] = {}
    for follow_id, leader_id in session.execute(query):
        row = halt_of(session, follow_id=follow_id, leader_id=leader_id, now=now)
        if row is not None:
            found[follow_id] = Halted(
                scope=row.scope, actor=row.actor, reason=row.reason, until=row.until
            )
    return found
