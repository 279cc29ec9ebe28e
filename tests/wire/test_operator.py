"""The operator's door: accounts, keys, prices, time, faults, watching; and who may not enter."""

import asyncio
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from simexchange.clock import ManualClock
from simexchange.server.clock import SteeredClock
from tests.wire.rig import OPERATOR_KEY, SYMBOL, UNIFIED, Rig


class Operator:
    def __init__(self, url: str, key: str = OPERATOR_KEY) -> None:
        self.url = f"{url}/operator/v1/"
        self.headers = {"X-Operator-Key": key}

    def ask(self, method: str, path: str, body: object = None, status: int = 200):
        answer = requests.request(
            method, self.url + path, json=body, headers=self.headers, timeout=10
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str):
        return self.ask("GET", path)

    def post(self, path: str, body: object, status: int = 200):
        return self.ask("POST", path, body, status)


@pytest.fixture
def operator(rig: Rig) -> Operator:
    return Operator(rig.url)


def test_nobody_enters_without_the_key(rig: Rig) -> None:
    Operator(rig.url, "another key").ask("GET", "status", status=401)
    assert requests.get(f"{rig.url}/operator/v1/ledger", timeout=10).status_code == 401


def test_an_account_is_opened_funded_and_trades(operator: Operator, rig: Rig) -> None:
    account = operator.post("accounts", {"label": "leader", "contract": "1000.5", "spot": "2"})
    assert (account["contract"], account["spot"], account["equity"]) == ("1000.5", "2", "1000.5")
    number = account["account"]
    operator.post("deposits", {"account": number, "wallet": "contract", "money": "0.00000001"})
    operator.post("withdrawals", {"account": number, "wallet": "spot", "money": "1"})
    made = operator.post("keys", {"account": number, "name": "bot"})
    client = rig.ccxt()
    client.apiKey, client.secret = made["key"], made["secret"]
    client.load_markets()
    assert str(client.fetch_balance()["USDT"]["total"]) == "1000.50000001"
    client.create_order(UNIFIED, "market", "buy", 0.001)
    listed = {row["account"]: row for row in operator.get("accounts")}
    assert (listed[number]["spot"], listed[number]["positions"]) == ("1", 1)
    operator.post("keys/revoke", {"key": made["key"]})
    operator.post("keys/revoke", {"key": made["key"]}, 400)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("accounts", {"label": "x", "contract": "-5"}),
        ("accounts", {"colour": "red"}),
        ("deposits", {"account": 999, "wallet": "spot", "money": "1"}),
        ("withdrawals", {"account": 1, "wallet": "spot", "money": "1"}),
        ("keys", {"account": 999}),
        ("keys", {"account": 1, "addresses": ["somewhere"]}),
        ("prices", {"symbol": "NOPE", "index": "1"}),
        ("prices", {"symbol": SYMBOL, "index": "1.23"}),
        ("time", {"advance_us": -1}),
        ("commands", {"type": "Dance"}),
    ],
)
def test_a_mistake_gets_a_sentence_and_changes_nothing(operator, rig: Rig, path, body) -> None:
    before = rig.exchange.state_hash()
    assert operator.post(path, body, 400)["message"]
    assert rig.exchange.state_hash() == before


def test_prices_are_set_by_hand_and_given_back(operator: Operator) -> None:
    held = operator.post("prices", {"symbol": SYMBOL, "mark": "51000.5"})
    assert (held["mark"], held["index"]) == ("51000.5", "50000.0")
    operator.post("prices", {"symbol": SYMBOL, "index": "52000"})
    free = operator.post("prices", {"symbol": SYMBOL, "mark": ""})
    assert free["mark"] != "51000.5"


def test_time_is_frozen_moved_and_hurried(operator: Operator) -> None:
    frozen = operator.post("time", {"speed": 0})["now"]
    assert operator.get("status")["now"] == frozen
    assert operator.post("time", {"advance_us": 5_000_000})["now"] == frozen + 5_000_000
    assert operator.post("time", {"speed": 60})["speed"] == 60


def test_any_command_of_the_exchange_can_be_given(operator: Operator) -> None:
    place = {
        "type": "PlaceOrder",
        "account": 1,
        "symbol": SYMBOL,
        "side": 1,
        "contracts": 5,
        "kind": "limit",
        "price": 400_000,
    }
    [event] = operator.post("commands", place)
    assert (event["event"], event["price"]) == ("OrderAccepted", 400_000)
    newest = operator.get("status")["events"]
    [told] = operator.get(f"events?after={newest - 1}")
    assert told["number"] == newest
    assert told["order_id"] == event["order_id"]


def test_hashes_and_ledger_are_told(operator: Operator, rig: Rig) -> None:
    hashes = operator.get("hashes")
    assert hashes["event_hash"] == rig.exchange.event_hash
    assert hashes["state_hash"] == rig.exchange.state_hash()
    assert operator.get("ledger")["balanced"] is True


def test_faults_are_switched_on_and_off(operator: Operator, rig: Rig) -> None:
    rule = {"fault": "server_error", "paths": ["/v5/market/time"]}
    operator.ask("PUT", "faults/wire", {"rules": [rule]})
    assert requests.get(f"{rig.url}/v5/market/time", timeout=10).status_code == 502
    assert operator.get("faults/wire")["struck"] == [1]
    operator.ask("PUT", "faults/wire", {"rules": []})
    assert requests.get(f"{rig.url}/v5/market/time", timeout=10).status_code == 200
    operator.ask("PUT", "faults/wire", {"rules": [{"fault": "latency"}]}, 400)
    operator.ask("PUT", "faults/exchange", {"rules": [{"fault": "reject_orders"}]})
    client = rig.ccxt(rig.key(rig.open()))
    client.load_markets()
    with pytest.raises(Exception, match="110066"):
        client.create_order(UNIFIED, "market", "buy", 0.001)
    assert operator.get("faults/exchange")["struck"] == [1]


def test_limits_are_switched(operator: Operator, rig: Rig) -> None:
    operator.ask("PUT", "limits", {"is_on": True})
    assert rig.venue.limits.is_on
    operator.ask("PUT", "limits", {"is_on": False})
    assert not rig.venue.limits.is_on


def test_the_watch_page_holds_nothing_and_allows_nothing_from_elsewhere(rig: Rig) -> None:
    for name in ("watch", "watch.js", "watch.css"):
        answer = requests.get(f"{rig.url}/operator/v1/{name}", timeout=10)
        assert answer.status_code == 200
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
    page = requests.get(f"{rig.url}/operator/v1/watch", timeout=10).text
    assert not re.search(r"style=|<style|onclick|<script>|https?://", page)


def test_what_the_page_draws_is_there(operator: Operator) -> None:
    market = operator.get(f"market?symbol={SYMBOL}")
    assert (market["bids"], market["asks"]) == ([["49999.0", "20"]], [["50001.0", "20"]])
    assert operator.get("plans") == []
    operator.ask("GET", "market?symbol=NOPE", status=400)


# ---------------------------------------------------------------------------- clock and command


def test_a_steered_clock_never_goes_back() -> None:
    base = ManualClock(1_000)
    clock = SteeredClock(base, speed=2)
    base.advance(microseconds=100)
    assert clock.now() == 1_200
    clock.set_speed(0)
    base.advance(microseconds=100)
    assert clock.now() == 1_200
    assert clock.advance(50) == 1_250
    clock.set_speed(1)
    base.advance(microseconds=10)
    assert clock.now() == 1_260
    for mistake in (lambda: clock.set_speed(-1), lambda: clock.advance(-1)):
        with pytest.raises(ValueError, match="back"):
            mistake()


async def test_waiting_for_a_time_ends_when_the_clock_is_moved_there() -> None:
    clock = SteeredClock(ManualClock(0), speed=0)
    waiting = asyncio.create_task(clock.reach(5_000_000))
    await asyncio.sleep(0)
    clock.advance(4_999_999)
    await asyncio.sleep(0.01)
    assert not waiting.done()
    clock.advance(1)
    async with asyncio.timeout(5):
        await waiting


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", "from simexchange.cli import main; main()", "serve", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_the_command_serves_says_where_and_ends_on_ctrl_c() -> None:
    process = start("--operator-key", "secret", "--seed", "7")
    assert process.stdout is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        assert "secret" in process.stdout.readline()
        status = Operator(found[0], "secret").get("status")
        assert status["instruments"] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
        ticker = requests.get(
            f"{found[0]}/v5/market/tickers?category=linear&symbol=BTCUSDT", timeout=10
        ).json()
        assert ticker["result"]["list"][0]["bid1Price"]
        port = found[0].rpartition(":")[2]
        second = start("--port", port)
        said, _ = second.communicate(timeout=30)
        assert second.returncode == 2
        assert "address already in use" in said
        assert "Traceback" not in said
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_beyond_loopback_the_operators_door_is_shut_unless_a_key_is_given() -> None:
    process = start("--host", "0.0.0.0", "--market", "still")
    assert process.stdout is not None
    try:
        found = re.search(r":(\d+) ", process.stdout.readline())
        assert found is not None
        assert "operator API is off" in process.stdout.readline()
        url = f"http://127.0.0.1:{found[1]}/operator/v1/status"
        assert requests.get(url, timeout=10).status_code == 404
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def test_the_journal_of_a_served_run_replays_to_the_same_hash(tmp_path: Path) -> None:
    journal = tmp_path / "run"
    process = start("--operator-key", "secret", "--speed", "0", "--journal", str(journal))
    assert process.stdout is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        operator = Operator(found[0], "secret")
        operator.post("accounts", {"label": "someone", "contract": "5"})
        url = f"{found[0]}/operator/v1/journal"
        copy = tmp_path / "copy.journal"
        copy.write_bytes(requests.get(url, headers=operator.headers, timeout=10).content)
        expected = operator.get("hashes")["event_hash"]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
    replayed = subprocess.run(
        [sys.executable, "-c", "from simexchange.cli import main; main()", "replay", str(copy)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert expected in replayed.stdout
