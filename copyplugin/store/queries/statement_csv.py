"""A follow's statement as a file: numbers in full, times in UTC, the oldest line first."""

import csv
import io
from collections.abc import Iterator

from copyplugin.store.queries.follow_statement import FollowStatement, StatementLine

TITLES = (
    "at",
    "kind",
    "money_usdt",
    "booked",
    "instrument",
    "position_side",
    "order_side",
    "contracts",
    "price",
    "reference",
)


def statement_csv(statement: FollowStatement) -> Iterator[str]:
    """Yield the file line by line, its titles first."""
    yield _csv_line(*TITLES)
    for line in statement.lines:
        yield _csv_line(*_cells(line))


def _cells(line: StatementLine) -> tuple[str, ...]:
    return (
        line.at.isoformat(),
        line.kind.value,
        f"{line.money:f}",
        "yes" if line.is_booked else "no",
        line.symbol or "",
        line.position_side.value if line.position_side else "",
        line.order_side.value if line.order_side else "",
        "" if line.contracts is None else str(line.contracts),
        "" if line.price is None else f"{line.price:f}",
        line.reference,
    )


def _csv_line(*cells: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
