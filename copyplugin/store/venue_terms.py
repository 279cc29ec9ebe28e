"""How the venue moves money for us, and which accounts stand ready where it does not (V6)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.money import Money
from copyplugin.ports import MovesMoney
from copyplugin.store.dialect import put
from copyplugin.store.rows import AllotmentRow, VenueTermsRow

ONLY = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueTerms:
    """As the engine last told; `escrow_seconds` is 0 where shares are not held."""

    name: str
    moves_money: MovesMoney
    escrow_seconds: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Allotment:
    """The account that stands ready for a person's next start, and what it held at `at`."""

    account: AccountId
    held: Money
    at: datetime


def put_venue_terms(session: Session, terms: VenueTerms, *, at: datetime) -> None:
    told = {
        "id": ONLY,
        "name": terms.name,
        "moves_money": terms.moves_money,
        "escrow_seconds": terms.escrow_seconds,
        "at": at,
    }
    put(session, VenueTermsRow, [told])


def venue_terms(session: Session) -> VenueTerms | None:
    """Return what the engine has told of its venue; None where it never ran."""
    row = session.get(VenueTermsRow, ONLY)
    if row is None:
        return None
    return VenueTerms(name=row.name, moves_money=row.moves_money, escrow_seconds=row.escrow_seconds)


def put_allotment(session: Session, main_account: AccountId, allotment: Allotment) -> None:
    """Store which account stands ready for a person; it replaces the one that stood before."""
    told = {
        "main_account": main_account,
        "account": allotment.account,
        "held": allotment.held,
        "at": allotment.at,
    }
    put(session, AllotmentRow, [told])


def find_allotment(session: Session, main_account: AccountId) -> Allotment | None:
    """Return the account that stands ready for a person; None where none was asked for."""
    row = session.get(AllotmentRow, main_account)
    return None if row is None else Allotment(account=row.account, held=row.held, at=row.at)


def allotments(session: Session) -> dict[AccountId, Allotment]:
    """Return every account that stands ready, by whose it will be."""
    return {
        row.main_account: Allotment(account=row.account, held=row.held, at=row.at)
        for row in session.scalars(select(AllotmentRow).order_by(AllotmentRow.main_account))
    }


def drop_allotment(session: Session, account: AccountId) -> None:
    """Forget that this account stands ready: a follow has begun with it."""
    session.execute(delete(AllotmentRow).where(AllotmentRow.account == account))
