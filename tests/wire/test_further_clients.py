"""What further clients need of the wire, by hand; the clients themselves are a command."""

import re
from pathlib import Path

import pytest
import requests

from tests.wire.clients.packages import CLIENTS, SCRIPTS
from tests.wire.raw import RawBinance
from tests.wire.rig import SYMBOL

SERVED = Path(__file__).parents[2] / "docs" / "SERVED.md"


def test_the_page_tells_of_every_client_in_the_version_that_is_tried() -> None:
    rows = re.findall(
        r"^\| ([\w-]+) \| (npm|PyPI) `(\S+)` \| (\S+) \|", SERVED.read_text(), re.MULTILINE
    )
    told = {name: (registry, package, version) for name, registry, package, version in rows}
    assert told == {
        name: ("PyPI" if client.is_python else "npm", client.package, client.version)
        for name, client in CLIENTS.items()
    }
    assert {client.script for client in CLIENTS.values()} <= {s.name for s in SCRIPTS.iterdir()}


def test_quantities_have_all_decimals_of_the_instrument(raw_binance: RawBinance) -> None:
    raw_binance.order(quantity="0.01")
    raw_binance.limit_order("40000", quantity="1.5")
    [resting] = raw_binance.ask("GET", "/fapi/v1/openOrders", symbol=SYMBOL)
    [position] = raw_binance.ask("GET", "/fapi/v3/positionRisk", symbol=SYMBOL)
    [fill] = raw_binance.ask("GET", "/fapi/v1/userTrades", symbol=SYMBOL)
    book = raw_binance.public("/fapi/v1/depth", symbol=SYMBOL, limit=5).json()
    ticker = raw_binance.public("/fapi/v1/ticker/bookTicker", symbol=SYMBOL).json()
    assert (resting["origQty"], resting["executedQty"]) == ("1.500", "0.000")
    assert (position["positionAmt"], fill["qty"]) == ("0.010", "0.010")
    assert book["bids"] == [["49999.0", "20.000"], ["40000.0", "1.500"]]
    assert (ticker["bidQty"], ticker["askQty"]) == ("20.000", "19.990")


@pytest.mark.parametrize("path", ["/private/private/ws", "/market", "/wsx", "/public/nothing/ws"])
def test_there_is_no_stream_where_the_venue_has_none(raw_binance: RawBinance, path: str) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    answer = requests.get(raw_binance.rig.url + path, headers=upgrade, timeout=10)
    assert answer.status_code == 404
