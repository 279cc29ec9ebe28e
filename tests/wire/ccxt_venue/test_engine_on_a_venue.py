"""The copy engine on a served venue: accounts connected by command, a leader who is followed."""

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.plugin import CopyPlugin
from copyplugin.settings import load_settings
from copyplugin.store.database import upgrade_database
from copyplugin.system_clock import SystemClock
from copyplugin.venue_choice import chosen_venue, venue_keys
from simexchange.core import commands
from simexchange.core.types import OrderKind, PositionMode, PositionSide, Side
from simexchange.server.keys import FULL, READ_ONLY, Grant
from tests.wire.rig import SYMBOL, Rig


@pytest.fixture
def surroundings(tmp_path, served: Rig, dialect: str, monkeypatch):
    given = {
        "DATABASE_URL": f"sqlite:///{tmp_path / 'plugin.db'}",
        "VENUE": dialect,
        "VENUE_ADDRESS": served.url,
        "VENUE_KEYS_FILE": str(tmp_path / "keys.json"),
        "VENUE_IS_BROKER": "true",
        "VENUE_RECEIVE_WINDOW_MILLISECONDS": "500",
        "COPY_SWEEP_SECONDS": "1",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"COPYPLUGIN_{name}", value)
    upgrade_database(given["DATABASE_URL"])
    return given


def connect(served: Rig, account: int, grant: Grant, *more: str):
    key = served.key(account, grant)
    words = ["keys", "add", "--key", key.key, "--secret", key.secret, *more]
    return CliRunner().invoke(main, words)


async def submit(plugin: CopyPlugin, kind: CommandKind, key: str, **arguments):
    answer = await asyncio.to_thread(
        plugin.commands.submit, kind, arguments, actor="test", idempotency_key=key
    )
    assert answer.state is CommandState.DONE, answer.message
    return answer.result


async def test_a_leaders_trades_are_copied_on_the_venue(surroundings, served: Rig) -> None:
    leader, follower = served.open(contract=100_000), served.open(contract=0, spot=5_000)
    served.apply(commands.SetPositionMode(leader, PositionMode.HEDGE))
    for account, grant, words in ((leader, READ_ONLY, ["--read-only"]), (follower, FULL, [])):
        connected = await asyncio.to_thread(connect, served, account, grant, *words)
        assert connected.exit_code == 0, connected.output
    settings = load_settings()
    venue = chosen_venue(settings)
    plugin = CopyPlugin(settings, venue, SystemClock())
    await plugin.start()
    try:
        terms = {"account": str(leader), "nickname": "Ann", "instruments": [SYMBOL]}
        added = await submit(plugin, CommandKind.ADD_LEADER, "1", **terms)
        who = await submit(plugin, CommandKind.REGISTER_FOLLOWER, "2", account=str(follower))
        await submit(
            plugin,
            CommandKind.START_FOLLOW,
            "3",
            leader_id=added["leader_id"],
            follower_id=who["follower_id"],
            mode="fixed",
            copy_amount="1000",
            instruments=[SYMBOL],
        )
        await asyncio.to_thread(trade, served, leader, Side.BUY, 10)
        await copied(plugin, who["follower_id"], 10)
        await asyncio.to_thread(trade, served, leader, Side.SELL, 4)
        await copied(plugin, who["follower_id"], 6)
        [sub] = [known for known in venue.keys.accounts() if known.owner == str(follower)]
        number = int(sub.account)
        view = served.call(lambda: served.exchange.position(number, SYMBOL, PositionSide.LONG))
        assert view.contracts == 6
    finally:
        await plugin.stop()
        await venue.close()


def trade(served: Rig, leader: int, side: Side, contracts: int) -> None:
    served.apply(
        commands.PlaceOrder(
            leader,
            SYMBOL,
            side,
            contracts,
            OrderKind.MARKET,
            position_side=PositionSide.LONG,
        )
    )


async def copied(plugin: CopyPlugin, follower_id: int, contracts: int) -> None:
    async with asyncio.timeout(20):
        while True:
            found = await asyncio.to_thread(plugin.queries.copies, follower_id)
            if [each.contracts for each in found.open_positions] == [contracts]:
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("dialect", ["bybit"])
def test_a_key_is_taken_for_what_the_venue_says_of_it(surroundings, served: Rig, dialect) -> None:
    account = served.open()
    refused = connect(served, account, Grant(trade=True, withdraw=True))
    assert (refused.exit_code, "cannot, and delete this one" in refused.output) == (2, True)
    reader = connect(served, account, READ_ONLY)
    assert (reader.exit_code, "--read-only for a leader" in reader.output) == (2, True)
    assert venue_keys(load_settings()).accounts() == ()
    done = connect(served, account, FULL)
    assert done.output == f"Account {account} is connected: trades, cannot withdraw.\n"
    assert CliRunner().invoke(main, ["keys", "list"]).output == f"{account}\n"
    wrong = CliRunner().invoke(main, ["keys", "add", "--key", "nobody", "--secret", "s"])
    assert (wrong.exit_code, "does not take this key" in wrong.output) == (1, True)
    assert CliRunner().invoke(main, ["keys", "forget", str(account)]).exit_code == 0
    assert CliRunner().invoke(main, ["keys", "list"]).output.startswith("No account")


@pytest.mark.parametrize("dialect", ["bybit"])
def test_the_engine_command_runs_until_it_is_told_to_stop(
    surroundings, served: Rig, dialect
) -> None:
    key = served.key(served.open(), FULL)
    accounts = json.dumps([{"account": "1", "key": key.key, "secret": key.secret}])
    process = subprocess.Popen(
        [sys.executable, "-m", "copyplugin", "engine"],
        env={**os.environ, "COPYPLUGIN_VENUE_KEYS": accounts},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "The copy engine runs on bybit. Ctrl-C ends it.\n"
    process.send_signal(signal.SIGTERM)
    said, complained = process.communicate(timeout=30)
    assert (process.returncode, said) == (0, "")
    assert key.secret not in complained
    assert "Traceback" not in complained
