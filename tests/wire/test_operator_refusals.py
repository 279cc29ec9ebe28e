"""The operator's door, action by action: who may not enter, what is refused, and what is done."""

from collections.abc import Callable

import msgspec
import pytest
import requests

from simexchange.core import commands
from simexchange.core.types import SECOND_US
from simexchange.server.operator.actions import ACTIONS, Action
from simexchange.server.venue import Venue
from tests.wire.rig import OPERATOR_KEY, SYMBOL, Rig
from tests.wire.test_operator import Operator

NAMES = [f"{action.method} {action.path}" for action in ACTIONS]
WITH_BODIES = [action for action in ACTIONS if action.body is not None]
YEAR_US = 366 * 24 * 3_600 * SECOND_US


@pytest.fixture
def operator(rig: Rig) -> Operator:
    """Return an operator of an exchange whose time stands still, so that nothing happens alone."""
    operator = Operator(rig.url)
    operator.post("time", {"speed": 0})
    return operator


def standing(rig: Rig) -> tuple[object, ...]:
    """Return everything that an operator can change."""

    def work(venue: Venue) -> tuple[object, ...]:
        keys = [
            key.key for number in venue.exchange.accounts for key in venue.keys.of_account(number)
        ]
        plans = (venue.faults.plan, venue.simulation.plan)
        clock = venue.simulation.clock
        limits = venue.limits.is_on
        return venue.exchange.state_hash(), clock.now(), clock.speed, keys, plans, limits

    return rig.call(lambda: work(rig.venue))


def send(rig: Rig, action: Action, body: bytes, key: str | None = OPERATOR_KEY):
    headers = {} if key is None else {"X-Operator-Key": key}
    url = f"{rig.url}/operator/v1/{action.path}"
    return requests.request(action.method, url, data=body, headers=headers, timeout=10)


@pytest.mark.parametrize("action", ACTIONS, ids=NAMES)
def test_nothing_is_answered_or_done_without_the_key(operator, rig: Rig, action: Action) -> None:
    before = standing(rig)
    for key in (None, "", "nearly " + OPERATOR_KEY, OPERATOR_KEY + " "[:0] + "x"):
        answer = send(rig, action, b"{}", key)
        assert answer.status_code == 401
        assert set(answer.json()) == {"message"}
    assert requests.get(f"{rig.url}/operator/v1/journal", timeout=10).status_code == 401
    assert standing(rig) == before


@pytest.mark.parametrize("action", WITH_BODIES, ids=[f"{a.method} {a.path}" for a in WITH_BODIES])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"nonsense": 1}', b"\xff\xfe"])
def test_what_cannot_be_read_gets_a_sentence_and_does_nothing(
    operator, rig: Rig, action: Action, body: bytes
) -> None:
    before = standing(rig)
    answer = send(rig, action, body)
    assert answer.status_code == 400, answer.text
    assert len(answer.json()["message"]) > 10
    assert standing(rig) == before


REFUSED = {
    "an index, but no mark": ("prices", {"symbol": SYMBOL, "index": "60000", "mark": "1.23"}),
    "an index of nothing": ("prices", {"symbol": SYMBOL, "index": "0"}),
    "a mark of nothing": ("prices", {"symbol": SYMBOL, "index": "60000", "mark": "0"}),
    "a price in words": ("prices", {"symbol": SYMBOL, "mark": "much"}),
    "a speed, but a jump back": ("time", {"speed": 60, "advance_us": -1}),
    "a speed, but too far": ("time", {"speed": 60, "advance_us": YEAR_US + 1}),
    "a negative speed": ("time", {"speed": -1, "advance_us": 5}),
    "an account of nobody's": ("accounts", {"owner": 999, "contract": "5"}),
    "an account, but no money": ("accounts", {"contract": "5", "spot": "1e5"}),
    "money too fine": ("accounts", {"contract": "0.000000001"}),
    "a deposit of nothing": ("deposits", {"account": 1, "wallet": "spot", "money": "0"}),
    "a deposit elsewhere": ("deposits", {"account": 1, "wallet": "moon", "money": "1"}),
    "more than there is": ("withdrawals", {"account": 1, "wallet": "spot", "money": "1"}),
    "a key for nobody": ("keys", {"account": 999}),
    "a key from nowhere": ("keys", {"account": 1, "addresses": ["*", "here"]}),
    "a key that is not there": ("keys/revoke", {"key": "no key"}),
    "a command with a misspelt term": (
        "commands",
        {"type": "AdvanceTime", "till": 5},
    ),
    "a command without its terms": ("commands", {"type": "SetMark", "symbol": SYMBOL}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_is_not_half_done(operator: Operator, rig: Rig, name: str) -> None:
    path, body = REFUSED[name]
    before = standing(rig)
    assert len(operator.post(path, body, 400)["message"]) > 10
    assert standing(rig) == before


@pytest.mark.parametrize(
    ("which", "rules"),
    [
        ("wire", [{"fault": "latency"}]),
        ("wire", [{"fault": "late_request"}]),
        ("wire", [{"fault": "server_error"}, {"fault": "server_error", "chance": -1}]),
        ("wire", [{"fault": "sabotage"}]),
        ("exchange", [{"fault": "late_marks"}]),
        ("exchange", [{"fault": "reject_orders", "chance": 10**9}]),
    ],
)
def test_a_wrong_plan_leaves_the_present_one_in_force(
    operator: Operator, rig: Rig, which: str, rules: list[object]
) -> None:
    operator.ask("PUT", "faults/wire", {"rules": [{"fault": "stream_drop", "at_most": 3}]})
    operator.ask("PUT", "faults/exchange", {"rules": [{"fault": "reject_plans"}]})
    before = standing(rig)
    refused = operator.ask("PUT", f"faults/{which}", {"rules": rules}, 400)
    assert len(refused["message"]) > 10
    assert standing(rig) == before


def test_a_plan_counts_from_the_moment_it_is_set(operator: Operator, rig: Rig) -> None:
    rule = {"fault": "maintenance", "paths": ["/fapi/v1/time"], "at_most": 2}
    for _ in range(2):
        operator.ask("PUT", "faults/wire", {"rules": [rule]})
        codes = [requests.get(f"{rig.url}/fapi/v1/time", timeout=10).status_code for _ in range(3)]
        assert codes == [503, 503, 200]
        assert operator.get("faults/wire")["struck"] == [2]
    assert operator.ask("PUT", "faults/wire", {"rules": []})["struck"] == []


def test_time_that_is_moved_brings_what_is_due(operator: Operator, rig: Rig) -> None:
    account = rig.open()
    rig.apply(commands.SetFundingRate(SYMBOL, 10_000))
    key = rig.key(account)
    client = rig.ccxt(key)
    client.load_markets()
    client.create_order("BTC/USDT:USDT", "market", "buy", 0.01)
    before = operator.get("status")["now"]
    moved = operator.post("time", {"advance_us": 8 * 3_600 * SECOND_US})
    assert moved == {"now": before + 8 * 3_600 * SECOND_US, "speed": 0}
    [funding] = client.fetch_funding_history("BTC/USDT:USDT")
    assert str(funding["amount"]) == "0.05"  # paid: ccxt tells what the venue charged
    assert operator.get("ledger")["balanced"] is True
    assert operator.post("time", {"advance_us": YEAR_US})["now"] == moved["now"] + YEAR_US


def test_the_ledger_and_the_hash_tell_of_every_change(operator: Operator, rig: Rig) -> None:
    first = operator.get("hashes")
    assert first == operator.get("hashes")
    operator.post("accounts", {"contract": "7.5"})
    second = operator.get("hashes")
    assert second["state_hash"] != first["state_hash"]
    assert second["event_hash"] != first["event_hash"]
    ledger = operator.get("ledger")
    assert ledger["balanced"] is True
    assert ledger["table"] == rig.call(rig.exchange.ledger_text)


def test_a_transfer_is_told_as_done_or_not(operator: Operator, rig: Rig) -> None:
    account = rig.open(contract=10)
    assert operator.get("transfers?transfer_id=abc") == {"transfer_id": "abc", "done": False}
    rig.apply(commands.Transfer(account, "contract", account, "spot", 500, "abc"))
    assert operator.get("transfers?transfer_id=abc")["done"] is True


@pytest.mark.parametrize("query", ["after=-1", "limit=many", "after=1.5"])
def test_a_wrong_question_gets_a_sentence(operator: Operator, query: str) -> None:
    name = query.partition("=")[0]
    assert name in operator.ask("GET", f"events?{query}", status=400)["message"]


def test_there_is_nothing_else_behind_the_door(operator: Operator, rig: Rig) -> None:
    for method, path in (("POST", "status"), ("GET", "keys"), ("DELETE", "keys"), ("GET", "")):
        assert "there is no" in operator.ask(method, path, status=404)["message"]
    assert "without a journal" in operator.ask("GET", "journal", status=404)["message"]


def test_a_fault_of_ours_is_answered_as_one(
    operator: Operator, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise AssertionError("the books do not add up")

    check: Callable[[], None] = broken
    monkeypatch.setattr(rig.exchange, "check", check)
    answer = operator.ask("GET", "ledger", status=500)
    assert "log" in answer["message"]
    assert "books" not in msgspec.json.encode(answer).decode()
    monkeypatch.undo()
