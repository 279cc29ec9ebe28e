"""The plugin as an exchange embeds it: its own loop, commands from other threads."""

import asyncio
import threading
from concurrent.futures import Future

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.errors import ConfigurationError, Refused
from copyplugin.plugin import CopyPlugin
from copyplugin.settings import Settings
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.types import MONEY_SCALE, PositionSide, Side
from tests.databases import migrated_sqlite
from tests.simulation.copy_world import AMPLE, ExchangeClock, Market


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def call(self, function, *arguments):
        result: Future[object] = Future()
        self._loop.call_soon_threadsafe(lambda: result.set_result(function(*arguments)))
        return result.result(30)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()


@pytest.fixture
def market():
    return Market()


@pytest.fixture
def loop():
    made = Loop()
    yield made
    made.stop()


@pytest.fixture
def plugin(tmp_path, market, loop):
    url = migrated_sqlite(tmp_path)
    venue = SimulatedVenue(market.simulation)
    made = CopyPlugin(Settings(database_url=url), venue, ExchangeClock(market.clock))
    loop.run(made.start())
    yield made
    loop.run(made.stop())


def submit(plugin, kind, key, **arguments):
    return plugin.commands.submit(kind, arguments, actor="test", idempotency_key=key)


def test_a_follow_started_from_another_thread_copies(plugin, market, loop):
    leader = market.open_account("leader", contract=AMPLE)
    follower = market.open_account("follower", spot=5000 * MONEY_SCALE)
    instruments = ["BTCUSDT", "SOLUSDT"]
    added = submit(
        plugin,
        CommandKind.ADD_LEADER,
        "1",
        account=str(leader),
        nickname="Ann",
        instruments=instruments,
    )
    registered = submit(plugin, CommandKind.REGISTER_FOLLOWER, "2", account=str(follower))
    started = submit(
        plugin,
        CommandKind.START_FOLLOW,
        "3",
        leader_id=added.result["leader_id"],
        follower_id=registered.result["follower_id"],
        mode="fixed",
        copy_amount="1000",
        instruments=instruments,
    )
    assert (started.state, started.message) == (CommandState.DONE, "Copying has started.")

    def trade() -> None:
        market.offer("SOLUSDT", Side.SELL, 20)
        market.trade(leader, "SOLUSDT", Side.BUY, 10, PositionSide.LONG)

    loop.call(trade)

    deadline = threading.Event()
    for _ in range(1000):
        copies = plugin.queries.copies(registered.result["follower_id"])
        if copies.open_positions:
            break
        deadline.wait(0.01)
    [position] = copies.open_positions
    assert position.contracts == 10


def test_the_same_key_gives_the_same_answer_and_another_request_is_refused(plugin, market):
    follower = str(market.open_account("follower"))

    first = submit(plugin, CommandKind.REGISTER_FOLLOWER, "1", account=follower)
    again = submit(plugin, CommandKind.REGISTER_FOLLOWER, "1", account=follower)
    assert again == first

    with pytest.raises(Refused, match="another request"):
        submit(plugin, CommandKind.REGISTER_FOLLOWER, "1", account="somebody else")


@pytest.mark.parametrize(
    ("kind", "arguments", "sentence"),
    [
        (CommandKind.ADD_LEADER, {"account": "999"}, "The venue knows no account 999"),
        (CommandKind.ADD_LEADER, {}, "Account is missing."),
        (CommandKind.EDIT_LEADER, {"leader_id": 7}, "There is no leader number 7."),
        (CommandKind.END_FOLLOW, {"follow_id": 7, "how": "close_now"}, "There is no follow"),
        (CommandKind.END_FOLLOW, {"follow_id": "x"}, "Follow id must be a whole number"),
        (CommandKind.CLOSE_POSITION, {"copied_position_id": 7}, "There is no position number 7."),
        (CommandKind.REGISTER_FOLLOWER, {"account": "0"}, "The venue knows no account 0"),
        (CommandKind.PIN_LEADER, {"leader_id": 1, "pinned": 1}, "Pinned must be true or false"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_sentence(plugin, kind, arguments, sentence):
    answer = submit(plugin, kind, "1", **arguments)

    assert answer.state is CommandState.REFUSED
    assert answer.message.startswith(sentence)


def test_a_database_without_tables_is_refused_with_what_to_do(tmp_path, market):
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'new.db'}")
    (tmp_path / "new.db").touch()

    with pytest.raises(ConfigurationError, match="run `copyplugin db upgrade`"):
        CopyPlugin(settings, SimulatedVenue(market.simulation), ExchangeClock(market.clock))
