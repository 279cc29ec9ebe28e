"""`copyplugin settings`: what holds, where it comes from, and a sentence for wrong input."""

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.command import CommandKind
from copyplugin.domain.setting_change import SettingName
from copyplugin.store import setting_changes
from copyplugin.store.commands import pending_commands
from copyplugin.store.database import open_database
from copyplugin.system_clock import SystemClock
from tests.databases import migrated_sqlite

BOUND = SettingName.PRICE_BOUND_OTHER


@pytest.fixture
def url(tmp_path):
    return migrated_sqlite(tmp_path)


@pytest.fixture
def database(url):
    database = open_database(url)
    yield database
    database.close()


def run(*arguments):
    return CliRunner().invoke(main, ["settings", *arguments])


def lower(session):
    setting_changes.change_at_once(
        session,
        BOUND,
        "0.01",
        value_before="0.015",
        reason="thin books",
        actor="operator:ann",
        decision="it lowers the risk",
        at=SystemClock().now() - timedelta(minutes=1),
    )


def test_a_value_says_that_it_was_changed_by_whom_and_what_is_configured(url, database):
    database.write_and_wait(lower)

    lines = run("--database", url).output.splitlines()

    [line] = [line for line in lines if line.startswith("COPYPLUGIN_PRICE_BOUND_OTHER=")]
    assert line.startswith("COPYPLUGIN_PRICE_BOUND_OTHER=0.01 (changed 20")
    assert line.endswith("UTC by operator:ann, it lowers the risk; configured 0.015)")
    meaning = lines[lines.index(line) + 1]
    assert meaning.endswith("a lower value holds at once, a higher one needs two")
    assert "isOpenScale=0" in lines


def test_without_a_database_what_is_configured_is_printed(monkeypatch, tmp_path):
    monkeypatch.setenv("COPYPLUGIN_DATABASE_URL", f"sqlite:///{tmp_path}/none/such.db")

    answer = run()

    assert answer.exit_code == 0
    assert "COPYPLUGIN_SETTLE_SECONDS=30" in answer.output
    assert "What was changed at run time is not known here" in answer.stderr


def test_a_change_an_approval_and_a_rejection_are_written_down_for_the_engine(url, database):
    run("change", f"{BOUND}=0.02", "--reason", "busy", "--by", "ann", "--database", url)
    run("change", BOUND, "--as-configured", "--reason", "calm", "--by", "ann", "--database", url)
    run("approve", "1", "--by", "bob", "--database", url)
    answer = run("reject", "2", "--by", "bob", "--reason", "no", "--database", url)

    assert answer.output.startswith("Written down as command 4")
    with database.read() as session:
        found = pending_commands(session, limit=9)
    assert [(row.kind, row.actor, row.arguments) for row in found] == [
        (
            CommandKind.PROPOSE_SETTING,
            "administrator:ann",
            {"name": BOUND, "value": "0.02", "reason": "busy"},
        ),
        (CommandKind.PROPOSE_SETTING, "administrator:ann", {"name": BOUND, "reason": "calm"}),
        (
            CommandKind.APPROVE_SETTING,
            "administrator:bob",
            {"proposal": 1, "reason": "approved"},
        ),
        (CommandKind.REJECT_SETTING, "administrator:bob", {"proposal": 2, "reason": "no"}),
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["change", "price_bound_other", "--reason", "r"], "is not NAME=VALUE: write for example"),
        (["change", "lease_seconds=5", "--reason", "r"], "is set in the environment and cannot"),
        (["change", "nothing=5", "--reason", "r"], "nothing is not known and cannot"),
        (["change", "price_bound_other=1", "--reason", "r"], "less than or equal to 0.03"),
        (["change", "price_bound_other=0.01"], "Missing option '--reason'"),
        (["approve", "x"], "is not a valid integer"),
    ],
)
def test_wrong_input_gets_a_sentence(url, given, sentence):
    answer = run(*given, "--database", url)

    assert answer.exit_code == 2
    assert sentence in answer.output


def test_what_waits_is_listed_with_who_and_why(url, database):
    assert run("proposals", "--database", url).output == "Nothing waits for a second person.\n"
    now = SystemClock().now()
    database.write_and_wait(lower)
    database.write_and_wait(
        lambda s: setting_changes.propose(
            s,
            BOUND,
            "0.03",
            value_before="0.01",
            reason="busy",
            actor="operator:ann",
            at=now,
            expires_at=now + timedelta(hours=1),
        )
    )

    [waiting] = run("proposals", "--database", url).output.splitlines()
    assert waiting.startswith("2: price_bound_other from 0.01 to 0.03, proposed 20")
    assert "by operator:ann (busy); waits until 20" in waiting
    everything = run("proposals", "--all", "--database", url).output.splitlines()
    assert len(everything) == 2
    assert "approved" in everything[1]
    assert "by operator:ann (it lowers the risk)" in everything[1]


def test_nothing_recorded_is_tried_without_an_error(url, database):
    answer = run("try", "price_bound_other=0.01", "--hours", "2", "--database", url)

    assert answer.exit_code == 0
    assert "0 decisions were taken again" in answer.output
    told = json.loads(run("try", "--json", "--database", url).output)
    assert (told["sum"]["decisions"], told["sum"]["result_least"], told["leaders"]) == (0, "0", [])
    assert len(told["assumptions"]) > 3


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["price_bound_other"], "is not NAME=VALUE: write for example"),
        (["price_bound_other=0.5"], "less than or equal to 0.03"),
        (["topup_milliseconds=5"], "cannot be tried: it decides when is ordered"),
        (["usable_depth_percent=5"], "cannot be tried: it decides on new follows"),
        (["lease_seconds=5"], "lease_seconds does not decide on orders and cannot be tried"),
        (["nothing=5"], "There is no setting nothing that can be tried. These can: price_bound"),
        (["below_minimum=up"], "below_minimum must be one of skip, raise, carry, not 'up'"),
        (["open_positions_max=1.5"], "open_positions_max must be a whole number, not '1.5'"),
        (["open_positions_max=0"], "The most positions open at once must be at least 1."),
        (["total_value_max=much"], "total_value_max must be a number or none, not 'much'"),
        (["share_ratio=2"], "share_ratio must be between 0.01 and 0.99 (0.1 is 10 %), not '2'"),
        (["a=1", "a=2"], "a is given twice: give it once."),
        (["--leader", "9"], "There is no leader"),
        (["--follow", "9"], "There is no follow"),
        (["--hours", "0"], "is not in the range"),
    ],
)
def test_what_cannot_be_tried_gets_a_sentence(url, given, sentence):
    answer = run("try", *given, "--database", url)

    assert answer.exit_code == 2
    assert sentence in answer.output
