"""Webhook and e-mail before real servers: signed, numbered, and no secret in what goes wrong."""

import asyncio
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from aiohttp import web

from copyplugin.domain.identifiers import AccountId, FollowId
from copyplugin.domain.notice import Audience, Channel, Message, NoticeKind, pause_after
from copyplugin.errors import ConfigurationError, DeliveryFailed
from copyplugin.notify.mail import MailNotifier, MailServer
from copyplugin.notify.ways_out import ways_out
from copyplugin.notify.webhook import WebhookNotifier
from copyplugin.settings import load_settings
from copyplugin.system_clock import SystemClock

SECRET = "a secret of more than thirty-two characters"
NOW = datetime(2026, 11, 22, 12, 0, 0, 123_000, tzinfo=UTC)
MESSAGE = Message(
    number=7,
    kind=NoticeKind.UNPROTECTED,
    audience=Audience.FOLLOWER,
    account=AccountId("42"),
    follow_id=FollowId(3),
    sentence="No stop rests: “forced”.",
    raised_at=NOW,
)


@pytest.fixture
async def listener():
    """Return what was posted, and how to answer; with the address."""
    heard, answers = [], []

    async def take(request):
        heard.append((dict(request.headers), await request.read()))
        return web.Response(status=answers.pop() if answers else 204)

    app = web.Application()
    app.router.add_post("/told", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield heard, answers, f"http://127.0.0.1:{port}/told"
    await runner.cleanup()


async def test_a_message_is_signed_numbered_and_whole(listener):
    heard, _, url = listener

    await WebhookNotifier(url, SECRET, lambda: NOW).send(MESSAGE)

    [(headers, body)] = heard
    stamp = headers["X-Copyplugin-Timestamp"]
    expected = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-Copyplugin-Signature"] == expected
    assert stamp == "1795348800123"
    assert headers["X-Copyplugin-Message"] == "7"
    assert json.loads(body) == {
        "number": 7,
        "kind": "unprotected",
        "is_urgent": True,
        "audience": "follower",
        "account": "42",
        "follow_id": 3,
        "sentence": "No stop rests: “forced”.",
        "raised_at": "2026-11-22T12:00:00.123000+00:00",
    }


@pytest.mark.parametrize("status", [302, 400, 500])
async def test_what_is_not_taken_is_to_be_tried_again(listener, status):
    _, answers, url = listener
    answers.append(status)

    with pytest.raises(DeliveryFailed, match=f"answered {status}"):
        await WebhookNotifier(url, SECRET, lambda: NOW).send(MESSAGE)


async def test_where_nobody_listens_the_reason_names_neither_address_nor_secret():
    url = "http://127.0.0.1:9/hook?key=hidden"

    with pytest.raises(DeliveryFailed) as told:
        await WebhookNotifier(url, SECRET, lambda: NOW).send(MESSAGE)

    assert "gave no answer" in str(told.value)
    assert "hidden" not in str(told.value)
    assert SECRET not in str(told.value)


class PostOffice:
    """As much of SMTP (RFC 5321) as a client needs to hand over one mail."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.lines: list[str] = []
        self.refuses = refuses

    async def talk(self, reader, writer) -> None:
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            self.lines.append(line)
            word = line[:4].upper()
            if word == "DATA":
                writer.write(b"354 go on\r\n")
                while (text := (await reader.readline()).decode().rstrip("\r\n")) != ".":
                    self.lines.append(text)
            if word == "RCPT" and self.refuses:
                writer.write(b"550 nobody of that name\r\n")
            else:
                writer.write(b"250 fine\r\n" if word != "QUIT" else b"221 bye\r\n")
            if word == "QUIT":
                break
        writer.close()


async def with_office(office, work):
    server = await asyncio.start_server(office.talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        await work(
            MailNotifier(
                MailServer(host="127.0.0.1", port=port, starttls=False, user="", password=""),
                sender="copy@example.org",
                to=["ann@example.org", "bob@example.org"],
            )
        )


async def test_an_operator_gets_an_e_mail_that_says_what_is_urgent():
    office = PostOffice()

    await with_office(office, lambda notifier: notifier.send(MESSAGE))

    assert "Subject: [urgent] Copy trading: unprotected" in office.lines
    assert "Message-ID: <notice-7@example.org>" in office.lines
    assert sum(line[:8].upper() == "RCPT TO:" for line in office.lines) == 2


async def test_a_mail_that_is_refused_is_tried_again_and_tells_no_address():
    async def send(notifier):
        with pytest.raises(DeliveryFailed) as told:
            await notifier.send(MESSAGE)
        assert "ann@example.org" not in str(told.value)

    await with_office(PostOffice(refuses=True), send)


def test_settings_make_the_ways_out_and_a_weak_secret_is_refused_unseen():
    assert ways_out(load_settings(), SystemClock()) == {}
    made = ways_out(
        load_settings(
            webhook_url="https://example.org/hook",
            webhook_secret=SECRET,
            smtp_host="mail.example.org",
            mail_from="copy@example.org",
            mail_to=("ann@example.org",),
        ),
        SystemClock(),
    )
    assert set(made) == set(Channel)

    with pytest.raises(ConfigurationError) as refused:
        load_settings(webhook_url="https://example.org/hook", webhook_secret="too short")
    assert "too short" not in str(refused.value)
    assert "COPYPLUGIN_WEBHOOK_SECRET cannot be used" in str(refused.value)
    with pytest.raises(ConfigurationError, match="to whom e-mail is sent"):
        load_settings(smtp_host="mail.example.org")
    with pytest.raises(ConfigurationError):
        load_settings(webhook_url="no address")


def test_the_pause_doubles_up_to_an_hour():
    pauses = [int(pause_after(attempts).total_seconds()) for attempts in (1, 2, 3, 10, 11, 5000)]

    assert pauses == [5, 10, 20, 2560, 3600, 3600]
