"""`python -m web.demo` and `copyplugin-web` as a person starts them."""

import json
import signal
import socket
import subprocess
import sys
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.skip import SkipReason
from copyplugin.store.database import upgrade_database
from copyplugin.store.queries.summary import Books, OpenWork, Summary
from tests.conftest import ROOT
from tests.web.builders import money
from web.demo.__main__ import main
from web.demo.cast import LEADERS, TERMS, plan_followers
from web.demo.report import faults_of
from web.demo.stage import VenuesWord

DEMO = [sys.executable, "-m", "web.demo"]
PAGES = [sys.executable, "-c", "from web.cli import main; main()"]


def run(*command, env=None, seconds=100):
    return subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=seconds, check=False
    )


@pytest.fixture
def taken_port():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield str(holder.getsockname()[1])


@pytest.mark.parametrize("program", [DEMO, PAGES], ids=["demo", "pages"])
def test_a_port_in_use_is_refused_before_anything_starts(program, taken_port, tmp_path):
    done = run(*program, "--port", taken_port)

    assert done.returncode == 2
    assert f"Port {taken_port} is in use" in done.stderr
    assert "--port" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--headless", "--json", "no/such/folder/r.json"], "there is no folder"),
        (["--headless", "--json", "."], "is a folder: name a file in it"),
        (["--json", "r.json"], "belong to --headless"),
        (["--host", "0.0.0.0"], "use 127.0.0.1"),
        (["--headless", "--seconds", "0"], "--seconds"),
        (["--over-http", "elsewhere"], "--over-http"),
        (["--followers", "0"], "--followers"),
        (["--port", "99999"], "--port"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(arguments, sentence):
    done = CliRunner().invoke(main, arguments)

    assert done.exit_code == 2
    assert sentence in done.stderr
    assert done.stdout == ""


def test_a_folder_that_cannot_be_used_is_refused(tmp_path):
    (tmp_path / "file").write_text("")

    words = ["--headless", "--seconds", "1", "--data", str(tmp_path / "file")]
    done = CliRunner().invoke(main, words)

    assert done.exit_code == 2
    assert "Choose another folder." in done.stderr


@pytest.mark.slow
def test_a_headless_run_copies_comes_to_rest_and_adds_up(tmp_path):
    path = tmp_path / "report.json"

    done = run(
        *DEMO, "--headless", "--seconds", "12", "--followers", "6", "--json", str(path), seconds=110
    )
    report = json.loads(path.read_text())

    assert done.returncode == 0, done.stdout + done.stderr
    assert report["leaders"] == len(LEADERS)
    assert report["follows"] >= 5
    assert report["orders_copied"] > 0
    assert report["leader_orders"] <= report["leader_fills"]
    assert report["copy_delay_p50_ms"] <= report["copy_delay_p99_ms"]
    assert report["ledger_balanced"]
    assert report["exchange_ledger_balanced"]
    assert report["drift"] == 0
    assert len(report["event_hash"]) == 64
    assert report["adds_up"]
    assert {"start", "traded for 12 s", "came to rest"} <= set(report["steps"])
    assert "adds up" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["bybit", "binance"])
def test_the_same_run_through_sockets_and_ccxt_adds_up_too(tmp_path, dialect):
    path = tmp_path / "report.json"
    arguments = ["--headless", "--seconds", "12", "--followers", "5", "--over-http", dialect]

    done = run(*DEMO, *arguments, "--json", str(path), seconds=110)
    report = json.loads(path.read_text())

    assert done.returncode == 0, done.stdout + done.stderr
    assert report["adds_up"]
    assert report["over_http"] == dialect
    assert report["orders_copied"] > 0
    assert report["drift"] == 0


def test_pages_alone_need_a_migrated_database(tmp_path, free_port):
    url = f"sqlite:///{tmp_path / 'new.db'}"

    done = run(*PAGES, "--port", free_port, env={"COPYPLUGIN_DATABASE_URL": url})

    assert done.returncode == 2
    assert "copyplugin db upgrade" in done.stderr


def test_pages_alone_show_leaders_and_sign_nobody_in(tmp_path, free_port):
    url = f"sqlite:///{tmp_path / 'plugin.db'}"
    upgrade_database(url)
    process = subprocess.Popen(
        [*PAGES, "--port", free_port],
        cwd=ROOT,
        env={"COPYPLUGIN_DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline().startswith("Open http://127.0.0.1:")
        with urlopen(f"http://127.0.0.1:{free_port}/koltrade", timeout=20) as page:
            assert "There is no trader to follow yet." in page.read().decode()
        with pytest.raises(URLError, match="403"):
            urlopen(f"http://127.0.0.1:{free_port}/whoami", timeout=20)
    finally:
        process.send_signal(signal.SIGINT)
        returncode = process.wait(20)
        process.stdout.close()
    assert returncode == 0


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


RESTED = OpenWork(
    lanes_drifting=0,
    lanes_marked=0,
    orders_in_doubt=0,
    shares_due=0,
    transfers_planned=0,
    commands_pending=0,
)
KEY = ("S1", "BTCUSDT", PositionSide.LONG)


def summary(**changes) -> Summary:
    values = {
        "leaders": 1,
        "follows": 1,
        "paper_follows": 0,
        "leader_fills": 3,
        "leader_orders": 2,
        "orders_sent": 2,
        "orders_copied": 2,
        "skipped": {SkipReason.BELOW_MINIMUM: 1},
        "delay": None,
        "spread": None,
        "drift_contracts": 0,
        "positions_opened": 1,
        "positions_closed": 0,
        "shares_settled": 0,
        "share_total": money(0),
    }
    return Summary(**(values | changes))


def books(**changes) -> Books:
    values = {"held": {KEY: 5}, "owned": {"S1": money("99.5")}, "leader_fills": {"L1": 3}}
    return Books(**(values | changes))


def word(**changes) -> VenuesWord:
    values = {
        "held": {KEY: 5},
        "owned": {"S1": money("99.5"), "S2": money(0)},
        "leader_fills": {"L1": 3},
        "residue": 0,
        "event_hash": "0" * 64,
    }
    return VenuesWord(**(values | changes))


def test_a_run_that_adds_up_has_no_fault():
    assert list(faults_of(summary(), books(), word(), RESTED, None)) == []


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"summary": summary(orders_copied=0)}, "Nothing was copied."),
        ({"venue": word(residue=-1)}, "The exchange's books are off by -1 units"),
        ({"venue": word(held={})}, "Lanes and positions differ by 5 contracts."),
        ({"books": books(held={})}, "Lanes and positions differ by 5 contracts."),
        ({"venue": word(owned={"S1": money("99.50000001")})}, "Sub-account S1 holds 99.50000001"),
        ({"books": books(leader_fills={"L1": 2})}, "Stored fills"),
        ({"ledger_fault": "entry 3 does not balance"}, "The plugin's ledger is broken"),
        (
            {"left_over": OpenWork(**dict.fromkeys(OpenWork.__slots__, 1))},
            "did not come to rest",
        ),
    ],
)
def test_everything_that_does_not_add_up_has_a_sentence(changed, sentence):
    given = {
        "summary": summary(),
        "books": books(),
        "venue": word(),
        "left_over": RESTED,
        "ledger_fault": None,
    } | changed

    assert [fault for fault in faults_of(**given) if sentence in fault]


def test_the_cast_is_half_fixed_and_half_proportional_and_leaves_some_to_play():
    plans = plan_followers(20, tuple(TERMS))
    modes = [follow.mode.value for plan in plans for follow in plan.follows]
    idle = [plan for plan in plans if not plan.follows]

    assert abs(modes.count("fixed") - modes.count("proportional")) <= 2
    assert len({plan.name for plan in plans}) == 20
    assert len(idle) == 4
    for plan in plans:
        assert sum(follow.copy_amount for follow in plan.follows) <= plan.spot
        assert len({follow.leader for follow in plan.follows}) == len(plan.follows)


def test_names_stay_apart_when_there_are_many():
    assert len({plan.name for plan in plan_followers(65, tuple(TERMS))}) == 65
