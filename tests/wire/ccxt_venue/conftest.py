"""A ccxt venue on a served exchange, for each proven dialect."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.wire.ccxt_venue.stage import Stage
from tests.wire.rig import Rig


@pytest.fixture
def served() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture(params=["bybit", "binance"])
def dialect(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
async def stage(served: Rig, dialect: str) -> AsyncIterator[Stage]:
    made = Stage(served, dialect, is_broker=True)
    try:
        yield made
    finally:
        await made.venue.close()
