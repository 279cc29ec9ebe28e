"""Numbers larger than any row's, and texts that are none: each gets a sentence, nothing breaks."""

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.engine.arguments import Arguments
from copyplugin.errors import ConfigurationError, Refused
from copyplugin.store.database import open_database, upgrade_database

HUGE = 10**23
HUGEST = 2**63 - 1


@pytest.mark.parametrize("number", [HUGE, -HUGE, HUGEST + 1])
def test_a_command_with_such_a_number_is_refused_and_does_not_come_back_for_ever(number):
    with pytest.raises(Refused, match="Follower id must be at most 9223372036854775807"):
        Arguments({"follower_id": number}).number("follower_id")

    assert Arguments({"follower_id": HUGEST}).number("follower_id") == HUGEST


@pytest.mark.parametrize("text", ["a\x00b", "half \ud83d of a pair"])
def test_a_text_that_no_database_takes_is_refused(text):
    with pytest.raises(Refused, match="Name has a character that is none"):
        Arguments({"name": text}).text("name")

    assert Arguments({"name": " 💥 跟单 "}).text("name") == "💥 跟单"


@pytest.mark.parametrize(
    "address",
    [
        "/koltrade/{}",
        "/koltrade/{}/copy",
        "/my/positions/{}",
        "/my/commands/{}",
        "/my/follows/{}/end",
    ],
)
@pytest.mark.parametrize("number", [HUGE, HUGEST])
def test_an_address_with_such_a_number_is_an_address_of_nothing(ben, address, number):
    assert ben.get(address.format(number)).status_code == 404


@pytest.mark.parametrize("number", [HUGE, HUGEST, "💥"])
def test_forms_with_such_a_number_change_nothing(client, small, commands, number):
    assert client.post("/whoami", data={"follower_id": number}).status_code == 302
    assert client.post("/whoami/leader", data={"leader_id": number}).status_code == 302
    assert client.get("/my/copies").status_code == 302  # nobody is signed in
    client.post("/whoami", data={"follower_id": small.ben})
    if number != HUGEST:
        client.post("/notices/read", data={"up_to": number, "idempotency_key": "k"})
        assert commands.given[-1][1]["up_to"] == 0


@pytest.mark.parametrize(
    "words",
    [
        ("statement", "--follow"),
        ("receipts", "--follow"),
        ("leader-centre", "--leader"),
        ("notice-choices", "--follower"),
        ("follow-settings", "--follow"),
        ("what-if", "--follow", "mode=fixed,amount=100", "--leader"),
        ("paper", "stop", "--follow"),
        ("paper", "start", "--follow", "mode=fixed,amount=100", "--leader", "1", "--follower"),
        ("orphans", "close"),
    ],
)
def test_commands_say_so(database_url, small, words):
    answer = CliRunner().invoke(main, [*words, str(HUGE), "--database", database_url])

    assert answer.exit_code == 2
    assert "is not in the range" in answer.output


@pytest.mark.parametrize("use", [open_database, upgrade_database])
def test_a_database_that_does_not_answer_is_told_in_a_sentence(use):
    with pytest.raises(ConfigurationError, match="the database cannot be used: "):
        use("postgresql://nobody@127.0.0.1:1/nothing")
