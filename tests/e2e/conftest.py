"""One demonstration for all tests that drive a browser; it runs for real."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.conftest import ROOT

START_SECONDS = 60
STOP_SECONDS = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def demo(chromium, tmp_path_factory) -> Iterator[str]:
    """Return the address of a running demonstration; it must end cleanly."""
    port = free_port()
    log = tmp_path_factory.mktemp("demo") / "output.txt"
    command = [sys.executable, "-m", "web.demo", "--port", str(port), "--followers", "10"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--data", str(log.parent / "data")],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_it_answers(address, process)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)
    text = log.read_text()
    assert process.returncode == 0, text
    assert text.index("stopped the pages") < text.index("stopped the engine")
    assert text.index("stopped the engine") < text.index("stopped the exchange")


@pytest.fixture(scope="session")
def base_url(demo) -> str:
    """Take the place of pytest-base-url's fixture, whose shape the newest pytest warns of."""
    return demo


def wait_until_it_answers(address: str, process: subprocess.Popen) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, "the demonstration ended at once"
        try:
            with urlopen(f"{address}/healthz", timeout=START_SECONDS):
                return
        except (URLError, ConnectionError):
            process.poll()
    pytest.fail(f"the demonstration did not answer within {START_SECONDS} s")


@pytest.fixture
def complaints(page) -> list[str]:
    """Collect what the browser complains of; the test that asks for it fails if there is any."""
    found: list[str] = []
    page.on("console", lambda message: found.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: found.append(f"error: {error}"))
    return found


@pytest.fixture
def sign_in(page, demo):
    """Return a function that signs a follower in by his number."""

    def sign_in(number: int) -> None:
        page.goto(f"{demo}/whoami")
        page.locator(f"button[name=follower_id][value='{number}']").click()
        page.wait_for_url("**/koltrade")

    return sign_in
