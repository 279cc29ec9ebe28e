"""`simexchange scenario run` and `check`: verdicts, exit codes, JSON."""

import json

import pytest
from click.testing import CliRunner

from simexchange.journal.replay import replay_journal
from simexchange.scenario.cli import scenario

GOOD = """\
scenario: money arrives
parameters: {amount: 5}
accounts: {alice: {deposit: "${amount}"}}
steps: [{expect: {balance: {account: alice, contract: 5}}}]
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.scenario.yaml").write_text(GOOD)
    (tmp_path / "failing.scenario.yaml").write_text(GOOD.replace("contract: 5", "contract: 6"))
    (tmp_path / "wrong.scenario.yaml").write_text(GOOD.replace("balance:", "balanse:"))
    return lambda *arguments: CliRunner().invoke(scenario, arguments)


def test_a_run_that_goes_as_expected_ends_with_0(run):
    result = run("run", "good.scenario.yaml")

    assert result.exit_code == 0
    assert result.output.startswith("passed  good.scenario.yaml: money arrives (hash ")


def test_a_run_that_does_not_ends_with_1_and_tells_everything(run):
    result = run("run", "good.scenario.yaml", "failing.scenario.yaml")

    assert result.exit_code == 1
    assert "FAILED  failing.scenario.yaml:4: money arrives" in result.output
    assert "alice contract: expected 6, found 5 (off by -1)" in result.output
    assert "outside (withdrawals − deposits): -1000005" in result.output


def test_a_file_with_a_mistake_ends_with_2_and_the_others_run(run):
    result = run("run", "wrong.scenario.yaml", "failing.scenario.yaml", "good.scenario.yaml")

    assert result.exit_code == 2
    assert "wrong   wrong.scenario.yaml:4: balanse is no expectation; did you mean balance?" in (
        result.stderr
    )
    assert "FAILED  failing" in result.output
    assert "passed  good" in result.output


def test_check_reads_without_running(run):
    good = run("check", "good.scenario.yaml", "failing.scenario.yaml")

    assert good.exit_code == 0
    assert good.output.count("ok      ") == 2
    assert run("check", "good.scenario.yaml", "wrong.scenario.yaml").exit_code == 2


def test_a_parameter_can_be_given_from_outside(run):
    assert run("run", "good.scenario.yaml", "--set", "amount=7").exit_code == 1
    assert run("run", "failing.scenario.yaml", "--set", "amount=6").exit_code == 0


def test_a_setting_without_a_value_is_refused(run):
    result = run("run", "good.scenario.yaml", "--set", "amount")

    assert result.exit_code == 2
    assert "'amount' is not NAME=VALUE" in result.stderr


def test_json_on_the_standard_output_is_all_there_is(run):
    result = run("run", "failing.scenario.yaml", "wrong.scenario.yaml", "--json", "-")

    failing, wrong = json.loads(result.stdout)["results"]
    assert failing["passed"] is False
    assert failing["line"] == 4
    assert failing["failures"] == [
        {"what": "alice contract", "expected": "6", "found": "5 (off by -1)"}
    ]
    assert len(failing["event_hash"]) == 64
    assert wrong["problems"][0]["line"] == 4


def test_json_in_a_file_stands_beside_the_words(run, tmp_path):
    result = run("run", "good.scenario.yaml", "--json", "out.json")

    assert "passed" in result.output
    assert json.loads((tmp_path / "out.json").read_text())["results"][0]["passed"] is True


def test_verbose_prints_the_transcript_of_what_passes(run):
    assert "line 3: open alice" in run("run", "-v", "good.scenario.yaml").output


def test_a_journal_of_a_run_replays_to_the_same_hash(run, tmp_path):
    result = run("run", "good.scenario.yaml", "--journal", "run.journal", "--json", "-")

    replayed = replay_journal(tmp_path / "run.journal")

    assert replayed.event_hash == json.loads(result.stdout)["results"][0]["event_hash"]
    assert replayed.is_sound


@pytest.mark.parametrize(
    ("files", "sentence"),
    [(["good.scenario.yaml", "good.scenario.yaml"], "one run"), (["good.scenario.yaml"], "exists")],
)
def test_a_journal_is_of_one_run_and_of_its_own(run, tmp_path, files, sentence):
    (tmp_path / "run.journal").write_text("kept")

    result = run("run", *files, "--journal", "run.journal")

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert (tmp_path / "run.journal").read_text() == "kept"
