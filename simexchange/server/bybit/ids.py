"""Ids as the venue shows them: texts that look like UUIDs and say which row they mean.

The venue's ids are opaque; ours carry the row's numbering and number, so that nothing has to be
stored to find it again, and the same run gives the same ids.
"""

import re

from simexchange.server.records.rows import FillKind, KeptFill, KeptOrder, Origin

_ORIGINS = {Origin.ORDER: "0", Origin.PLAN: "1", Origin.REFUSED: "2"}
_BY_MARK = {mark: origin for origin, mark in _ORIGINS.items()}
_ORDER_ID = re.compile(r"([0-9a-f]{8})-5e00-400([012])-8000-([0-9a-f]{12})")
_PART = 16**12


def order_id_text(origin: Origin, number: int) -> str:
    high, low = divmod(number, _PART)
    return f"{high:08x}-5e00-400{_ORIGINS[origin]}-8000-{low:012x}"


def order_id_of(order: KeptOrder) -> str:
    return order_id_text(order.origin, order.number)


def order_from_id(text: str) -> tuple[Origin, int] | None:
    """Return which order an id means; None when it is not one of ours."""
    found = _ORDER_ID.fullmatch(text)
    if found is None:
        return None
    return _BY_MARK[found[2]], int(found[1], 16) * _PART + int(found[3], 16)


def execution_id_of(fill: KeptFill) -> str:
    """Return an id that the two sides of a trade do not share."""
    mark = "0" if fill.kind in (FillKind.TRADE, FillKind.LIQUIDATION) else "1"
    high, low = divmod(fill.number, _PART)
    return f"{high:08x}-5e01-500{mark}-9000-{low:012x}"
