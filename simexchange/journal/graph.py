"""The state of an exchange as bytes: a graph of objects, written without recursion.

The exchange's memory is full of circles (an order knows its queue, the queue its orders) and of
long chains (the orders at one price), so it is written as a numbered list of objects whose fields
refer to each other by number. Only classes of `simexchange.core`, and of the history beside it, are
written or made again, and making one again runs none of its code: its fields are set as they were.
"""

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from importlib import import_module
from types import FunctionType, MethodType
from typing import Any, cast

import msgspec

WRITTEN = ("simexchange.core.", "simexchange.history.", "simexchange.plan_history.")
# MessagePack's range; larger numbers are written as text.
SMALLEST, LARGEST = -(2**63), 2**64 - 1
MISSING = object()

# What a written value is; the tag stands first in its row.
(
    REFERENCE,
    LARGE_INT,
    DECIMAL,
    FRACTION,
    BYTES,
    ENUM,
    TUPLE,
    NAMED_TUPLE,
    STRUCT,
    CLASS,
    METHOD,
    FUNCTION,
    ENCODER_TAG,
) = range(13)
LIST, DICT, DEQUE, BYTEARRAY, OBJECT = range(5)


class GraphError(Exception):
    """A state holds something that cannot be written, or bytes hold no state of this version."""


def fields_of(kind: type) -> tuple[str, ...]:
    """Return the names of all slots of a class, those of its bases first."""
    if issubclass(kind, msgspec.Struct):
        return kind.__struct_fields__
    names: list[str] = []
    for base in reversed(kind.__mro__):
        slots: Any = base.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    return tuple(name for name in names if name not in {"__dict__", "__weakref__"})


def is_frozen(value: msgspec.Struct) -> bool:
    config: Any = value.__struct_config__
    return config.frozen


class _Writer:
    def __init__(self, root: object, leave_out: frozenset[str]) -> None:
        self._numbers: dict[int, int] = {}
        self._objects: list[object] = []
        self._root = root
        self._leave_out = leave_out
        self._number(root)

    def rows(self) -> list[Any]:
        return [self._row(item) for item in self._objects]  # which grows while it is walked

    def _number(self, item: object) -> int:
        number = self._numbers.get(id(item))
        if number is None:
            number = self._numbers[id(item)] = len(self._objects)
            self._objects.append(item)
        return number

    def _row(self, item: object) -> list[Any]:
        match item:
            case list():
                return [LIST, [self._value(part) for part in cast("list[object]", item)]]
            case dict():
                pairs = cast("dict[object, object]", item).items()
                return [DICT, [[self._value(key), self._value(value)] for key, value in pairs]]
            case deque():
                parts = cast("deque[object]", item)
                return [DEQUE, parts.maxlen, [self._value(part) for part in parts]]
            case bytearray():
                return [BYTEARRAY, bytes(item)]
            case _:
                return self._object_row(item)

    def _object_row(self, item: object) -> list[Any]:
        kind = type(item)
        slots = [
            [name, self._value(value)]
            for name in fields_of(kind)
            if (value := getattr(item, name, MISSING)) is not MISSING
        ]
        others = [
            [name, self._value(value)]
            for name, value in getattr(item, "__dict__", {}).items()
            if item is not self._root or name not in self._leave_out
        ]
        return [OBJECT, "" if item is self._root else name_of(kind), slots + others]

    def _value(self, value: Any) -> Any:
        kind = cast("type[Any]", type(value))
        if value is None or kind in {bool, str}:
            return value
        if kind is int:
            return value if SMALLEST <= value <= LARGEST else [LARGE_INT, str(value)]
        writer = _VALUE_WRITERS.get(kind)
        return writer(self, value) if writer else self._core_value(value, kind)

    def _core_value(self, value: Any, kind: type) -> list[Any]:
        """Return a value whose class is one of the core's: by content if frozen, else by number."""
        if isinstance(value, Enum):
            return [ENUM, name_of(kind), value.name]
        if isinstance(value, tuple):
            parts = [self._value(part) for part in cast("tuple[object, ...]", value)]
            return [NAMED_TUPLE, name_of(kind), parts]
        if isinstance(value, msgspec.Struct) and is_frozen(value):
            return [
                STRUCT,
                name_of(kind),
                [self._value(getattr(value, n)) for n in fields_of(kind)],
            ]
        if isinstance(value, type):
            return [CLASS, name_of(value)]
        return [REFERENCE, self._number(value)]

    def write_tuple(self, value: tuple[object, ...]) -> list[Any]:
        return [TUPLE, [self._value(part) for part in value]]

    def write_encoder(self, _: msgspec.msgpack.Encoder) -> list[Any]:
        return [ENCODER_TAG]  # it has no state

    def write_method(self, value: MethodType) -> list[Any]:
        return [METHOD, self._value(value.__self__), value.__name__]


def name_of(kind: type | FunctionType) -> str:
    name = f"{kind.__module__}.{kind.__qualname__}"
    if not name.startswith(WRITTEN) or "<" in name:
        raise GraphError(f"{name} is no part of an exchange's state and cannot be written")
    return name


_VALUE_WRITERS: dict[type, Callable[[_Writer, Any], list[Any]]] = {
    bytes: lambda _, value: [BYTES, value],
    Decimal: lambda _, value: [DECIMAL, str(value)],
    Fraction: lambda _, value: [FRACTION, str(value)],
    tuple: _Writer.write_tuple,
    MethodType: _Writer.write_method,
    FunctionType: lambda _, value: [FUNCTION, name_of(value)],
    msgspec.msgpack.Encoder: _Writer.write_encoder,
}


class _Reader:
    def __init__(self, rows: list[Any], root: object) -> None:
        self._rows = rows
        self._objects: list[Any] = [root]
        self._objects += [_empty(row) for row in rows[1:]]

    def fill(self) -> None:
        for item, row in zip(self._objects, self._rows, strict=True):
            match row[0]:
                case 0:  # LIST
                    item.extend(self._value(part) for part in row[1])
                case 1:  # DICT: after all others, for keys are hashed when they are put in
                    item.update((self._value(key), self._value(value)) for key, value in row[1])
                case 2:  # DEQUE
                    item.extend(self._value(part) for part in row[2])
                case 3:  # BYTEARRAY
                    item.extend(row[1])
                case _:
                    for name, value in row[2]:
                        setattr(item, name, self._value(value))

    def _value(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        row = cast("list[Any]", value)
        return _VALUE_READERS[row[0]](self, row)

    def reference(self, row: list[Any]) -> Any:
        return self._objects[row[1]]

    def named_tuple(self, row: list[Any]) -> Any:
        return _found(row[1])(*(self._value(part) for part in row[2]))

    def tuple(self, row: list[Any]) -> Any:
        return tuple(self._value(part) for part in row[1])

    def struct(self, row: list[Any]) -> Any:
        kind = _found(row[1])
        values = (self._value(part) for part in row[2])
        return kind(**dict(zip(fields_of(kind), values, strict=True)))

    def encoder(self, _: list[Any]) -> msgspec.msgpack.Encoder:
        return msgspec.msgpack.Encoder()

    def method(self, row: list[Any]) -> Any:
        return getattr(self._value(row[1]), row[2])


_VALUE_READERS: dict[int, Callable[[_Reader, list[Any]], Any]] = {
    REFERENCE: _Reader.reference,
    LARGE_INT: lambda _, row: int(row[1]),
    DECIMAL: lambda _, row: Decimal(row[1]),
    FRACTION: lambda _, row: Fraction(row[1]),
    BYTES: lambda _, row: row[1],
    ENUM: lambda _, row: _found(row[1])[row[2]],
    TUPLE: _Reader.tuple,
    NAMED_TUPLE: _Reader.named_tuple,
    STRUCT: _Reader.struct,
    CLASS: lambda _, row: _found(row[1]),
    METHOD: _Reader.method,
    FUNCTION: lambda _, row: _found(row[1]),
    ENCODER_TAG: _Reader.encoder,
}


def _empty(row: list[Any]) -> Any:
    match row[0]:
        case 0:
            return []
        case 1:
            return {}
        case 2:
            return deque[Any](maxlen=row[1])
        case 3:
            return bytearray()
        case _:
            return _bare(_found(row[1]))


def _bare(kind: Any) -> Any:
    """Return an object of the class whose fields are yet to be set; none of its code has run."""
    if issubclass(kind, msgspec.Struct):
        assert not hasattr(kind, "__post_init__"), f"{kind} would compute when it is made"
        return kind(**dict.fromkeys(fields_of(kind)))
    return kind.__new__(kind)


def _found(name: str) -> Any:
    if not name.startswith(WRITTEN):
        raise GraphError(f"{name} is no part of an exchange's state")
    module, _, qualified = name.rpartition(".")
    while True:
        try:
            found: Any = import_module(module)
            break
        except ModuleNotFoundError:
            module, _, outer = module.rpartition(".")
            qualified = f"{outer}.{qualified}"
    for part in qualified.split("."):
        found = getattr(found, part)
    return found


def write_graph(root: object, *, leave_out: frozenset[str] = frozenset()) -> bytes:
    """Return all that the fields of `root` reach, but for those left out; its class is not written.

    Raises GraphError when something is not of the core, of the standard containers or numbers.
    """
    rows = _Writer(root, leave_out).rows()
    return msgspec.msgpack.encode([_shapes(rows), rows])


def read_graph(content: bytes, root: object) -> None:
    """Set the fields of `root` and of everything they reach as `write_graph` found them.

    Raises GraphError when a class has other fields now than when it was written.
    """
    try:
        shapes, rows = msgspec.msgpack.decode(content)
        changed = [name for name, shape in shapes.items() if shape != list(_shape(name))]
        if changed:
            raise GraphError(f"other fields than when it was written: {', '.join(changed)}")
        _Reader(rows, root).fill()
    except (msgspec.MsgspecError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise GraphError(f"the state is of another version of the exchange: {error!r}") from error


def _shapes(rows: list[Any]) -> dict[str, list[str]]:
    """Return the fields of each class of a written object, to notice when the code has changed."""
    names = sorted({row[1] for row in rows if row[0] == OBJECT and row[1]})
    return {name: list(_shape(name)) for name in names}


def _shape(name: str) -> tuple[str, ...]:
    return fields_of(_found(name))
