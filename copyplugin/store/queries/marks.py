"""Mark prices as the venue last told them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.money import Price
from copyplugin.store.rows import InstrumentRow, MarkPriceRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    symbol: Symbol
    price: Price
    tick_size: Decimal
    at: datetime


def marks(session: Session) -> tuple[Mark, ...]:
    """Return the mark of every instrument that trades now, by name."""
    rows = session.execute(
        select(MarkPriceRow, InstrumentRow.tick_size)
        .join(InstrumentRow, InstrumentRow.symbol == MarkPriceRow.symbol)
        .where(InstrumentRow.trading)
        .order_by(MarkPriceRow.symbol)
    )
    return tuple(
        Mark(symbol=row.symbol, price=row.price, tick_size=tick_size, at=row.at)
        for row, tick_size in rows
    )
