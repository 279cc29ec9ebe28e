"""The main job as a person does it: follow, watch the profit move, close, end."""

import re

import pytest
from playwright.sync_api import Locator, expect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

COPIER, CLOSER, LEAVER, STARTER, PLAIN = 1, 2, 3, 5, 10  # every fifth follows nobody at first
SECONDS = 1000
A_WHILE = 60 * SECONDS
TOO_LATE_STATUS = "409"


def first_position(page, demo) -> Locator:
    page.goto(f"{demo}/my/copies")
    row = page.locator("#positions tbody tr").first
    expect(row).to_be_visible(timeout=2 * A_WHILE)
    return row


def is_in_time(page, wanted) -> bool:
    """Wait for what is wanted; False where the leader's own close came first and the page says so.

    The leaders of the demonstration trade on, so any position may be gone between two clicks.
    """
    too_late = page.get_by_role("heading", name="This cannot be done now")
    expect(wanted.or_(too_late)).to_be_visible(timeout=A_WHILE)
    return not too_late.is_visible()


def test_live_profit_moves_without_reloading(page, demo, sign_in, complaints):
    sign_in(COPIER)
    page.goto(f"{demo}/my/copies")
    expect(page.locator("[data-link-state]")).to_have_attribute(
        "data-state", "live", timeout=A_WHILE
    )
    profit = page.locator("[data-live=totals-profit]")
    expect(page.locator("tbody tr").first).to_be_visible(timeout=A_WHILE)
    seen = profit.inner_text()

    expect(profit).not_to_have_text(seen, timeout=A_WHILE)
    second = profit.inner_text()
    expect(profit).not_to_have_text(second, timeout=A_WHILE)
    assert complaints == []


def test_the_page_says_when_its_figures_are_old(page, demo, sign_in):
    sign_in(COPIER)
    page.goto(f"{demo}/my/copies")
    state = page.locator("[data-link-state]")
    expect(state).to_have_attribute("data-state", "live", timeout=A_WHILE)

    page.route("**/live?*", lambda route: route.abort())
    page.evaluate("dispatchEvent(new Event('pagehide'))")  # closes the stream as leaving would

    expect(state).to_have_attribute("data-state", "stale", timeout=A_WHILE)
    expect(state).to_contain_text(re.compile(r"Stale since \d\d:\d\d:\d\d"))
    page.unroute("**/live?*")
    page.evaluate("dispatchEvent(new Event('pageshow'))")
    expect(state).to_have_attribute("data-state", "live", timeout=A_WHILE)


@pytest.mark.timeout(240)
def test_a_follow_is_started_runs_and_is_ended(page, demo, sign_in, complaints):
    sign_in(STARTER)
    page.goto(f"{demo}/koltrade")
    page.get_by_role("link", name="Copy Open Range").click()

    page.get_by_label("Amount in USDT").fill("5")
    page.get_by_role("button", name="Start copying").click()
    page.get_by_role("link", name=re.compile("The amount must be from")).click()
    expect(page.get_by_label("Amount in USDT")).to_be_focused()

    page.get_by_label("Amount in USDT").fill("4000")
    page.get_by_role("radio", name=re.compile("Proportional")).check()
    page.get_by_role("button", name="Start copying").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible(timeout=A_WHILE)
    expect(page.get_by_text("Copying has started.")).to_be_visible()

    page.get_by_role("link", name="To my copies").click()
    row = page.locator("#follows tbody tr", has_text="Open Range")
    expect(row).to_contain_text("Proportional")
    expect(row).to_contain_text("4,000.00")
    page.goto(f"{demo}/my/copies")
    expect(page.locator("#positions tbody tr").first).to_be_visible(timeout=2 * A_WHILE)

    page.goto(f"{demo}/my/copies/follows")
    page.get_by_role("link", name="Stop following Open Range").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Nothing new is opened from now on.")
    expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
    expect(dialog.get_by_label("Close now")).to_be_checked()
    dialog.get_by_role("button", name="Stop following").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible(timeout=A_WHILE)

    page.get_by_role("link", name="To my copies").click()
    ended = page.get_by_role("group", name="Ended").locator("tbody tr", has_text="Open Range")
    expect(ended).to_contain_text("Closed", timeout=A_WHILE)
    expect(ended).to_contain_text("Ended by you after opening")
    refused = [line for line in complaints if "422" in line]
    assert complaints == refused, complaints
    assert len(refused) == 1  # the amount that was too small


@pytest.mark.timeout(240)
def test_one_position_is_closed_and_the_follow_goes_on(page, demo, sign_in, complaints):
    def close_one() -> str | None:
        row = first_position(page, demo)
        position = row.locator("th a").get_attribute("href")
        dialog = page.get_by_role("dialog")
        row.get_by_role("link", name=re.compile("Close")).click()
        if not is_in_time(page, dialog):
            return None
        expect(dialog).to_contain_text("Close this position only?")
        dialog.get_by_role("link", name="Cancel").click()
        expect(dialog).to_be_hidden()
        page.goto(f"{demo}{position}")
        close = page.get_by_role("link", name="Close this position")
        if not close.is_visible():
            return None
        close.click()
        if not is_in_time(page, dialog):
            return None
        dialog.get_by_role("button", name="Close the position").click()
        return position if is_in_time(page, page.get_by_role("heading", name="Done")) else None

    sign_in(CLOSER)
    position = None
    while position is None:
        position = close_one()

    page.goto(f"{demo}{position}")
    expect(page.locator("h1 ~ .tag")).to_have_text("Closed", timeout=A_WHILE)
    page.goto(f"{demo}/my/copies/follows")
    expect(page.get_by_role("group", name="Running").locator("tbody tr").first).to_be_visible()
    assert [line for line in complaints if TOO_LATE_STATUS not in line] == []


@pytest.mark.timeout(240)
def test_a_follow_is_left_from_one_position(page, demo, sign_in, complaints):
    def leave_one() -> str | None:
        row = first_position(page, demo)
        row.get_by_role("link", name=re.compile("Stop following")).click()
        dialog = page.get_by_role("dialog")
        if not is_in_time(page, dialog):
            return None
        said = re.compile(r"You stop following (.+): nothing new is opened\.")
        expect(dialog).to_contain_text(said)
        leader = said.search(dialog.inner_text())[1]
        dialog.get_by_role("button", name="Close it and stop following").click()
        return leader if is_in_time(page, page.get_by_role("heading", name="Done")) else None

    sign_in(LEAVER)
    leader = None
    while leader is None:
        leader = leave_one()

    page.get_by_role("link", name="To my copies").click()
    left = page.locator("#follows tbody tr", has_text=leader)
    expect(left).to_contain_text(re.compile("Winding down|Settling|Closed"), timeout=A_WHILE)
    assert [line for line in complaints if TOO_LATE_STATUS not in line] == []


@pytest.mark.timeout(240)
def test_everything_works_without_javascript(browser, demo):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{demo}/my/copies")
    page.locator(f"button[name=follower_id][value='{PLAIN}']").click()
    expect(page).to_have_url(f"{demo}/my/copies")

    page.goto(f"{demo}/koltrade?q=still")
    page.get_by_role("link", name="Copy Still Water").click()
    page.get_by_label("Amount in USDT").fill("300")
    page.get_by_role("button", name="Start copying").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible(timeout=A_WHILE)
    page.goto(f"{demo}/my/copies/follows")
    page.get_by_role("link", name="Stop following Still Water").click()
    expect(page.get_by_role("heading", name="Stop following Still Water?")).to_be_visible()
    page.get_by_label("Follow the leader's closes").check()
    page.get_by_role("button", name="Stop following").click()
    expect(page.get_by_role("heading", name="Done")).to_be_visible(timeout=A_WHILE)

    page.goto(f"{demo}/koltrade/1")
    expect(page.locator(".chart-drawing, .empty").first).to_be_visible()
    context.close()
