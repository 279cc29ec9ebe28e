"""The pytest plugin as its users meet it: their test files, run inside a run of pytest."""

import subprocess
import sys
from pathlib import Path

import pytest

from simexchange.pytest_plugin.facade import ExchangeFacade

pytest_plugins = ["pytester"]

assert ExchangeFacade  # imported here, so that runs inside a test share what is loaded

EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "simexchange"

BTC = """
import pytest

BTC = {"tick": "0.1", "face": "0.001", "taker_fee": "0.05%", "mark": "65000"}
pytestmark = pytest.mark.simexchange(instruments={"BTCUSDT": BTC})

@pytest.fixture
def alice(exchange):
    exchange.quote("BTCUSDT", around="65000", contracts=10, step="1")
    return exchange.account("alice", deposit="1000")
"""


@pytest.fixture
def run(pytester, options):
    """Return a function that runs a test file and returns pytest's result."""

    def run_file(body, *more, head=BTC):
        pytester.makepyfile(test_it=head + body)
        return pytester.runpytest_inprocess(*options, *more)

    return run_file


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("test_*.py")), ids=lambda path: path.name)
def test_an_example_test_file_passes(pytester, options, path):
    pytester.makepyfile(**{path.stem: path.read_text("utf-8")})

    result = pytester.runpytest_inprocess(*options)

    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed"}
    assert outcomes["passed"] >= 1


def test_a_failing_assertion_prints_position_wallets_ledger_and_events(run):
    result = run(
        """
def test_it(exchange, alice):
    alice.buy("BTCUSDT", contracts=3)
    alice.assert_position("BTCUSDT", contracts=4, entry_price="65001")
"""
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">*alice.assert_position(*",
            "E * alice BTCUSDT contracts: expected 4, found 3 (off by -1)",
            "E *time: 2026-01-01 00:00:00",
            "E *BTCUSDT: mark 65000, index none, last 65001, best_bid 64999, best_ask 65001",
            "E * order 1: buy 10 BTCUSDT at 64999, 0 filled",
            "E * and 16 more open orders",
            "E *alice: spot 0, contract 980.4021985, available 980.4021985, equity 999.8994985*",
            "E * position BTCUSDT: contracts 3, base 0.003, entry_price 65001,*",
            "E *ledger:",
            "E *alice, isolated margin: 19.5003",
            "E *sum: 0",
            "E *alice bought 3 BTCUSDT at 65001 as taker, fee 0.0975015, position 3*",
        ],
        consecutive=False,
    )
    result.stdout.no_fnmatch_line("*facade.py*")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "alice.assert_balance(contract='1')",
            "alice contract: expected 1, found 1000 (off by 999)",
        ),
        (
            "alice.assert_order('x', filled=1)",
            "order x: expected an order, found the exchange knows",
        ),
        (
            "exchange.assert_event('Filled', account=alice)",
            "Filled account=alice: expected at least once, found 0 times; there was no Filled",
        ),
        (
            "exchange.assert_no_event('AccountOpened', account=alice)",
            "expected not at all, found AccountOpened account=alice label=alice kind=user",
        ),
        ("exchange.assert_price('BTCUSDT', mark='1')", "BTCUSDT mark: expected 1, found 65000"),
        (
            "alice.buy('BTCUSDT', contracts=5000, price='65000')",
            "alice: buy 5000 BTCUSDT: expected to be accepted, found rejected: insufficient_margin",
        ),
        (
            "alice.buy('BTCUSDT', contracts=1, rejected='below_minimum')",
            "alice: buy 1 BTCUSDT: expected rejected: below_minimum, found accepted",
        ),
        (
            "alice.buy('BTCUSDT', contracts=5000, price='65000', rejected='below_minimum')",
            "expected rejected: below_minimum, found rejected: insufficient_margin",
        ),
        ("alice.buy('BTCUSDT', contracts=1, price='65000.05')", "use 65000.0 or 65000.1"),
        ("alice.buy('BTCUSDT', contracts=1, price=65000.1)", 'write "65000.1" or Decimal'),
        ("alice.buy('BTCUSD', contracts=1)", "there is no instrument BTCUSD; did you mean BTCUSDT"),
        ("alice.buy('BTCUSDT')", "an order needs either contracts or base"),
        ("alice.buy('BTCUSDT', contracts=1, rejected='nope')", "nope is no reason for a rejection"),
        ("alice.assert_position('BTCUSDT', contract=1)", "did you mean contracts?"),
        ("alice.order('x')", "alice never placed an order x"),
        ("exchange.list('XUSDT', tick='1')", "XUSDT needs a face"),
        ("exchange.list('XUSDT', tick='1', face='1', tak_fee='1%')", "did you mean taker_fee?"),
        (
            "exchange.list('XUSDT', tick='1', face='1', tiers=[{'from': 0, 'rate': '1%'}])",
            "a tier has no rate; known are from, maintenance, maximum_leverage",
        ),
        ("exchange.list('XUSDT', tick='1', face='1', tiers=['1%'])", 'a tier is {"from": "0"'),
        ("exchange.list('XUSDT', tick='1', face='1', funding='8h')", "funding is True or its"),
        ("exchange.account('alice', deposit='1')", "account alice is open already"),
        ("exchange.advance(fortnights=1)", "fortnights is no unit of time"),
        ("exchange.advance(seconds=1, until='10:00')", "either a duration or until"),
        ("exchange.use_faults('- reject_order: {}')", "did you mean reject_orders?"),
        ("exchange.index('BTCUSDT', 65000.5)", 'index is exact: write "65000.5"'),
        ("alice.transfer('1', 'maket')", "there is no account maket; did you mean maker?"),
    ],
)
def test_a_mistake_in_a_test_is_told_in_one_sentence(run, line, message):
    result = run(f"\ndef test_it(exchange, alice):\n    {line}\n")

    result.assert_outcomes(failed=1)
    assert message in result.stdout.str().replace("\nE  ", " ")


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("simexchange(sed=1)", "the marker simexchange has no sed; did you mean seed?"),
        ("simexchange(clock='sundial')", "there is no clock sundial"),
        ("simexchange(clock='system', start='2026-01-01')", "the computer's clock has no start"),
        ("simexchange({'BTCUSDT': {}})", "simexchange(instruments=…), not simexchange({'BTCUSDT'"),
        ("simexchange(instruments=['BTCUSDT'])", "instruments are given by symbol"),
    ],
)
def test_a_mistake_in_the_marker_is_told_in_one_sentence(run, mark, message):
    result = run(
        f"\nimport pytest\n@pytest.mark.{mark}\ndef test_it(exchange):\n    pass\n", head=""
    )

    result.assert_outcomes(errors=1)
    assert message in result.stdout.str()


def test_the_ledger_is_checked_when_a_test_ends(run):
    result = run(
        """
def test_it(exchange, alice):
    exchange.world.exchange.ledger.fees += 1
"""
    )

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["E *ledger: expected balanced, found money was made or lost: 1*"])


def test_the_check_at_the_end_can_be_switched_off(run):
    result = run(
        """
@pytest.mark.simexchange(check_ledger=False)
def test_it(exchange, alice):
    exchange.world.exchange.ledger.fees += 1
"""
    )

    result.assert_outcomes(passed=1)


def test_each_test_has_an_exchange_of_its_own_and_the_nearer_marker_wins(run):
    result = run(
        """
def test_first(exchange):
    exchange.account("alice", deposit="1")

@pytest.mark.simexchange(start="2027-05-05 00:00:00")
def test_second(exchange):
    assert exchange.now == "2027-05-05 00:00:00"
    assert exchange.events[0].instrument.symbol == "BTCUSDT"
    exchange.account("alice", deposit="1")
"""
    )

    result.assert_outcomes(passed=2)


def test_the_same_seed_gives_the_same_hash(run):
    result = run(
        """
hashes = []

@pytest.mark.parametrize("turn", [1, 2])
@pytest.mark.simexchange(seed=5)
def test_it(exchange, alice, turn):
    exchange.use_faults("- partial_fills: {chance: 50%}")
    for _ in range(10):
        alice.buy("BTCUSDT", contracts=2)
        alice.sell("BTCUSDT", contracts=2, reduce_only=True)
    hashes.append(exchange.event_hash)
    assert len(set(hashes)) == 1
"""
    )

    result.assert_outcomes(passed=2)


def test_the_computers_clock_is_not_moved_by_the_exchange(run):
    result = run(
        """
@pytest.mark.simexchange(clock="system")
def test_it(exchange):
    exchange.advance(seconds=1)
"""
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *ValueError: this exchange follows the computer's clock*"])


GOOD = """\
scenario: money arrives
accounts: {alice: {deposit: 5}}
steps: [{expect: {balance: {account: alice, contract: 5}}}]
"""


def write_scenarios(pytester):
    (pytester.path / "good.scenario.yaml").write_text(GOOD)
    (pytester.path / "bad.scenario.yaml").write_text(GOOD.replace("contract: 5", "contract: 6"))


@pytest.mark.parametrize("way", ["option", "setting"])
def test_scenario_files_are_tests_where_that_is_asked_for(pytester, run, way):
    write_scenarios(pytester)
    if way == "setting":
        pytester.makeini("[pytest]\nsimexchange_scenarios = true\n")

    result = run("", *(["--simexchange-scenarios"] if way == "option" else []), head="")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*FAILED  *bad.scenario.yaml:3: money arrives",
            "*alice contract: expected 6, found 5 (off by -1)",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_scenario_files_are_left_alone_otherwise(pytester, run):
    write_scenarios(pytester)

    run("\ndef test_it(exchange):\n    pass\n").assert_outcomes(passed=1)


def test_a_scenario_file_with_a_mistake_fails_its_collection_with_the_line(pytester, run):
    (pytester.path / "wrong.scenario.yaml").write_text(GOOD.replace("balance", "balanse"))

    result = run("", "--simexchange-scenarios", head="")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*wrong.scenario.yaml:3: balanse is no expectation; did you*"])


def test_the_marker_and_the_fixtures_are_listed_by_pytest(pytester, run):
    assert "@pytest.mark.simexchange(" in run("", "--markers", head="").stdout.str()
    assert "exchange -- " in run("", "--fixtures", head="").stdout.str()


def test_a_run_without_the_exchange_does_not_load_it():
    program = (
        "import sys, pytest\n"
        "import simexchange.pytest_plugin\n"
        "ours = [name for name in sys.modules if name.startswith('simexchange.')]\n"
        "assert ours == ['simexchange.pytest_plugin'], ours\n"
        "assert 'msgspec' not in sys.modules and 'yaml' not in sys.modules\n"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
