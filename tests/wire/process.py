"""The serving command as a process of its own, which a test may kill."""

import re
import signal
import subprocess
import sys
from types import TracebackType
from typing import Self

import ccxt
import requests

from simexchange.pointing import point_ccxt

OPERATOR_KEY = "operator key of a process"
PATIENCE_S = 60


class Served:
    """One run of `simexchange serve`."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from simexchange.cli import main; main()",
                "serve",
                "--operator-key",
                OPERATOR_KEY,
                "--dialect",
                "bybit",
                "--dialect",
                "binance",
                *arguments,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.url = ""
        self.said: list[str] = []

    def __enter__(self) -> Self:
        """Wait until it says where it listens; a run that ends instead fails the test."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            found = re.search(r"http://[0-9.]+:\d+", line)
            if found is not None:
                self.url = found[0]
                return self
        self.process.communicate(timeout=PATIENCE_S)
        raise AssertionError("".join(self.said))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=PATIENCE_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.communicate(timeout=PATIENCE_S)

    def operate(self, method: str, path: str, body: object = None, status: int = 200):
        answer = requests.request(
            method,
            f"{self.url}/operator/v1/{path}",
            json=body,
            headers={"X-Operator-Key": OPERATOR_KEY},
            timeout=30,
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    def bybit(self, key: dict[str, str]) -> ccxt.bybit:
        return self._pointed(ccxt.bybit({"options": {"fetchMarkets": {"types": ["linear"]}}}), key)

    def binance(self, key: dict[str, str]) -> ccxt.binanceusdm:
        return self._pointed(ccxt.binanceusdm(), key)

    def _pointed(self, client, key: dict[str, str]):
        point_ccxt(client, self.url)
        client.enableRateLimit = False
        client.apiKey, client.secret = key["key"], key["secret"]
        return client
