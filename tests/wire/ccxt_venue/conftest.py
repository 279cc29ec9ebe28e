"""A ccxt venue on a served exchange, for each proven dialect."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.wire.ccxt_venue.stage import Stage
from tests.wire.rig import Rig


@pytest.fixture
def served() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
async def stage(served: Rig) -> AsyncIterator[Stage]:
    made = Stage(served, "bybit")
    try:
        yield made
    finally:
        await made.venue.close()
