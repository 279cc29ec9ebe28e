"""Whose turn is first: many followers of one leader cannot all be sent for at once (C8)."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TypeVar

T = TypeVar("T")


def in_rotation(items: Sequence[T], turn: int) -> list[T]:
    """Return the items in their order, beginning at another one each turn.

    As long as they are the same, each is first once and last once in as many turns as there are
    items. Two turns begin far apart, so that whoever was among the last is soon among the first.
    """
    if not items:
        return []
    start = turn * _stride(len(items)) % len(items)
    return [*items[start:], *items[:start]]


def _stride(count: int) -> int:
    """Return about 0.618 of the count and without a common divisor with it."""
    stride = max(1, count * 618 // 1000)
    while Fraction(stride, count).denominator != count:  # they have a common divisor
        stride -= 1
    return stride
