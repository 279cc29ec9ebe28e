"""Served exchanges and clients for the tests of the wire."""

from collections.abc import Iterator

import pytest

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
