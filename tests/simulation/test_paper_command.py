"""`copyplugin paper`, beside an engine; and who may do what with a follow with play money."""

import json

import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import FollowState
from copyplugin.engine.surroundings import Work
from copyplugin.store.rows import CommandRow, FollowRow
from tests.simulation.paper_pair import PaperPair, start_pair, start_plugin


@pytest.fixture
async def plugin(tmp_path, market):
    made = await start_plugin(tmp_path, market)
    yield made
    made.close()


async def run(plugin, *words: str):
    """Run the command beside the engine, and let the engine do what it wrote down."""
    answer = CliRunner().invoke(main, ["paper", *words, "--database", plugin.url])
    plugin.dispatcher.announce(Work.COMMANDS)
    await plugin.settle()
    return answer


async def test_a_follow_with_play_money_is_started_listed_and_stopped(plugin, market):
    pair = await PaperPair(plugin, market).start()
    follow = "mode=multiple,factor=0.5,amount=900,bound=0.02,instruments=SOLUSDT"

    started = await run(
        plugin, "start", "--leader", "1", "--follower", "1", "--follow", follow, "--by", "ann"
    )
    await pair.buy(10)
    listed = await run(plugin, "list", "--json")

    assert started.exit_code == 0, started.output
    [follow_row] = pair.rows(FollowRow, FollowRow.paper)
    [line] = json.loads(listed.output)
    assert line["follow_id"] == follow_row.id
    assert (line["copy_amount"], line["state"], line["positions"]) == ("900.00000000", "copying", 1)
    assert line["follower"] == str(pair.follower)
    pair.paper_id = follow_row.id
    assert await pair.held_on_paper() == 5

    stopped = await run(plugin, "stop", "--follow", str(follow_row.id), "--by", "ann")
    await plugin.run_jobs()

    assert stopped.exit_code == 0, stopped.output
    assert pair.paper_follow.state is FollowState.CLOSED
    assert "closed" in (await run(plugin, "list")).output
    actors = {row.actor for row in pair.rows(CommandRow, CommandRow.kind == "end_follow")}
    assert actors == {"administrator:ann"}


async def test_a_follow_with_real_money_is_not_stopped_here(plugin, market):
    pair = await PaperPair(plugin, market).start()

    answer = await run(plugin, "stop", "--follow", str(pair.follow_id))

    assert answer.exit_code == 2
    assert "is with real money" in answer.output
    assert pair.follow.state is FollowState.PENDING


async def test_settings_that_cannot_be_read_get_a_sentence(plugin, market):
    await PaperPair(plugin, market).start()

    answer = await run(
        plugin, "start", "--leader", "1", "--follower", "1", "--follow", "mode=fixed"
    )
    stranger = await run(
        plugin, "start", "--leader", "9", "--follower", "1", "--follow", "mode=fixed,amount=100"
    )

    assert (answer.exit_code, stranger.exit_code) == (2, 2)
    assert "amount is missing" in answer.output
    assert "no leader number 9" in stranger.output


async def test_his_play_money_is_a_persons_own(plugin, market):
    pair = await start_pair(plugin, market)
    other = market.open_account("another", spot=10)
    await plugin.command(CommandKind.REGISTER_FOLLOWER, account=str(other))
    halt = {"scope": "follow", "follow_id": pair.paper_id}
    end = {"follow_id": pair.paper_id, "how": "close_now"}

    for kind, given in ((CommandKind.HALT_COPYING, halt), (CommandKind.END_FOLLOW, end)):
        twin = pair.paper_follow.follower_id
        for stranger in (f"follower:{twin + 1}", f"follower:{twin}"):
            refused = await plugin.command(kind, actor=stranger, **given)
            assert refused.message == "This is not a follow of yours."
        done = await plugin.command(kind, actor="follower:1", **given)
        assert done.state is CommandState.DONE, done.message
