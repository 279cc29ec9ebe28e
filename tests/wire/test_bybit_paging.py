"""Pages, cursors and time filters: nothing is missed, nothing comes twice."""

import pytest

from simexchange.core import commands
from simexchange.core.types import OrderKind, Side, Wallet
from tests.wire.raw import Raw
from tests.wire.rig import ETH, SYMBOL, Rig

HOUR_US = 3_600 * 1_000_000
DAY_MS = 24 * 3_600 * 1_000


@pytest.fixture
def account(rig: Rig) -> int:
    return rig.open(contract=1_000_000)


@pytest.fixture
def raw(rig: Rig, account: int) -> Raw:
    return Raw(rig, rig.key(account))


def place(rig: Rig, account: int, number: int, symbol: str = SYMBOL) -> None:
    """Place a market order, buying and selling by turns."""
    side = Side.BUY if number % 2 == 0 else Side.SELL
    rig.apply(
        commands.PlaceOrder(
            account, symbol, side, 1, OrderKind.MARKET, client_order_id=f"{symbol}-{number}"
        )
    )


def walk(raw: Raw, path: str, **query: object) -> list[list[dict]]:
    """Return all pages, until there is no cursor; at most a hundred."""
    pages, cursor = [], ""
    for _ in range(100):
        more = {"cursor": cursor} if cursor else {}
        answer = raw.get(path, category="linear", **query, **more).json()
        assert answer["retCode"] == 0, answer
        pages.append(answer["result"]["list"])
        cursor = answer["result"]["nextPageCursor"]
        if not cursor:
            return pages
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("limit", [1, 3, 7, 50])
@pytest.mark.parametrize(
    ("path", "name"), [("/v5/execution/list", "execId"), ("/v5/order/history", "orderId")]
)
def test_pages_hold_every_row_once_newest_first(rig, raw, account, path, name, limit) -> None:
    for number in range(14):
        place(rig, account, number)
    whole = [row[name] for page in walk(raw, path) for row in page]
    assert len(set(whole)) == 14
    pages = walk(raw, path, limit=limit)
    assert [len(page) for page in pages[:-1]] == [limit] * (len(pages) - 1)
    assert [row[name] for page in pages for row in page] == whole


def test_rows_that_arrive_meanwhile_shift_no_page(rig: Rig, raw: Raw, account: int) -> None:
    for number in range(6):
        place(rig, account, number)
    path = "/v5/execution/list"
    first = raw.get(path, category="linear", limit=3).json()["result"]
    for number in range(6, 10):
        place(rig, account, number)
    second = raw.get(path, category="linear", limit=3, cursor=first["nextPageCursor"]).json()
    links = [row["orderLinkId"] for row in first["list"] + second["result"]["list"]]
    assert links == [f"{SYMBOL}-{number}" for number in (5, 4, 3, 2, 1, 0)]


def test_open_orders_have_pages_too(rig: Rig, raw: Raw, account: int) -> None:
    for number in range(5):
        rig.apply(
            commands.PlaceOrder(account, SYMBOL, Side.BUY, 1, OrderKind.LIMIT, 400_000 + number)
        )
    pages = walk(raw, "/v5/order/realtime", symbol=SYMBOL, limit=2)
    assert [[row["price"] for row in page] for page in pages] == [
        ["40000.4", "40000.3"],
        ["40000.2", "40000.1"],
        ["40000.0"],
    ]


def test_the_time_filter_takes_both_ends(rig: Rig, raw: Raw, account: int) -> None:
    times = []
    for number in range(4):
        rig.call(lambda: rig.clock.advance(HOUR_US))
        place(rig, account, number)
        times.append(rig.exchange.now // 1_000)
    path = "/v5/execution/list"

    def links(**query: object) -> list[str]:
        asked = raw.get(path, category="linear", execType="Trade", **query)
        rows = asked.json()["result"]["list"]
        return [row["orderLinkId"].rpartition("-")[2] for row in rows]

    assert links() == ["3", "2", "1", "0"]
    assert links(startTime=times[1], endTime=times[2]) == ["2", "1"]
    assert links(startTime=times[2]) == ["3", "2"]
    assert links(endTime=times[1]) == ["1", "0"]
    assert links(startTime=times[3] + 1) == []


def test_a_window_longer_than_a_week_or_turned_round_is_refused(raw: Raw, rig: Rig) -> None:
    now = rig.exchange.now // 1_000
    for path in ("/v5/execution/list", "/v5/order/history", "/v5/account/transaction-log"):
        long = raw.get(path, category="linear", startTime=now - 8 * DAY_MS, endTime=now)
        assert long.json()["retCode"] == 10001
        turned = raw.get(path, category="linear", startTime=now, endTime=now - 1)
        assert turned.json()["retCode"] == 10001


def test_what_is_older_than_a_week_is_asked_for_with_a_time(rig, raw, account) -> None:
    place(rig, account, 0)
    then = rig.exchange.now // 1_000
    rig.call(lambda: rig.clock.advance(8 * 24 * HOUR_US))
    rig.apply(commands.AdvanceTime())
    path = "/v5/execution/list"
    fresh = raw.get(path, category="linear", execType="Trade").json()["result"]["list"]
    assert fresh == []
    old = raw.get(path, category="linear", execType="Trade", startTime=then, endTime=then + 1)
    assert len(old.json()["result"]["list"]) == 1


def test_a_cursor_that_was_never_given_is_refused(raw: Raw) -> None:
    answer = raw.get("/v5/execution/list", category="linear", cursor="nonsense").json()
    assert answer["retCode"] == 10001


def test_filters_by_symbol_order_and_status_leave_out_the_rest(rig, raw, account) -> None:
    place(rig, account, 0)
    place(rig, account, 0, ETH)
    rig.apply(commands.PlaceOrder(account, SYMBOL, Side.BUY, 1, OrderKind.LIMIT, 400_000))
    rig.apply(commands.CancelAll(account))
    history = "/v5/order/history"

    def count(path: str = history, **query: object) -> int:
        return len(raw.get(path, category="linear", **query).json()["result"]["list"])

    assert (count(), count(symbol=ETH), count(baseCoin="BTC")) == (3, 1, 2)
    assert count(orderStatus="Filled") == 2
    assert count(orderStatus="Cancelled") == 1
    assert count(orderLinkId=f"{ETH}-0") == 1
    assert count(orderLinkId="none") == 0
    assert count("/v5/execution/list", orderLinkId=f"{SYMBOL}-0") == 1
    assert count("/v5/execution/list", execType="Funding") == 0


def test_transfers_have_pages(rig: Rig, raw: Raw, account: int) -> None:
    for number in range(5):
        rig.apply(
            commands.Transfer(
                account, Wallet.CONTRACT, account, Wallet.SPOT, 10**8 * (number + 1), f"t{number}"
            )
        )
    path = "/v5/asset/transfer/query-inter-transfer-list"
    first = raw.get(path, limit=3).json()["result"]
    second = raw.get(path, limit=3, cursor=first["nextPageCursor"]).json()["result"]
    amounts = [row["amount"] for row in first["list"] + second["list"]]
    assert amounts == ["5", "4", "3", "2", "1"]
    assert second["nextPageCursor"] == ""
