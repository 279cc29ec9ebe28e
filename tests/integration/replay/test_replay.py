"""Recorded leaders copied by the real engine: exact, accounted for, and refused with a sentence."""

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from copyplugin.replay.command import replay_command
from tests.integration.replay.conftest import ROUND_TRIPS, Row, write_record

DATA = Path(__file__).parents[3] / "../shared/data"
RECORD = DATA / "leader_fills/leader_fills.csv"
LOSING = DATA / "losing_leaders/trades.json"
EVERY_MODE = (
    "--follow=mode=fixed,amount=100000",
    "--follow=mode=proportional,amount=5000",
    "--follow=mode=multiple,factor=0.37,amount=20000",
    "--follow=mode=fixed_margin,order_margin=50,amount=2000",
    "--follow=mode=equity_ratio,amount=3333.33",
)

Write = Callable[[Sequence[Row]], Path]


def replay(path: Path, *options: str) -> Result:
    return CliRunner().invoke(replay_command, [str(path), *options])


def figures(path: Path, *options: str) -> dict:
    result = replay(path, *options, "--json=-")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def long_profit_of(rows: Sequence[Row]) -> Fraction:
    """Return cash in less cash out: with everything closed, that is the profit."""
    return sum(
        (Fraction(price) * Fraction(qty) * (1 if side == "SELL" else -1))
        for _, side, _, price, qty in rows
    )


def test_copying_one_to_one_without_fees_earns_exactly_what_the_leader_earned(record: Write):
    report = figures(record(ROUND_TRIPS), "--follow=mode=fixed,amount=1000", "--fees=off")

    (follow,) = report["follows"]
    assert Fraction(follow["realized"]) == long_profit_of(ROUND_TRIPS)
    assert follow["profit_difference_to_leader"] == "0.00000000"
    assert follow["orders"] == follow["orders_filled"] == 6  # seven fills are six orders
    assert report["leaders"][0]["fills"] == 7
    assert report["leaders"][0]["orders"] == 6
    assert report["ledger_balanced"]


def test_fees_and_the_share_are_in_the_result_and_the_ledger(record: Write):
    report = figures(record(ROUND_TRIPS), "--follow=mode=fixed,amount=1000", "--share=0.2")

    (follow,) = report["follows"]
    volume = sum(Fraction(price) * Fraction(qty) for *_, price, qty in ROUND_TRIPS)
    assert Fraction(follow["fees"]) == volume * Fraction(5, 10_000)
    short = Fraction("1.7") * (Fraction("101.5") - Fraction("100.1"))
    short_fees = Fraction("1.7") * (Fraction("101.5") + Fraction("100.1")) * Fraction(5, 10_000)
    long = long_profit_of(ROUND_TRIPS) - short
    long_fees = Fraction(follow["fees"]) - short_fees
    shares = [max(profit, 0) / 5 for profit in (short - short_fees, long - long_fees)]
    assert Fraction(follow["share"]) == sum(Fraction(share * 10**4 // 1, 10**4) for share in shares)
    assert Fraction(follow["result_after_share"]) == (
        long_profit_of(ROUND_TRIPS) - Fraction(follow["fees"]) - Fraction(follow["share"])
    )


@pytest.mark.parametrize("amount", ["10", "33.33", "777.77777777"])
def test_proportional_copying_differs_from_proportion_only_by_what_is_accounted_for(
    record: Write, amount: str
):
    report = figures(
        record(ROUND_TRIPS),
        f"--follow=mode=proportional,amount={amount}",
        "--leader-balance=500",
        "--leverage=7",
    )

    (follow,) = report["follows"]
    for account in (follow["opens"], follow["closes"]):
        assert Fraction(account["unexplained"]) == 0
        parts = sum((Fraction(part) for part in account["parts"].values()), Fraction(0))
        assert Fraction(account["exact_proportion"]) - parts == Fraction(account["traded"])
    first_margin = (Fraction("30") + Fraction("20.02")) / 7
    assert Fraction(follow["opens"]["exact_proportion"]) >= Fraction(amount) * first_margin / 500


def test_a_close_of_what_the_record_never_opened_is_reported_apart(record: Write):
    rows = (*ROUND_TRIPS, (7, "SELL", "LONG", "100.0", "0.4"))

    report = figures(record(rows), "--follow=mode=fixed,amount=1000", "--fees=off")

    assert report["leaders"][0]["excess_fills"] == 1
    assert Fraction(report["follows"][0]["realized"]) == long_profit_of(ROUND_TRIPS)


def test_what_is_still_open_is_reported_apart(record: Write):
    report = figures(record(ROUND_TRIPS[:5]), "--follow=mode=fixed,amount=1000", "--fees=off")

    assert report["leaders"][0]["open_contracts"] == {"ABCUSDT long": 7, "ABCUSDT short": 17}
    (follow,) = report["follows"]
    assert follow["realized"] == "0"
    assert Decimal(follow["realized_still_open"]) > 0


def test_the_same_replay_gives_the_same_events(record: Write):
    path = record(ROUND_TRIPS)
    options = ("--follow=mode=fixed,amount=1000", "--follow=mode=fixed,amount=50")

    assert figures(path, *options)["event_hash"] == figures(path, *options)["event_hash"]


def test_too_little_money_skips_and_says_so(record: Write):
    report = figures(record(ROUND_TRIPS), "--follow=mode=fixed,amount=10")

    (follow,) = report["follows"]
    assert follow["skipped"]["insufficient_balance"] >= 1
    assert Fraction(follow["opens"]["unexplained"]) == 0


def test_a_follower_who_was_liquidated_is_told_so_and_all_is_still_accounted_for(record: Write):
    rows = ((1, "BUY", "LONG", "100.0", "0.9"), (2, "SELL", "LONG", "80.0", "0.9"))

    report = figures(record(rows), "--follow=mode=fixed,amount=12")

    (follow,) = report["follows"]
    assert follow["liquidated"]
    assert follow["result_before_share"] == "-12.00000000"
    assert follow["closes"]["parts"]["closed by liquidation before"] == "72.00000000"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--leader=5"], "The record has no leader 5; it has 77."),
        (["--follow=mode=fixed"], "--follow mode=fixed: amount is missing."),
        (["--follow=mode=fixed,amout=5"], "there is no 'amout'; did you mean amount?"),
        (
            ["--follow=mode=half,amount=5"],
            "mode is one of fixed, proportional, multiple, fixed_margin, equity_ratio, not half.",
        ),
        (["--follow=mode=fixed,amount=ten"], "amount must be a number, not 'ten'."),
        (["--follow=mode=fixed,amount=9.99"], "The copy amount must be between 10 and"),
        (["--follow=mode=fixed,amount=50,instruments=XYZ"], "the record has no XYZ; it has ABC"),
        (["--follow=mode=proportional,amount=50"], "give --leader-balance and --leverage."),
        (["--leverage=1000"], "The leverage must be a whole number from 1 to"),
        (["--leader-balance=0"], "--leader-balance must be above 0"),
        (["--leader-balance=1", "--leverage=2"], "assume a larger balance or leverage"),
        (["--json=/no/such/folder/report.json"], "name a file in a folder that exists."),
    ],
)
def test_bad_input_gets_a_sentence_and_exit_code_two(
    record: Write, options: list[str], sentence: str
):
    result = replay(record(ROUND_TRIPS), *options)

    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_malformed_row_is_named_by_its_line(tmp_path: Path):
    path = write_record(tmp_path / "fills.csv", ROUND_TRIPS)
    path.write_text(path.read_text().replace(",103.9,", ",a lot,"))

    result = replay(path)

    assert result.exit_code == 2
    assert "line 4, column price: 'a lot' is not a number." in result.output
    assert replay(tmp_path / "none.csv").exit_code == 2


@pytest.mark.slow
@pytest.mark.skipif(not RECORD.exists(), reason="the recorded fills are not beside this checkout")
def test_a_recorded_leader_is_copied_to_the_last_unit():
    report = figures(
        RECORD,
        "--leader=3926423286576838657",
        "--follow=mode=fixed,amount=10000000",
        "--follow=mode=proportional,amount=5000",
        "--leader-balance=100000",
        "--leverage=20",
        "--fees=off",
    )

    (leader,) = report["leaders"]
    assert (leader["fills"], leader["orders"]) == (478, 205)
    assert leader["agrees_with_record"]
    fixed, proportional = report["follows"]
    assert fixed["realized"] == leader["realized_closed"] == "1309.45996000"
    assert fixed["orders"] == 205
    for account in (proportional["opens"], proportional["closes"]):
        assert Fraction(account["unexplained"]) == 0
    for follow in (fixed, proportional):
        assert_the_differences_sum_to_the_whole(follow, Fraction("1309.45996"))


@pytest.mark.parametrize(
    "follow",
    [
        "mode=multiple,factor=0.37,amount=1000",
        "mode=multiple,factor=0.37,amount=1000,below_minimum=carry",
        "mode=multiple,factor=0.05,amount=1000,below_minimum=raise",
        "mode=fixed_margin,order_margin=7.7,amount=1000,leverage=3",
        "mode=equity_ratio,amount=333.33",
        "mode=fixed,amount=1000,order_margin_max=15,total_value_max=120,leverage_max=2",
        "mode=fixed,amount=1000,open_positions_max=1,orders_per_day_max=2",
    ],
)
def test_every_mode_and_cap_differs_from_proportion_only_by_what_is_accounted_for(
    record: Write, follow: str
):
    report = figures(record(ROUND_TRIPS), f"--follow={follow}", "--leader-balance=500")

    (one,) = report["follows"]
    for account in (one["opens"], one["closes"]):
        assert Fraction(account["unexplained"]) == 0
    assert report["ledger_balanced"]
    assert Fraction(one["opens"]["traded"]) > 0
    assert_the_differences_sum_to_the_whole(one, long_profit_of(ROUND_TRIPS))


def assert_the_differences_sum_to_the_whole(follow: dict, leader_result: Fraction) -> None:
    way = follow["from_leader_to_follower"]
    parts = sum((Fraction(part) for part in way["parts"].values()), Fraction(0))
    assert Fraction(way["leader_result"]) == leader_result
    assert leader_result - parts == Fraction(follow["net_result"])
    assert way["unexplained"] == "0.00000000"


def test_what_a_follower_missed_by_skipping_is_what_those_contracts_earned(record: Write):
    rows = (
        (1, "BUY", "LONG", "100.0", "0.4"),
        (2, "BUY", "LONG", "110.0", "0.5"),  # one order a day: skipped
        (3, "SELL", "LONG", "120.0", "0.9"),
    )

    report = figures(
        record(rows), "--follow=mode=fixed,amount=1000,orders_per_day_max=1", "--fees=off"
    )

    (follow,) = report["follows"]
    parts = follow["from_leader_to_follower"]["parts"]
    assert parts["skipped: orders capped"] == "5.00000000"
    assert parts["leader share"] == "0.80000000"
    assert follow["net_result"] == "7.20000000"


def test_the_deepest_drawdown_and_the_nearest_liquidation_are_told(record: Write):
    rows = (
        (1, "BUY", "LONG", "100.0", "0.9"),
        (2, "BUY", "LONG", "95.0", "0.1"),  # 4.50 less than at the beginning
        (3, "SELL", "LONG", "105.0", "1.0"),
    )

    report = figures(record(rows), "--follow=mode=fixed,amount=20", "--fees=off")

    (follow,) = report["follows"]
    assert follow["drawdown"] == "4.50000000"
    assert follow["drawdown_ratio"] == "22.50 %"
    nearest = follow["nearest_liquidation"]
    assert nearest["mark"] == "95"
    assert nearest["liquidation_price"] == "80"  # 15.5 stand behind 95, and 0.4 % must remain
    assert nearest["distance"] == "15.79 %"


def test_what_a_liquidation_has_cost_is_a_difference_of_its_own(record: Write):
    rows = (
        (1, "BUY", "LONG", "100.0", "0.9"),
        (2, "BUY", "LONG", "80.0", "0.1"),
        (3, "SELL", "LONG", "120.0", "1.0"),
    )

    report = figures(record(rows), "--follow=mode=fixed,amount=12")

    (follow,) = report["follows"]
    assert follow["liquidated"]
    assert Fraction(follow["from_leader_to_follower"]["parts"]["closed by liquidation"]) > 0
    assert_the_differences_sum_to_the_whole(follow, long_profit_of(rows))


@pytest.mark.slow
@pytest.mark.skipif(not LOSING.exists(), reason="the losing leaders are not beside this checkout")
def test_a_losing_leader_is_accounted_for_in_every_mode():
    report = figures(
        LOSING,
        "--leader=grok-4",
        *EVERY_MODE,
        "--leader-balance=10000",
        "--leverage=20",
    )

    (leader,) = report["leaders"]
    assert leader["orders"] == 40
    assert Fraction(leader["result_at_last_price"]) < 0
    assert report["faults"] == []
    assert len(report["follows"]) == 5
    for follow in report["follows"]:
        assert_the_differences_sum_to_the_whole(follow, Fraction(leader["result_at_last_price"]))
    assert Fraction(report["follows"][0]["net_result"]) < 0


@pytest.mark.slow
@pytest.mark.skipif(not RECORD.exists(), reason="the recorded fills are not beside this checkout")
def test_the_last_days_of_a_recorded_leader_are_accounted_for_in_every_mode(tmp_path: Path):
    header, *rows = RECORD.read_text().splitlines()
    latest = [row for row in rows if row.startswith("3926423286576838657,")][:80]
    part = tmp_path / "part.csv"
    part.write_text("\n".join([header, *latest]) + "\n")

    report = figures(part, *EVERY_MODE, "--leader-balance=100000", "--leverage=20")

    (leader,) = report["leaders"]
    assert report["faults"] == []
    for follow in report["follows"]:
        assert_the_differences_sum_to_the_whole(follow, Fraction(leader["result_at_last_price"]))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", 'has no list "trades"'),
        ('{"trades": []}', "has no trade"),
        ('{"trades": [3]}', "trade 1 is not an object"),
        ('{"trades": [{"side": "up"}]}', "trade 1: side is neither long nor short"),
        ('{"trades": [{"side": "long", "entry_price": -1}]}', "entry_price is not above zero"),
    ],
)
def test_round_trips_that_cannot_be_read_get_a_sentence(tmp_path: Path, text: str, sentence: str):
    path = tmp_path / "trades.json"
    path.write_text(text)

    result = replay(path)

    assert result.exit_code == 2
    assert sentence in result.output
