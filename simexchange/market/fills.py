"""Recorded fills of real traders: read once, checked whole, kept as exact decimals.

The format is the export of Binance's copy-trading pages: one row a fill, newest first. Times are
whole seconds, so the order within a leader is that of `list_index` descending, and the fills of
one second, symbol, side and position side are one order.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from heapq import merge
from io import StringIO
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from simexchange.core.types import Liquidity, PositionSide, Side

MILLISECONDS_PER_SECOND = 1000
# Beyond these powers of ten a number is a slip of the recorder, and would cost memory to expand.
EXPONENT_LIMIT = 18
TIME_LIMIT_MS = 253_402_300_800_000  # the year 10000, where calendars end
INDEX_LIMIT = 10**15

COLUMNS = (
    "Port_ID",
    "list_index",
    "time",
    "symbol",
    "side",
    "price",
    "fee",
    "feeAsset",
    "realizedProfit",
    "realizedProfitAsset",
    "qty",
    "positionSide",
    "activeBuy",
)
SETTLE = "USDT"
SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
POSITION_SIDES = {
    "LONG": PositionSide.LONG,
    "SHORT": PositionSide.SHORT,
    "BOTH": PositionSide.NET,  # Binance's word for one-way mode
}
TRUTHS = {"True": True, "False": False, "true": True, "false": False}

Value = TypeVar("Value")


class FillsError(ValueError):
    """A file of recorded fills cannot be used; the message names line, column and what to change.

    `line` is 1 for the header and None where the whole file is meant; `column` is None where no
    single column is at fault.
    """

    def __init__(self, problem: str, *, line: int | None = None, column: str | None = None) -> None:
        where = [] if line is None else [f"line {line}"]
        if column is not None:
            where.append(f"column {column}")
        super().__init__(": ".join([", ".join(where), problem]) if where else problem)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class RecordedFill:
    """One row. Quantity in base asset, price in USDT; fee and realised profit in USDT.

    `fee` is positive where it was paid (the file writes payments as negative numbers).
    `realized_pnl` is before fees. `line` is the row's line in the file, the header being line 1.
    """

    line: int
    leader: str
    list_index: int
    time_ms: int
    symbol: str
    side: Side
    position_side: PositionSide
    price: Decimal
    quantity: Decimal
    fee: Decimal
    realized_pnl: Decimal
    liquidity: Liquidity

    @property
    def second(self) -> int:
        return self.time_ms // MILLISECONDS_PER_SECOND


@dataclass(frozen=True, slots=True)
class RecordedOrder:
    """The fills of one leader in one second, symbol, side and position side, in trading order."""

    leader: str
    second: int
    symbol: str
    side: Side
    position_side: PositionSide
    fills: tuple[RecordedFill, ...]

    @property
    def quantity(self) -> Decimal:
        return sum((fill.quantity for fill in self.fills), Decimal(0))


@dataclass(frozen=True, slots=True)
class Precision:
    """The finest decimals that a symbol's rows use: places after the point, trailing zeros off."""

    price_decimals: int
    quantity_decimals: int

    @property
    def tick_size(self) -> Decimal:
        return Decimal(1).scaleb(-self.price_decimals)

    @property
    def contract_size(self) -> Decimal:
        """The largest power of ten, at most 1, of which every recorded quantity is a multiple."""
        return Decimal(1).scaleb(-self.quantity_decimals)


@dataclass(frozen=True, slots=True)
class RecordedFills:
    """A whole file. `by_leader` keeps the file's order of leaders and each one's trading order."""

    path: Path
    by_leader: Mapping[str, tuple[RecordedFill, ...]]
    precisions: Mapping[str, Precision]

    @property
    def leaders(self) -> tuple[str, ...]:
        return tuple(self.by_leader)

    def __len__(self) -> int:
        return sum(len(fills) for fills in self.by_leader.values())

    def only(self, leader: str) -> "RecordedFills":
        """Return the same record with one leader; precisions stay those of the whole file.

        Raises FillsError when the file has no such leader.
        """
        fills = self.by_leader.get(leader)
        if fills is None:
            known = ", ".join(self.leaders)
            raise FillsError(f"the record has no leader {leader!r}; it has {known}")
        return RecordedFills(self.path, MappingProxyType({leader: fills}), self.precisions)

    def in_trading_order(self) -> Iterator[RecordedFill]:
        """Yield every fill by time; leaders of one moment follow each other as in the file."""
        ranks = {leader: rank for rank, leader in enumerate(self.by_leader)}
        yield from merge(
            *self.by_leader.values(), key=lambda fill: (fill.time_ms, ranks[fill.leader])
        )

    def orders(self, leader: str) -> tuple[RecordedOrder, ...]:
        """Return the leader's fills as orders, each at the place of its first fill."""
        groups: dict[tuple[int, str, Side, PositionSide], list[RecordedFill]] = {}
        for fill in self.by_leader[leader]:
            key = (fill.second, fill.symbol, fill.side, fill.position_side)
            groups.setdefault(key, []).append(fill)
        return tuple(RecordedOrder(leader, *key, tuple(fills)) for key, fills in groups.items())

    @property
    def order_count(self) -> int:
        return sum(len(self.orders(leader)) for leader in self.leaders)


def read_fills(path: Path | str) -> RecordedFills:
    """Read and check a whole file; raise FillsError at the first fault, so nothing is half read."""
    path = Path(path)
    lines: dict[str, dict[int, int]] = {}
    rows: dict[str, list[RecordedFill]] = {}
    for fill in _rows(path):
        seen = lines.setdefault(fill.leader, {})
        if fill.list_index in seen:
            raise FillsError(
                f"{fill.list_index} is already on line {seen[fill.list_index]} for leader"
                f" {fill.leader}; each fill of a leader needs its own",
                line=fill.line,
                column="list_index",
            )
        seen[fill.list_index] = fill.line
        rows.setdefault(fill.leader, []).append(fill)
    if not rows:
        raise FillsError(f"{path} has a header but no fill")
    for fills in rows.values():
        fills.sort(key=lambda fill: -fill.list_index)
    by_leader = {leader: tuple(fills) for leader, fills in rows.items()}
    return RecordedFills(path, MappingProxyType(by_leader), MappingProxyType(precisions_of(rows)))


def _rows(path: Path) -> Iterator[RecordedFill]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FillsError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FillsError(
            f"{path} is not UTF-8 text (byte {error.start}); export it again as UTF-8 CSV"
        ) from error
    if not text.strip():
        raise FillsError(f"{path} is empty; the first line must name the columns")
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = next(reader)
        places = _places(header)
        for fields in reader:
            if fields:
                yield _Row(reader.line_num, _texts(fields, header, places, reader.line_num)).fill()
    except csv.Error as error:
        raise FillsError(f"not a CSV row ({error})", line=reader.line_num) from error


def _places(header: list[str]) -> dict[str, int]:
    names = [name.strip() for name in header]
    if len(names) == 1:
        for delimiter, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if delimiter in names[0]:
                raise FillsError(f"the columns are separated by {word}; use commas", line=1)
    missing = [column for column in COLUMNS if column not in names]
    if missing:
        word = "column" if len(missing) == 1 else "columns"
        raise FillsError(f"the header has no {word} {', '.join(missing)}", line=1)
    twice = [column for column in COLUMNS if names.count(column) > 1]
    if twice:
        raise FillsError("the header names this column twice", line=1, column=twice[0])
    return {column: names.index(column) for column in COLUMNS}


def _texts(
    fields: list[str], header: list[str], places: dict[str, int], line: int
) -> dict[str, str]:
    if len(fields) != len(header):
        raise FillsError(f"{len(fields)} fields where the header has {len(header)}", line=line)
    return {column: fields[place].strip() for column, place in places.items()}


class _Row:
    """One row as text; each method turns a column into a value or names the fault."""

    def __init__(self, line: int, texts: dict[str, str]) -> None:
        self.line = line
        self.texts = texts

    def fill(self) -> RecordedFill:
        for column in ("feeAsset", "realizedProfitAsset"):
            self._one_of(column, {SETTLE: SETTLE})
        side = self._one_of("side", SIDES)
        buyer_is_taker = self._one_of("activeBuy", TRUTHS)
        is_taker = (side is Side.BUY) == buyer_is_taker
        return RecordedFill(
            line=self.line,
            leader=self._text("Port_ID"),
            list_index=self._whole("list_index", below=INDEX_LIMIT),
            time_ms=self._whole("time", below=TIME_LIMIT_MS),
            symbol=self._text("symbol"),
            side=side,
            position_side=self._one_of("positionSide", POSITION_SIDES),
            price=self._positive("price"),
            quantity=self._positive("qty"),
            fee=self._paid("fee"),
            realized_pnl=self._number("realizedProfit"),
            liquidity=Liquidity.TAKER if is_taker else Liquidity.MAKER,
        )

    def _fault(self, column: str, problem: str) -> FillsError:
        return FillsError(problem, line=self.line, column=column)

    def _text(self, column: str) -> str:
        text = self.texts[column]
        if not text:
            raise self._fault(column, "is empty")
        if not text.isprintable():
            raise self._fault(column, f"{text!r} holds characters that cannot be printed")
        return text

    def _one_of(self, column: str, known: Mapping[str, Value]) -> Value:
        text = self._text(column)
        if text not in known:
            raise self._fault(column, f"{text!r} is not one of {', '.join(known)}")
        return known[text]

    def _whole(self, column: str, *, below: int) -> int:
        text = self._text(column)
        if not (text.isascii() and text.isdigit()):
            raise self._fault(column, f"{text!r} is not a whole number from 0 up")
        if len(text) > len(str(below)) or int(text) >= below:
            raise self._fault(column, f"{text} is too large; it must be below {below}")
        return int(text)

    def _number(self, column: str) -> Decimal:
        text = self._text(column)
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise self._fault(column, f"{text!r} is not a number") from error
        if not number.is_finite():
            raise self._fault(column, f"{text!r} is not a finite number")
        exponent = number.as_tuple().exponent
        assert isinstance(exponent, int)
        if exponent < -EXPONENT_LIMIT or number.adjusted() > EXPONENT_LIMIT:
            raise self._fault(
                column,
                f"{text} is beyond 10^{EXPONENT_LIMIT} or has more than {EXPONENT_LIMIT} decimals",
            )
        return number

    def _paid(self, column: str) -> Decimal:
        number = self._number(column)
        return number.copy_negate() if number else Decimal(0)  # a context would round, or say -0

    def _positive(self, column: str) -> Decimal:
        number = self._number(column)
        if number <= 0:
            raise self._fault(column, f"{number} is not above zero")
        return number


def precisions_of(rows: Mapping[str, list[RecordedFill]]) -> dict[str, Precision]:
    """Return the finest decimals of each symbol over the rows of all leaders."""
    finest: dict[str, tuple[int, int]] = {}
    for fills in rows.values():
        for fill in fills:
            price_decimals, quantity_decimals = finest.get(fill.symbol, (0, 0))
            finest[fill.symbol] = (
                max(price_decimals, decimals_of(fill.price)),
                max(quantity_decimals, decimals_of(fill.quantity)),
            )
    return {symbol: Precision(*decimals) for symbol, decimals in finest.items()}


def decimals_of(number: Decimal) -> int:
    """Return the places after the point that the number needs: 0 for 15.0, 3 for 0.120."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int), "NaN and infinity were refused when the number was read"
    if not number:
        return 0
    trailing = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return max(0, -(exponent + trailing))
