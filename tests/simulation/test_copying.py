"""The main job: what a leader does, his followers' sub-accounts do."""

from decimal import Decimal

import pytest

from copyplugin.domain.command import CommandKind
from copyplugin.domain.follow import FollowState
from copyplugin.store import follows, ledger
from simexchange.core.types import MONEY_SCALE, PositionSide, Side
from tests.simulation.copy_world import AMPLE, Market, Plugin

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


@pytest.fixture
def market():
    return Market()


@pytest.fixture
async def plugin(tmp_path, market):
    made = Plugin(tmp_path, market)
    await made.start()
    yield made
    made.close()


async def test_a_follower_opens_and_closes_with_his_leader(market, plugin):
    leader = market.open_account("leader", contract=AMPLE)
    follower = market.open_account("follower", spot=5000 * MONEY_SCALE)
    leader_id = await plugin.add_leader(leader)
    started = await plugin.follow(leader_id, follower)
    assert started.message == "Copying has started."

    market.offer("SOLUSDT", Side.SELL, 20)
    market.trade(leader, "SOLUSDT", Side.BUY, 10, LONG)
    await plugin.settle()

    with plugin.database.read() as session:
        follow = follows.get_follow(session, started.result["follow_id"])
    assert follow.state is FollowState.COPYING
    sub_account = int(follow.sub_account)
    assert market.exchange.position(sub_account, "SOLUSDT", LONG).contracts == 10

    market.set_price("SOLUSDT", Decimal(160))
    market.offer("SOLUSDT", Side.BUY, 20)
    market.trade(leader, "SOLUSDT", Side.SELL, 10, LONG)
    await plugin.settle()
    assert market.exchange.position(sub_account, "SOLUSDT", LONG).contracts == 0
    await plugin.run_jobs("settle", "reconcile")

    ended = await plugin.command(CommandKind.END_FOLLOW, follow_id=follow.id, how="close_now")
    assert ended.message
    with plugin.database.read() as session:
        follow = follows.get_follow(session, started.result["follow_id"])
        ledger.verify(session)
        balances = ledger.balances(session)
    assert follow.state is FollowState.CLOSED
    assert balances["sub:1"] == 0
    assert market.exchange.account(sub_account).contract_balance == 0
