"""`run` on machines that lack something, are interrupted, or are used twice at once.

The machine is a folder of commands; Python on it is a script that notes what it was asked to do.
"""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.house.rules import ROOT

COMMANDS = [
    # all that a bare machine has
    "cat",
    "cksum",
    "cp",
    "dirname",
    "ln",
    "mkdir",
    "mv",
    "readlink",
    "rm",
    "rmdir",
    "sed",
    "sh",
    "sleep",
    "tail",
]
NEEDED = ["run", "pyproject.toml", "hatch_build.py", "package.json", "package-lock.json", ".npmrc"]
WHOLE = "ran -m web.demo"

pytestmark = pytest.mark.timeout(30)  # they wait for each other; a whole run takes a second

# What is started in the background or by nohup ignores signals, and so does all it starts; a shell
# may not even catch what was ignored when it began. These tests interrupt it, so it begins anew.
AS_FROM_A_TERMINAL = (
    sys.executable,
    "-c",
    (
        "import os, signal, sys\n"
        "for number in (signal.SIGHUP, signal.SIGINT):\n"
        "    signal.signal(number, signal.SIG_DFL)\n"
        "os.execv(sys.argv[1], sys.argv[1:])"
    ),
)

PYTHON = """#!/bin/sh
case "$*" in
    *'print("%d.%d"'*) echo "$VERSION" ;;
    *'sys.exit(sys.version_info'*) [ "$VERSION" != 3.9 ] ;;
    *ensurepip*) [ -z "${WITHOUT_VENV:-}" ] ;;
    *'print(time.time())'*) echo 0 ;;
    *'import sys, time'*) echo '0.0 s' ;;
    '-m venv '*)
        echo "$*" >>"$CALLS"
        mkdir -p "$3/bin"
        cp "$0" "$3/bin/python"
        echo "command = $0 $*" >"$3/pyvenv.cfg"
        ;;
    '-m pip --version') ;;
    '-m pip install '*)
        echo "$*" >>"$CALLS"
        case "${PIP:-}$*" in
            fails*--editable*) echo 'no matching distribution'; exit 1 ;;
            hangs*--editable*) echo started >"$STARTED"; exec cat "$GO" ;;
        esac
        ;;
    *) echo "ran $*" ;;
esac
"""


@dataclass
class Machine:
    """A computer with few commands, and the repository's tree on it."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def tree(self) -> Path:
        return self.folder / "the tree"

    @property
    def calls(self) -> list[str]:
        """What was asked of Python, environments and packages only, in order."""
        notes = self.folder / "calls"
        return notes.read_text().splitlines() if notes.exists() else []

    def start(
        self, *words: str, through: Sequence[str] = (), **settings: str
    ) -> subprocess.Popen[str]:
        paths = {name.upper(): str(self.folder / name) for name in ("calls", "started", "go")}
        return subprocess.Popen(
            [*through, self.tree / "run", *words],
            cwd="/",
            env={"PATH": str(self.folder / "bin")} | paths | self.settings | settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words, **settings)
        out, err = process.communicate()
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def start_and_wait_for_pip(self, *words: str) -> subprocess.Popen[str]:
        """Return when packages are being installed; they will be until `let_pip_go`."""
        process = self.start(*words, PIP="hangs", through=AS_FROM_A_TERMINAL)
        (self.folder / "started").read_text()
        return process

    def let_pip_go(self) -> None:
        (self.folder / "go").write_text("")


@pytest.fixture
def bare(tmp_path: Path) -> Machine:
    """Return a machine without Python."""
    machine = Machine(tmp_path)
    (tmp_path / "bin").mkdir()
    for command in COMMANDS:
        found = shutil.which(command) or shutil.which(command, path="/usr/bin:/bin")
        assert found, f"this test needs the command {command}"
        (tmp_path / "bin" / command).symlink_to(found)
    machine.tree.mkdir()
    for name in NEEDED:
        shutil.copy(ROOT / name, machine.tree)
    for name in ("started", "go"):
        os.mkfifo(tmp_path / name)
    return machine


@pytest.fixture
def machine(bare: Machine) -> Machine:
    """Return a machine with a Python that will do."""
    python = bare.folder / "bin" / "python3"
    python.write_text(PYTHON)
    python.chmod(0o755)
    bare.settings["VERSION"] = "3.11"
    return bare


def is_one_sentence(text: str) -> bool:
    return text.count("\n") == 1 and text.startswith("run: ") and text.endswith(".\n")


@pytest.mark.parametrize(("shell", "script"), [("sh", "run"), ("bash", ".ci/run")])
def test_a_script_is_what_its_first_line_says(shell: str, script: str):
    shellcheck = Path(sys.executable).parent / "shellcheck"

    done = subprocess.run(
        [shellcheck, f"--shell={shell}", ROOT / script], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_shellcheck_would_report_what_only_bash_understands(tmp_path: Path):
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n[[ -n $1 ]] && source ./other\n")

    done = subprocess.run([Path(sys.executable).parent / "shellcheck", script], check=False)

    assert done.returncode == 1


def test_without_a_word_it_explains_itself_and_touches_nothing(bare: Machine):
    before = sorted(bare.tree.iterdir())

    done = bare.run()

    assert done.returncode == 0
    assert "./run" in done.stdout
    assert sorted(bare.tree.iterdir()) == before


def refuses(machine: Machine, *words: str) -> bool:
    done = machine.run("demo")
    assert done.returncode == 3
    assert is_one_sentence(done.stderr), done.stderr
    assert not list(machine.tree.glob(".venv*")), "something half made was left"
    return all(word in done.stderr for word in words)


def test_no_python_is_one_sentence(bare: Machine):
    assert refuses(bare, "install Python 3.11 or newer", "python3-venv")


def test_an_old_python_is_one_sentence(machine: Machine):
    machine.settings["VERSION"] = "3.9"

    assert refuses(machine, "Python 3.9 is too old", "install Python 3.11 or newer")


def test_a_python_without_venv_is_one_sentence_that_names_the_package(machine: Machine):
    machine.settings["WITHOUT_VENV"] = "yes"

    assert refuses(machine, "install the package python3.11-venv")


def test_a_named_python_that_is_not_there_is_one_sentence(machine: Machine):
    machine.settings["PYTHON"] = "/nowhere/python"

    assert refuses(machine, "/nowhere/python was not found")


def test_a_command_that_only_looks_like_python_is_passed_over(machine: Machine):
    (machine.folder / "bin" / "python3").rename(machine.folder / "bin" / "python3.11")
    shim = machine.folder / "bin" / "python3"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)

    assert machine.run("demo").stdout.strip() == WHOLE


def test_the_environment_is_made_once(machine: Machine):
    first, second = machine.run("demo", "--port", "1"), machine.run("demo")

    assert first.stdout.strip() == WHOLE + " --port 1"
    assert second.stdout.strip() == WHOLE
    assert second.stderr == ""
    assert len(machine.calls) == 3  # the environment, pip, the packages


def test_packages_for_checks_come_with_the_first_word_that_needs_them(machine: Machine):
    machine.run("demo")
    assert not any("--group" in call for call in machine.calls)

    assert machine.run("test", "-e", "lint").stdout.strip() == "ran -m tox --current-env -e lint"
    assert sum("--group" in call for call in machine.calls) == 1


def test_a_change_of_the_lock_file_installs_again(machine: Machine):
    machine.run("demo")
    with (machine.tree / "package-lock.json").open("a") as lock:
        lock.write("\n")

    machine.run("demo")

    assert sum("--editable" in call for call in machine.calls) == 2
    assert sum("-m venv" in call for call in machine.calls) == 1


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_moved_tree_gets_an_environment_of_its_own(machine: Machine, *, by_hand: bool):
    machine.run("demo")
    if by_hand:
        forget_who_made_it(machine)
    moved = Machine(machine.folder / "elsewhere", machine.settings)
    moved.folder.mkdir()
    machine.tree.rename(moved.tree)
    (moved.folder / "bin").symlink_to(machine.folder / "bin")

    assert moved.run("demo").stdout.strip() == WHOLE
    assert sum("-m venv" in call for call in moved.calls) == 1


def test_an_environment_made_by_hand_is_completed_and_kept(machine: Machine):
    machine.run("demo")
    forget_who_made_it(machine)

    assert machine.run("demo").stdout.strip() == WHOLE
    assert sum("-m venv" in call for call in machine.calls) == 1
    assert sum("--editable" in call for call in machine.calls) == 2


def forget_who_made_it(machine: Machine) -> None:
    for name in ("made", "ready-demo"):
        (machine.tree / ".venv" / name).unlink()


def test_an_unknown_word_is_one_sentence(machine: Machine):
    machine.run("python", "-c", "pass")

    done = machine.run("nosuch")

    assert done.returncode == 127
    assert "neither a word nor a command 'nosuch'" in done.stderr


def test_a_failed_installation_shows_why_and_where_the_rest_is(machine: Machine):
    done = machine.run("demo", PIP="fails")

    assert done.returncode == 1
    assert "no matching distribution" in done.stderr
    assert str(machine.tree / "var" / "setup.log") in done.stderr
    assert machine.run("demo").stdout.strip() == WHOLE


def test_a_failed_update_keeps_the_environment_that_was_whole(machine: Machine):
    machine.run("demo")
    (machine.tree / "pyproject.toml").write_text("# other packages\n")
    machine.run("demo", PIP="fails")

    machine.run("demo")

    assert sum("-m venv" in call for call in machine.calls) == 1


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_set_up_is_never_taken_for_a_whole_one(
    machine: Machine, number: signal.Signals
):
    process = machine.start_and_wait_for_pip("demo")
    process.send_signal(number)
    if number is signal.SIGKILL:
        machine.let_pip_go()  # nobody was left to end it
    process.communicate()

    assert process.returncode == (-number if number is signal.SIGKILL else 128 + number)
    assert machine.run("demo").stdout.strip() == WHOLE
    assert sum("-m venv" in call for call in machine.calls) == 2
    assert {path.name for path in machine.tree.glob(".venv*")} == {".venv"}


def test_of_two_at_once_one_waits_for_the_other(machine: Machine):
    first = machine.start_and_wait_for_pip("demo")
    second = machine.start("demo")
    assert second.stderr is not None
    assert f"process {first.pid} is setting up" in second.stderr.readline()

    machine.let_pip_go()

    assert [process.communicate()[0].strip() for process in (first, second)] == [WHOLE, WHOLE]
    assert sum("--editable" in call for call in machine.calls) == 1


def test_exit_codes_go_straight_through(machine: Machine):
    assert machine.run("sh", "-c", "exit 7").returncode == 7
