"""The root of all rows: how a Python type is stored, and what constraints are called."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Date, Integer, MetaData, String, Text
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass

from copyplugin.domain import identifiers as ids
from copyplugin.domain.account import TransferKind, TransferState, Wallet
from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.copy_rule import BelowMinimum, CopyMode
from copyplugin.domain.fill import FillCause, Liquidity, MarginMode, OrderSide, PositionSide
from copyplugin.domain.follow import EndKind, FollowState
from copyplugin.domain.halt import HaltScope
from copyplugin.domain.leader import LeaderKind, LeaderStatus, ShareBasis, ShareState, TradeState
from copyplugin.domain.money import Contracts, Money, Price, Ratio
from copyplugin.domain.notice import Audience, Channel, DeliveryState, NoticeKind, Way
from copyplugin.domain.order import CopyOrderState, OrderPurpose
from copyplugin.domain.plan_order import PlanState, TriggerBy, TriggerDirection
from copyplugin.domain.protection import PlanKind
from copyplugin.domain.setting_change import SettingChangeState, SettingName
from copyplugin.domain.skip import SkipReason
from copyplugin.domain.transition import Effect
from copyplugin.ports import MovesMoney
from copyplugin.store.columns import (
    DecimalColumn,
    EnumColumn,
    FractionColumn,
    MoneyColumn,
    UtcColumn,
)

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# SQLite numbers rows by itself only where the key is declared INTEGER.
KEY = BigInteger().with_variant(Integer, "sqlite")
_NAME = String(128)

_ENUMS: tuple[type[StrEnum], ...] = (
    AlarmKind,
    Audience,
    BelowMinimum,
    Channel,
    CommandKind,
    CommandState,
    CopyMode,
    CopyOrderState,
    DeliveryState,
    Effect,
    EndKind,
    FillCause,
    FollowState,
    HaltScope,
    LeaderKind,
    LeaderStatus,
    Liquidity,
    MarginMode,
    MovesMoney,
    NoticeKind,
    OrderPurpose,
    OrderSide,
    PlanKind,
    PlanState,
    PositionSide,
    SettingChangeState,
    SettingName,
    ShareBasis,
    ShareState,
    SkipReason,
    TradeState,
    TransferKind,
    TransferState,
    TriggerBy,
    TriggerDirection,
    Wallet,
    Way,
)


class Row(MappedAsDataclass, DeclarativeBase):
    """A table's row: data and constraints, no behaviour."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        Money: MoneyColumn(),
        Price: DecimalColumn(),
        Ratio: DecimalColumn(),
        Decimal: DecimalColumn(),
        Fraction: FractionColumn(),
        Contracts: BigInteger(),
        int: BigInteger(),
        str: Text(),
        datetime: UtcColumn(),
        date: Date(),
        dict[str, Any]: JSON(),
        ids.AccountId: _NAME,
        ids.Symbol: _NAME,
        ids.ClientOrderId: _NAME,
        ids.VenueOrderId: _NAME,
        ids.VenueFillId: _NAME,
        ids.TransferId: _NAME,
        ids.LeaderId: KEY,
        ids.FollowerId: KEY,
        ids.FollowId: KEY,
        ids.LaneId: KEY,
        ids.SignalId: KEY,
        ids.CopyOrderId: KEY,
        ids.PlanOrderId: KEY,
        ids.CopiedPositionId: KEY,
        ids.CommandId: KEY,
        ids.LedgerEntryId: KEY,
        **{enum: EnumColumn(enum) for enum in _ENUMS},
    }
