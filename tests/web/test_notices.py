"""Notices on a page: each reader sees his own, with what lasts, what is new and how it got out."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.command import CommandKind
from copyplugin.domain.notice import Audience, Channel, DeliveryState, NoticeKind
from copyplugin.store.rows import DeliveryRow, NoticeRow
from tests.web.builders import NOW


@pytest.fixture
def told(world, small):
    """Tell Ben two things, Ada one, and the operators one that nobody took."""

    def notice(audience, number, kind, sentence, **more):
        return world.add(
            NoticeRow(
                audience=audience,
                audience_id=number,
                kind=kind,
                subject=sentence[:20],
                sentence=sentence,
                raised_at=NOW - timedelta(minutes=5),
                is_dispatched=True,
                **more,
            )
        )

    follower = Audience.FOLLOWER
    notice(follower, small.ben, NoticeKind.UNPROTECTED, "No stop rests at the venue.")
    notice(
        follower,
        small.ben,
        NoticeKind.FOLLOW_ENDED,
        "Following Ada has ended.",
        over_at=NOW - timedelta(minutes=5),
        read_at=NOW,
    )
    notice(Audience.LEADER, small.ada, NoticeKind.HALTED, "Your followers open nothing new.")
    lost = notice(Audience.OPERATOR, 0, NoticeKind.ORPHAN, "It holds 3 contracts too many.")
    world.add(
        DeliveryRow(
            notice_id=lost.id,
            channel=Channel.WEBHOOK,
            state=DeliveryState.GIVEN_UP,
            attempts=30,
            next_at=NOW,
            last_error="the webhook answered 500",
        )
    )
    return small


def test_a_follower_sees_his_own_and_how_many_are_new(client, told):
    client.post("/whoami", data={"follower_id": told.ben})
    text = client.get("/notices").text

    assert "No stop rests at the venue." in text
    assert "lasts" in text
    assert "happened" in text
    assert text.count(">new<") == 1
    assert "1 unread" in text
    assert "3 contracts" not in text
    assert "open nothing new" not in text
    assert "Notices <span" in client.get("/koltrade").text


def test_a_leader_and_an_operator_see_theirs(client, told):
    client.post("/whoami/leader", data={"leader_id": told.ada})
    assert "Your followers open nothing new." in client.get("/notices").text

    client.post("/whoami/operator")
    text = client.get("/notices").text

    assert "It holds 3 contracts too many." in text
    assert "given up after 30 tries" in text
    assert "the webhook answered 500" in text
    assert "No stop rests" not in text


def test_marking_as_read_is_a_command_of_whoever_reads(client, told, commands):
    client.post("/whoami", data={"follower_id": told.ben})
    client.post("/notices/read", data={"up_to": 2, "idempotency_key": "k"})
    client.post("/whoami/operator")
    client.post("/notices/read", data={"up_to": 4, "idempotency_key": "k"})

    first, second = commands.given
    assert first == (
        CommandKind.READ_NOTICES,
        {"audience": "follower", "audience_id": told.ben, "up_to": 2},
        f"follower:{told.ben}",
        f"follower:{told.ben}:k",
    )
    assert second[1:3] == ({"audience": "operator", "audience_id": 0, "up_to": 4}, "operator:demo")


def test_whoever_was_told_nothing_reads_so(client, told):
    client.post("/whoami", data={"follower_id": told.eve})

    text = client.get("/notices").text

    assert "You were told nothing yet." in text
    assert "Mark all as read" not in text


def test_nobody_reads_without_signing_in(client, told):
    assert client.get("/notices").status_code == 302
    assert client.post("/notices/read").status_code == 302
    assert "Notices" not in client.get("/koltrade").text


def test_being_an_operator_works_on_this_machine_only(client, told):
    answer = client.post("/whoami/operator", environ_base={"REMOTE_ADDR": "203.0.113.9"})

    assert answer.status_code == 403
    assert client.get("/notices").status_code == 302


def test_the_command_line_tells_operators_what_lasts(told, database_url):
    def run(*words):
        return CliRunner().invoke(main, ["notices", "--database", database_url, *words])

    answer = run()
    [found] = json.loads(run("--json").output)

    assert answer.exit_code == 1, "something urgent lasts"
    assert "It holds 3 contracts too many." in answer.output
    assert "webhook given_up" in answer.output
    assert (found["kind"], found["is_urgent"], found["over_at"]) == ("orphan", True, None)


def test_a_test_message_needs_a_way_out(monkeypatch):
    none = CliRunner().invoke(main, ["notify-test"])
    monkeypatch.setenv("COPYPLUGIN_WEBHOOK_URL", "http://127.0.0.1:9/hook?key=hidden")
    monkeypatch.setenv("COPYPLUGIN_WEBHOOK_SECRET", "s" * 40)
    deaf = CliRunner().invoke(main, ["notify-test"])

    assert (none.exit_code, deaf.exit_code) == (2, 1)
    assert "No way out is set" in none.output
    assert "webhook: the webhook gave no answer" in deaf.output
    assert "hidden" not in deaf.output
