"""A small record, written the way the real one is: newest first."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import pytest

HEADER = (
    "Port_ID,list_index,time,symbol,side,price,fee,feeAsset,quantity,quantityAsset,"
    "realizedProfit,realizedProfitAsset,baseAsset,qty,positionSide,activeBuy"
)
Row = tuple[int, str, str, str, str]  # second, side, position side, price, quantity

ROUND_TRIPS: Sequence[Row] = (
    (1, "BUY", "LONG", "100.0", "0.3"),
    (1, "BUY", "LONG", "100.1", "0.2"),
    (2, "SELL", "SHORT", "101.5", "1.7"),
    (3, "BUY", "LONG", "101.3", "0.7"),
    (4, "SELL", "LONG", "103.9", "0.5"),
    (5, "BUY", "SHORT", "100.1", "1.7"),
    (6, "SELL", "LONG", "99.7", "0.7"),
)


def write_record(path: Path, rows: Sequence[Row], leader: str = "77") -> Path:
    lines: list[str] = []
    held: dict[str, tuple[Fraction, Fraction]] = {}
    for index, (second, side, leg, price, quantity) in enumerate(rows):
        realized = _traded(held, side, leg, Fraction(price), Fraction(quantity))
        lines.append(
            f"{leader},{len(rows) - index},{1_700_000_000_000 + second * 1000},ABCUSDT,{side},"
            f"{price},0,USDT,0,USDT,{float(realized):.8f},USDT,ABC,{quantity},{leg},{side == 'BUY'}"
        )
    path.write_text("\n".join([HEADER, *reversed(lines)]) + "\n")
    return path


def _traded(
    held: dict[str, tuple[Fraction, Fraction]],
    side: str,
    leg: str,
    price: Fraction,
    quantity: Fraction,
) -> Fraction:
    """Trade one fill at average entry price and return what it realised."""
    size, cost = held.get(leg, (Fraction(0), Fraction(0)))
    if (side == "BUY") == (leg == "LONG"):
        held[leg] = (size + quantity, cost + quantity * price)
        return Fraction(0)
    closed = min(quantity, size)
    share = cost * closed / size if size else Fraction(0)
    held[leg] = (size - closed, cost - share)
    return (closed * price - share) * (1 if leg == "LONG" else -1)


@pytest.fixture
def record(tmp_path: Path) -> Callable[[Sequence[Row]], Path]:
    return lambda rows: write_record(tmp_path / "fills.csv", rows)
