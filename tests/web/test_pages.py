"""Every page answers, says what it should, and leads nowhere that does not exist."""

import re
from html.parser import HTMLParser

import pytest

PUBLIC = ["/koltrade", "/koltrade/1", "/health", "/licences", "/whoami"]
OWN = [
    "/my/copies",
    "/my/copies/follows",
    "/my/copies/closed",
    "/my/copies/not-copied",
    "/my/positions/1",
    "/my/positions/1/close",
    "/my/positions/1/end",
    "/my/follows/1/end",
    "/koltrade/1/copy",
    "/koltrade/2/copy",
]


class Links(HTMLParser):
    """Collects where a page's links and forms lead, and what a strict policy would block."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.inline: list[str] = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "a" and values.get("href", "").startswith("/"):
            self.links.add(values["href"])
        if tag in {"link", "script"}:
            self.links.add(values.get("href") or values.get("src"))
        self.inline += [name for name in values if name.startswith("on") or name == "style"]
        if (tag == "script" and "src" not in values) or tag == "style":
            self.inline.append(tag)


def read(client, path):
    with client.get(path) as answer:
        page = Links()
        page.feed(answer.get_data(as_text=True))
    return answer, page


@pytest.mark.parametrize("path", PUBLIC + OWN)
def test_a_page_answers_without_anything_inline(ben, path):
    answer, page = read(ben, path)

    assert answer.status_code == 200
    assert page.inline == []


def test_every_link_of_every_page_leads_somewhere(ben):
    seen, waiting = set(), {"/koltrade"}

    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer, page = read(ben, path)
        assert answer.status_code == 200, path
        if answer.mimetype == "text/html":
            waiting |= {link.partition("#")[0] for link in page.links} - seen

    assert set(OWN) - {"/koltrade/1/copy"} <= seen  # Ben follows Ada already


@pytest.mark.parametrize("path", OWN)
def test_a_visitor_is_sent_to_sign_in_and_back(client, small, path):
    answer = client.get(path)

    assert answer.status_code == 302
    assert answer.location == f"/whoami?next={path}"


def test_a_page_has_one_heading_and_a_title(ben):
    for path in PUBLIC + OWN:
        text = ben.get(path).get_data(as_text=True)
        assert len(re.findall(r"<h1\b", text)) == 1, path
        assert re.search(r"<title>[^<]{3,} · Copy Trade</title>", text), path


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/koltrade/99", "No leader on the list has this number"),
        ("/my/positions/99", "You have no such position."),
        ("/my/commands/99", "You gave no such order."),
        ("/nowhere", "There is no such page"),
    ],
)
def test_what_is_not_there_gets_a_sentence(ben, path, sentence):
    answer = ben.get(path)

    assert answer.status_code == 404
    assert sentence in answer.get_data(as_text=True)


def test_arguments_nobody_meant_do_no_harm(client, small):
    for query in ("page=abc", "page=-3", "page=999999999999", "sort=x", "_external=1&_method=x"):
        for path in ("/koltrade", "/koltrade/1", "/live?leader=x"):
            if path != "/live?leader=x":
                assert client.get(f"{path}?{query}").status_code == 200


def test_the_root_leads_to_the_leaders(client):
    assert client.get("/").location == "/koltrade"


def test_a_supervisor_is_answered(client):
    assert client.get("/healthz").get_json() == {"status": "ok"}
