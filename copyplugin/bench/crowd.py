"""A leader with many followers, in the rows and on a venue: what a fan-out is measured on."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import insert

from copyplugin.domain.copy_rule import CopyMode
from copyplugin.domain.follow import FollowState
from copyplugin.domain.identifiers import AccountId, LeaderId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.leader import LeaderTerms, ShareBasis
from copyplugin.domain.money import Money, Ratio
from copyplugin.store import leaders, market
from copyplugin.store.database import Database, Session
from copyplugin.store.places import SHARDS
from copyplugin.store.rows import FollowerRow, FollowInstrumentRow, FollowRow

COPY_AMOUNT = Money(Decimal(10_000))
SHARE, FREE = Ratio(Decimal("0.1")), Ratio(Decimal(0))
ROWS_AT_ONCE = 10_000


def add_crowd(
    database: Database,
    *,
    leader: AccountId,
    sub_accounts: list[AccountId],
    instrument: Instrument,
    at: datetime,
    one_pays_of: int = 1,
) -> LeaderId:
    """Write a leader and one pending follow for each sub-account, without asking a venue.

    One follow of so many owes a share of its profits; the others are friends.
    """

    def write(session: Session) -> LeaderId:
        market.put_instruments(session, [instrument], at=at)
        terms = LeaderTerms(nickname="Bench", symbols=frozenset({instrument.symbol}))
        row = leaders.add_leader(session, leader, terms, at=at)
        for first in range(0, len(sub_accounts), ROWS_AT_ONCE):
            some = sub_accounts[first : first + ROWS_AT_ONCE]
            _add_follows(session, row.id, some, first, instrument.symbol, at, one_pays_of)
        return row.id

    return database.write_and_wait(write)


def _add_follows(  # noqa: PLR0913, PLR0917 - what the rows say
    session: Session,
    leader_id: LeaderId,
    accounts: list[AccountId],
    first: int,
    symbol: Symbol,
    at: datetime,
    one_pays_of: int,
) -> None:
    numbers = range(first + 1, first + 1 + len(accounts))
    session.execute(
        insert(FollowerRow),
        [
            {"id": n, "account": f"9{n:07d}", "name": f"Follower {n}", "created_at": at}
            for n in numbers
        ],
    )
    session.execute(
        insert(FollowRow),
        [
            {
                "id": n,
                "leader_id": leader_id,
                "follower_id": n,
                "sub_account": account,
                "state": FollowState.PENDING,
                "mode": CopyMode.FIXED,
                "copy_amount": COPY_AMOUNT,
                "share_ratio": SHARE if n % one_pays_of == 0 else FREE,
                "share_basis": ShareBasis.PER_POSITION,
                "shard": n % SHARDS,
                "created_at": at,
                "started_at": at,
            }
            for n, account in zip(numbers, accounts, strict=True)
        ],
    )
    session.execute(
        insert(FollowInstrumentRow), [{"follow_id": n, "symbol": symbol} for n in numbers]
    )
