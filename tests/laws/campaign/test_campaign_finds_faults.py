"""A campaign that cannot fail proves nothing: each of its checks, with a fault to find."""

import json

import pytest
from click.testing import CliRunner

from simexchange.campaign.differential import BookPair
from simexchange.campaign.drain import check_drained
from simexchange.campaign.features import expected_events, expected_features
from simexchange.campaign.hashes import HashReport, compare_hashes
from simexchange.campaign.mixed import COMMANDS_FOR_ALL_FEATURES, MixedReport, run_mixed
from simexchange.campaign.stream import make_run
from simexchange.cli import main
from simexchange.core.transfers import Transfers

SMALL = ("--commands", "600", "--commands-per-seed", "300")
NOTHING_ELSE = ("--book-commands", "0", "--hash-seeds", "0")


@pytest.fixture
def money_from_nowhere(monkeypatch):
    """Let the fifth withdrawal add a unit of money that no other place loses."""
    withdraw, calls = Transfers.withdraw, []

    def generous(self, command):
        withdraw(self, command)
        calls.append(command)
        if len(calls) == 5:
            self._state.fund.wallet += 1

    monkeypatch.setattr(Transfers, "withdraw", generous)


def play(pair, commands):
    for _ in range(commands):
        pair.step()


def run(*arguments):
    return CliRunner().invoke(main, ["campaign", *arguments])


def test_a_unit_of_money_from_nowhere_is_found_at_its_command(money_from_nowhere):
    report = run_mixed(commands=4_000, first_seed=1)

    assert not report.is_sound
    assert report.failure.problem.startswith("money was made or lost: 1\n")
    assert report.failure.text.startswith("Withdraw(")
    assert "sum: 1" in report.failure.ledger
    assert report.drained < report.seeds


def test_the_command_prints_seed_command_and_ledger_and_exits_with_1(money_from_nowhere):
    result = run("--commands", "4000", *NOTHING_ELSE)

    assert result.exit_code == 1
    assert "BROKEN: seed " in result.output
    assert "account 1: spot" in result.output
    assert "repeat: simexchange campaign --only --seed " in result.output


def test_a_long_run_that_never_met_a_feature_is_not_sound():
    whole = run_mixed(commands=300)
    long = MixedReport(
        **{name: getattr(whole, name) for name in whole.__struct_fields__}
        | {"commands": COMMANDS_FOR_ALL_FEATURES}
    )

    assert whole.never
    assert whole.is_sound
    assert not long.is_sound


def test_a_hold_that_nothing_explains_is_found_by_the_drain():
    stream = make_run(1, 50)
    exchange = stream.exchange
    assert any(exchange.account(number).order_hold for number in exchange.accounts)

    with pytest.raises(AssertionError, match="account "):
        check_drained(stream)


def test_a_book_that_trades_one_contract_less_differs_from_the_slow_one():
    pair = BookPair(1)
    fillable = pair._slow._trade
    pair._slow._trade = lambda taker: [
        (maker, order, price, contracts - 1) for maker, order, price, contracts in fillable(taker)
    ]

    with pytest.raises(AssertionError, match="the slow book"):
        play(pair, 200)


def test_a_process_that_fails_is_a_fault_with_its_last_words(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setattr("sys.executable", "false")

    assert not compare_hashes(seeds=1).is_sound


def test_seeds_that_differ_make_the_comparison_unsound():
    same = HashReport(
        seeds=2,
        commands_per_seed=1,
        processes=2,
        distinct_hashes=2,
        different=(),
        problem=None,
    )
    fields = {name: getattr(same, name) for name in same.__struct_fields__}

    assert same.is_sound
    assert not HashReport(**fields | {"different": (2,)}).is_sound
    assert not HashReport(**fields | {"distinct_hashes": 1}).is_sound


def test_one_seed_is_repeated_to_the_same_hash_and_as_json():
    first = run("--only", "--seed", "7", "--commands-per-seed", "300", "--json")
    second = run("--only", "--seed", "7", "--commands-per-seed", "300", "--json")
    other = run("--only", "--seed", "8", "--commands-per-seed", "300", "--json")

    answer = json.loads(first.output)
    assert first.exit_code == 0
    assert answer["is_sound"] is True
    assert answer["mixed"]["seeds"] == 1
    assert answer["mixed"]["event_hash"] == json.loads(second.output)["mixed"]["event_hash"]
    assert answer["mixed"]["event_hash"] != json.loads(other.output)["mixed"]["event_hash"]
    assert (answer["book"], answer["hashes"]) == (None, None)


def test_the_command_prints_what_it_counted():
    result = run(*SMALL, "--book-commands", "200", "--hash-seeds", "2")

    assert result.exit_code == 0, result.output
    assert "of 2 seeds" in result.output
    assert "2 drained to nothing" in result.output
    assert "book: 200 commands" in result.output
    assert "hashes: 2 seeds in two processes each (2 processes" in result.output
    assert result.output.endswith("sound\n")


def test_how_often_the_invariants_are_checked_changes_no_event():
    every = run_mixed(commands=500, check_every=1)
    seldom = run_mixed(commands=500, check_every=0)

    assert every.event_hash == seldom.event_hash
    assert (every.full_checks, seldom.full_checks) == (every.commands, 0)


def test_the_lists_of_what_must_occur_come_from_the_exchange_itself():
    assert {"Filled", "Deleveraged", "FundingPaid"} <= expected_events()
    assert {"command Batch", "ended: liquidation", "refused: exceeds_tier"} <= expected_features()
