"""ccxt's own structural tests pass; async and WebSocket are run by the command of the same name."""

import pytest

from tests.wire.ccxt_structural import VENUES, run

TESTED_LEAST = {"bybit": 18, "binanceusdm": 20}


@pytest.mark.parametrize("venue", VENUES)
def test_ccxts_structural_tests_pass(venue: str) -> None:
    result = run(venue, "sync")
    assert result["failures"] == [], result["output"]
    assert result["exit"] == 0, result["output"]
    assert len(result["tested"]) >= TESTED_LEAST[venue]
    assert {"loadMarkets", "fetchTicker", "fetchMyTrades", "fetchPositions"} <= set(
        result["tested"]
    )
