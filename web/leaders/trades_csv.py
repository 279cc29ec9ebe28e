"""A leader's closed positions as a file (B7)."""

import csv
import io
from collections.abc import Iterator

from copyplugin.domain.identifiers import LeaderId
from copyplugin.domain.statistics import shown
from copyplugin.store.queries import Queries
from web.formatting import iso
from web.i18n import gettext

_ROWS_AT_ONCE = 500
_RATIO_PLACES = 6
_BYTE_ORDER_MARK = "\ufeff"  # spreadsheets take the file for UTF-8


def trades_csv(queries: Queries, leader_id: LeaderId) -> Iterator[str]:
    """Yield the file in parts: numbers in full, times in UTC, the newest position first."""
    yield _BYTE_ORDER_MARK + _line(*_titles())
    number = pages = 1
    while number <= pages:
        closed = queries.closed_trades(leader_id, page=number, page_size=_ROWS_AT_ONCE)
        for trade in closed.trades:
            yield _line(
                _plain(trade.symbol),
                trade.position_side.value,
                f"{trade.leverage:f}",
                f"{trade.entry_price:f}",
                f"{trade.exit_price:f}",
                str(trade.contracts),
                f"{trade.base_quantity:f}",
                iso(trade.opened_at),
                iso(trade.closed_at),
                f"{shown(trade.profit_ratio, _RATIO_PLACES):f}",
                f"{trade.realized_profit:f}",
            )
        number, pages = number + 1, closed.page.pages


def _titles() -> tuple[str, ...]:
    return (
        gettext("Instrument"),
        gettext("Side"),
        gettext("Leverage"),
        gettext("Entry price"),
        gettext("Exit price"),
        gettext("Contracts"),
        gettext("Base quantity"),
        gettext("Opened at"),
        gettext("Closed at"),
        gettext("Profit ratio"),
        gettext("Realised profit, USDT"),
    )


def _plain(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


def _line(*cells: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
