"""Candles of the premium index, which funding is made of, on both wires."""

import pytest

from tests.wire.raw import Raw, RawBinance
from tests.wire.rig import SYMBOL, UNIFIED, Rig

ABOVE = 4_000_000  # 10⁻⁸: an impact bid of 46,800 over an index of 45,000


def above_then_below(rig: Rig) -> None:
    """Let the book stand 4 % above the index, then 2 % below it."""
    rig.quote(SYMBOL, "46800", "46801", "20")
    rig.set_price(SYMBOL, "45000")
    rig.quote(SYMBOL, "48999", "49000", "20")
    rig.set_price(SYMBOL, "50000")


def test_the_second_dialect_tells_them_with_eight_decimals(raw_binance: RawBinance) -> None:
    above_then_below(raw_binance.rig)
    assert raw_binance.rig.exchange.premium(SYMBOL) == -ABOVE // 2
    rows = raw_binance.public(
        "/fapi/v1/premiumIndexKlines", symbol=SYMBOL, interval="1d", limit=5
    ).json()
    opened, first, highest, lowest, latest, volume, closed, *_ = rows[-1]
    assert (highest, lowest, latest) == ("0.04000000", "-0.02000000", "-0.02000000")
    assert first == "0.00000000"
    assert (volume, closed - opened) == ("0", 86_400_000 - 1)
    assert len(rows[-1]) == 12


def test_the_first_dialect_tells_them_newest_first(rig: Rig) -> None:
    above_then_below(rig)
    raw = Raw(rig, rig.key(rig.open()))
    asked = {"category": "linear", "symbol": SYMBOL, "interval": "D"}
    result = raw.get("/v5/market/premium-index-price-kline", **asked).json()["result"]
    assert (result["symbol"], result["category"]) == (SYMBOL, "linear")
    assert result["list"][0][1:] == ["0", "0.04", "-0.02", "-0.02"]


@pytest.mark.parametrize("venue", ["ccxt", "binance"])
def test_clients_read_them(rig: Rig, venue: str) -> None:
    above_then_below(rig)
    client = getattr(rig, venue)()
    client.load_markets()
    candle = client.fetch_premium_index_ohlcv(UNIFIED, "1d")[-1]
    assert [str(value) for value in candle[2:5]] in (
        ["0.04", "-0.02", "-0.02"],
        ["0.04000000", "-0.02000000", "-0.02000000"],
    )
