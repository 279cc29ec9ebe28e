"""Starting and ending a follow: sentences for what does not fit, commands for what does."""

import re

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import FollowState
from copyplugin.domain.leader import ShareBasis
from tests.web.builders import money

GOOD = {"instruments": ["BTCUSDT"], "mode": "fixed", "amount": "100", "idempotency_key": "k1"}


@pytest.fixture
def form(ben, small):
    return f"/koltrade/{small.bob}/copy"


def test_the_form_shows_terms_before_the_button(ben, form):
    text = ben.get(form).get_data(as_text=True)

    terms = text.index("What you agree to")
    assert terms < text.index("Start copying")
    assert "10.00%" in text[terms:]
    assert "From 10.00 to 1,000.00 USDT." in text
    assert "Your spot wallet has 500.00 USDT." in text


def test_proportional_mode_is_offered_only_when_the_operator_says_so(ben, form, world):
    assert 'value="proportional"' not in ben.get(form).get_data(as_text=True)

    world.setting("isOpenScale", "1")

    assert 'value="proportional"' in ben.get(form).get_data(as_text=True)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"amount": ""}, "Enter the copy amount."),
        ({"amount": "abc"}, "Write the amount with digits and a point, for example 250.50."),
        ({"amount": "NaN"}, "Write the amount with digits and a point"),
        ({"amount": "1e2"}, "Write the amount with digits and a point"),
        ({"amount": "9" * 40}, "Write the amount with digits and a point"),
        ({"amount": "10.001"}, "Use at most 2 decimals."),
        ({"amount": "9.99"}, "The amount must be from 10.00 to 1,000.00 USDT."),
        ({"amount": "-50"}, "The amount must be from 10.00 to 1,000.00 USDT."),
        ({"amount": "1000.01"}, "The amount must be from 10.00 to 1,000.00 USDT."),
        ({"amount": "500.01"}, "Your spot wallet has 500.00 USDT"),
        ({"instruments": []}, "Choose at least one instrument."),
        ({"instruments": ["DOGEUSDT"]}, "DOGEUSDT is not among the leader&#39;s instruments"),
        ({"mode": "proportional"}, "Choose one of the modes on offer."),
        ({"mode": "anything"}, "Choose one of the modes on offer."),
        ({"factor": "two"}, "Write the number with digits and a point, for example 2.5."),
        ({"total_value_max": "1e9"}, "Write the number with digits and a point"),
        ({"open_positions_max": "1.5"}, "Write a whole number, for example 5."),
        ({"number-BTCUSDT": "2"}, "BTCUSDT: the mode Fixed takes no number."),
        ({"mode-BTCUSDT": "anything"}, "Choose one of the modes on offer."),
    ],
)
def test_what_does_not_fit_gets_a_sentence_at_the_field(ben, form, commands, changed, sentence):
    answer = ben.post(form, data=GOOD | changed)
    text = answer.get_data(as_text=True)

    assert answer.status_code == 422
    assert text.count(sentence) >= 2  # in the summary and at the field
    assert "Please correct this first" in text
    assert commands.given == []


def test_what_was_entered_is_still_there_after_a_mistake(ben, form):
    text = ben.post(form, data=GOOD | {"amount": "5"}).get_data(as_text=True)

    assert 'value="5"' in text
    assert re.search(r'value="BTCUSDT" checked', text)
    assert not re.search(r'value="ETHUSDT" checked', text)


def test_a_good_form_becomes_one_command(ben, form, commands, small):
    answer = ben.post(form, data=GOOD)

    [(kind, arguments, actor, key)] = commands.given
    assert kind is CommandKind.START_FOLLOW
    assert arguments == {
        "leader_id": small.bob,
        "follower_id": small.ben,
        "mode": "fixed",
        "copy_amount": "100",
        "instruments": ["BTCUSDT"],
    }
    assert actor == f"follower:{small.ben}"
    assert key == f"{actor}:k1"
    page = ben.get(answer.location).get_data(as_text=True)
    assert "<h1>Done</h1>" in page
    assert "Done as asked." in page


def test_more_settings_become_terms_of_the_command(ben, form, commands, small):
    more = {
        "mode": "multiple",
        "factor": "0.5",
        "below_minimum": "carry",
        "margin_mode": "isolated",
        "leverage": "3",
        "total_value_max": "500",
        "open_positions_max": "2",
        "price_protection": "0.8",
        "open_held": "1.5",
        "mode-BTCUSDT": "fixed_margin",
        "number-BTCUSDT": "12.5",
    }

    ben.post(form, data=GOOD | more)

    [(_, arguments, _, _)] = commands.given
    assert arguments == {
        "leader_id": small.bob,
        "follower_id": small.ben,
        "mode": "multiple",
        "copy_amount": "100",
        "instruments": ["BTCUSDT"],
        "factor": "0.5",
        "below_minimum": "carry",
        "margin_mode": "isolated",
        "leverage": "3",
        "total_value_max": "500",
        "open_positions_max": 2,
        "price_protection": "0.008",
        "open_held": "0.015",
        "per_instrument": {"BTCUSDT": {"mode": "fixed_margin", "order_margin": "12.5"}},
    }


def test_more_settings_that_were_typed_are_shown_again(ben, form):
    text = ben.post(form, data=GOOD | {"leverage_max": "many", "leverage-BTCUSDT": "7"}).text

    assert re.search(r'<details class="fold step" id="more" open>', text)
    assert 'value="many"' in text
    assert re.search(r'name="leverage-BTCUSDT"[^>]*value="7"', text)


def test_each_rendering_has_a_key_of_its_own(ben, form):
    keys = {
        re.search(r'name="idempotency_key"[^>]*value="([^"]+)"', ben.get(form).text)[1]
        for _ in range(3)
    }

    assert len(keys) == 3


def test_a_refusal_of_the_engine_is_shown_and_keeps_the_form(ben, form, commands):
    commands.state, commands.message = CommandState.REFUSED, "Every place is taken."

    answer = ben.post(form, data=GOOD)

    assert answer.status_code == 409
    assert "Every place is taken." in answer.text
    assert 'value="100"' in answer.text


def test_a_command_that_takes_longer_is_a_page_too(ben, form, commands):
    commands.state = CommandState.PENDING

    page = ben.get(ben.post(form, data=GOOD).location).text

    assert "Still working" in page
    assert "Look again" in page


def test_somebody_elses_command_is_not_shown(ben, form, small):
    location = ben.post(form, data=GOOD).location
    ben.post("/whoami", data={"follower_id": small.eve})

    assert ben.get(location).status_code == 404


def follows_already(world, small):
    world.follow(small.bob, small.ben)


def fill_up(world, small):
    for _ in range(2):
        world.follow(small.bob, world.follower())


@pytest.mark.parametrize(
    ("obstacle", "sentence"),
    [
        (follows_already, "You follow this leader already"),
        (fill_up, "Every place with this leader is taken"),
    ],
)
def test_who_cannot_follow_reads_why_instead_of_a_form(ben, form, world, small, obstacle, sentence):
    obstacle(world, small)

    text = ben.get(form).text

    assert sentence in text
    assert "Start copying" not in text


@pytest.mark.parametrize(
    ("path", "kind", "arguments", "more"),
    [
        ("/my/positions/1/close", CommandKind.CLOSE_POSITION, {"copied_position_id": 1}, {}),
        ("/my/positions/1/end", CommandKind.END_FROM_POSITION, {"copied_position_id": 1}, {}),
        (
            "/my/follows/1/end",
            CommandKind.END_FOLLOW,
            {"follow_id": 1, "how": "close_now"},
            {"how": "close_now"},
        ),
        (
            "/my/follows/1/end",
            CommandKind.END_FOLLOW,
            {"follow_id": 1, "how": "follow_closes"},
            {"how": "follow_closes"},
        ),
    ],
)
def test_an_action_says_what_will_happen_and_becomes_a_command(
    ben, commands, path, kind, arguments, more
):
    question = ben.get(path).text
    answer = ben.post(path, data={"idempotency_key": "k"} | more)

    assert "+3.35 USDT" in question
    assert commands.given[0][:2] == (kind, arguments)
    assert answer.status_code == 302
    assert "<h1>Done</h1>" in ben.get(answer.location).text


def test_ending_a_follow_needs_to_say_how(ben, commands):
    answer = ben.post("/my/follows/1/end", data={"idempotency_key": "k"})

    assert commands.given == []
    assert "Choose how the follow ends." in ben.get(answer.location).text


def test_what_is_over_cannot_be_ended_again(ben, world, small, commands):
    ended = world.follow(small.bob, small.ben, state=FollowState.CLOSED)

    too_late = ben.get(f"/my/follows/{ended}/end")
    assert too_late.status_code == 409
    assert "To my copies" in too_late.text
    assert ben.post(f"/my/follows/{ended}/end", data={"how": "close_now"}).status_code == 409
    assert ben.get("/my/positions/2/close").status_code == 409
    assert commands.given == []


def test_nobody_ends_what_is_not_his(ben, small, commands):
    ben.post("/whoami", data={"follower_id": small.eve})

    assert ben.post("/my/positions/1/close").status_code == 404
    assert ben.post("/my/positions/1/end").status_code == 404
    assert ben.post("/my/follows/1/end", data={"how": "close_now"}).status_code == 404
    assert commands.given == []


def test_a_refused_action_is_told_on_my_copies(ben, commands):
    commands.state, commands.message = CommandState.REFUSED, "It is closed already."

    answer = ben.post("/my/positions/1/close", data={"idempotency_key": "k"}, follow_redirects=True)

    assert "It is closed already." in answer.text


def test_the_sum_on_the_page_is_the_sum_of_its_rows(ben, world, small):
    second = world.follow(small.bob, small.ben, copy_amount=money("250"))
    world.closed_position(second, world.lane(second), small.bob, realized_pnl="-4.00000001")

    text = re.sub(r"<[^>]+>", "", ben.get("/my/copies/follows").text)

    # Ada: 3.35275 − 0.3352 + 9 − 0.9; Bob: −4.00000001 − 1
    assert "+11.11755000" in text
    assert "-5.00000001" in text
    assert "+6.11754999" in text


def test_a_follow_has_a_statement_of_its_own_and_of_nobody_elses(ben, small, world):
    page = ben.get("/my/copies/follows").text
    path = re.findall(r'href="(/my/follows/\d+/statement.csv)"', page)[0]

    answer = ben.get(path)

    assert answer.mimetype == "text/csv"
    assert answer.text.startswith("at,kind,money_usdt,booked,instrument")
    other = world.follow(small.bob, world.follower("Ada"))
    assert ben.get(f"/my/follows/{other}/statement.csv").status_code == 404


def test_a_share_above_a_mark_is_explained_by_an_example_of_its_own(ben, world, small):
    eve = world.leader("Eva", share_basis=ShareBasis.HIGH_WATER_MARK)

    text = ben.get(f"/koltrade/{eve}/copy").text

    assert "new profit above the high-water mark" in text
    assert "above where it stood when a share was last paid" in text
    assert "a copied position closes with" not in text
