"""A served exchange that is killed comes back: the same state, the same keys, the same history."""

import json
import signal
import threading
from pathlib import Path
from typing import Any

import ccxt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from simexchange.clock import ManualClock
from simexchange.core.config import ExchangeConfig
from simexchange.server.clock import SteeredClock
from simexchange.server.notes import Steered
from simexchange.server.resuming import NOTES_FILE, Home
from tests.wire.process import Served

UNIFIED, SYMBOL = "BTC/USDT:USDT", "BTCUSDT"
QUIET = ("--market", "still", "--speed", "0")
POST_ONLY = {"timeInForce": "PO", "orderLinkId": "crosses"}


def set_up(served: Served) -> dict[str, dict[str, str]]:
    """Open accounts, trade and move money; return the keys."""
    served.operate("POST", "prices", {"symbol": SYMBOL, "index": "50000", "mark": "50000"})
    keys: dict[str, dict[str, str]] = {}
    for name, money in (("maker", "1000000"), ("master", "10000")):
        opened = served.operate("POST", "accounts", {"label": name, "contract": money})
        keys[name] = served.operate("POST", "keys", {"account": opened["account"]})
    maker, master = served.bybit(keys["maker"]), served.bybit(keys["master"])
    for side, price in (("buy", 49_999), ("sell", 50_001)):
        maker.create_order(UNIFIED, "limit", side, 5, price)
    terms = {"orderLinkId": "opens", "takeProfit": "60000", "stopLoss": "45000"}
    master.create_order(UNIFIED, "market", "buy", 0.02, None, terms)
    master.create_order(UNIFIED, "market", "sell", 0.005, None, {"reduceOnly": True})
    master.create_order(UNIFIED, "limit", "buy", 0.01, 50_001, POST_ONLY)
    master.create_order(UNIFIED, "limit", "buy", 0.01, 40_000, {"orderLinkId": "rests"})
    partial = {"takeProfit": "61000", "tpslMode": "Partial"}
    master.create_order(UNIFIED, "market", "buy", 0.001, None, partial)
    keys["sub"] = _sub_account(master)
    served.binance(keys["master"]).transfer("USDT", 3, "linear", "spot")
    return keys


def _sub_account(master: ccxt.bybit) -> dict[str, str]:
    subs = [
        master.private_post_v5_user_create_sub_member({"username": name, "memberType": 1})
        for name in ("follower1", "frozen1")
    ]
    numbers = [int(sub["result"]["uid"]) for sub in subs]
    frozen = {"subuid": numbers[1], "frozen": 1}
    master.private_post_v5_user_frozen_sub_member(frozen)
    money = {
        "transferId": "2a1ad4e0-8c8c-4d1e-9b0c-000000000001",
        "coin": "USDT",
        "amount": "25",
        "fromMemberId": int(master.fetch_balance()["info"].get("uid", 0) or _uid(master)),
        "toMemberId": numbers[0],
        "fromAccountType": "UNIFIED",
        "toAccountType": "UNIFIED",
    }
    master.private_post_v5_asset_transfer_universal_transfer(money)
    permissions = {"ContractTrade": ["Order", "Position"]}
    terms = {"subuid": numbers[0], "readOnly": 0, "permissions": permissions}
    made = master.private_post_v5_user_create_sub_api(terms)["result"]
    return {"key": made["apiKey"], "secret": made["secret"]}


def _uid(client: ccxt.bybit) -> str:
    return client.private_get_v5_user_query_api()["result"]["userID"]


def history(served: Served, keys: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return everything that can be asked about the past."""
    bybit, binance = served.bybit(keys["master"]), served.binance(keys["master"])
    linear = {"category": "linear"}
    answers = {
        "orders": bybit.private_get_v5_order_history(linear),
        "open": bybit.private_get_v5_order_realtime({**linear, "settleCoin": "USDT"}),
        "fills": bybit.private_get_v5_execution_list(linear),
        "closed": bybit.private_get_v5_position_closed_pnl(linear),
        "log": bybit.private_get_v5_account_transaction_log(linear),
        "positions": bybit.private_get_v5_position_list({**linear, "symbol": SYMBOL}),
        "transfers": bybit.private_get_v5_asset_transfer_query_universal_transfer_list(),
        "members": bybit.private_get_v5_user_query_sub_members(),
        "ticker": bybit.public_get_v5_market_tickers({**linear, "symbol": SYMBOL}),
        "candles": bybit.public_get_v5_market_kline({**linear, "symbol": SYMBOL, "interval": "1"}),
        "income": binance.fapiprivate_get_income(),
        "allOrders": binance.fapiprivate_get_allorders({"symbol": SYMBOL}),
        "account": binance.fapiprivatev3_get_account(),
        "moved": binance.sapi_get_asset_transfer({"type": "UMFUTURE_MAIN"}),
        "accounts": served.operate("GET", "accounts"),
        "hashes": served.operate("GET", "hashes"),
    }
    for answer in answers.values():
        if isinstance(answer, dict):
            answer.pop("time", None)
    return answers


def test_a_server_that_began_with_interrupts_ignored_ends_when_it_is_interrupted() -> None:
    """As it does in the background of a script, or under nohup: it hears them from its first word.

    The moment between its word and its ear is short: many tries find it.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for _ in range(3):
            with Served("--market", "still", "--port", "0") as served:
                pass
            assert served.process.returncode == 0
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_killed_server_comes_back_as_it_was(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Served("--journal", str(home), "--seed", "5", *QUIET) as first:
        keys = set_up(first)
        first.operate("POST", "time", {"advance_us": 3_600_000_000})
        before = history(first, keys)
        clock = first.operate("GET", "status")["now"]
        first.kill()
    with Served("--journal", str(home)) as second:
        assert "Came back" in second.said[0]
        assert second.operate("GET", "status")["now"] == clock
        found = history(second, keys)
        for name, answer in before.items():
            assert found[name] == answer, name
        sub = second.bybit(keys["sub"])
        assert sub.fetch_balance()["USDT"]["total"] == 25
        master = second.bybit(keys["master"])
        with pytest.raises(ccxt.InvalidOrder, match="110072"):
            master.create_order(UNIFIED, "limit", "buy", 0.01, 40_000, {"orderLinkId": "rests"})
        made = second.operate("POST", "keys", {"account": 2})
        assert made["key"] not in {key["key"] for key in keys.values()}
        second.binance(keys["master"]).transfer("USDT", 3, "linear", "spot")
        now = history(second, keys)
        assert int(now["moved"]["total"]) == 2
        second.kill()
    with Served("--journal", str(home), "--speed", "0") as third:
        found = history(third, keys)
        for name, answer in now.items():
            assert found[name] == answer, name
        assert third.bybit(made).fetch_balance()["USDT"]["total"] > 0


def test_a_market_goes_on_after_a_kill_in_full_flight(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Served("--journal", str(home), "--speed", "200") as first:
        opened = first.operate("POST", "accounts", {"label": "me", "contract": "10000"})
        key = first.operate("POST", "keys", {"account": opened["account"]})
        client = first.bybit(key)
        client.load_markets()
        acknowledged: list[str] = []

        def trade() -> None:
            while True:
                try:
                    made = client.create_order(UNIFIED, "limit", "buy", 0.001, 30_000)
                except ccxt.NetworkError:
                    return
                acknowledged.append(made["id"])

        trader = threading.Thread(target=trade)
        trader.start()
        while len(acknowledged) < 50:
            trader.join(0.01)
        first.kill()
        trader.join()
    with Served("--journal", str(home), "--speed", "200") as second:
        client = second.bybit(key)
        found = {order["id"] for order in client.fetch_open_orders(UNIFIED, limit=50)}
        found |= {
            row["orderId"]
            for row in client.private_get_v5_order_realtime(
                {"category": "linear", "symbol": SYMBOL, "limit": 50}
            )["result"]["list"]
        }
        assert found <= set(acknowledged) | {_last_unacknowledged(found, acknowledged)}
        assert client.fetch_order(acknowledged[0], UNIFIED, {"acknowledged": True})
        assert client.fetch_order(acknowledged[-1], UNIFIED, {"acknowledged": True})
        events = second.operate("GET", "status")["events"]
        before = second.operate("GET", "market?symbol=BTCUSDT")
        while second.operate("GET", "status")["events"] < events + 500:
            pass
        after = second.operate("GET", "market?symbol=BTCUSDT")
        assert after["bids"]
        assert after["index"] != before["index"]
        assert second.operate("GET", "ledger")["balanced"] is True


def test_dates_of_orders_and_public_keys_come_back(tmp_path: Path) -> None:
    home = tmp_path / "home"
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with Served("--journal", str(home), "--seed", "5", *QUIET) as first:
        first.operate("POST", "prices", {"symbol": SYMBOL, "index": "50000", "mark": "50000"})
        opened = first.operate("POST", "accounts", {"contract": "1000"})
        mine = {"account": opened["account"]}
        key = first.operate("POST", "keys", mine)
        own = first.operate("POST", "keys", {**mine, "public_key": public.decode()})
        date = first.operate("GET", "status")["now"] // 1_000_000 * 1_000 + 3_600_000
        terms = {"timeInForce": "GTD", "goodTillDate": date}
        client = first.binance(key)
        made = client.create_order(UNIFIED, "limit", "buy", 0.001, 40_000, terms)
        before = client.fapiprivate_get_openorders()
        first.kill()
    with Served("--journal", str(home)) as second:
        owner = second.binance({"key": own["key"], "secret": _pem(private)})
        assert owner.fapiprivate_get_openorders() == before
        assert int(before[0]["goodTillDate"]) == date
        second.operate("POST", "time", {"advance_us": 3_600_000_000})
        ended = owner.fapiprivate_get_order({"symbol": SYMBOL, "orderId": made["id"]})
        assert (ended["status"], int(ended["updateTime"])) == ("EXPIRED", date)


def _pem(private: Ed25519PrivateKey) -> str:
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private.private_bytes(*form).decode()


def _last_unacknowledged(found: set[str], acknowledged: list[str]) -> str:
    """Return the one order that may have been placed without its answer being heard."""
    extra = found - set(acknowledged)
    assert len(extra) <= 1
    return extra.pop() if extra else ""


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--seed", "6"), "was begun with --seed 5"),
        (("--market", "synthetic"), "was begun with --market still"),
    ],
)
def test_another_exchange_cannot_go_on_in_the_same_place(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    home = str(tmp_path / "home")
    with Served("--journal", home, "--seed", "5", *QUIET):
        pass
    with pytest.raises(AssertionError, match=sentence), Served("--journal", home, *options):
        pass


def test_a_journal_is_a_directory(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("something else")
    with pytest.raises(AssertionError, match="is no directory"), Served("--journal", str(file)):
        pass
    assert file.read_text() == "something else"


def test_a_torn_note_is_cut_and_a_damaged_one_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Served("--journal", str(home), *QUIET) as first:
        opened = first.operate("POST", "accounts", {"label": "me", "contract": "1"})
        key = first.operate("POST", "keys", {"account": opened["account"]})
    notes = home / NOTES_FILE
    whole = notes.read_bytes()
    notes.write_bytes(whole + b'{"after":9,"note":{"type":"KeyMa')
    with Served("--journal", str(home)) as second:
        assert second.bybit(key).fetch_balance()["USDT"]["total"] == 1
    assert notes.read_bytes().startswith(whole)
    lines = whole.splitlines(keepends=True)
    notes.write_bytes(b"".join([*lines[:1], b"not a note\n", *lines[1:]]))
    with pytest.raises(AssertionError, match="line 2 is damaged"), Served("--journal", str(home)):
        pass


def noted(tmp_path: Path, *steered: Steered) -> Home:
    """Return a home whose notes say how its clock was steered."""
    lines = [{"after": 0, "note": {"type": "Begun", "seed": "0", "market": "still"}}]
    lines += [
        {"after": 0, "note": {"type": "Steered", "speed": s.speed, "at": s.at, "base": s.base}}
        for s in steered
    ]
    (tmp_path / NOTES_FILE).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return Home(tmp_path, ExchangeConfig())


@pytest.mark.parametrize(
    ("steered", "speed", "now", "later"),
    [
        (Steered(speed=1, at=1_000, base=1_000), None, 5_000, 5_010),
        (Steered(speed=1, at=9_000, base=1_000), None, 13_000, 13_010),
        (Steered(speed=0, at=9_000, base=1_000), None, 9_000, 9_000),
        (Steered(speed=60, at=9_000, base=1_000), None, 9_000, 9_600),
        (Steered(speed=0, at=9_000, base=1_000), 2, 9_000, 9_020),
    ],
)
def test_the_clock_comes_back_as_it_was_steered(
    tmp_path: Path, steered: Steered, speed: int | None, now: int, later: int
) -> None:
    home = noted(tmp_path, Steered(speed=1, at=0, base=0), steered)
    base = ManualClock(5_000)
    clock: SteeredClock = home.clock(base, speed)
    assert clock.now() == now
    base.advance(microseconds=10)
    assert clock.now() == later
    home.close()
