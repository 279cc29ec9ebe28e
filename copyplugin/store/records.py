"""Rows as plain records: the same attributes, no session that watches them.

A record is typed as its row class, so that rules read both alike; only what is read here may be
written here. It holds the driver's values and converts those that are asked for.
"""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter, itemgetter
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import JSON, Boolean, Column
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault
from sqlalchemy.types import TypeDecorator

from copyplugin.domain.money import money_of_steps
from copyplugin.store.columns import (
    DecimalColumn,
    EnumColumn,
    FractionColumn,
    MoneyColumn,
    UtcColumn,
    decimal_bound,
    fraction_bound,
    money_bound,
    utc_bound,
    utc_found,
)
from copyplugin.store.rows import Row
from copyplugin.store.statement import insert_rows, update_rows

R = TypeVar("R", bound=Row)
Convert = Callable[[Any], Any]
Change = tuple[tuple[int, Any], ...]
"""Values as they are stored, each with its column's place."""

_POSTGRESQL = postgresql.dialect()
_READERS: dict[type, Convert] = {
    MoneyColumn: money_of_steps,
    DecimalColumn: Decimal,
    FractionColumn: Fraction,
    UtcColumn: utc_found,
}
_BINDERS: dict[type, Convert] = {
    MoneyColumn: money_bound,
    DecimalColumn: decimal_bound,
    FractionColumn: fraction_bound,
    UtcColumn: utc_bound,
}


class _Record(list[Any]):
    """The driver's values in the order of the columns; two records are never the same one."""

    __slots__ = ()
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__  # pyright: ignore[reportAssignmentType] - a list has none


class RecordTable(Generic[R]):
    """Records of one table. `record` makes a new one, with the arguments of the row."""

    def __init__(self, row: type[R]) -> None:
        columns = list(row.metadata.tables[row.__tablename__].columns)
        self.name = row.__tablename__
        self.width = len(columns)
        self._columns = [(c.name, c.type.compile(_POSTGRESQL)) for c in columns]
        self._keys = [place for place, column in enumerate(columns) if column.primary_key]
        self._binders = {c.name: (place, _binder(c)) for place, c in enumerate(columns)}
        self._defaults = [_default(column) for column in columns]
        self._class = _record_class(row, columns)

    @property
    def record(self) -> type[R]:
        return cast("type[R]", self._new)

    def _new(self, **values: object) -> R:
        made, binders = self._class(self._defaults), self._binders
        for name, value in values.items():
            place, convert = binders[name]
            made[place] = value if convert is None or value is None else convert(value)
        return cast("R", made)

    def bind(self, name: str, value: Any) -> Any:
        """Return a value of one column as the driver takes it."""
        _, convert = self._binders[name]
        return value if convert is None or value is None else convert(value)

    def select(self, alias: str) -> str:
        """Return the columns as a SELECT names them, all of them and in order."""
        return ", ".join(f"{alias}.{name}" for name, _ in self._columns)

    @property
    def read(self) -> Callable[[Sequence[Any]], R]:
        """Return what makes a record of one row that the driver found."""
        return cast("Any", self._class)

    def picker(self, *names: str) -> Callable[[R], tuple[Any, ...]]:
        """Return what returns these columns of a record, as they are stored; two or more."""
        assert len(names) > 1
        return cast("Any", itemgetter(*self.places(*names)))

    def places(self, *names: str) -> tuple[int, ...]:
        """Return where these columns stand in a record."""
        return tuple(self._binders[name][0] for name in names)

    def state(self, record: R) -> tuple[Any, ...]:
        """Return what the driver is given of a record, to be compared with what it was."""
        return values_of(record)

    def change(self, before: tuple[Any, ...], record: R, *, but: Collection[str] = ()) -> Change:
        """Return what has become of the columns that are not what they were, some left out."""
        left_out = self.places(*but)
        return tuple(
            (place, now)
            for place, (was, now) in enumerate(zip(before, values_of(record), strict=True))
            if was != now and place not in left_out
        )

    def put(self, record: R, change: Iterable[tuple[int, Any]]) -> None:
        """Set values as they are stored, each at its column's place."""
        values: Any = record
        for place, value in change:
            values[place] = value

    def copy(self, record: R) -> R:
        """Return another record with the same values."""
        values: Any = record
        made: Any = self._class(values)
        return made

    def insert(self, session: Session, records: Iterable[R]) -> None:
        insert_rows(session, self.name, self._columns, [values_of(each) for each in records])

    def update(
        self, session: Session, changes: Sequence[tuple[tuple[Any, ...], tuple[Any, ...]]]
    ) -> None:
        """Write what differs between two states of records, each of which must be stored.

        Only columns that differ somewhere are written: the others would cost their indexes and
        keys to be looked after for nothing.
        """
        if not changes:
            return
        before, after = (list(zip(*states, strict=True)) for states in zip(*changes, strict=True))
        places = [place for place in range(self.width) if before[place] != after[place]]
        update_rows(
            session,
            self.name,
            [self._columns[place] for place in places],
            [self._columns[place] for place in self._keys],
            list(zip(*(after[place] for place in (*places, *self._keys)), strict=True)),
        )


class Kept(Generic[R]):
    """Records of one transaction; what has changed is written at its end."""

    def __init__(self, table: RecordTable[R]) -> None:
        self._table = table
        self._read = table.read
        self._found: list[R] = []
        self._stored: list[tuple[Any, ...]] = []  # what the database has of each
        self._new: list[R] = []

    def found(self, values: tuple[Any, ...]) -> R:
        """Take in one row that the driver found."""
        record = self._read(values)
        self._found.append(record)
        self._stored.append(values)
        return record

    def add(self, record: R) -> None:
        self._new.append(record)

    def insert(self, session: Session) -> None:
        """Write what was added; each must have its key by now, and is not to change any more."""
        added, self._new = self._new, []
        self._table.insert(session, added)

    def update(self, session: Session, records: Iterable[R] | None = None) -> None:
        """Write what has changed since it was found, of all or of these."""
        wanted = None if records is None else set(map(id, records))
        changes: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = []
        for place, (record, before) in enumerate(zip(self._found, self._stored, strict=True)):
            if wanted is not None and id(record) not in wanted:
                continue
            after = values_of(record)
            if after != before:
                changes.append((before, after))
                self._stored[place] = after
        self._table.update(session, changes)


def values_of(record: Row) -> tuple[Any, ...]:
    """Return what the driver is given of a record, to be compared with what it was."""
    return tuple(record)  # pyright: ignore[reportArgumentType] - a record is a list


def _record_class(row: type[Row], columns: Sequence[Column[Any]]) -> type[_Record]:
    """Make a class that holds the driver's values and shows ours, as its row does."""
    shown: dict[str, Any] = {
        name: value for name, value in vars(row).items() if isinstance(value, property)
    }
    for place, column in enumerate(columns):
        shown[column.name] = _shown(place, _reader(column), _binder(column))
    return type(f"{row.__name__}Record", (_Record,), {"__slots__": (), **shown})


def _shown(place: int, read: Convert | None, bind: Convert | None) -> property:
    def get(record: _Record) -> Any:
        value = record[place]
        return value if value is None else convert(value)

    def put(record: _Record, value: Any) -> None:
        record[place] = value if value is None or bind is None else bind(value)

    def put_as_it_is(record: _Record, value: Any) -> None:
        record[place] = value

    if read is None:
        return property(itemgetter(place), put_as_it_is if bind is None else put)
    convert = read
    return property(get, put)


def _default(column: Column[Any]) -> Any:
    """Return what a new record has where nothing is said; None where something must be."""
    if column.default is None:
        return None
    assert isinstance(column.default, ScalarElementColumnDefault)
    bind = _binder(column)
    return column.default.arg if bind is None else bind(column.default.arg)


def _reader(column: Column[Any]) -> Convert | None:
    """Return what makes the driver's value ours; None where it is ours already."""
    kind = column.type
    if isinstance(kind, EnumColumn):
        return kind.words.__getitem__
    if type(kind) in _READERS:
        return _READERS[type(kind)]
    assert not isinstance(kind, TypeDecorator), f"how is {column} read?"
    if isinstance(kind, Boolean):
        return bool  # SQLite counts
    if isinstance(kind, JSON):
        return lambda value: json.loads(value) if isinstance(value, str) else value
    return None


def _binder(column: Column[Any]) -> Convert | None:
    kind = column.type
    if isinstance(kind, EnumColumn):
        return attrgetter("_value_")
    if type(kind) in _BINDERS:
        return _BINDERS[type(kind)]
    assert not isinstance(kind, TypeDecorator), f"how is {column} written?"
    return json.dumps if isinstance(kind, JSON) else None
