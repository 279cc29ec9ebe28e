"""Play money as a person uses it: what if, then on paper, then for real (B6)."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PLAYER = 4  # follows one leader with real money
SECONDS = 1000
A_WHILE = 60 * SECONDS


def faults(page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [
        f"{page.url}: {each['id']} {node['target']}"
        for each in violations
        for node in each["nodes"]
    ]


def test_a_visitor_plays_first_and_then_follows_for_real(page, demo, sign_in, complaints):
    sign_in(PLAYER)
    page.goto(f"{demo}/koltrade")
    leader = page.get_by_role("link", name=re.compile("^Copy (North Star|Open Range|Still Water)"))
    name = leader.first.text_content().removeprefix("Copy").strip()
    leader.first.click()

    page.get_by_role("radio", name=re.compile("With play money first")).check()
    page.get_by_label("Amount in USDT").fill("700")
    found = faults(page)
    page.get_by_role("button", name="Start copying").click()
    expect(page.get_by_text("Copying with play money has started.")).to_be_visible(timeout=A_WHILE)

    page.get_by_role("link", name="To my copies").click()
    expect(page.get_by_text("Nothing on this page is real")).to_be_visible()
    row = page.locator("tbody tr", has_text="700.00")
    expect(row).to_contain_text(name)
    expect(row).to_contain_text("before")
    found += faults(page)
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})

    row.get_by_role("link", name=re.compile("^For real")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("700.00 USDT of real money move from your spot wallet")
    found += faults(page)
    dialog.get_by_role("button", name="Follow with real money").click()
    expect(page.get_by_text("Copying has started.")).to_be_visible(timeout=A_WHILE)
    page.get_by_role("link", name="To my copies").click()
    expect(page.locator("tbody tr", has_text="700.00")).to_be_visible()
    expect(page.get_by_text("Nothing on this page is real")).to_have_count(0)

    assert found == []
    assert complaints == []


def test_a_what_if_is_computed_and_its_parts_sum_to_the_whole(page, demo, sign_in, complaints):
    sign_in(PLAYER)
    page.goto(f"{demo}/koltrade/1")
    page.get_by_role("link", name="What if?").click()
    page.get_by_label("Amount in USDT").fill("12000")
    found = faults(page)
    page.get_by_role("button", name="Compute it").click()

    expect(page.get_by_text("The parts sum to the whole, to the last unit.")).to_be_visible(
        timeout=2 * A_WHILE
    )
    found += faults(page)
    page.set_viewport_size({"width": 390, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    assert found == []
    assert complaints == []
