"""The import contracts of pyproject.toml can be broken: each by the line it exists against."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.house.rules import ROOT

PLANTED = {
    "layers": ("copyplugin/domain", "import copyplugin.store"),
    "adapters": ("copyplugin/venues", "import copyplugin.store"),
    "domain": ("copyplugin/domain", "import random"),
    "domain-is-sync": ("copyplugin/domain", "import asyncio"),
    "sql": ("copyplugin/engine", "import sqlalchemy"),
    "ccxt": ("copyplugin/engine", "import ccxt"),
    "plugin-and-web": ("copyplugin/engine", "import web"),
    "plugin-and-exchange": ("copyplugin/engine", "import simexchange"),
    "pages": ("web", "import copyplugin.engine"),
    "exchange-alone": ("simexchange", "import copyplugin"),
    "core-alone": ("simexchange/core", "import simexchange.market"),
    "core-pure": ("simexchange/core", "import time"),
}


def test_every_contract_is_broken_by_the_import_it_forbids(tmp_path: Path):
    settings = ROOT / "pyproject.toml"
    tool = tomllib.loads(settings.read_text())["tool"]["importlinter"]
    names = {contract["id"]: contract["name"] for contract in tool["contracts"]}
    for package in tool["root_packages"]:
        ignored = shutil.ignore_patterns("__pycache__", "static", "templates", "translations")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    for folder, line in PLANTED.values():
        with (tmp_path / folder / "planted.py").open("a") as module:
            module.write(line + "\n")

    tool_path = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [tool_path, "--config", settings, "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert names.keys() == PLANTED.keys()
    kept = [name for name in names.values() if f"{name} BROKEN" not in done.stdout]
    assert not kept, done.stdout + done.stderr
