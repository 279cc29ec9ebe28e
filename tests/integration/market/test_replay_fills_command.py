"""`simexchange replay-fills` on the recorded leaders, and on input it cannot use."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from simexchange.cli import main

RECORD = Path(__file__).parents[4] / "shared/data/leader_fills/leader_fills.csv"
needs_record = pytest.mark.skipif(
    not RECORD.exists(), reason=f"the recorded fills are not at {RECORD}"
)


def run(*arguments):
    return CliRunner().invoke(main, ["replay-fills", *map(str, arguments)])


@needs_record
def test_the_recorded_leaders_agree_but_for_two_rows_that_are_named(tmp_path):
    result = run(RECORD, "--json", tmp_path / "report.json")
    report = json.loads((tmp_path / "report.json").read_text())

    assert result.exit_code == 0
    assert "2,589 fills are 1,039 orders of 3 leaders" in result.output
    assert (report["fills"], report["orders"]) == (2589, 1039)
    assert (report["realized_pnl_agrees"], report["fee_agrees"]) == (2587, 2589)
    assert report["ledger_balanced"]
    assert [
        (row["line"], row["leader"], row["list_index"], row["time"], row["reason"])
        for row in report["differing"]
    ] == [
        (
            1456,
            "3925368433214965504",
            1454,
            "2024-04-23 13:17:44",
            "opened before the record (0.098 of 0.148)",
        ),
        (
            1455,
            "3925368433214965504",
            1453,
            "2024-04-23 13:17:44",
            "opened before the record (0.006 of 0.006)",
        ),
    ]
    for row in report["differing"]:
        assert f"line {row['line']}, leader {row['leader']}" in result.output


@needs_record
def test_the_totals_of_a_leader_are_those_of_the_record():
    result = run(RECORD, "--leader", "3994879592543698688", "--json", "-")
    [leader] = json.loads(result.output)["leaders"]

    assert result.exit_code == 0
    assert (leader["fills"], leader["orders"]) == (653, 409)
    assert leader["recorded_realized_pnl"] == "3658.7650624"
    assert leader["realized_pnl"] == "3658.765063"
    assert leader["open_positions"] == []


@needs_record
def test_one_changed_profit_makes_the_replay_fail_and_names_the_row(tmp_path):
    lines = RECORD.read_text(encoding="utf-8").splitlines()
    place = next(i for i, line in enumerate(lines) if ",SELL," in line and ",LONG," in line)
    fields = lines[place].split(",")
    fields[10] = "123.45"
    lines[place] = ",".join(fields)
    changed = tmp_path / "changed.csv"
    changed.write_text("\n".join(lines), encoding="utf-8")

    result = run(changed)

    assert result.exit_code == 1
    assert f"line {place + 1}, leader" in result.output
    assert "UNEXPLAINED" in result.output


@needs_record
def test_other_fee_rates_than_the_leaders_paid_are_noticed():
    result = run(RECORD, "--taker-fee", "0.0004")

    assert result.exit_code == 1
    assert "assumed fee rates: taker 0.04 %, maker 0.02 %" in result.output


def test_unusable_input_gets_a_sentence_and_leaves_nothing_behind(tmp_path):
    broken = tmp_path / "broken.csv"
    broken.write_text("a;b;c\n1;2;3\n")
    report = tmp_path / "report.json"

    result = run(broken, "--json", report)

    assert result.exit_code == 2
    assert result.output == "Error: line 1: the columns are separated by semicolons; use commas\n"
    assert list(tmp_path.iterdir()) == [broken]


@pytest.mark.parametrize("rate", ["much", "NaN", "0.5", "0.000000001"])
def test_a_fee_rate_that_is_none_is_refused(rate, tmp_path):
    result = run(tmp_path / "fills.csv", "--taker-fee", rate)

    assert result.exit_code == 2
    assert "--taker-fee" in result.output


def test_a_missing_file_is_refused(tmp_path):
    result = run(tmp_path / "nowhere.csv")

    assert result.exit_code == 2
    assert "cannot read" in result.output


@needs_record
def test_an_unknown_leader_is_refused_with_those_that_are_known():
    result = run(RECORD, "--leader", "1")

    assert result.exit_code == 2
    assert "the record has no leader '1'; it has 3925368433214965504, 3994" in result.output


@needs_record
def test_a_report_that_cannot_be_written_is_refused(tmp_path):
    result = run(RECORD, "--json", tmp_path / "no" / "report.json")

    assert result.exit_code == 2
    assert "cannot write" in result.output
