"""The page on which everybody chooses what he is told, and the command beside it."""

import re

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.notice import Audience, Choice, NoticeKind, Way
from copyplugin.store.notice_choices import silence
from copyplugin.store.rows import CommandRow

PAGE = "/notices/choices"


def boxes(client):
    """Return each box by what it stands for: whether it is marked, whether it can be changed."""
    text = client.get(PAGE).get_data(as_text=True)
    found = re.findall(r'name="told" value="([a-z_:]+)"([^>]*)>', text)
    return {name: ("checked" in more, "disabled" not in more) for name, more in found}


def test_everything_is_told_at_first_and_money_cannot_be_switched_off(ben):
    found = boxes(ben)

    assert all(is_told for is_told, _ in found.values())
    assert found["page:taken"] == (True, False)
    assert found["webhook:taken"] == (True, True)
    assert found["page:leader_margin"] == (True, True)
    assert not any(name.startswith("email:") for name in found)  # no address of his is known
    assert "page:job_behind" not in found
    assert "Money is gone." in ben.get(PAGE).get_data(as_text=True)


def test_a_choice_becomes_a_command_of_all_that_is_off(ben, commands, small):
    told = [name for name in boxes(ben) if name not in {"page:leader_margin", "webhook:halted"}]

    answer = ben.post(PAGE, data={"told": told, "idempotency_key": "k"})

    [(kind, arguments, actor, key)] = commands.given
    assert kind is CommandKind.CHOOSE_NOTICES
    assert arguments["audience"] == "follower"
    assert arguments["audience_id"] == small.ben
    assert set(arguments["off"]) == {"page:leader_margin", "webhook:halted"}
    assert (actor, key) == (f"follower:{small.ben}", f"follower:{small.ben}:k")
    assert "Done as asked." in ben.get(answer.location).get_data(as_text=True)


def test_what_is_off_is_shown_so(ben, database, small):
    off = [Choice(NoticeKind.LEADER_MARGIN, Way.PAGE), Choice(NoticeKind.TAKEN, Way.WEBHOOK)]
    database.write_and_wait(lambda s: silence(s, Audience.FOLLOWER, small.ben, off))

    found = boxes(ben)

    assert [name for name, (is_told, _) in found.items() if not is_told] == [
        "webhook:taken",
        "page:leader_margin",
    ]


def test_words_that_no_box_has_change_nothing_else(ben, commands):
    sent = ["page:leader_margin", "page:nonsense", "💥", "' OR 1=1"]

    ben.post(PAGE, data={"told": sent, "idempotency_key": "k"})

    [(_, arguments, _, _)] = commands.given
    assert "page:leader_margin" not in arguments["off"]
    assert all(re.fullmatch(r"[a-z]+:[a-z_]+", name) for name in arguments["off"])


@pytest.mark.parametrize(
    ("state", "message", "shown"),
    [
        (CommandState.REFUSED, "These notices are not for you.", "These notices are not for you."),
        (CommandState.PENDING, None, "The engine has not answered yet"),
    ],
)
def test_what_did_not_work_is_said(ben, commands, state, message, shown):
    commands.state, commands.message = state, message

    answer = ben.post(PAGE, data={"idempotency_key": "k"})

    assert shown in ben.get(answer.location).get_data(as_text=True)


def test_operators_have_more_kinds_and_one_way_more(client, small):
    client.post("/whoami/operator")

    found = boxes(client)

    assert found["page:job_behind"] == (True, True)
    assert found["email:unprotected"] == (True, True)
    assert found["page:ledger_differs"] == (True, False)


def test_nobody_chooses_without_signing_in(client, small):
    assert client.get(PAGE).status_code == 302
    assert client.post(PAGE, data={}).status_code == 302


@pytest.fixture
def run(database_url, small):
    def run(*words):
        return CliRunner().invoke(main, ["notice-choices", "--database", database_url, *words])

    return run


def test_the_command_prints_what_is_told_and_writes_a_change_down(run, database):
    shown = run()

    assert shown.exit_code == 0
    assert re.search(r"job_behind +on +on +on", shown.output)
    assert re.search(r"ledger_differs +always +on +on", shown.output)
    written = run("--off", "email:job_behind", "--off", "page:job_behind", "--by", "ann")
    assert written.exit_code == 0, written.output
    with database.read() as session:
        [row] = session.query(CommandRow).all()
    assert (row.kind, row.actor) == (CommandKind.CHOOSE_NOTICES, "administrator:ann")
    assert row.arguments["off"] == ["email:job_behind", "page:job_behind"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--off", "page:ledger_differs"), "concerns money and stays on the page"),
        (("--off", "fax:halted"), "'fax:halted' names no notice: write WAY:KIND"),
        (("--off", "email:halted", "--on", "email:halted"), "both off and on: choose one"),
        (("--follower", "999"), "There is no follower number 999."),
        (("--leader", "-1"), "There is no leader"),
        (("--follower", "1", "--leader", "1"), "Give a follower or a leader, not both."),
        (("--follower", "1", "--off", "page:halted"), "Everybody chooses for himself"),
    ],
)
def test_what_the_command_cannot_do_is_said(run, words, sentence):
    answer = run(*words)

    assert answer.exit_code == 2
    assert sentence in answer.output
