"""The venue's instruments, marks and wallets as last seen."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from copyplugin.domain.account import AccountBalance
from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Price
from copyplugin.store.dialect import put
from copyplugin.store.rows import InstrumentRow, MarkPriceRow, WalletSnapshotRow


def put_instruments(session: Session, instruments: Iterable[Instrument], *, at: datetime) -> None:
    """Store what the venue trades now; what it trades no more stays, not trading."""
    listed = [
        {
            "symbol": instrument.symbol,
            "base": instrument.base,
            "settle": instrument.settle,
            "tick_size": instrument.tick_size,
            "contract_size": instrument.contract_size,
            "contracts_min": instrument.contracts_min,
            "contracts_max": instrument.contracts_max,
            "notional_min": instrument.notional_min,
            "leverage_max": instrument.leverage_max,
            "maker_fee": instrument.maker_fee,
            "taker_fee": instrument.taker_fee,
            "maintenance_rate": instrument.maintenance_rate,
            "trading": True,
            "updated_at": at,
        }
        for instrument in instruments
    ]
    session.execute(
        update(InstrumentRow)
        .where(InstrumentRow.symbol.not_in([row["symbol"] for row in listed]))
        .values(trading=False, updated_at=at)
    )
    put(session, InstrumentRow, listed)


def put_marks(session: Session, marks: Mapping[Symbol, Price], *, at: datetime) -> None:
    """Store the mark prices; others stay as they were."""
    put(
        session,
        MarkPriceRow,
        [{"symbol": symbol, "price": price, "at": at} for symbol, price in marks.items()],
    )


def put_wallets(
    session: Session, balances: Mapping[AccountId, AccountBalance], *, at: datetime
) -> None:
    """Store what these accounts' wallets hold; others stay as they were."""
    put(
        session,
        WalletSnapshotRow,
        [
            {
                "account": account,
                "spot_available": balance.spot_available,
                "contract_wallet": balance.contract_wallet,
                "contract_available": balance.contract_available,
                "at": at,
            }
            for account, balance in balances.items()
        ],
    )


def instruments(session: Session) -> dict[Symbol, Instrument]:
    """Return every instrument ever seen, traded now or not."""
    return {row.symbol: instrument_from(row) for row in session.scalars(select(InstrumentRow))}


def instruments_stored(session: Session) -> int:
    """Return how many instruments were ever seen."""
    return session.scalar(select(func.count()).select_from(InstrumentRow)) or 0


def tradable_symbols(session: Session) -> frozenset[Symbol]:
    """Return what the venue trades now."""
    query = select(InstrumentRow.symbol).where(InstrumentRow.trading)
    return frozenset(session.scalars(query))


def marks(session: Session) -> dict[Symbol, Price]:
    return {row.symbol: row.price for row in session.scalars(select(MarkPriceRow))}


def instrument_from(row: InstrumentRow) -> Instrument:
    return Instrument(
        symbol=row.symbol,
        base=row.base,
        settle=row.settle,
        tick_size=row.tick_size,
        contract_size=row.contract_size,
        contracts_min=row.contracts_min,
        contracts_max=row.contracts_max,
        notional_min=row.notional_min,
        leverage_max=row.leverage_max,
        maker_fee=row.maker_fee,
        taker_fee=row.taker_fee,
        maintenance_rate=row.maintenance_rate,
    )
