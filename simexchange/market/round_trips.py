"""Recorded round trips as fills: one entry and one exit each, for records that keep no fills.

The format is that of public trading contests: an object with a list `trades`, each with the trader,
symbol, side, size, prices and times of entry and exit, and whether each of them was a taker. Such
files hold binary fractions (15.479999999999999): numbers are read to twelve significant digits.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from simexchange.core.types import Liquidity, PositionSide, Side
from simexchange.market.fills import FillsError, RecordedFill, RecordedFills, precisions_of

SETTLE = "USDT"
_READ = Context(prec=12)
_SIDES = {"long": PositionSide.LONG, "short": PositionSide.SHORT}
_MILLISECONDS = 1000


def read_round_trips(path: Path) -> RecordedFills:
    """Read and check a whole file; raise FillsError at the first fault, so nothing is half read."""
    rows: dict[str, list[RecordedFill]] = {}
    for number, trade in enumerate(_trades(path), 1):
        for fill in _Trade(number, trade).fills():
            rows.setdefault(fill.leader, []).append(fill)
    if not rows:
        raise FillsError(f"{path} has no trade")
    for fills in rows.values():
        # An entry is told before an exit of the same moment: nothing closes before it was opened.
        fills.sort(key=lambda fill: (fill.time_ms, int(fill.side) != int(fill.position_side)))
    by_leader = {leader: tuple(fills) for leader, fills in rows.items()}
    return RecordedFills(path, MappingProxyType(by_leader), MappingProxyType(precisions_of(rows)))


def _trades(path: Path) -> Sequence[Any]:
    try:
        document: object = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise FillsError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise FillsError(f"{path} is not JSON ({error})") from error
    trades: object = None
    if isinstance(document, dict):
        trades = cast("Mapping[str, object]", document).get("trades")
    if not isinstance(trades, list):
        raise FillsError(f'{path} has no list "trades"')
    return cast("Sequence[Any]", trades)


class _Trade:
    """One round trip; each method turns a field into a value or names the fault."""

    def __init__(self, number: int, given: object) -> None:
        self._number = number
        if not isinstance(given, dict):
            raise FillsError(f"trade {number} is not an object")
        self._given = cast("Mapping[str, Any]", given)

    def fills(self) -> tuple[RecordedFill, RecordedFill]:
        position_side = self._position_side()
        opening = Side(int(position_side))
        entry, exit_ = self._positive("entry_price"), self._positive("exit_price")
        quantity = self._positive("entry_sz")
        if quantity != self._positive("exit_sz"):
            raise self._fault("exit_sz", f"is not the {quantity} that were opened")
        profit = quantity * (exit_ - entry) * int(position_side)
        return (
            self._fill("entry", opening, position_side, entry, quantity, Decimal(0)),
            self._fill("exit", Side(-opening), position_side, exit_, quantity, profit),
        )

    def _fill(
        self,
        which: str,
        side: Side,
        position_side: PositionSide,
        price: Decimal,
        quantity: Decimal,
        realized_pnl: Decimal,
    ) -> RecordedFill:
        return RecordedFill(
            line=self._number,
            leader=self._text("model_id"),
            list_index=0,
            time_ms=int(self._positive(f"{which}_time") * _MILLISECONDS),
            symbol=self._text("symbol") + SETTLE,
            side=side,
            position_side=position_side,
            price=price,
            quantity=quantity,
            fee=self._number_at(f"{which}_commission_dollars"),
            realized_pnl=realized_pnl,
            liquidity=Liquidity.TAKER if self._given.get(f"{which}_crossed") else Liquidity.MAKER,
        )

    def _position_side(self) -> PositionSide:
        side = _SIDES.get(self._text("side"))
        if side is None:
            raise self._fault("side", "is neither long nor short")
        return side

    def _text(self, name: str) -> str:
        text = self._given.get(name)
        if not isinstance(text, str) or not text.strip() or not text.isprintable():
            raise self._fault(name, "is not a text")
        return text

    def _positive(self, name: str) -> Decimal:
        number = self._number_at(name)
        if number <= 0:
            raise self._fault(name, "is not above zero")
        return number

    def _number_at(self, name: str) -> Decimal:
        number = self._given.get(name)
        if isinstance(number, bool) or not isinstance(number, int | Decimal):
            raise self._fault(name, "is not a number")
        if name.endswith("_time"):
            return Decimal(number)
        return _READ.create_decimal(number).normalize(_READ)

    def _fault(self, name: str, problem: str) -> FillsError:
        return FillsError(f"trade {self._number}: {name} {problem}")
