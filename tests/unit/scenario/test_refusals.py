"""A mistake in a scenario file is named with its line and what to write instead."""

import pytest

from simexchange.scenario.parser import parse_scenario, read_scenario
from simexchange.scenario.problem import ScenarioError

HEAD = """\
scenario: a test
instruments:
  BTCUSDT: {tick: 0.1, face: 0.001, mark: 65000}
accounts:
  alice: {deposit: 1000}
  maker: {deposit: 1000}
steps:
"""
FIRST_STEP_LINE = 8


def problems_of(text, **parameters):
    with pytest.raises(ScenarioError) as error:
        parse_scenario(text, "a.scenario.yaml", parameters or None)
    return [(problem.place.line, problem.message) for problem in error.value.problems]


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        # names
        ("buy: {account: alise, contracts: 1}", "there is no account alise; did you mean alice?"),
        ("buy: {acount: alice, contracts: 1}", "an order has no acount; did you mean account?"),
        ("byu: {account: alice, contracts: 1}", "there is no action byu; did you mean buy?"),
        ("mark: {BTCUSD: 65000}", "mark has no BTCUSD; did you mean BTCUSDT?"),
        ("cancel: {account: alice, name: x}", "x is no order of alice; there is none"),
        (
            "expect: {positon: {account: alice}}",
            "positon is no expectation; did you mean position?",
        ),
        ("expect: {event: {type: Filed}}", "Filed is no event; did you mean Filled?"),
        (
            "expect: {event: {type: Filled, rank: 1}}",
            "Filled has no rank; known are",
        ),
        ("expect: {event: {type: Filled, account: bob}}", "there is no account bob"),
        # amounts
        ("buy: {account: alice, contracts: 1, price: 65000.05}", "use 65000.0 or 65000.1"),
        ("buy: {account: alice, contracts: 0}", "contracts must be at least 1"),
        ("buy: {account: alice, contracts: 1.5}", "use 1 or 2"),
        ("buy: {account: alice, base: 0.0015}", "use 0.001 or 0.002"),
        ("buy: {account: alice}", "an order needs either contracts or base"),
        ("buy: {account: alice, contracts: 1, base: 0.001}", "needs either contracts or base"),
        ("expect: {position: {account: alice, liquidation_price: 1.23}}", "use 1.2 or 1.3"),
        ("expect: {position: {account: alice}}", "position expects nothing"),
        ("expect: {balance: {account: alice, contract: 0.000000001}}", "at most 8 decimals"),
        ("fee_tier: {account: alice, maker_fee: 0.02}", "written in percent"),
        # words
        ("buy: {account: alice, contracts: 1, time_in_force: iok}", "iok is no time_in_force"),
        ("buy: {account: alice, contracts: 1, reduce_only: perhaps}", "perhaps is no reduce_only"),
        ("margin_mode: {account: alice, mode: crossed}", "did you mean cross?"),
        ("expect: {order: {account: alice, name: x, status: open}}", "x is no order of alice"),
        ("expect: {ledger: fine}", "fine is no state of a ledger; known are balanced"),
        # shape
        ("advance: 30", "a duration is written 30s"),
        ("at: 2025-12-31 23:59:59", "time does not go back"),
        ("run_market: 5m", "run_market needs the section market"),
        ("faults: off", "there is no section faults"),
        ("expect: {}", "expect says nothing"),
        ("[buy, sell]", "a step must be a mapping"),
        ("{buy: {account: alice, contracts: 1}, sell: {account: alice, contracts: 1}}", "one verb"),
        ("{advance: 1s, rejected: unchanged}", "advance cannot be rejected"),
        ("{mark: 65000, in_steps_of: 1s}", "in_steps_of belongs to advance and at"),
        (
            "{buy: {account: alice, contracts: 1}, rejected: nope}",
            "nope is no reason for a rejection",
        ),
        ("plan: {account: alice, side: sell, contracts: 1}", "either trigger or trail"),
        ("note: [a, b]", "note must be one value"),
        ("buy:", "an order must be a mapping"),
    ],
)
def test_a_wrong_step_is_refused_with_its_line_and_a_hint(step, sentence):
    ((line, message),) = problems_of(f"{HEAD}  - {step}\n")

    assert line == FIRST_STEP_LINE
    assert sentence in message


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("", 1, "must begin with `scenario:"),
        ("- a\n- b\n", 1, "must begin with `scenario:"),
        ("scenario: x\n", 1, "the scenario needs steps"),
        ("scenario: x\nsteps: []\nstep: []\n", 3, "the scenario has no step; did you mean steps?"),
        ("scenario: x\nsteps: {}\n", 2, "steps must be a list"),
        ("scenario: x\nscenario: y\nsteps: []\n", 2, "scenario is already given on line 1"),
        ("scenario: x\nsteps: [\n", 3, "this is not YAML"),
        ("scenario: &a x\nsteps: [*a]\n", 1, "anchors and aliases are not part of the format"),
        ("scenario: ${x}\nsteps: []\n", 1, "there is no parameter x; there is none"),
        ("scenario: x\nparameters: 3\nsteps: []\n", 2, "parameters are a mapping"),
        ("scenario: x\nstart: noon\nsteps: []\n", 2, "a time is written 10:00:00"),
        ("scenario: x\ninclude: nowhere.yaml\nsteps: []\n", 2, "there is no file nowhere.yaml"),
        ("scenario: x\ninstruments:\n  X: {tick: 1}\nsteps: []\n", 3, "instrument X needs face"),
        (
            "scenario: x\ninstruments:\n  X: {tick: 1, face: 1}\nsteps: []\n",
            3,
            "X: say which base it has",
        ),
        (
            "scenario: x\ninstruments:\n  XUSDT: {tick: 0.00001, face: 0.0001}\nsteps: []\n",
            3,
            "choose a larger tick size or contract size",
        ),
        (
            "scenario: x\ninstruments:\n  XUSDT: {tick: 1, face: 1, maintenance: 1%}\nsteps: []\n",
            3,
            "a new position would be liquidated at once",
        ),
        (
            "scenario: x\naccounts:\n  a: {owner: b}\n  b: {}\nsteps: []\n",
            3,
            "there is no account b above",
        ),
        (
            "scenario: x\naccounts: {a: {leverage: 3}}\nsteps: []\n",
            2,
            "say which symbol is meant",
        ),
        (
            "scenario: x\nfaults: [{reject_orders: {chance: 101%}}]\nsteps: []\n",
            2,
            "chance is between 0% and 100%",
        ),
        ("scenario: x\nfaults: [{late_marks: {}, skip_funding: {}}]\nsteps: []\n", 2, "one word"),
        ("scenario: x\nmarket: {maker: m}\nsteps: []\n", 2, "market needs instruments"),
        ("scenario: x\nmarket: {instruments: {}}\nsteps: []\n", 2, "market names no instrument"),
        ("scenario: x\nmarket: {instruments: {}, step: 0s}\nsteps: []\n", 2, "longer than nothing"),
        (
            "scenario: x\nfaults: [{late_marks: {}}]\nsteps: []\n",
            2,
            "late_marks needs delay",
        ),
        (
            "scenario: x\nfaults: [{jumping_marks: {jump: 100%}}]\nsteps: []\n",
            2,
            "a jump above 0 % and below 100 %",
        ),
    ],
)
def test_a_wrong_section_is_refused_with_its_line_and_a_hint(text, line, sentence):
    found = problems_of(text)

    assert any(line == at and sentence in message for at, message in found), found


def test_all_mistakes_are_told_at_once_in_order_of_the_file():
    text = HEAD + "  - byu: {}\n  - advance: 1s\n  - sell: {account: bob, contracts: 1}\n"

    assert [line for line, _ in problems_of(text)] == [8, 10]


def test_an_alias_that_nests_without_end_is_refused_and_does_not_hang():
    assert "anchors and aliases" in problems_of("scenario: x\nsteps: &a [*a]\n")[0][1]


def test_a_symbol_must_be_said_when_there_are_two_instruments():
    text = HEAD.replace("accounts:", "  ETHUSDT: {tick: 0.01, face: 0.01}\naccounts:")

    ((_, message),) = problems_of(f"{text}  - buy: {{account: alice, contracts: 1}}\n")

    assert "say which symbol is meant: BTCUSDT, ETHUSDT" in message


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("quotes: {}", "a quoted ladder needs maker"),
        ("quotes: {levels: 3, reach: 0%}", "a ladder needs a level, and a reach"),
        ("quotes: {level: 3}", "quotes has no level; did you mean levels?"),
        ("volatility: 0.01", "written in percent"),
    ],
)
def test_a_wrong_market_is_refused(text, sentence):
    instruments = "instruments: {BTCUSDT: {tick: 0.1, face: 0.001}}\n"
    market = f"market:\n  instruments:\n    BTCUSDT: {{start: 65000, {text}}}\n"

    ((line, message),) = problems_of(f"scenario: x\n{instruments}{market}steps: []\n")

    assert line in {3, 4, 5}
    assert sentence in message


@pytest.mark.parametrize(
    ("tiers", "sentence"),
    [
        ("tiers: [{from: 0, maintenance: 1%}]", "a tier needs maximum_leverage"),
        ("tiers: [], maintenance: 1%", "with tiers, maintenance belongs to each tier"),
        ("tiers: [{from: 1, maintenance: 1%, maximum_leverage: 9}]", "must start at notional 0"),
        ("funding: {intervall: 8h}", "funding has no intervall; did you mean interval?"),
        ("funding: maybe", "maybe is no funding; did you mean yes?"),
    ],
)
def test_wrong_tiers_and_funding_are_refused(tiers, sentence):
    text = f"scenario: x\ninstruments: {{BTCUSDT: {{tick: 1, face: 1, {tiers}}}}}\nsteps: []\n"

    ((_, message),) = problems_of(text)

    assert sentence in message


def test_a_name_that_an_included_file_gave_is_not_given_again(tmp_path):
    (tmp_path / "common.yaml").write_text(
        "instruments: {BTCUSDT: {tick: 1, face: 1}}\naccounts: {alice: {}}\n"
    )
    path = tmp_path / "a.scenario.yaml"
    for section in ("instruments: {BTCUSDT: {tick: 1, face: 1}}", "accounts: {alice: {}}"):
        path.write_text(f"scenario: x\ninclude: common.yaml\n{section}\nsteps: []\n")

        with pytest.raises(ScenarioError, match="is already given in an included file"):
            read_scenario(path)


def test_a_parameter_given_from_outside_must_be_one_of_the_file():
    text = "scenario: x\nparameters: {seed: 1}\nsteps: []\n"

    assert problems_of(text, sed="2") == [(1, "the file has no parameter sed; did you mean seed?")]


def test_a_file_that_is_not_there_is_refused_with_its_name(tmp_path):
    with pytest.raises(ScenarioError, match="cannot be read: No such file"):
        read_scenario(tmp_path / "nowhere.scenario.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "bytes.scenario.yaml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ScenarioError, match="is not UTF-8 text"):
        read_scenario(path)
