"""Every page in a real browser: accessible, within the window, and without a complaint."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

COPIER = 1  # follows two leaders from the beginning
PAGES = [
    "/koltrade",
    "/koltrade?q=nobody-is-called-so",
    "/koltrade/1",
    "/koltrade/4",
    "/koltrade/2/copy",
    "/koltrade/1/copy",
    "/my/copies",
    "/my/copies/follows",
    "/my/copies/closed",
    "/my/copies/not-copied",
    "/my/copies/follows?money=play",
    "/koltrade/1/what-if",
    "/my/follows/1/end",
    "/my/follows/1/receipts",
    "/my/follows/1/settings",
    "/my/positions/99999",
    "/notices",
    "/health",
    "/whoami",
    "/licences",
]
OF_A_LEADER = ["/leader-centre", "/leader-centre/shares", "/leader-centre/followers"]
OF_AN_OPERATOR = [
    "/operator/halts",
    "/operator/payables",
    "/operator/settings",
    "/operator/dry-run?name=order_margin_max&value=2",
]
LOOKS = [("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390)]


def faults(page) -> list[str]:
    result = Axe().run(page)
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in result.response["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
def test_every_page_is_accessible_and_fits(page, demo, sign_in, complaints, scheme, width):
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(COPIER)
    page.goto(f"{demo}/my/copies")
    row = page.locator("#positions tbody th a").first
    expect(row).to_be_visible(timeout=60_000)
    found = []

    for path in [*PAGES, row.get_attribute("href")]:
        page.goto(demo + path)
        found += [f"{path}: {fault}" for fault in faults(page)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found.append(f"{path}: is {wide} px wide")

    for button, paths in (
        ("button[name=leader_id][value='1']", OF_A_LEADER),
        ("button[name=operator][value='1']", OF_AN_OPERATOR),
    ):
        page.goto(f"{demo}/whoami")
        page.locator(button).click()
        for path in paths:
            page.goto(demo + path)
            found += [f"{path}: {fault}" for fault in faults(page)]
            if page.evaluate("document.documentElement.scrollWidth") > width:
                found.append(f"{path}: is too wide")

    not_found = [line for line in complaints if "404" in line]
    assert not found, "\n".join(found)
    assert len(not_found) == 1  # the page that is not there
    assert len(complaints) == 1, "\n".join(complaints)


@pytest.mark.parametrize("width", [320, 360])
def test_pages_fit_the_smallest_phones(page, demo, sign_in, width):
    page.set_viewport_size({"width": width, "height": 700})
    sign_in(COPIER)

    for path in PAGES:
        page.goto(demo + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("width", [320, 390])
def test_a_position_with_large_figures_fits_a_phone(page, demo, sign_in, width):
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(COPIER)
    page.goto(f"{demo}/my/copies")
    row = page.locator("#positions tbody th a").first
    expect(row).to_be_visible(timeout=60_000)
    page.goto(demo + row.get_attribute("href"))

    page.evaluate(
        "document.querySelectorAll('dd .num').forEach(num => {"
        " num.removeAttribute('data-live'); num.textContent = '-12,345.67890123' })"
    )

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_check_of_accessibility_can_fail(page, demo):
    page.goto(f"{demo}/koltrade")
    page.evaluate(
        """() => {
            const button = document.createElement("button");
            const faint = document.createElement("p");
            faint.textContent = "faint";
            faint.setAttribute("class", "faint");
            const sheet = new CSSStyleSheet();
            sheet.insertRule(".faint { color: #777; background: #888 }");
            document.adoptedStyleSheets.push(sheet);
            document.querySelector("main").append(button, faint);
        }"""
    )

    found = " ".join(faults(page))

    assert "button-name" in found
    assert "color-contrast" in found


def test_the_chart_is_drawn_and_has_a_table(page, demo, complaints):
    page.goto(f"{demo}/koltrade/1")
    expect(page.locator("#equity-title")).to_be_visible()
    while not page.locator(".chart").count():  # the second figure of the equity is awaited
        page.reload()
    page.locator(".chart").scroll_into_view_if_needed()

    expect(page.locator(".chart[data-drawn]")).to_be_visible()
    expect(page.locator(".chart canvas").first).to_be_visible()
    page.get_by_role("button", name="Realised profit", exact=True).click()
    expect(page.locator("[data-series=profit]")).to_have_attribute("aria-pressed", "true")
    page.get_by_text("Show as a table").click()
    expect(page.get_by_role("group", name="Equity as a table")).to_be_visible()
    assert complaints == []


def test_a_search_takes_effect_while_typing_and_stays_in_the_address(page, demo, complaints):
    page.goto(f"{demo}/koltrade")
    expect(page.locator(".card")).to_have_count(4)

    page.keyboard.press("/")
    page.keyboard.type("north")

    expect(page.locator(".card")).to_have_count(1)
    expect(page).to_have_url(f"{demo}/koltrade?q=north&sort=recommended&income=&yield=&wins=")
    page.reload()
    expect(page.locator(".card")).to_have_count(1)
    page.get_by_label("Sort by").select_option("income")
    expect(page).to_have_url(f"{demo}/koltrade?q=north&sort=income&income=&yield=&wins=")
    assert complaints == []


def test_a_figure_explains_itself(page, demo):
    page.goto(f"{demo}/koltrade/1")

    page.get_by_role("button", name="What is Trade win rate?").click()

    expect(page.locator("#help-win-rate")).to_be_visible()
    expect(page.locator("#help-win-rate")).to_contain_text("Of all positions closed so far")
    page.keyboard.press("Escape")
    expect(page.locator("#help-win-rate")).to_be_hidden()


def test_the_switch_of_appearance_wins_over_the_system(page, demo):
    page.emulate_media(color_scheme="light")
    page.goto(f"{demo}/koltrade/1")

    page.get_by_role("button", name="Appearance").click()
    page.get_by_role("button", name="Dark").click()

    expect(page).to_have_url(f"{demo}/koltrade/1")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(10, 13, 19)"


def test_the_keyboard_alone_gets_around(page, demo, sign_in):
    sign_in(COPIER)
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.wait_for_url("**/my/copies")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_two_operators_change_a_setting_together(page, demo):
    """What one proposes the other approves, on the pages, and the engine takes it up."""

    def sign_in_as(key):
        page.goto(f"{demo}/whoami")
        page.locator(f"button[name=operator][value='{key}']").click()
        page.goto(f"{demo}/operator/settings")

    sign_in_as("1")
    page.select_option("#name", "refusals_to_abort")
    page.fill("#value", "6")
    page.fill("#reason", "a venue that refuses in bursts")
    page.get_by_role("button", name="Change it").click()
    expect(page.locator(".notice").first).to_contain_text("Somebody else has to approve it")
    expect(page.get_by_role("button", name="Approve proposal")).to_have_count(0)
    sign_in_as("2")
    page.get_by_role("button", name="Approve proposal").click()
    expect(page.locator(".notice").first).to_have_text(
        "refusals_to_abort is 6 from now on; it was 5."
    )
    expect(page.locator("tr", has_text="refusals_to_abort").first).to_contain_text(
        "operator:demo and operator:second"
    )
