"""The settings of a running follow on its page: filled in, judged, sent whole, told in words."""

import re

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.copy_rule import BelowMinimum, CopyMode
from copyplugin.domain.follow import FollowState
from copyplugin.domain.plan_order import TriggerBy
from copyplugin.store.commands import pending_commands
from copyplugin.store.rows import FollowHistoryRow, FollowProtectionRow, FollowRow, FollowRuleRow
from copyplugin.store.rows.follow_rule import EVERY_INSTRUMENT
from tests.web.builders import NOW, money, ratio

PAGE = "/my/follows/1/settings"


@pytest.fixture
def running(ben, world, database):
    """Give Ben's follow a multiple, caps, terms of one instrument, and protection."""
    for symbol, factor in ((EVERY_INSTRUMENT, "0.5"), ("BTCUSDT", "0.25")):
        world.add(
            FollowRuleRow(
                follow_id=1,
                symbol=symbol,
                mode=CopyMode.MULTIPLE,
                factor=ratio(factor),
                below_minimum=BelowMinimum.CARRY,
                total_value_max=money("500"),
                instrument_value_max=None if symbol == EVERY_INSTRUMENT else money("90"),
                orders_per_day_max=7,
            )
        )
    world.add(
        FollowProtectionRow(
            follow_id=1,
            trigger_by=TriggerBy.LAST,
            stop_loss=ratio("0.125"),
            max_loss=money("40"),
            losing_positions=3,
            mirrors_margin=True,
        )
    )
    return ben


def filled_in(page: str) -> dict[str, str]:
    """Return what the page's form would send as it stands."""
    form = page[page.index('class="form-page"') : page.index("</form>", page.index("form-page"))]
    fields: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", form):
        name, value = (re.search(rf'{key}="([^"]*)"', tag) for key in ("name", "value"))
        is_chosen = "checked" in tag if re.search('type="(radio|checkbox)"', tag) else True
        if name and is_chosen:
            fields[name[1]] = value[1] if value else ""
    for name, options in re.findall(r'<select[^>]*name="([^"]*)">(.*?)</select>', form, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        fields[name] = chosen[1] if chosen else ""
    return fields


def test_what_is_sent_as_it_stands_are_all_the_settings_there_are(running, commands, queries):
    before = queries.settings_of_follow(1, 1).arguments

    answer = running.post(PAGE, data=filled_in(running.get(PAGE).text))

    [(kind, arguments, _, _)] = commands.given
    assert kind is CommandKind.CHANGE_FOLLOW
    assert arguments == before | {"follow_id": 1, "changes_seen": 0}
    assert before["per_instrument"] == {"BTCUSDT": {"factor": "0.25", "instrument_value_max": "90"}}
    assert "<h1>Done</h1>" in running.get(answer.location).text


def test_what_is_cleared_is_left_out_and_what_is_typed_is_sent(running, commands):
    fields = filled_in(running.get(PAGE).text)

    running.post(PAGE, data=fields | {"stop_loss": "", "total_value_max": "80", "factor": "2"})

    [(_, arguments, _, _)] = commands.given
    assert "stop_loss" not in arguments
    assert (arguments["total_value_max"], arguments["factor"]) == ("80", "2")
    assert arguments["trigger_by"] == "last"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"mode": "proportional"}, "Choose one of the modes on offer."),
        ({"stop_loss": "ten"}, "Write the number with digits and a point"),
        ({"open_positions_max": "-1"}, "Write a whole number, for example 5."),
        ({"mode": "fixed"}, "BTCUSDT: the mode Fixed takes no number."),
    ],
)
def test_what_does_not_fit_gets_the_sentence_of_the_start_form(running, commands, typed, sentence):
    answer = running.post(PAGE, data=filled_in(running.get(PAGE).text) | typed)

    assert answer.status_code == 422
    assert answer.text.count(sentence) >= 2
    assert commands.given == []


def test_a_refusal_of_the_engine_is_shown_with_what_was_typed(running, commands):
    commands.state, commands.message = CommandState.REFUSED, "BTCUSDT is open: leave its leverage."
    fields = filled_in(running.get(PAGE).text)

    answer = running.post(PAGE, data=fields | {"leverage": "7"})

    assert answer.status_code == 409
    assert "BTCUSDT is open: leave its leverage." in answer.text
    assert filled_in(answer.text)["leverage"] == "7"


def test_the_page_says_what_counts_when_and_what_cannot_be_changed_now(running):
    text = running.get(PAGE).text

    assert "count from the leader's next order" in text
    assert "Leverage and margin mode of BTCUSDT cannot be changed while it is open." in text
    assert "open_held" not in text


def test_an_ended_follow_shows_its_protection_only_and_keeps_its_rules(
    running, world, database, commands
):
    database.write_and_wait(
        lambda s: setattr(s.get(FollowRow, 1), "state", FollowState.WINDING_DOWN)
    )
    fields = filled_in(running.get(PAGE).text)
    assert "mode" not in fields

    running.post(PAGE, data=fields | {"max_loss": "30"})

    [(_, arguments, _, _)] = commands.given
    assert (arguments["mode"], arguments["factor"], arguments["max_loss"]) == (
        "multiple",
        "0.5",
        "30",
    )


def test_a_follow_that_closes_shows_its_history_only(running, database, commands):
    database.write_and_wait(lambda s: setattr(s.get(FollowRow, 1), "state", FollowState.CLOSING))

    assert "nothing can be changed any more" in running.get(PAGE).text
    assert running.post(PAGE, data={}).status_code == 409
    assert commands.given == []


def test_the_history_tells_changes_in_words(running, world):
    world.add(
        FollowHistoryRow(
            follow_id=1,
            at=NOW,
            from_state=FollowState.COPYING,
            to_state=FollowState.COPYING,
            actor="follower:1",
            reason="settings changed: mode fixed → multiple; stop loss none → 0.125; "
            "BTCUSDT leverage 2 → none; mirrors margin none → True",
        )
    )

    text = running.get(PAGE).text

    assert "Mode: Fixed → Multiple" in text
    assert "Stop loss: nothing set → 12.5%" in text
    assert "BTCUSDT Leverage: 2 → nothing set" in text
    assert "Backed as the leader&#39;s: nothing set → yes" in text
    assert filled_in(text)["changes_seen"] == "1"


def test_the_settings_of_others_are_not_shown(running, client, small):
    client.post("/whoami", data={"follower_id": small.eve})

    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE, data={}).status_code == 404


def test_the_command_line_shows_the_settings_and_changes_some(
    running, queries, database, database_url
):
    def run(*words):
        return CliRunner().invoke(main, ["follow-settings", "--database", database_url, *words])

    before = queries.settings_of_follow(1, 1).arguments
    shown = run("--follow", "1").output.splitlines()
    answer = run(
        "--follow", "1", "--set", "stop_loss=0.2", "--set", "total_value_max=none",
        "--set", "BTCUSDT.leverage=3", "--set", "losing_positions=5",
    )  # fmt: skip

    assert {"stop_loss=0.125", "factor=0.5", "BTCUSDT.factor=0.25", "leverage=none"} <= set(shown)
    assert "Written down as command 1" in answer.output
    with database.read() as session:
        [row] = pending_commands(session, limit=9)
    expected = before | {"follow_id": 1, "changes_seen": 0, "stop_loss": "0.2"}
    expected["losing_positions"] = 5
    expected["per_instrument"] = {
        "BTCUSDT": before["per_instrument"]["BTCUSDT"] | {"leverage": "3"}
    }
    del expected["total_value_max"]
    assert row.arguments == expected
    for wrong in ("speed=9", "stop_loss", "losing_positions=many", "mirrors_margin=perhaps"):
        refused = run("--follow", "1", "--set", wrong)
        assert refused.exit_code == 2, wrong
    assert run("--follow", "9").exit_code == 2
