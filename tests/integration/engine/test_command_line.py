"""The command line: answers on the output, sentences for what cannot be used."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from copyplugin.cli import main
from copyplugin.domain.halt import HaltScope
from copyplugin.store.commands import pending_commands
from copyplugin.store.database import open_database
from copyplugin.store.halts import halt, lift


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path / 'plugin.db'}"


def run(*arguments):
    return CliRunner().invoke(main, list(arguments))


def test_a_database_is_made_checked_and_proven(url):
    assert run("db", "upgrade", "--database", url).output == "The database is up to date.\n"
    assert run("db", "check", "--database", url).exit_code == 0
    assert "adds up: 0 entries" in run("ledger", "verify", "--database", url).output
    assert run("leaders", "--database", url).output == "There are no leaders yet.\n"


@pytest.mark.parametrize("words", [["db", "check"], ["leaders"], ["ledger", "verify"]])
def test_a_database_that_is_not_there_gets_a_sentence_and_exit_code_two(url, words):
    answer = run(*words, "--database", url)

    assert answer.exit_code == 2
    assert "copyplugin db upgrade" in answer.output


def test_a_broken_ledger_is_exit_code_one(url):
    run("db", "upgrade", "--database", url)
    database = open_database(url)
    database.write_and_wait(
        lambda s: s.execute(
            text(
                "INSERT INTO ledger_entry (id, kind, reference, at, previous_hash, hash)"
                " VALUES (1, 'fund', 'x', 0, :zero, :zero)"
            ),
            {"zero": "0" * 64},
        )
    )
    database.close()

    answer = run("ledger", "verify", "--database", url)

    assert answer.exit_code == 1
    assert "ledger entry 1" in answer.output


def test_a_halt_is_written_down_for_the_engine(url):
    run("db", "upgrade", "--database", url)

    halted = run("halt", "--leader", "3", "--close", "--reason", "odd fills", "--database", url)
    resumed = run("resume", "--by", "ann", "--reason", "all is well", "--database", url)
    silent = run("resume", "--leader", "3", "--reason", " ", "--database", url)

    assert "Written down as command 1" in halted.output
    assert "Written down as command 2" in resumed.output
    assert "Written down as command 3" in silent.output
    database = open_database(url)
    with database.read() as session:
        first, second, third = pending_commands(session, limit=9)
    database.close()
    assert first.arguments == {
        "scope": "leader",
        "leader_id": 3,
        "reason": "odd fills",
        "close": True,
    }
    assert first.actor.startswith("administrator:")
    assert second.kind == "resume_copying"
    assert second.arguments == {"scope": "global", "reason": "all is well"}
    assert third.arguments == {"scope": "leader", "leader_id": 3}
    assert second.actor == "administrator:ann"


def test_halts_are_listed_with_who_did_it_and_why(url):
    run("db", "upgrade", "--database", url)
    assert run("halts", "--database", url).output == "Nothing is halted.\n"
    database = open_database(url)
    at = datetime(2026, 1, 5, 12, tzinfo=UTC)
    for leader_id in (2, 3, 4):
        database.write_and_wait(
            lambda s, n=leader_id: halt(
                s, HaltScope.LEADER, n, actor="operator:ann", reason="odd", until=None, at=at
            )
        )
    for leader_id, reason in ((3, None), (2, "they were right")):
        database.write_and_wait(
            lambda s, n=leader_id, why=reason: lift(
                s, HaltScope.LEADER, n, actor="administrator:bob", reason=why, at=at
            )
        )
    database.close()

    halted = "followers of leader {}: halted 2026-01-05 12:00 UTC by operator:ann (odd)"
    resumed = "; resumed 2026-01-05 12:00 UTC by administrator:bob"
    assert run("halts", "--database", url).output.splitlines() == [halted.format(4)]
    assert run("halts", "--all", "--database", url).output.splitlines() == [
        halted.format(4),
        halted.format(3) + resumed,
        halted.format(2) + resumed + " (they were right)",
    ]


def test_every_setting_is_printed_with_its_meaning():
    lines = run("settings").stdout.splitlines()

    assert "COPYPLUGIN_SETTLE_SECONDS=30" in lines
    assert len(lines) % 2 == 0


def test_a_setting_that_does_not_fit_gets_a_sentence(monkeypatch):
    monkeypatch.setenv("COPYPLUGIN_SETTLE_SECONDS", "never")

    answer = run("settings")

    assert answer.exit_code == 2
    assert "COPYPLUGIN_SETTLE_SECONDS is 'never'" in answer.output
