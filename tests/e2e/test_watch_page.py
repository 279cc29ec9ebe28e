"""The page that watches a served exchange, in a real browser, on a desk and on a phone."""

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.wire.process import OPERATOR_KEY, Served

SYMBOL, UNIFIED = "BTCUSDT", "BTC/USDT:USDT"
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def served() -> Iterator[Served]:
    with Served("--seed", "3") as process:
        yield process


@pytest.fixture
def quiet() -> Iterator[Served]:
    """Serve an exchange in which nothing has happened."""
    with Served("--market", "still", "--speed", "0") as process:
        yield process


def watch(page: Page, served: Served) -> None:
    page.goto(f"{served.url}/operator/v1/watch")
    page.get_by_label("Operator key").fill(OPERATOR_KEY)
    page.get_by_role("button", name="Watch").click()
    expect(page.locator("#status")).to_have_text("Watching.")


def rows(page: Page, table: str):
    return page.locator(f"#{table} tr")


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_everything_of_a_running_exchange_is_shown(
    page: Page, served: Served, complaints: list[str], size: dict[str, int]
) -> None:
    opened = served.operate("POST", "accounts", {"label": "watched", "contract": "120"})
    key = served.operate("POST", "keys", {"account": opened["account"]})
    stop = {"stopLoss": "60000"}
    served.bybit(key).create_order(UNIFIED, "market", "buy", 0.015, None, stop)
    page.set_viewport_size(size)
    watch(page, served)
    assert rows(page, "asks").count() == rows(page, "bids").count() == 12
    expect(page.locator("#last")).to_have_text(re.compile(r"^\d+\.\d$"))
    expect(rows(page, "trades").first).to_be_visible()
    expect(rows(page, "plans")).to_contain_text([f"{SYMBOL}sellall60000.0"])
    expect(page.locator("#accounts")).to_contain_text("watched")
    expect(page.locator("#liquidations-none")).to_be_visible()
    served.operate("POST", "prices", {"symbol": SYMBOL, "mark": "50000"})
    expect(rows(page, "liquidations").first).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"]
    assert Axe().run(page).violations_count == 0, Axe().run(page).generate_report()
    assert complaints == []


def test_faults_are_switched_on_and_off_one_by_one(page: Page, quiet: Served) -> None:
    watch(page, quiet)
    expect(page.locator("#faults-none")).to_be_visible()
    page.locator("#kind").select_option("server_error")
    expect(page.get_by_label("Delay, ms")).to_be_disabled()
    page.get_by_label("Chance, %").fill("100")
    page.get_by_label("Paths or topics").fill("/v5/market/time")
    page.get_by_role("button", name="Switch on").click()
    expect(rows(page, "faults")).to_contain_text(["server_error100 %"])
    page.locator("#kind").select_option("latency")
    page.get_by_role("button", name="Switch on").click()
    expect(rows(page, "faults")).to_have_count(2)
    rules = quiet.operate("GET", "faults/wire")["plan"]["rules"]
    assert [rule["fault"] for rule in rules] == ["server_error", "latency"]
    page.get_by_role("button", name="Switch server_error off").click()
    expect(rows(page, "faults")).to_have_count(1)
    page.get_by_role("button", name="All off").click()
    expect(page.locator("#faults-none")).to_be_visible()
    assert quiet.operate("GET", "faults/wire")["plan"].get("rules", []) == []


def test_time_and_limits_are_in_the_hand_of_who_watches(page: Page, quiet: Served) -> None:
    watch(page, quiet)
    expect(page.locator("#speed")).to_have_text("frozen")
    before = quiet.operate("GET", "status")["now"]
    page.get_by_role("button", name="One hour on").click()
    expect(page.locator("#status")).to_have_text("Watching.")
    page.get_by_role("button", name="60 times").click()
    expect(page.locator("#speed")).to_have_text("60 ×")
    assert quiet.operate("GET", "status")["now"] >= before + 3_600_000_000
    page.get_by_label("Enforce the venue's rate limits").check()
    expect(page.get_by_label("Enforce the venue's rate limits")).to_be_checked()
    page.wait_for_function("document.activeElement.blur() || true")
    assert quiet.operate("GET", "status")["limits"] is True


def test_an_empty_exchange_says_so(page: Page, quiet: Served) -> None:
    watch(page, quiet)
    for name in ("trades", "plans", "liquidations", "accounts", "faults"):
        expect(page.locator(f"#{name}-none")).to_be_visible()
    expect(page.locator("#middle")).to_have_text("The book is empty.")
    expect(page.locator("#mark")).to_have_text("none")


def test_a_wrong_key_and_a_server_that_is_gone_are_told(page: Page, quiet: Served) -> None:
    page.goto(f"{quiet.url}/operator/v1/watch")
    page.get_by_label("Operator key").fill("wrong")
    page.get_by_role("button", name="Watch").click()
    expect(page.locator("#status")).to_have_text("This is not the operator key of this server.")
    expect(page.locator("#watched")).to_be_hidden()
    watch(page, quiet)
    quiet.kill()
    expect(page.locator("#status")).to_have_text("The server does not answer; trying again.")
    expect(page.locator("#watched")).to_be_visible()
