"""The receipts of a follow as a file or a JSON array: numbers in full, times in UTC."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from copyplugin.domain.statistics import shown
from copyplugin.store.receipts import Receipt

_PLACES = 12  # of what is a fraction: an average price, a slippage
_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS_A_MILLISECOND = 1000

TITLES = (
    "leader_order",
    "instrument",
    "position_side",
    "leader_did",
    "leader_filled_at",
    "leader_price",
    "leader_contracts",
    "became",
    "reason",
    "wanted_contracts",
    "filled_contracts",
    "average_price",
    "slippage",
    "slippage_usdt",
    "fee_usdt",
    "decided_at",
    "sent_at",
    "acknowledged_at",
    "filled_at",
    "delay_ms",
    "copied_position",
)

Cell = str | int | None


def receipt_fields(receipt: Receipt) -> Mapping[str, Cell]:
    """Return the receipt by name; fractions have 12 decimals, the delay three."""
    return dict(zip(TITLES, _cells(receipt), strict=True))


def receipts_csv(receipts: Iterable[Receipt]) -> Iterator[str]:
    """Yield the file line by line, its titles first."""
    yield _line(TITLES)
    for receipt in receipts:
        yield _line("" if cell is None else str(cell) for cell in _cells(receipt))


def _cells(receipt: Receipt) -> tuple[Cell, ...]:
    return (
        receipt.signal_id,
        receipt.symbol,
        receipt.position_side.value,
        receipt.effect.value,
        _at(receipt.leader_filled_at),
        f"{receipt.leader_price:f}",
        receipt.leader_contracts,
        receipt.standing.value,
        receipt.skip_reason.value if receipt.skip_reason else None,
        receipt.wanted,
        receipt.filled,
        _fraction(receipt.average_price),
        _fraction(receipt.slippage),
        _decimal(receipt.slippage_money),
        _decimal(receipt.fee),
        _at(receipt.decided_at),
        _at(receipt.sent_at),
        _at(receipt.acknowledged_at),
        _at(receipt.filled_at),
        _milliseconds(receipt.delay),
        receipt.copied_position_id,
    )


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _fraction(value: Fraction | None) -> str | None:
    return None if value is None else f"{shown(value, _PLACES):f}"


def _milliseconds(span: timedelta | None) -> str | None:
    """Return the delay to the microsecond, without a float."""
    if span is None:
        return None
    whole, rest = divmod(span // _MICROSECOND, _MICROSECONDS_A_MILLISECOND)
    return f"{whole}.{rest:03}"
