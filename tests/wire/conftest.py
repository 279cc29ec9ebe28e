"""Served exchanges and clients for the tests of the wire."""

from collections.abc import Iterator

import pytest

from tests.wire.raw import RawBinance
from tests.wire.rig import Rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as served:
        yield served


@pytest.fixture
def limited_rig() -> Iterator[Rig]:
    """A served exchange that enforces its rate limits."""
    with Rig(are_limits_on=True) as served:
        yield served


@pytest.fixture
def raw_binance(rig: Rig) -> RawBinance:
    """Return a client of the second dialect that says what it is told, with 10,000 USDT."""
    return RawBinance(rig, rig.key(rig.open(contract=10_000, spot=500)))
