"""What the scripts in Python have in common: steps that ask, and compare with what must come."""

import json
import os
from collections.abc import Callable

URL = os.environ["EXCHANGE_URL"]
SOCKETS = URL.replace("http", "ws")
KEY, SECRET = os.environ["EXCHANGE_KEY"], os.environ["EXCHANGE_SECRET"]
SYMBOL = "BTCUSDT"
found: dict[str, object] = {}


def step(name: str, ask: Callable[[], object], want: object) -> None:
    """Compare what ``ask`` returns with ``want``; a step that fails leaves the others alone."""
    try:
        got = ask()
    except Exception as error:
        found[name] = {"error": repr(error)[:500], "want": want}
    else:
        found[name] = "ok" if got == want else {"got": got, "want": want}


def finish() -> None:
    print(json.dumps(found))
