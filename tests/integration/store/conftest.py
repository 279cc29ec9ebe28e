from collections.abc import Iterator

import pytest

from copyplugin.store.database import Database, open_database


@pytest.fixture
def url(kind, request) -> str:
    """Return a database without tables, or the one that the fixture `database` has open."""
    wanted = "migrated_url" if "database" in request.fixturenames else "empty_url"
    return request.getfixturevalue(wanted)


@pytest.fixture
def database(url) -> Iterator[Database]:
    database = open_database(url)
    yield database
    database.close()
