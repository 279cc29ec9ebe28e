from collections.abc import Iterator
from types import CodeType

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache

from copyplugin.operator_questions import OperatorQuestions
from copyplugin.settings import Settings
from copyplugin.store.database import Database
from copyplugin.store.queries import Queries
from tests.web.builders import FakeCommands, FixedClock, SmallWorld, World, small_world
from tests.world_files import WorldFile, world_files
from web.app import create_app, live_hub
from web.settings import WebSettings


@pytest.fixture
def world_file() -> Iterator[WorldFile]:
    file = world_files().take()
    yield file
    world_files().give_back(file)


@pytest.fixture
def database(world_file) -> Iterator[Database]:
    database = world_file.hold_with_writer()
    yield database
    database.close()


@pytest.fixture
def database_url(world_file) -> str:
    """Return the address of `database`, for whoever opens it as another process does."""
    return world_file.url


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


class KeptTemplates(BytecodeCache):
    """Compiles a template once for all applications of a test run, as one process does in earnest.

    Half the time of these tests went into compiling the same templates.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session")
def templates() -> KeptTemplates:
    return KeptTemplates()


@pytest.fixture
def app(queries, commands, settings, templates, database, clock) -> Iterator[Flask]:
    operator = OperatorQuestions(database, clock, Settings())
    app = create_app(queries, commands, settings, operator=operator)
    app.jinja_env.bytecode_cache = templates
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
