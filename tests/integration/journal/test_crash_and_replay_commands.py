"""Killing real processes, and replaying what they left."""

import json

import pytest
from click.testing import CliRunner

from simexchange.cli import main
from simexchange.journal.crash_stream import crash_command
from simexchange.journal.crash_test import CrashReport, _Rounds, run_crash_test
from simexchange.journal.journaled import JournaledExchange
from simexchange.journal.writer import Durability


def invoke(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.mark.parametrize(("durability", "seed"), [(Durability.COMMAND, 1), (Durability.SYSTEM, 2)])
def test_an_exchange_killed_at_work_loses_nothing_and_ends_as_if_undisturbed(
    tmp_path, durability, seed
):
    report = run_crash_test(tmp_path, kills=12, seed=seed, durability=durability)

    assert report.faults == ()
    assert report.kills == 12
    assert report.recovered_by_snapshot > 0
    assert report.lost == 0
    assert report.acknowledged_before_kills > 200
    assert report.event_hash == report.undisturbed_event_hash
    assert report.is_sound


def test_the_crash_test_is_a_command_with_a_count():
    result = invoke("crash-test", "--kills", 2, "--json", "-")

    assert result.exit_code == 0
    assert json.loads(result.output)["kills"] == 2


def test_the_crash_test_notices_acknowledged_commands_that_are_gone(tmp_path):
    path = tmp_path / "crash.journal"
    rounds = _Rounds(path, 1, Durability.SYSTEM)
    rounds.kill(60)
    acknowledged = rounds.acknowledged
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    rounds.finish(100)

    assert 0 < rounds.lost < acknowledged
    assert f"of {acknowledged} acknowledged commands" in rounds.faults[0]


def test_a_run_with_another_hash_is_not_sound():
    report = CrashReport(
        kills=1,
        commands=1,
        acknowledged_before_kills=1,
        recovered_by_snapshot=0,
        unacknowledged_kept=0,
        lost=0,
        event_hash="a",
        undisturbed_event_hash="b",
        faults=(),
    )

    assert not report.is_sound


@pytest.fixture
def journal(tmp_path):
    path = tmp_path / "exchange.journal"
    with JournaledExchange(path, snapshot_every=40) as exchange:
        for number in range(1, 101):
            at, command = crash_command(5, number)
            exchange.apply(command, at)
    return path, exchange.event_hash


def test_a_journal_replays_to_its_hash(journal, tmp_path):
    path, event_hash = journal
    result = invoke("replay", path, "--expect", event_hash, "--json", tmp_path / "report.json")

    assert result.exit_code == 0
    assert f"event hash: {event_hash}" in result.output
    assert "snapshot of command 80: agrees" in result.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["records"], report["replayed"], report["torn_bytes"]) == (100, 100, 0)
    assert report["event_hash"] == event_hash


def test_another_hash_than_expected_and_a_torn_tail_are_told(journal):
    path, event_hash = journal
    path.write_bytes(path.read_bytes()[:-1])
    result = invoke("replay", path, "--expect", event_hash)

    assert result.exit_code == 1
    assert "100 commands" not in result.output
    assert "torn tail: " in result.output
    assert "THE RUN IS ANOTHER ONE" in result.output


def test_a_part_of_a_journal_can_be_replayed(journal):
    result = invoke("replay", journal[0], "--until", 50)

    assert result.exit_code == 0
    assert "100 commands, 50 replayed" in result.output
    assert "snapshot of command 80: not reached" in result.output


def test_a_damaged_journal_is_refused_with_its_place(journal):
    path, _ = journal
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    result = invoke("replay", path)

    assert result.exit_code == 2
    assert "is damaged: record" in result.output
    assert path.read_bytes() == content


def test_a_run_of_the_demo_market_replays_to_the_hash_it_printed(tmp_path):
    path = tmp_path / "demo.journal"
    ran = invoke("demo-market", "--seconds", 5, "--journal", path, "--json", tmp_path / "run.json")
    event_hash = json.loads((tmp_path / "run.json").read_text())["event_hash"]
    replayed = invoke("replay", path, "--expect", event_hash)
    again = invoke("demo-market", "--seconds", 5, "--journal", path)

    assert ran.exit_code == 0
    assert replayed.exit_code == 0
    assert event_hash in replayed.output
    assert again.exit_code == 2
    assert "already holds a run; name a new file" in again.output
