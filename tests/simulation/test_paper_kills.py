"""What dies, and what comes back, while somebody follows with play money."""

import pytest

from copyplugin.domain.command import CommandState
from copyplugin.domain.follow import FollowState
from copyplugin.domain.identifiers import FollowId
from copyplugin.errors import OutcomeUnknown
from copyplugin.store.queries.follow_statement import follow_statement
from copyplugin.store.rows import (
    CopyOrderRow,
    FollowRow,
    TransferRow,
)
from copyplugin.venues import paper_market
from tests.simulation.copy_world import Market, Plugin
from tests.simulation.pair import SOL
from tests.simulation.paper_pair import (
    Died,
    MortalPlugin,
    PaperPair,
    restart,
    start_pair,
    start_plugin,
)


@pytest.fixture
async def plugin(tmp_path, market):
    made = await start_plugin(tmp_path, market)
    yield made
    made.close()


@pytest.fixture
async def pair(plugin, market):
    return await start_pair(plugin, market)


async def test_a_process_that_dies_finds_everything_again(pair, plugin):
    await pair.buy(10)
    await restart(pair)
    await pair.sell(4)
    assert await pair.held_on_paper() == pair.held() == 6
    await restart(pair)
    await pair.sell(6)
    assert await pair.held_on_paper() == 0
    await plugin.run_jobs("settle", "reconcile")
    with plugin.database.read() as session:
        assert follow_statement(session, FollowId(pair.paper_id)).difference == 0


async def test_what_comes_back_from_a_snapshot_is_all_that_was(pair, plugin, monkeypatch):
    monkeypatch.setattr(paper_market, "SNAPSHOT_AFTER", 1)
    await pair.buy(10)
    await plugin.run_jobs("marks")
    [order] = [row for row in pair.rows(CopyOrderRow) if row.client_order_id.startswith("cp")][-1:]
    account = pair.paper_follow.sub_account
    orders = {
        row.client_order_id: await plugin.paper.find_order(account, SOL, row.client_order_id)
        for row in pair.rows(CopyOrderRow)
    }

    await restart(pair)

    exchange = pair.paper_exchange()
    assert exchange.recovery.snapshot_sequence > 0
    assert exchange.recovery.replayed < 5
    for client_order_id, report in orders.items():
        assert await plugin.paper.find_order(account, SOL, client_order_id) == report
    assert order.client_order_id in orders
    await pair.sell(10)
    assert await pair.held_on_paper() == 0


@pytest.fixture
async def mortal(tmp_path, market):
    MortalPlugin.losses = []
    made = MortalPlugin(tmp_path, market, paper=True)
    await made.start()
    yield made
    made.close()


async def test_an_order_in_doubt_is_asked_for_and_not_sent_again(mortal, market):
    pair = await PaperPair(mortal, market).start()
    await pair.start_paper()
    mortal.losses.append(OutcomeUnknown("the answer was lost"))

    await pair.buy(10)
    await mortal.run_jobs("copy")

    assert await pair.held_on_paper() == 10
    assert pair.lanes(pair.paper_id) == pair.lanes(pair.follow_id)


async def test_a_process_killed_after_its_order_was_filled_finds_the_fill(mortal, market):
    pair = await PaperPair(mortal, market).start()
    await pair.start_paper()
    mortal.losses.append(Died())

    with pytest.raises(Died):
        await pair.buy(10)
    await restart(pair)
    await mortal.run_jobs("copy")

    assert await pair.held_on_paper() == pair.held() == 10
    assert pair.lanes(pair.paper_id) == pair.lanes(pair.follow_id)
    await pair.sell(10)
    assert await pair.held_on_paper() == 0


async def test_play_money_moves_once_when_the_process_dies_while_it_moves(mortal, market):
    pair = await PaperPair(mortal, market).start()
    mortal.losses.append(Died())

    with pytest.raises(Died):
        await pair.start_paper()
    await restart(pair)
    await mortal.run_jobs()

    [follow] = pair.rows(FollowRow, FollowRow.paper)
    assert follow.state is FollowState.PENDING
    assert (await mortal.paper.balance(follow.sub_account)).contract_wallet == 1000


async def test_play_money_of_another_database_is_not_taken_for_ones_own(pair, plugin, tmp_path):
    await pair.buy(10)
    plugin._let_go()
    stranger = Plugin(tmp_path / "elsewhere", Market())
    stranger._let_go()
    stranger.paper_folder = plugin.paper_folder
    stranger.open()
    await stranger.start()
    other = await PaperPair(stranger, stranger.market).start()

    answer = await other.start_paper()  # its number is that of a follow of the first database

    stranger.close()
    assert answer.state is CommandState.REFUSED
    assert "was used before" in answer.message
    assert other.rows(TransferRow, TransferRow.from_account.startswith("paper-")) == []
