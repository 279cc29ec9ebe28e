"""The what-if of a leader's page: asked by a form, shown part by part."""

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.store import rows

GOOD = {"mode": "multiple", "factor": "0.5", "amount": "1000", "idempotency_key": "k"}
REPORT = {
    "leader": {
        "begins_at": "2026-01-05T12:00:00+00:00",
        "ends_at": "2026-02-01T00:00:00+00:00",
        "fills": 7,
    },
    "assumptions": {"slippage": "0.0005"},
    "follows": [
        {
            "net_result": "12.5",
            "equity": "1012.5",
            "fees": "1.5",
            "funding": "0",
            "share": "1",
            "drawdown": "3",
            "drawdown_ratio": "0.30 %",
            "orders": 4,
            "orders_filled": 3,
            "liquidated": False,
            "nearest_liquidation": {
                "symbol": "BTCUSDT",
                "position_side": "long",
                "mark": "60000",
                "liquidation_price": "50000",
                "distance": "16.67 %",
            },
            "skipped": {"below_minimum": 2},
            "from_leader_to_follower": {
                "leader_result": "46/3",
                "parts": {"fees": "1.5", "leader share": "1", "price": "1/3"},
            },
        }
    ],
    "faults": [],
}


@pytest.fixture
def path(ben, small):
    return f"/koltrade/{small.ada}/what-if"


def test_the_leaders_page_leads_to_it(ben, small, path):
    assert path in ben.get(f"/koltrade/{small.ada}").get_data(as_text=True)
    assert "What if you had followed Ada?" in ben.get(path).get_data(as_text=True)


def test_what_is_asked_becomes_a_command(ben, small, path, commands):
    answer = ben.post(path, data=GOOD | {"since": "2026-01-01", "order_margin": "20"})

    assert answer.status_code == 302
    [(kind, given, actor, _)] = commands.given
    assert kind is CommandKind.WHAT_IF
    assert given == {
        "leader_id": small.ada,
        "mode": "multiple",
        "copy_amount": "1000",
        "factor": "0.5",
        "since": "2026-01-01",
    }
    assert actor == f"follower:{small.ben}"


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"mode": "wild"}, "Choose one of the modes on offer."),
        ({"amount": "0"}, "Enter an amount above 0."),
        ({"amount": ""}, "Write the number with digits and a point"),
        ({"until": "tomorrow"}, "Write the day like 2026-01-31."),
        ({"factor": "half"}, "Write the number with digits and a point"),
    ],
)
def test_what_does_not_fit_gets_a_sentence_and_nothing_is_asked(
    ben, path, commands, changed, sentence
):
    answer = ben.post(path, data=GOOD | changed)

    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert commands.given == []


def test_a_refusal_is_shown_over_the_form(ben, path, commands):
    commands.state, commands.message = CommandState.REFUSED, "No fill of leader 1 is stored."

    answer = ben.post(path, data=GOOD)

    assert answer.status_code == 409
    assert "No fill of leader 1 is stored." in answer.get_data(as_text=True)


@pytest.fixture
def answered(ben, small, path, commands, database):
    """Return where the answer is, and a function that changes the report in the row."""
    ben.post(path, data=GOOD)

    def put(report, state=CommandState.DONE):
        def change(session):
            row = session.get(rows.CommandRow, 1)
            row.result, row.state = report, state

        database.write_and_wait(change)

    put(REPORT)
    return f"{path}/1", put


def test_the_answer_shows_every_part_and_that_they_sum_to_the_whole(ben, answered):
    text = ben.get(answered[0]).get_data(as_text=True)

    assert "+12.50" in text
    assert "15.33333333" in text
    assert "The parts sum to the whole, to the last unit." in text
    assert "16.67 %" in text
    assert "3 of 4 carried out" in text


def test_parts_that_do_not_sum_are_not_said_to(ben, answered):
    page, put = answered
    put(REPORT | {"faults": ["the differences do not sum."]})

    text = ben.get(page).get_data(as_text=True)

    assert "The parts do NOT sum to the whole:" in text


def test_one_that_is_being_computed_is_looked_at_again(ben, answered):
    page, put = answered
    put(None, CommandState.PENDING)

    assert "It is being computed" in ben.get(page).get_data(as_text=True)


def test_nobody_sees_what_another_asked(ben, client, small, answered):
    client.post("/whoami", data={"follower_id": small.eve})

    assert client.get(answered[0]).status_code == 404
    assert client.get(f"/koltrade/{small.bob}/what-if/1").status_code == 404
