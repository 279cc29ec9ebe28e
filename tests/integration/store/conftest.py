from collections.abc import Iterator

import pytest

from copyplugin.store.database import Database, open_database, upgrade_database


@pytest.fixture
def url(tmp_path) -> str:
    return f"sqlite:///{tmp_path / 'plugin.db'}"


@pytest.fixture
def database(url) -> Iterator[Database]:
    upgrade_database(url)
    database = open_database(url)
    yield database
    database.close()
