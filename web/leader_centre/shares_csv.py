"""A leader's shares as a file (T3): numbers in full, times in UTC, the newest first."""

import csv
import io
from collections.abc import Iterator

from copyplugin.domain.identifiers import LeaderId
from copyplugin.store.queries import Queries
from web.formatting import iso

TITLES = (
    "settled_at",
    "follow",
    "follower_account",
    "instrument",
    "profit_usdt",
    "leader_part_usdt",
    "in_escrow_until",
    "taken_back_usdt",
)
_ROWS_AT_ONCE = 500


def shares_csv(queries: Queries, leader_id: LeaderId) -> Iterator[str]:
    """Yield the file line by line; an instrument is missing where a share is of a whole follow."""
    yield _line(*TITLES)
    number = pages = 1
    while number <= pages:
        found = queries.share_list(leader_id, page=number, page_size=_ROWS_AT_ONCE)
        for line in found.lines:
            yield _line(
                iso(line.at),
                str(line.follow_id),
                line.follower_account,
                line.symbol or "",
                f"{line.profit:f}",
                f"{line.leader_part:f}",
                iso(line.release_at) if line.is_held and line.release_at else "",
                f"{line.taken_back:f}",
            )
        number, pages = number + 1, found.page.pages


def _line(*cells: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()
