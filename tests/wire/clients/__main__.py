"""Trade with further clients on served exchanges; tell of each step whether the values were right.

    python -m tests.wire.clients [NAME …] [--home DIR]

fetches what it needs from the registries into ``--home``, prints JSON, and ends with 1 when a step
was wrong. Without names: all.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from tests.wire.clients.packages import CLIENTS, installed, run
from tests.wire.rig import Rig


def tried(name: str, home: Path) -> dict[str, object]:
    """Return what became of each step of a client."""
    client = CLIENTS[name]
    folder = installed(client, home)
    with Rig() as rig:
        surroundings = {"EXCHANGE_URL": rig.url, "PATH": os.environ["PATH"]}
        for suffix in ("", "_BYBIT", "_BINANCEUSDM"):
            key = rig.key(rig.open(contract=10_000))
            surroundings[f"EXCHANGE_KEY{suffix}"] = key.key
            surroundings[f"EXCHANGE_SECRET{suffix}"] = key.secret
        steps = json.loads(run(client, folder, surroundings))
    return {"package": client.package, "version": client.version, "steps": steps}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.wire.clients")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CLIENTS))
    parser.add_argument("--home", type=Path, default=Path("var/clients"))
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in CLIENTS]
    if unknown:
        sys.exit(f"there is no client {unknown[0]}; choose from {', '.join(CLIENTS)}")
    found = {name: tried(name, asked.home.resolve()) for name in asked.names or CLIENTS}
    print(json.dumps(found, indent=2))
    is_well = all(step == "ok" for each in found.values() for step in each["steps"].values())
    sys.exit(0 if is_well else 1)


if __name__ == "__main__":
    main()
