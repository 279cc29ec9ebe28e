"""What each field of an event counts, so that events can be shown and compared in human units."""

import re
from collections.abc import Callable
from enum import Enum, StrEnum
from fractions import Fraction
from typing import Any, get_args

from simexchange.core.events import Event, refusal_among
from simexchange.core.instrument import Instrument
from simexchange.core.types import RATE_SCALE, RejectReason, Side, TriggerDirection
from simexchange.scenario.amounts import (
    decimal_text,
    duration_text,
    fraction_text,
    moment_text,
    money_decimal,
    rate_text,
)
from simexchange.scenario.names import Names


class Unit(StrEnum):
    PRICE = "price"  # in ticks
    MONEY = "money"
    RATE = "rate"  # written in percent
    COUNT = "count"  # contracts, leverage, rank
    ACCOUNT = "account"
    MOMENT = "moment"
    DURATION = "duration"
    WORD = "word"
    FLAG = "flag"
    NUMBER = "number"  # an id that the exchange gave
    INSTRUMENT = "instrument"


_FIELDS: dict[Unit, str] = {
    Unit.PRICE: "price mark index last liquidation_price bankruptcy_price trigger_price "
    "observed_price activation_price extreme lowest highest",
    Unit.MONEY: "money balance from_balance to_balance fee realized_pnl entry_cost margin "
    "maintenance_margin liquidation_fee value fund_entry_cost fund_realized_pnl fund_balance "
    "against_realized_pnl residue payment impact_notional",
    Unit.RATE: "maker_fee taker_fee rate premium callback_rate",
    Unit.COUNT: "contracts closed_contracts position_contracts order_filled order_contracts "
    "filled remaining leverage through_book taken_over deleveraged fund_contracts rank count",
    Unit.ACCOUNT: "account owner from_account to_account against taker_account maker_account",
    Unit.MOMENT: "at next_funding_at expires_at",
    Unit.DURATION: "interval_us",
    Unit.WORD: "label kind wallet from_wallet to_wallet transfer_id command symbol reason message "
    "client_order_id side position_side time_in_force liquidity margin_mode mode cause trigger_by "
    "direction group fault",
    Unit.FLAG: "repeated reduce_only kept_place skipped close_position close_on_trigger attached "
    "trailed price_protect",
    Unit.NUMBER: "order_id execution_id trade_id plan_id taker_order_id maker_order_id",
    Unit.INSTRUMENT: "instrument",
}

FIELD_UNITS: dict[str, Unit] = {
    name: unit for unit, names in _FIELDS.items() for name in names.split()
}
"""Unit of every field of every event; a test keeps it complete."""

EVENT_TYPES: dict[str, type[Any]] = {cls.__name__: cls for cls in get_args(Event)}

_LONG_NUMBER = re.compile(r"\d{4}")

REJECTION_TYPES = ("CommandRejected", "OrderRejected", "PlanOrderRejected")


def is_number(unit: Unit) -> bool:
    return unit in {Unit.PRICE, Unit.MONEY, Unit.RATE, Unit.COUNT, Unit.NUMBER}


def number_of(unit: Unit, raw: int | Fraction, instrument: Instrument | None) -> Fraction:
    """Return a field's number in human units; a rate as part of one."""
    if unit is Unit.PRICE:
        assert instrument is not None, "a price belongs to an instrument"
        return Fraction(instrument.tick_size) * raw
    if unit is Unit.MONEY:
        return Fraction(raw) / 10**8
    if unit is Unit.RATE:
        return Fraction(raw) / RATE_SCALE
    return Fraction(raw)


def word_of(value: object) -> str:
    """Return the word of an enumeration's member, as it is written in a scenario."""
    if isinstance(value, Side | TriggerDirection) or (
        isinstance(value, Enum) and not isinstance(value.value, str)
    ):
        return value.name.lower()
    return str(value.value) if isinstance(value, Enum) else str(value)


def field_text(names: Names, event: Any, field: str) -> str:
    """Return one field of an event in human units; ``none`` when it is not set."""
    raw = getattr(event, field)
    if raw is None:
        return "none"
    unit = FIELD_UNITS[field]
    texts: dict[Unit, Callable[[Any], str]] = {
        Unit.MONEY: lambda units: decimal_text(money_decimal(units)),
        Unit.RATE: rate_text,
        Unit.ACCOUNT: lambda account: account_text(names, account),
        Unit.MOMENT: moment_text,
        Unit.DURATION: duration_text,
        Unit.FLAG: lambda flag: "yes" if flag else "no",
        Unit.INSTRUMENT: lambda instrument: instrument.symbol,
        Unit.WORD: word_of,
        Unit.COUNT: str,
        Unit.NUMBER: str,
    }
    if unit is Unit.PRICE:
        return price_text(names.instruments.get(event.symbol), raw)
    return texts[unit](raw)


def account_text(names: Names, account: int) -> str:
    return "the insurance fund" if account == 0 else names.account_name(account)


def price_text(instrument: Instrument | None, ticks: int | Fraction) -> str:
    """Return a price; of an instrument that is not known here, its ticks."""
    if instrument is None:
        return f"{ticks} ticks"
    return fraction_text(Fraction(instrument.tick_size) * ticks)


def rejection(events: list[Event]) -> tuple[RejectReason, str] | None:
    """Return reason and message of what refused the command of ``events``."""
    refused = refusal_among(events)
    return None if refused is None else (refused.reason, refused.message)


def refusal_text(refused: tuple[RejectReason, str]) -> str:
    """Return reason and message; the exchange's own sentences count in its own units."""
    reason, message = refused
    units = "; in ticks and 10⁻⁸ of money" if _LONG_NUMBER.search(message) else ""
    return f"rejected: {reason.value} ({message}{units})"
