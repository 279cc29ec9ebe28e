"""Rows as plain records: the same attributes, no session that watches them.

A record is typed as its row class, so that rules read both alike; only what is read here may be
written here. It holds the driver's values and converts those that are asked for.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field, make_dataclass
from decimal import Decimal
from fractions import Fraction
from operator import attrgetter, itemgetter, ne
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import JSON, Boolean, Column, Table
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


class RecordTable(Generic[R]):
    """Records of one table. `record` makes a new one, with the arguments of the row."""

    def __init__(self, row: type[R]) -> None:
        table = row.metadata.tables[row.__tablename__]
        self.name = table.name
        self.width = len(table.columns)
        self._columns = [(c.name, c.type.compile(_POSTGRESQL)) for c in table.columns]
        self._keys = [place for place, column in enumerate(table.columns) if column.primary_key]
        self._binders = {column.name: _binder(column) for column in table.columns}
        self._class = _record_class(row, table)
        self.values: Callable[[R], tuple[Any, ...]] = attrgetter(
            *(_slot(column) for column in table.columns)
        )
        """Returns what the driver is given of a record, to be compared with what it was."""

    @property
    def record(self) -> type[R]:
        return cast("type[R]", self._new)

    def _new(self, **values: object) -> R:
        made = self._class()
        for name, value in values.items():
            setattr(made, name, value)
        return made

    def bind(self, name: str, value: Any) -> Any:
        """Return a value of one column as the driver takes it."""
        convert = self._binders[name]
        return value if convert is None or value is None else convert(value)

    def select(self, alias: str) -> str:
        """Return the columns as a SELECT names them, all of them and in order."""
        return ", ".join(f"{alias}.{name}" for name, _ in self._columns)

    def read(self, values: Sequence[Any]) -> R:
        """Return the record of one row that the driver found."""
        return self._class(*values)

    def insert(self, session: Session, records: Iterable[R]) -> None:
        values = self.values
        insert_rows(session, self.name, self._columns, [values(record) for record in records])

    def update(
        self, session: Session, changes: Sequence[tuple[tuple[Any, ...], tuple[Any, ...]]]
    ) -> None:
        """Write what differs between two states of records, each of which must be stored.

        Only columns that differ somewhere are written: the others would cost their indexes and
        keys to be looked after for nothing.
        """
        places = sorted({place for change in changes for place in _differing(*change)})
        chosen = itemgetter(*places, *self._keys)
        update_rows(
            session,
            self.name,
            [self._columns[place] for place in places],
            [self._columns[place] for place in self._keys],
            [chosen(after) for _, after in changes],
        )


class Kept(Generic[R]):
    """Records of one transaction; what has changed is written at its end."""

    def __init__(self, table: RecordTable[R]) -> None:
        self._table = table
        self._found: dict[int, tuple[R, tuple[Any, ...]]] = {}
        self._new: list[R] = []

    def found(self, values: tuple[Any, ...]) -> R:
        """Take in one row that the driver found."""
        record = self._table.read(values)
        self._found[id(record)] = (record, values)
        return record

    def add(self, record: R) -> None:
        self._new.append(record)

    def insert(self, session: Session) -> None:
        """Write what was added; each must have its key by now, and is not to change any more."""
        added, self._new = self._new, []
        self._table.insert(session, added)

    def update(self, session: Session, records: Iterable[R] | None = None) -> None:
        """Write what has changed since it was found, of all or of these."""
        values = self._table.values
        numbers = self._found if records is None else map(id, records)
        changes: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = []
        for number in list(numbers):
            record, before = self._found[number]
            after = values(record)
            if after != before:
                changes.append((before, after))
                self._found[number] = (record, after)
        self._table.update(session, changes)


def _differing(before: tuple[Any, ...], after: tuple[Any, ...]) -> list[int]:
    return [place for place, differs in enumerate(map(ne, before, after)) if differs]


def _slot(column: Column[Any]) -> str:
    """Return where a record keeps what the driver found or is given."""
    return column.name if _binder(column) is None and _reader(column) is None else f"_{column.name}"


def _record_class(row: type[R], table: Table) -> Callable[..., R]:
    """Make a class that holds the driver's values and shows ours, as its row does."""
    fields = [(_slot(column), object, field(default=_default(column))) for column in table.columns]
    shown = {name: value for name, value in vars(row).items() if isinstance(value, property)}
    name = f"{row.__name__}Record"
    made: type = make_dataclass(name, fields, slots=True, eq=False, namespace=shown)
    for column in table.columns:
        slot = _slot(column)
        if slot != column.name:
            conversion = _shown(vars(made)[slot], _reader(column), _binder(column))
            setattr(made, column.name, conversion)
    return cast("Callable[..., R]", made)


def _shown(slot: Any, read: Convert | None, bind: Convert | None) -> property:
    found, keep = slot.__get__, slot.__set__

    def get(record: object) -> Any:
        value = found(record)
        return value if value is None or read is None else read(value)

    def put(record: object, value: Any) -> None:
        keep(record, value if value is None or bind is None else bind(value))

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
