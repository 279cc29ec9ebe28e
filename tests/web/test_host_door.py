"""The address the host sends its messages to."""

import pytest

from copyplugin.host.feed import HostFeed
from tests.simulation.host import SECRET, signed
from tests.web.builders import NOW
from web.app import create_app, live_hub
from web.host import BODY_MAX, PATH, SIGNATURE, TIMESTAMP


@pytest.fixture
def host(queries, commands, settings, database, clock):
    app = create_app(queries, commands, settings, host_feed=HostFeed(database, clock, SECRET))
    yield app.test_client()
    live_hub(app).stop()


def post(client, clock, message):
    body, timestamp, signature = signed(clock, message)
    return client.post(PATH, data=body, headers={TIMESTAMP: timestamp, SIGNATURE: signature})


def message(number=1, **more):
    state = {"wallet": "1000", "available": "900.5", "equity": "1000", "positions": []}
    return {"account": "7001", "number": number, "state": state} | more


def fill(**more):
    return {
        "fill_id": "f1",
        "order_id": "o1",
        "symbol": "BTCUSDT",
        "side": "buy",
        "contracts": 2,
        "price": "60000.5",
        "fee": "0.06",
        "realized_pnl": "0",
        "liquidity": "taker",
        "at": NOW.isoformat(),
        "leverage": "10",
        "margin_mode": "isolated",
    } | more


def test_a_message_is_taken_and_the_next_number_is_told(host, clock):
    answer = post(host, clock, message())
    assert (answer.status_code, answer.json) == (200, {"account": "7001", "next": 2})

    again = post(host, clock, message())
    assert (again.status_code, again.json) == (200, {"account": "7001", "next": 2})


def test_a_gap_is_answered_with_the_number_that_comes_next(host, clock):
    post(host, clock, message())

    answer = post(host, clock, message(number=5))

    assert answer.status_code == 409
    assert answer.json == {
        "next": 2,
        "message": "Message 2 of account 7001 is missing: send from there on.",
    }


def test_an_unsigned_message_is_not_heard_and_needs_no_session(host):
    answer = host.post(PATH, json=message())

    assert answer.status_code == 401
    assert "timestamp" in answer.json["message"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"number": 0}, "number Input should be greater than 0"),
        ({"account": ""}, "account String should have at least 1 character"),
        ({"colour": "red"}, "colour Extra inputs are not permitted"),
        ({"fills": [fill(price=60000.5)]}, "fills.0.price is to be text"),
        ({"fills": [fill(price="0")]}, "fills.0.price Input should be greater than 0"),
        ({"fills": [fill(price="NaN")]}, "fills.0.price is not a number that can be kept"),
        ({"fills": [fill(fee="0.000000001")]}, "fills.0.fee has more than 8 decimals"),
        ({"fills": [fill(contracts=1.5)]}, "fills.0.contracts"),
        ({"fills": [fill(contracts_closed=3)]}, "fills.0 closes more contracts than it has"),
        ({"fills": [fill(side="up")]}, "fills.0.side"),
        ({"fills": [fill(at="2026-11-22T12:00:00")]}, "fills.0.at"),
        ({"fills": [fill(at="2026-11-22T12:01:00Z")]}, "has not come yet"),
        ({"fills": [fill()]}, "The first message of an account tells what it holds, and no fills."),
        ({"state": None}, "state"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence_and_nothing_is_stored(host, clock, wrong, words):
    answer = post(host, clock, message() | wrong)

    assert answer.status_code == 422
    assert words in answer.json["message"]
    assert post(host, clock, message()).json["next"] == 2  # its number is free


def test_what_is_no_json_is_refused(host, clock):
    body, timestamp, signature = signed(clock, message())
    assert body.endswith(b"}")
    answer = host.post(PATH, data=b"", headers={TIMESTAMP: timestamp, SIGNATURE: signature})
    assert answer.status_code == 401

    body, timestamp, signature = signed(clock, "not a message")
    answer = host.post(PATH, data=body, headers={TIMESTAMP: timestamp, SIGNATURE: signature})
    assert answer.status_code == 422


def test_a_message_beyond_the_greatest_size_is_not_read(host):
    answer = host.post(PATH, data=b"x" * (BODY_MAX + 1), headers={TIMESTAMP: "1", SIGNATURE: "x"})

    assert answer.status_code == 413


def test_without_a_secret_there_is_no_such_address(client):
    assert client.post(PATH, data=b"{}").status_code == 404
