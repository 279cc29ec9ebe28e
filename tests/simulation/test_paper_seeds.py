"""Bad days with play money: answers are lost and processes die, and it is all as if they had not.

Beside each paper follow runs a real one of the same settings on a venue that never fails.
"""

import random

import pytest

from copyplugin.domain.command import CommandKind
from copyplugin.domain.follow import FollowState
from copyplugin.domain.identifiers import FollowId
from copyplugin.errors import OutcomeUnknown, VenueUnavailable
from copyplugin.store.queries.follow_statement import follow_statement
from copyplugin.store.rows import CopyOrderRow, LaneRow
from copyplugin.venues import paper_market
from simexchange.market.audit import residue
from tests.simulation.pair import BTC, SOL
from tests.simulation.paper_pair import (
    LONG,
    SHORT,
    Died,
    MortalPlugin,
    PaperPair,
    restart,
    start_pair,
    start_plugin,
)

STEPS = 25
FAULTS = (
    Died,
    lambda: OutcomeUnknown("the answer was lost"),
    lambda: VenueUnavailable("nothing was done"),
)


async def step(pair: PaperPair, chance: random.Random) -> None:
    """Let the leader do something, or the market move."""
    symbol, leg = chance.choice([(SOL, LONG), (SOL, SHORT), (BTC, LONG)])
    contracts = chance.randint(1, 12)
    held = pair.held_by_leader(leg, symbol)
    if chance.random() < 0.2:
        pair.set_price(SOL, str(chance.randint(14_700, 15_300) / 100))
        await pair.plugin.run_jobs("marks")
    elif held and chance.random() < 0.5:
        closes = pair.sell if leg is LONG else pair.buy
        await closes(min(contracts, held), leg, symbol)
    else:
        opens = pair.buy if leg is LONG else pair.sell
        await opens(contracts, leg, symbol)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
async def test_faults_and_kills_change_when_play_money_is_traded_never_what(
    tmp_path, market, monkeypatch, seed
):
    monkeypatch.setattr(paper_market, "SNAPSHOT_AFTER", 40)
    chance = random.Random(seed)
    MortalPlugin.losses = []
    plugin = await start_plugin(tmp_path, market, MortalPlugin)
    pair = await start_pair(plugin, market)
    suffered = 0

    for _ in range(STEPS):
        market.clock.advance(seconds=1)
        planned = [chance.choice(FAULTS)()] if chance.random() < 0.4 else []
        plugin.losses[:] = planned
        try:
            await step(pair, chance)
        except Died:
            await restart(pair)
        if chance.random() < 0.1:
            await restart(pair)
        suffered += len(planned) - len(plugin.losses)
        plugin.losses.clear()
        market.clock.advance(seconds=1)
        await plugin.run_jobs("copy")

    assert suffered > 0
    lanes = pair.lanes(pair.paper_id)
    assert lanes == pair.lanes(pair.follow_id)
    for (symbol, side), (target, actual) in lanes.items():
        leg = LONG if side == "long" else SHORT
        assert target == actual == await pair.held_on_paper(leg, symbol)
    await all_home(pair)
    plugin.close()


async def all_home(pair: PaperPair) -> None:
    """End both follows and see that play money and real money are where the books say."""
    plugin = pair.plugin
    for follow_id in (pair.follow_id, pair.paper_id):
        await plugin.command(CommandKind.END_FOLLOW, follow_id=follow_id, how="close_now")
    await plugin.run_jobs()
    assert pair.follow.state is pair.paper_follow.state is FollowState.CLOSED
    with plugin.database.read() as session:
        for follow_id in (pair.follow_id, pair.paper_id):
            statement = follow_statement(session, FollowId(follow_id))
            assert statement.difference == statement.balance == 0
    pair.balances()
    exchange = pair.paper_exchange()
    exchange.check()
    assert residue(exchange) == 0
    lanes = {lane.id for lane in pair.rows(LaneRow, LaneRow.follow_id == pair.paper_id)}
    orders = [row for row in pair.rows(CopyOrderRow) if row.lane_id in lanes]
    assert len({row.client_order_id for row in orders}) == len(orders)
