"""`simexchange replay-candles` and `replay-book` on recorded markets and on unusable input."""

import gzip
import json
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner

from simexchange.cli import main

DATA = Path(__file__).parents[4] / "shared/data"
CAPTURE = DATA / "l2_book/btcusdt_20240808.gz"
ETH = DATA / "klines/ETH_USDT_USDT-1m-futures.feather"
needs_capture = pytest.mark.skipif(
    not CAPTURE.exists(), reason=f"the recorded book is not at {CAPTURE}"
)
needs_candles = pytest.mark.skipif(not ETH.exists(), reason=f"the candles are not at {ETH}")


def run(*arguments):
    return CliRunner().invoke(main, [*map(str, arguments)])


@needs_candles
def test_a_violent_day_is_followed_to_its_extremes(tmp_path):
    report = tmp_path / "report.json"
    result = run("replay-candles", ETH, "--day", "2025-05-08", "--json", report)
    figures = json.loads(report.read_text())

    assert result.exit_code == 0
    assert (figures["candles"], figures["steps"]) == (1440, 5760)
    assert (figures["low"], figures["high"]) == (180772, 222700)
    assert figures["steps_astray"] == figures["ledger_residue"] == 0
    assert "between 1807.72 and 2227.00 (as recorded)" in result.output


@needs_candles
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--day", "2020-01-01"), "no candle in common in the time asked for"),
        (("--day", "soon"), "'soon' is not a day; write it as 2025-05-08"),
        (("--tick-size", "0.0000001", "--day", "2025-05-08"), "choose a larger tick size"),
        (("--tick-size", "-1"), "-1 is not above zero"),
        (("--contract-size", "much"), "'much' is not a number"),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_a_sentence(options, sentence):
    result = run("replay-candles", ETH, *options)

    assert result.exit_code == 2
    assert sentence in result.output


def test_a_file_that_holds_no_candles_is_refused(tmp_path):
    result = run("replay-candles", tmp_path / "none.feather")

    assert result.exit_code == 2
    assert "cannot be read as a feather file" in result.output


@needs_capture
@pytest.mark.slow
def test_the_recorded_book_is_repeated_to_the_contract():
    result = run("replay-book", CAPTURE, "--step-ms", 10_000)

    assert result.exit_code == 0
    assert "best bid and ask as recorded: 6,547 of 6,547" in result.output
    assert "100 levels a side: 34 of 34 steps" in result.output


def part_of_the_capture(path, lines, change=lambda text: text):
    with gzip.open(CAPTURE, "rt") as capture:
        path.write_text("".join(change(line) for line in islice(capture, lines)))
    return path


@needs_capture
def test_a_ticker_that_differs_from_the_rebuilt_book_is_noticed(tmp_path):
    path = part_of_the_capture(
        tmp_path / "changed",
        3_000,
        lambda line: line.replace('"b":"61800.20","B"', '"b":"61800.10","B"'),
    )
    result = run("replay-book", path, "--json", "-")
    figures = json.loads(result.output)

    assert result.exit_code == 1
    assert figures["equal"] < figures["compared"]


@needs_capture
@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--tick-size", "0.5"), "is not a multiple of the tick 0.5"),
        (("--contract-size", "0.1"), "is not a whole number of contracts of 0.1"),
        (("--tick-size", "0.000001"), "choose a larger tick size"),
    ],
)
def test_a_grid_that_is_not_the_record_s_is_refused(tmp_path, options, sentence):
    path = part_of_the_capture(tmp_path / "part", 200)
    result = run("replay-book", path, *options)

    assert result.exit_code == 2
    assert sentence in result.output


def test_a_missing_capture_is_refused(tmp_path):
    result = run("replay-book", tmp_path / "none.gz")

    assert result.exit_code == 2
    assert "cannot be read after line 0" in result.output
