"""A small record, written the way the real one is: newest first."""

from collections.abc import Callable, Sequence
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
    (2, "SELL", "SHORT", "50.5", "1.7"),
    (3, "BUY", "LONG", "101.3", "0.7"),
    (4, "SELL", "LONG", "103.9", "0.5"),
    (5, "BUY", "SHORT", "49.1", "1.7"),
    (6, "SELL", "LONG", "99.7", "0.7"),
)


def write_record(path: Path, rows: Sequence[Row], leader: str = "77") -> Path:
    lines = [HEADER]
    for index, (second, side, leg, price, quantity) in enumerate(reversed(rows)):
        lines.append(
            f"{leader},{index},{1_700_000_000_000 + second * 1000},ABCUSDT,{side},{price},0,USDT,"
            f"0,USDT,0.0,USDT,ABC,{quantity},{leg},{side == 'BUY'}"
        )
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def record(tmp_path: Path) -> Callable[[Sequence[Row]], Path]:
    return lambda rows: write_record(tmp_path / "fills.csv", rows)
