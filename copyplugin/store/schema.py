"""The database's schema and its migrations, found wherever the package is installed."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

import migrations
from copyplugin.errors import ConfigurationError

EMPTY = "base"


@cache
def head() -> str:
    """Return the revision this program is written for: a program's files do not change."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None
    return revision


def current(connection: Connection) -> str | None:
    """Return the revision the database is at; None where it has no tables of ours."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database up to that revision, in one transaction."""
    with engine.begin() as connection:
        command.upgrade(_config(connection), revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Bring the database back down to that revision; `EMPTY` removes everything."""
    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def check(engine: Engine) -> None:
    """Raise `ConfigurationError` unless the schema is the one this program is written for."""
    with engine.connect() as connection:
        found = current(connection)
    wanted = head()
    if found is None:
        raise ConfigurationError("the database has no tables yet: run `copyplugin db upgrade`")
    if found == wanted:
        return
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found in known:
        raise ConfigurationError(
            f"the database is at schema {found} and this program needs {wanted}: "
            "run `copyplugin db upgrade`"
        )
    raise ConfigurationError(
        f"the database is at schema {found}, which this program does not know: "
        "install the version that made it, or a newer one"
    )


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    # A percent sign in a path would be read as the start of a variable.
    folder = str(Path(migrations.__file__).parent).replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    return config
