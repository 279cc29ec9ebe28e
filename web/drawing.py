"""Lines drawn by the server as SVG paths. Coordinates are for the eye, so floats will do."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Drawing:
    """A line, and the area between it and the bottom, in a box of that width and height."""

    width: int
    height: int
    line: str
    area: str
    low: Decimal
    high: Decimal


def draw(values: Sequence[Decimal], *, width: int, height: int, margin: int = 2) -> Drawing | None:
    """Return the values from left to right, evenly spaced; None of fewer than two."""
    if len(values) < 2:  # noqa: PLR2004 - one point is no line
        return None
    low, high = min(values), max(values)
    span = float(high - low) or 1.0
    room = height - 2 * margin
    step = width / (len(values) - 1)
    points = [
        f"{index * step:.1f} {margin + room * (1 - float(value - low) / span):.1f}"
        for index, value in enumerate(values)
    ]
    line = "M" + "L".join(points)
    return Drawing(width, height, line, f"{line}L{width} {height}L0 {height}Z", low, high)
