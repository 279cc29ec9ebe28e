"""Followers: whose main accounts pay for follows."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import AccountId, FollowerId
from copyplugin.domain.paper import paper_main
from copyplugin.errors import Refused, UnknownFollower
from copyplugin.store.rows import FollowerRow


def get_follower(session: Session, follower_id: FollowerId) -> FollowerRow:
    """Return the follower; raises `UnknownFollower`."""
    row = session.get(FollowerRow, follower_id)
    if row is None:
        raise UnknownFollower(f"There is no follower number {follower_id}.")
    return row


def find_follower(session: Session, account: AccountId) -> FollowerRow | None:
    return session.scalars(select(FollowerRow).where(FollowerRow.account == account)).one_or_none()


def register_follower(
    session: Session, account: AccountId, *, name: str, at: datetime
) -> FollowerRow:
    """Return the follower of this account, adding him where he is new; a known name stays."""
    if not account.strip():
        raise Refused("The follower's account (UID) is missing.")
    known = find_follower(session, account)
    if known is not None:
        return known
    row = FollowerRow(account=account, name=name, created_at=at)
    session.add(row)
    session.flush()
    return row


def find_paper_twin(session: Session, follower_id: FollowerId) -> FollowerRow | None:
    """Return who stands for this follower in his paper follows; None before the first."""
    query = select(FollowerRow).where(FollowerRow.paper_of == follower_id)
    return session.scalars(query).one_or_none()


def paper_twin(session: Session, follower_id: FollowerId, *, at: datetime) -> FollowerRow:
    """Return who stands for this follower in his paper follows, making him the first time.

    He is a follower of his own, with an account of his own: so no total, mark or limit of the
    person's real follows has anything of the others in it. Raises `UnknownFollower`.
    """
    person = get_follower(session, follower_id)
    if person.paper_of is not None:
        return person
    twin = find_paper_twin(session, follower_id)
    if twin is None:
        twin = FollowerRow(
            account=paper_main(person.account),
            name=person.name,
            paper_of=person.id,
            created_at=at,
        )
        session.add(twin)
        session.flush()
    return twin


def person_of(session: Session, follower: FollowerRow) -> FollowerRow:
    """Return for whom a follower stands: himself, unless his money is play money."""
    return follower if follower.paper_of is None else get_follower(session, follower.paper_of)
