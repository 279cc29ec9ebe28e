"""Every page and window of the past is read, however the venue cuts it, and in order."""

import asyncio
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from copyplugin.venues.ccxt import binance_fills
from copyplugin.venues.ccxt.binance_fills import trades
from copyplugin.venues.ccxt.bybit_account import executions
from copyplugin.venues.ccxt.texts import time_of

NOW_MS = 1_700_000_000_000
WEEK_MS = int(timedelta(days=7).total_seconds() * 1000)
PAGE = 4

# Times before now, with many that are the same; over five weeks.
ages = st.lists(
    st.one_of(st.integers(0, 5 * WEEK_MS), st.sampled_from([0, 1, WEEK_MS, WEEK_MS - 1])),
    max_size=30,
)


class BybitList:
    """Newest first, pages by cursor, a week at most; without an end, a week from the start."""

    def __init__(self, times: list[int]) -> None:
        newest_first = sorted(range(len(times)), key=lambda n: (times[n], n), reverse=True)
        self.rows = [{"execTime": str(times[n]), "execId": str(n)} for n in newest_first]

    async def ask(self, method: str, params: dict):
        start = params["startTime"]
        end = params.get("endTime", start + WEEK_MS)
        assert 0 <= end - start <= WEEK_MS
        found = [row for row in self.rows if start <= int(row["execTime"]) <= end]
        first = int(params.get("cursor") or 0)
        page = found[first : first + PAGE]
        rest = first + PAGE < len(found)
        following = str(first + PAGE) if rest else ""
        return {"result": {"list": page, "nextPageCursor": following}}


class BinanceList:
    """Oldest first: a page of a time that spans a week at most, or from an id on."""

    def __init__(self, times: list[int]) -> None:
        self.rows = [{"id": n, "time": at} for n, at in enumerate(sorted(times), start=1)]

    async def ask(self, method: str, params: dict, *, cost: int = 1):
        if "fromId" in params:
            assert "startTime" not in params
            found = [row for row in self.rows if row["id"] >= params["fromId"]]
        else:
            start = params["startTime"]
            end = params.get("endTime", start + WEEK_MS)
            assert 0 <= end - start <= WEEK_MS
            found = [row for row in self.rows if start <= row["time"] <= end]
        return found[: params["limit"]]


@given(ages, st.integers(0, 6 * WEEK_MS))
@settings(max_examples=200)
def test_all_executions_of_bybit_are_listed_once_in_order(past: list[int], back: int) -> None:
    times = [NOW_MS - age for age in past]
    listing, since = BybitList(times), NOW_MS - back
    rows = asyncio.run(executions(listing, time_of(since), time_of(NOW_MS)))
    assert sorted(int(row["execId"]) for row in rows) == [
        n for n, at in enumerate(times) if at >= since
    ]
    assert [row["execTime"] for row in rows] == sorted(row["execTime"] for row in rows)


@given(ages, st.integers(0, 6 * WEEK_MS))
@settings(max_examples=200)
def test_all_trades_of_binance_are_listed_once_in_order(past: list[int], back: int) -> None:
    listing, since = BinanceList([NOW_MS - age for age in past]), NOW_MS - back
    before, binance_fills.TRADES_PAGE = binance_fills.TRADES_PAGE, PAGE
    try:
        rows = asyncio.run(trades(listing, "BTCUSDT", time_of(since), time_of(NOW_MS)))
    finally:
        binance_fills.TRADES_PAGE = before
    assert rows == [row for row in listing.rows if row["time"] >= since]
