"""The venue's instruments, marks and wallets as last seen; a page reads these, never the venue."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from copyplugin.domain.identifiers import AccountId, Symbol
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.store.rows.base import Row


class InstrumentRow(Row, kw_only=True):
    """As `domain.instrument.Instrument`; `trading` is false once the venue lists it no more."""

    __tablename__ = "instrument"
    __table_args__ = (
        CheckConstraint(
            "contracts_min > 0 AND contracts_min <= contracts_max", "contracts_ordered"
        ),
    )

    symbol: Mapped[Symbol] = mapped_column(primary_key=True)
    base: Mapped[str] = mapped_column(String(32))
    settle: Mapped[str] = mapped_column(String(32))
    tick_size: Mapped[Decimal]
    contract_size: Mapped[Decimal]
    contracts_min: Mapped[Contracts]
    contracts_max: Mapped[Contracts]
    notional_min: Mapped[Money]
    leverage_max: Mapped[Ratio]
    maker_fee: Mapped[Ratio]
    taker_fee: Mapped[Ratio]
    maintenance_rate: Mapped[Ratio | None] = mapped_column(default=None)
    trading: Mapped[bool] = mapped_column(default=True)
    updated_at: Mapped[datetime]


class MarkPriceRow(Row, kw_only=True):
    __tablename__ = "mark_price"

    symbol: Mapped[Symbol] = mapped_column(primary_key=True)
    price: Mapped[Price]
    at: Mapped[datetime]


class WalletSnapshotRow(Row, kw_only=True):
    """What an account's wallets held when the venue was last asked."""

    __tablename__ = "wallet_snapshot"

    account: Mapped[AccountId] = mapped_column(primary_key=True)
    spot_available: Mapped[Money]
    contract_wallet: Mapped[Money]
    contract_available: Mapped[Money]
    at: Mapped[datetime]
