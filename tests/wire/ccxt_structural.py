"""ccxt's own structural tests, as they are in its wheel, against a served exchange.

`python -m tests.wire.ccxt_structural [bybit|binanceusdm] [sync|async|ws]` prints JSON: which of
ccxt's tests passed, which it left out by itself, and what failed. ccxt's runner wants to stand
outside of site-packages, with a list of what to skip above it; so it gets a tree of links.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import ccxt
import ccxt.pro

from simexchange.pointing import point_ccxt
from tests.wire.process import Served

VENUES = ("bybit", "binanceusdm")
WAYS = {"sync": ["--sync"], "async": [], "ws": ["--ws"]}
LASTING_S = 240
TRADES_EVERY_S = 0.3
SYMBOL = "BTC/USDT:USDT"
MONEY = {"contract": "100000", "spot": "1000"}
_CHAIN = "deposits, withdrawals and addresses on a chain are not served"
_BORROWING = "there is nothing to borrow"
_NESTED = "ccxt's test wraps the list of symbols twice and fails before it asks the venue"
_POSITIONS = ("fetchPositions", "fetchPosition", "watchPositions", "watchPosition")
_COMMON: dict[str, Any] = {
    "fetchDeposits": _CHAIN,
    "fetchWithdrawals": _CHAIN,
    "fetchDepositAddress": _CHAIN,
    "fetchBorrowInterest": _BORROWING,
    "fetchBorrowRateHistory": _BORROWING,
    "fetchLeverageTiers": _NESTED,
    "createOrder": "ccxt's test trades spot: it looks for the base coin in the balance",
}
_NO_MODE = {"marginMode": "Bybit's positions do not say it; ccxt leaves it empty"}
_STREAM = "the stream has none"
_BARE = {
    "leverage": "version 3 of positionRisk and the stream have none",
    "collateral": _STREAM,
    "initialMargin": _STREAM,
    "initialMarginPercentage": _STREAM,
    "liquidationPrice": _STREAM,
    "maintenanceMargin": _STREAM,
    "maintenanceMarginPercentage": _STREAM,
    "marginRatio": _STREAM,
    "markPrice": _STREAM,
    "notional": _STREAM,
    "percentage": _STREAM,
    "positionMargin": _STREAM,
}
EXCEPTIONS: dict[str, dict[str, Any]] = {
    "bybit": {
        **_COMMON,
        "fetchDepositAddressesByNetwork": _CHAIN,
        **dict.fromkeys(_POSITIONS, _NO_MODE),
    },
    "binanceusdm": {
        **_COMMON,
        "fetchMarginModes": "ccxt's test wants a list where ccxt returns a dictionary",
        "fetchBalance": "ccxt's total has the profit of open positions in it, its parts have not",
        "watchBalance": "the stream has totals only",
        "fetchPositions": {"leverage": _BARE["leverage"]},
        "fetchPosition": {"leverage": _BARE["leverage"]},
        "watchPositions": _BARE,
        "watchPosition": _BARE,
    },
}
"""What is left out, each with its reason; a dictionary leaves out single fields."""


def tree(root: Path, url: str, venue: str, key: dict[str, str]) -> Path:
    """Put ccxt's tests under ``root`` with settings for a served exchange; return the runner."""
    package = Path(ccxt.__file__).parent
    copy = root / "python" / "ccxt"
    copy.mkdir(parents=True)
    for entry in package.iterdir():
        if entry.name not in ("test", "__pycache__"):
            (copy / entry.name).symlink_to(entry)
    shutil.copytree(package / "test", copy / "test")
    client = getattr(ccxt.pro, venue)()
    point_ccxt(client, url)
    settings = {
        "apiKey": key["key"],
        "secret": key["secret"],
        "urls": {"api": client.urls["api"], "test": client.urls["test"]},
        "options": {"fetchMarkets": {"types": ["linear"]}},
        "rateLimit": 0.001,
        "has": dict.fromkeys(("spot", "margin", "future", "option"), False),
    }
    skips = {venue: {"skipMethods": EXCEPTIONS[venue]}}
    (root / "keys.json").write_text(json.dumps({venue: settings}))
    (root / "skip-tests.json").write_text(json.dumps(skips))
    return copy / "test" / "tests_init.py"


def run(venue: str, way: str) -> dict[str, Any]:
    """Run ccxt's tests of one venue in one way against an exchange of their own."""
    with tempfile.TemporaryDirectory() as place, Served("--seed", "3") as served:
        opened = served.operate("POST", "accounts", {"label": "structural", **MONEY})
        key = served.operate("POST", "keys", {"account": opened["account"]})
        client = served.bybit(key)
        _give_a_past(served, client, key)
        runner = tree(Path(place), served.url, venue, key)
        is_over = threading.Event()
        trader = threading.Thread(target=_trade, args=(client, is_over))
        trader.start()
        ran = subprocess.run(
            [
                sys.executable,
                str(runner),
                *WAYS[way],
                "--private",
                "--fundedTests",
                "--info",
                venue,
                SYMBOL,
            ],
            env={"PYTHONPATH": f"{runner.parents[2]}:{runner.parent}", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=LASTING_S,
            check=False,
        )
        is_over.set()
        trader.join()
    return summary(venue, way, ran.returncode, ran.stdout + ran.stderr)


def _trade(client: ccxt.bybit, is_over: threading.Event) -> None:
    """Trade a little all the time, so that there is something to watch."""
    side = "buy"
    while not is_over.wait(TRADES_EVERY_S):
        client.create_order(SYMBOL, "market", side, 0.001)
        side = "sell" if side == "buy" else "buy"


def _give_a_past(served: Served, client: ccxt.bybit, key: dict[str, str]) -> None:
    """Let the account have orders, fills and transfers, so that there is something to look at."""
    client.create_order(SYMBOL, "market", "buy", 0.01)
    client.create_order(SYMBOL, "market", "sell", 0.004)
    served.binance(key).transfer("USDT", 10, "spot", "linear")


def summary(venue: str, way: str, code: int, said: str) -> dict[str, Any]:
    def named(mark: str) -> list[str]:
        found = re.findall(rf"\[INFO\] {mark}\s+\S*\s*{venue}\s+(\w+)", said)
        return sorted(set(found))

    failures = [line for line in said.splitlines() if "[TEST_FAILURE]" in line]
    return {
        "venue": venue,
        "way": way,
        "exit": code,
        "tested": named("TESTING DONE"),
        "unsupported_by_ccxt": named("UNSUPPORTED_TEST"),
        "skipped": named("SKIPPED_TEST"),
        "failures": failures,
        "warnings": [line for line in said.splitlines() if "[TEST_WARNING]" in line],
        "output": said,
    }


def main() -> None:
    venues = [name for name in sys.argv[1:] if name in VENUES] or list(VENUES)
    ways = [name for name in sys.argv[1:] if name in WAYS] or list(WAYS)
    results = [run(venue, way) for venue in venues for way in ways]
    for result in results:
        if not result["failures"] and result["exit"] == 0:
            del result["output"]
    sys.stdout.write(json.dumps(results, indent=2) + "\n")
    sys.exit(any(result["failures"] or result["exit"] for result in results))


if __name__ == "__main__":
    main()
