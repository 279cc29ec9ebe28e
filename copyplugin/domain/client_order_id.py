"""What an order of ours is called at the venue: derived from its cause, to be asked for by it.

A random id would be lost with the process that made it. This one follows from the lane and the
order's number in it, so that whoever finds the row knows the name.
"""

import re
from functools import cache

from copyplugin.domain.identifiers import ClientOrderId, LaneId

LENGTH_MAX = 32
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PREFIX = re.compile(r"[a-z0-9]{1,10}")
_PAIR = 36**2
_PAIRS = [high + low for high in _DIGITS for low in _DIGITS]
_SMALL = [pair.lstrip("0") for pair in _PAIRS]
_NUMBER_MAX = 36**9  # a hundred billion lanes or orders of one lane


def client_order_id(lane_id: LaneId, sequence: int, *, prefix: str = "cp") -> ClientOrderId:
    """Return the order's name: letters and digits only, which every venue takes, at most 32.

    The prefix tells installations apart that share a venue account.
    """
    assert _is_prefix(prefix)
    # Capitals occur nowhere else in it, so that no two pairs give the same name.
    return ClientOrderId(f"{prefix}L{_base_36(lane_id)}S{_base_36(sequence)}")


def plan_order_id(lane_id: LaneId, sequence: int, *, prefix: str = "cp") -> ClientOrderId:
    """Return the name of a lane's plan order; no other order's, whatever their numbers."""
    assert _is_prefix(prefix)
    return ClientOrderId(f"{prefix}L{_base_36(lane_id)}P{_base_36(sequence)}")


@cache
def _is_prefix(text: str) -> bool:
    return _PREFIX.fullmatch(text) is not None


def _base_36(number: int) -> str:
    assert 0 < number < _NUMBER_MAX
    digits = ""
    while number >= _PAIR:
        number, pair = divmod(number, _PAIR)
        digits = _PAIRS[pair] + digits
    return _SMALL[number] + digits
