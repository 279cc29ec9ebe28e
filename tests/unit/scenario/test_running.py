"""Running a scenario: what is expected is compared to the last unit, and failures are shown."""

import pytest

from simexchange.core.types import MONEY_SCALE
from simexchange.scenario.model import Act, Check
from simexchange.scenario.parser import parse_scenario, read_scenario
from simexchange.scenario.runner import Runner, run_scenario

HEAD = """\
scenario: a test
parameters: {seed: 1, price: 65000}
seed: ${seed}
instruments:
  BTCUSDT: {tick: 0.1, face: 0.001, maker_fee: 0.02%, taker_fee: 0.05%, mark: "${price}"}
accounts:
  maker: {kind: maker, deposit: 1000000}
  alice: {deposit: 1000, leverage: 10}
  hedger: {deposit: 1000, position_mode: hedge}
steps:
  - quote: {account: maker, around: 65000, contracts: 10, levels: 2, step: 1}
  - buy: {account: alice, contracts: 3, name: entry}
"""


def outcome_of(steps="", head=HEAD, **parameters):
    return run_scenario(parse_scenario(head + steps, "a.scenario.yaml", parameters or None))


def mismatches_of(steps):
    outcome = outcome_of(steps)
    assert outcome.failure is not None, outcome.transcript
    return [(wrong.what, wrong.expected, wrong.found) for wrong in outcome.failure.mismatches]


def test_a_scenario_that_goes_as_written_passes_with_a_transcript():
    outcome = outcome_of("  - expect: {position: {account: alice, contracts: 3}}\n")

    assert outcome.passed
    assert outcome.transcript[-1].endswith("line 13: expect position: as expected")
    assert any(
        "alice bought 3 BTCUSDT at 65001 as taker, fee 0.0975015, position 3 [entry: 3 of 3]"
        in line
        for line in outcome.transcript
    )


@pytest.mark.parametrize(
    ("expectation", "what", "found"),
    [
        ("position: {account: alice, contracts: 4}", "alice BTCUSDT contracts", "3 (off by -1)"),
        (
            "position: {account: alice, entry_price: 65000.9}",
            "alice BTCUSDT entry_price",
            "65001 (off by 0.1)",
        ),
        (
            "position: {account: hedger, position_side: long, contracts: 1}",
            "hedger BTCUSDT long contracts",
            "0 (off by -1)",
        ),
        (
            "position: {account: alice, liquidation_price: none}",
            "alice BTCUSDT liquidation_price",
            "58765.4",
        ),
        ("position: {account: alice, margin_mode: cross}", "alice BTCUSDT margin_mode", "isolated"),
        (
            "balance: {account: alice, contract: 980.4021984}",
            "alice contract",
            "980.4021985 (off by 0.0000001)",
        ),
        ("order: {account: alice, name: entry, status: new}", "order entry status", "filled"),
        (
            "order: {account: alice, name: entry, fee: 0}",
            "order entry fee",
            "0.0975015 (off by 0.0975015)",
        ),
        ("price: {best_ask: none}", "BTCUSDT best_ask", "65001"),
        ("price: {index: 65000}", "BTCUSDT index", "none"),
        ("open_orders: {account: maker, count: 3}", "open_orders of maker count", "4 (off by 1)"),
        ("insurance_fund: 1000001", "insurance fund balance", "1000000 (off by -1)"),
        ("funding_sum: at least 1", "funding sum", "0"),
        ("event_hash: abc", "event hash", None),
    ],
)
def test_what_is_not_as_expected_is_told_with_what_was_found(expectation, what, found):
    ((told, _, was),) = mismatches_of(f"  - expect: {{{expectation}}}\n")

    assert told == what
    assert found is None or was == found


def test_an_event_that_did_not_happen_is_told_with_those_that_are_like_it():
    ((what, expected, found),) = mismatches_of(
        "  - expect: {event: {type: Filled, account: alice, contracts: 4}}\n"
    )

    assert what == "event Filled account=alice contracts=4"
    assert expected == "at least once"
    assert found.startswith("0 times")
    assert "there was Filled" in found
    assert "account=alice symbol=BTCUSDT side=buy position_side=net contracts=3" in found


def test_an_event_that_never_happens_is_told_as_such():
    ((_, _, found),) = mismatches_of("  - expect: {event: {type: Deleveraged}}\n")

    assert found == "0 times; there was no Deleveraged at all"


def test_an_event_that_must_not_have_happened_is_told_in_full():
    ((what, expected, found),) = mismatches_of(
        "  - expect: {no_event: {type: Filled, liquidity: taker}}\n"
    )

    assert (what, expected) == ("event Filled liquidity=taker", "not at all")
    assert "price=65001" in found


def test_events_can_be_counted_and_limited_to_the_last_action():
    assert outcome_of(
        "  - expect: {event: {type: Filled, times: 2}}\n"
        "  - buy: {account: alice, contracts: 1}\n"
        "  - expect:\n"
        "      - event: {type: Filled, times: 4}\n"
        "      - event: {type: Filled, times: 2, since: last_action}\n"
        "      - no_event: {type: OrderCancelled, since: last_action}\n"
    ).passed


def test_a_refused_action_fails_the_scenario_unless_it_was_expected():
    order = "  - buy: {account: alice, contracts: 1000, price: 65000}\n"

    ((what, expected, found),) = mismatches_of(order)

    assert what == "buy account alice, contracts 1000, price 65000"
    assert expected == "to be accepted"
    assert found.startswith("rejected: insufficient_margin (")
    assert outcome_of(f"{order}    rejected: insufficient_margin\n").passed


def test_an_accepted_action_fails_the_scenario_where_a_refusal_was_expected():
    order = "  - buy: {account: alice, contracts: 1}\n    rejected: insufficient_margin\n"

    ((_, expected, found),) = mismatches_of(order)

    assert (expected, found) == ("rejected: insufficient_margin", "accepted")


def test_a_refusal_for_another_reason_fails_the_scenario():
    order = (
        "  - buy: {account: alice, contracts: 1000, price: 65000}\n    rejected: below_minimum\n"
    )

    ((_, expected, found),) = mismatches_of(order)

    assert expected == "rejected: below_minimum"
    assert "insufficient_margin" in found


def test_a_scenario_stops_at_the_first_failure_and_shows_where_everything_stands():
    outcome = outcome_of(
        "  - expect: {position: {account: alice, contracts: 4}}\n  - advance: 1s\n"
    )

    assert not outcome.passed
    assert outcome.failure is not None
    assert str(outcome.failure.place) == "a.scenario.yaml:13"
    assert not any("advance" in line for line in outcome.transcript)
    picture = "\n".join(outcome.picture)
    assert "BTCUSDT: mark 65000" in picture
    assert "alice: spot 0, contract 980.4021985" in picture
    assert "position BTCUSDT: contracts 3, base 0.003, entry_price 65001" in picture
    assert "alice, isolated margin: 19.5003" in picture
    assert "clearing of BTCUSDT: 0" not in picture
    assert "  sum: 0" in outcome.picture


def test_an_average_whose_decimals_do_not_end_says_how_to_expect_it():
    steps = (
        "  - sell: {account: alice, contracts: 3}\n"
        "  - sell: {account: maker, contracts: 1, price: 65000}\n"
        "  - buy: {account: alice, contracts: 3, name: three}\n"
    )
    expecting = "  - expect: {{position: {{account: alice, entry_price: {}}}}}\n"

    ((_, _, found),) = mismatches_of(steps + expecting.format("65000.7"))

    assert found == (
        "65000.66666666… (decimals do not end: write `65000.66666666 within 0.00000001`)"
    )
    assert outcome_of(steps + expecting.format("65000.66666666 within 0.00000001")).passed


def test_time_moves_by_durations_and_to_times_of_the_day():
    outcome = outcome_of(
        "  - advance: 1h 30m\n  - at: 10:00:00\n  - {advance: 3s, in_steps_of: 1s}\n  - at: 09:00\n"
    )

    told = [line.split(" line ")[0] for line in outcome.transcript if not line.startswith(" ")]
    assert told[-4:] == [
        "2026-01-01 00:00:00",
        "2026-01-01 01:30:00",
        "2026-01-01 10:00:00",
        "2026-01-01 10:00:03",
    ]
    assert "at 2026-01-02 09:00:00" in outcome.transcript[-1]


def test_the_same_file_gives_the_same_hash_and_another_parameter_another():
    first, second = outcome_of(), outcome_of()

    assert first.event_hash == second.event_hash
    assert outcome_of(price="65000.1").event_hash != first.event_hash


def test_a_hash_of_an_earlier_run_can_be_expected():
    expected = outcome_of().event_hash

    assert outcome_of(f"  - expect: {{event_hash: {expected}}}\n").passed


def test_set_up_may_ask_for_what_already_holds():
    assert outcome_of(
        head=HEAD.replace("leverage: 10", "leverage: 10, margin_mode: isolated")
    ).passed


def test_an_included_file_brings_instruments_and_accounts(tmp_path):
    (tmp_path / "common.yaml").write_text(
        "instruments: {BTCUSDT: {tick: 0.1, face: 0.001, mark: 65000}}\naccounts: {bob: {}}\n"
    )
    path = tmp_path / "a.scenario.yaml"
    path.write_text(
        "scenario: x\ninclude: [common.yaml]\naccounts: {alice: {deposit: 1}}\n"
        "steps: [{expect: {balance: {account: alice, contract: 1}, price: {mark: 65000}}}]\n"
    )

    scenario = read_scenario(path)

    assert scenario.names.accounts == {"bob": 1, "alice": 2}
    assert run_scenario(scenario).passed


def test_the_exchange_checks_its_books_after_every_command():
    runner = Runner(parse_scenario(HEAD, "a.scenario.yaml"))

    assert runner.world.exchange.config.check_every == 1


def test_books_that_do_not_balance_fail_the_expectation_with_the_ledger():
    scenario = parse_scenario(f"{HEAD}  - expect: {{ledger: balanced}}\n", "a.scenario.yaml")
    runner = Runner(scenario)
    check = scenario.steps[-1]
    for act in (*scenario.set_up, *scenario.steps):
        if isinstance(act, Act):
            for command in act.commands:
                runner.world.apply(command)
    runner.world.exchange.ledger.fees += MONEY_SCALE

    assert isinstance(check, Check)
    (wrong,) = check.expectations[0].check(runner.world)

    assert wrong.expected == "balanced"
    assert "money was made or lost" in wrong.found
    assert "sum: 1" in wrong.found


def test_an_account_may_be_opened_with_a_deposit_of_nothing():
    text = (
        "scenario: poor\naccounts: {alice: {deposit: 0, spot: 0}}\n"
        "steps:\n  - expect: {balance: {account: alice, spot: 0, contract: 0}}\n"
    )

    assert run_scenario(parse_scenario(text, "poor")).passed
