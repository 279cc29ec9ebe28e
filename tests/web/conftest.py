from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from copyplugin.store.database import Database, open_database, upgrade_database
from copyplugin.store.queries import Queries
from tests.web.builders import FakeCommands, FixedClock, SmallWorld, World, small_world
from web.app import create_app, live_hub
from web.settings import WebSettings


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """Return an empty database at the newest schema, migrated once and copied for each test."""
    path = tmp_path_factory.mktemp("schema") / "empty.db"
    upgrade_database(f"sqlite:///{path}")
    return path


@pytest.fixture
def database(migrated, tmp_path) -> Iterator[Database]:
    path = tmp_path / "plugin.db"
    path.write_bytes(migrated.read_bytes())
    database = open_database(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def world(database) -> World:
    return World(database)


@pytest.fixture
def small(world) -> SmallWorld:
    return small_world(world)


@pytest.fixture
def queries(database, clock) -> Queries:
    return Queries(database, clock)


@pytest.fixture
def commands(database, clock) -> FakeCommands:
    return FakeCommands(database, clock)


@pytest.fixture
def settings() -> WebSettings:
    return WebSettings(secret_key="for tests only", demo_identity=True, live_period_seconds=0.05)


@pytest.fixture
def app(queries, commands, settings) -> Iterator[Flask]:
    app = create_app(queries, commands, settings)
    app.testing = True
    app.config["WTF_CSRF_ENABLED"] = False  # the tests of CSRF turn it on
    yield app
    live_hub(app).stop()


@pytest.fixture
def client(app) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def ben(client, small) -> FlaskClient:
    """Return a client that is signed in as Ben."""
    client.post("/whoami", data={"follower_id": small.ben})
    return client
