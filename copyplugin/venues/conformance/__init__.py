"""What any `Venue` must keep, as tests that anybody can run on his own implementation.

Give `suite.VenueConformance` a fixture `bench` (see `bench.VenueBench`). Needs pytest and
pytest-asyncio, which the plugin itself does not; nothing else of the plugin imports this package.
"""

import pytest

_PARTS = ("accounts", "faults", "fills", "orders", "plans", "steps", "streams", "suite")
# A failed assertion tells its values. Named one by one: this module is imported already.
pytest.register_assert_rewrite(*(f"{__name__}.{part}" for part in _PARTS))
