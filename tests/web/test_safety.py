"""Headers, forgery, the identity switch, and what a stranger cannot do."""

import re

import pytest

from tests.web.builders import FakeCommands, FixedClock
from web.app import create_app, live_hub
from web.settings import WebSettings, is_loopback


def test_every_answer_carries_the_headers(ben):
    for path in ("/koltrade", "/nowhere", "/static/css/base.css", "/koltrade/1/equity.json"):
        with ben.get(path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "script-src 'self';" in policy
            assert "style-src 'self';" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["X-Frame-Options"] == "DENY"


def test_pages_are_not_kept_and_files_are(client):
    assert client.get("/koltrade").headers["Cache-Control"] == "no-store"
    with client.get("/static/css/base.css?v=1") as answer:
        assert "immutable" in answer.headers["Cache-Control"]
    with client.get("/static/css/base.css") as answer:
        assert "immutable" not in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        "/whoami",
        "/sign-out",
        "/appearance",
        "/koltrade/2/copy",
        "/my/positions/1/close",
        "/my/positions/1/end",
        "/my/follows/1/end",
    ],
)
def test_a_form_that_is_not_ours_changes_nothing(ben, app, commands, path):
    app.config["WTF_CSRF_ENABLED"] = True

    answer = ben.post(path, data={"how": "close_now", "theme": "dark", "follower_id": "1"})

    assert answer.status_code == 400
    assert "Please send the form again" in answer.text
    assert commands.given == []


def test_our_own_form_passes(ben, app, commands):
    app.config["WTF_CSRF_ENABLED"] = True
    page = ben.get("/my/positions/1/close").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]

    answer = ben.post("/my/positions/1/close", data={"csrf_token": token, "idempotency_key": "k"})

    assert answer.status_code == 302
    assert len(commands.given) == 1


def test_names_are_text_wherever_they_stand(world, client):
    leader = world.leader("<b onload=x>&")

    for path in ("/koltrade", f"/koltrade/{leader}"):
        assert "<b onload" not in client.get(path).text


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.1.5", False),
        ("localhost.example.org", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_and_nothing_else(host, loopback):
    assert is_loopback(host) is loopback


def test_the_switch_signs_in_and_out(client, small):
    answer = client.post("/whoami", data={"follower_id": small.ben, "next": "/my/copies"})
    assert answer.location == "/my/copies"
    assert client.get("/my/copies").status_code == 200

    client.post("/sign-out")
    assert client.get("/my/copies").status_code == 302


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "evil", "javascript:x", ""],
)
def test_the_way_back_stays_on_our_pages(client, small, path):
    answer = client.post("/whoami", data={"follower_id": small.ben, "next": path})

    assert answer.location == "/koltrade"


def test_nobody_has_an_unknown_number(client, small):
    answer = client.post("/whoami", data={"follower_id": "99"}, follow_redirects=True)

    assert "Nobody has this number." in answer.text
    assert client.get("/my/copies").status_code == 302


@pytest.mark.parametrize(
    ("host", "asked", "address"),
    [
        ("0.0.0.0", "localhost", "127.0.0.1"),  # the server listens to the world
        ("127.0.0.1", "demo.example.org", "127.0.0.1"),  # a name that was made to point here
        ("127.0.0.1", "localhost", "192.168.1.7"),  # a proxy brings somebody else
    ],
)
def test_the_switch_refuses_to_work_beyond_loopback(queries, database, small, host, asked, address):
    settings = WebSettings(secret_key="x", demo_identity=True, host=host)
    app = create_app(queries, FakeCommands(database, FixedClock()), settings)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    beyond = {"base_url": f"http://{asked}", "environ_base": {"REMOTE_ADDR": address}}

    for answer in (
        client.get("/whoami", **beyond),
        client.post("/whoami", data={"follower_id": small.ben}, **beyond),
    ):
        assert answer.status_code == 403
        assert "It refuses to work" in answer.text
    assert client.get("/my/copies", **beyond).status_code == 302
    live_hub(app).stop()


def test_a_cookie_of_the_demonstration_is_worth_nothing_elsewhere(client, small):
    client.post("/whoami", data={"follower_id": small.ben})

    elsewhere = client.get("/my/copies", environ_base={"REMOTE_ADDR": "10.0.0.9"})

    assert elsewhere.status_code == 302


def test_the_theme_is_kept_in_a_cookie(client):
    assert "data-theme" not in client.get("/koltrade").text

    client.post("/appearance", data={"theme": "dark", "back": "/koltrade"})
    assert 'data-theme="dark"' in client.get("/koltrade").text

    assert client.post("/appearance", data={"theme": "pink"}).status_code == 400


def test_a_fault_of_ours_shows_no_insides(client, small, queries, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("secret inside")

    monkeypatch.setattr(queries, "leaders", broken)
    client.application.testing = False
    client.application.config["PROPAGATE_EXCEPTIONS"] = False

    answer = client.get("/koltrade")

    assert answer.status_code == 500
    assert "Something went wrong" in answer.text
    assert "secret inside" not in answer.text
    assert "secret inside" in caplog.text
