"""Opening at the start what the leader holds (L2), and positions that no lane wants."""

from decimal import Decimal

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import FollowState
from copyplugin.domain.skip import SkipReason
from copyplugin.store.rows import FollowHistoryRow, JobRunRow, LaneRow
from simexchange.core.types import PositionSide, Side
from tests.simulation.pair import BTC, SOL

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


@pytest.fixture
async def holding(pair, plugin):
    """Return a pair whose leader holds 10 SOL long from 150 on, and a follower to start anew."""
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")
    await pair.buy(10)
    await pair.buy(2, symbol=BTC)
    return pair


async def start(pair, **terms) -> None:
    started = await pair.plugin.follow(1, pair.follower, **terms)
    assert started.state is CommandState.DONE, started.message
    pair.follow_id = started.result["follow_id"]


async def test_what_the_leader_holds_is_opened_at_the_start_where_the_follower_says_so(holding):
    await start(holding, open_held="0.01")

    assert (holding.held(), holding.held(symbol=BTC)) == (10, 2)
    assert holding.follow.state is FollowState.COPYING
    await holding.buy(5)
    await holding.sell(6)  # of his 15
    assert holding.held() == 9
    await holding.sell(9)
    assert holding.held() == 0


async def test_a_follow_that_does_not_say_so_opens_nothing_of_it(holding):
    await start(holding)

    assert holding.held() == 0


async def test_a_price_further_from_his_entry_than_allowed_opens_nothing(holding):
    holding.set_price(SOL, "153")

    await start(holding, open_held="0.01")

    assert (holding.held(), holding.held(symbol=BTC)) == (0, 2)
    [skip] = holding.skips
    assert skip.skip_reason in {SkipReason.PRICE_MOVED, SkipReason.NO_LIQUIDITY}
    await holding.buy(4)  # his adds are copied as ever
    assert holding.held() == 4


async def test_a_better_price_than_his_is_taken(holding):
    holding.set_price(SOL, "140")

    await start(holding, open_held="0.01")

    assert holding.held() == 10


async def test_only_chosen_instruments_are_opened_and_by_the_mode(holding):
    await start(holding, open_held="0.01", instruments=[SOL], mode="multiple", factor="0.5")

    assert (holding.held(), holding.held(symbol=BTC)) == (5, 0)
    assert len(holding.rows(LaneRow, LaneRow.follow_id == holding.follow_id)) == 1


async def test_a_distance_beyond_reason_is_refused(holding, plugin):
    answer = await plugin.follow(1, holding.follower, open_held="0.5")

    assert answer.message == "The distance from the leader's entry must be between 0.1 % and 20 %."


async def test_a_start_that_was_interrupted_opens_it_once(holding, plugin):
    await start(holding, open_held="0.01")

    plugin.dispatcher.announce("follows", (holding.follow_id,))
    await plugin.settle()

    assert holding.held() == 10
    history = holding.rows(FollowHistoryRow, FollowHistoryRow.follow_id == holding.follow_id)
    assert [row.to_state.value for row in history] == ["starting", "pending", "copying"]


async def test_a_position_that_no_lane_wants_is_reported_in_one_cycle(pair, market, plugin, caplog):
    market.trade(pair.sub_account, SOL, Side.SELL, 3, SHORT, price=Decimal("149.99"))

    await plugin.run_jobs("reconcile")

    assert "holds 3 contracts of SOLUSDT short that no lane wants" in caplog.text
    [run] = pair.rows(JobRunRow, JobRunRow.name == "reconcile")
    assert run.backlog == 1


async def test_what_the_leader_opens_later_keeps_to_the_bound_of_every_open(holding):
    await start(holding, open_held="0.2")
    market = holding.market
    market.cancel_offers(SOL)
    market.offer(SOL, Side.SELL, 4)
    market.offer(SOL, Side.SELL, 1000, Decimal(160))  # within 20 % of his price, not 1.5 %
    await holding.buy(4)

    assert holding.held() == 10
    assert holding.skips[-1].skip_reason in {SkipReason.PRICE_MOVED, SkipReason.NO_LIQUIDITY}
