"""A leader adds or takes margin or changes leverage: mirrored, or told at once (C14, N6)."""

from decimal import Decimal
from random import Random

import pytest

from copyplugin.domain.alarm import AlarmKind
from copyplugin.domain.identifiers import CopiedPositionId
from copyplugin.store.queries.position_protection import position_protection
from copyplugin.store.rows import AlarmRow, LeaderMarginRow, MarginMirrorRow
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import AdjustMargin
from simexchange.core.types import MONEY_SCALE, PositionSide
from tests.simulation.copy_world import Plugin
from tests.simulation.faults import Faults, FaultyVenue
from tests.simulation.pair import SOL, Pair

LONG = PositionSide.LONG


@pytest.fixture
def line():
    return Faults(random=Random(1))


@pytest.fixture
async def plugin(tmp_path, market, line):
    made = Plugin(tmp_path, market, venue=FaultyVenue(SimulatedVenue(market.simulation), line))
    await made.start()
    yield made
    made.close()


async def opened(plugin, market, **terms) -> Pair:
    """Return a leader with 20 contracts and a follower who took 10 of them."""
    pair = await Pair(plugin, market).start(mode="multiple", factor="0.5", **terms)
    await pair.buy(20)
    await plugin.run_jobs("margin")
    return pair


def add_margin(pair, money: int) -> None:
    pair.market.apply(AdjustMargin(pair.leader, SOL, LONG, money * MONEY_SCALE))


def margin(pair, account: int) -> Decimal:
    return Decimal(pair.market.exchange.position(account, SOL, LONG).margin).scaleb(-8)


def told(pair) -> list[str]:
    rows = pair.rows(AlarmRow, AlarmRow.cleared_at.is_(None))
    assert {row.kind for row in rows} <= {AlarmKind.LEADER_MARGIN}
    return [row.sentence for row in rows]


async def test_by_default_the_follower_is_told_with_both_liquidation_prices(plugin, market):
    pair = await opened(plugin, market)
    before = margin(pair, pair.sub_account)
    add_margin(pair, 100)
    await plugin.run_jobs("position data", "margin")

    [sentence] = told(pair)
    [leader] = pair.rows(LeaderMarginRow)
    [position] = pair.positions
    assert f"he is liquidated at {leader.liquidation_price.normalize():f}" in sentence
    assert f"you at {position.liquidation_price.normalize():f}" in sentence
    assert margin(pair, pair.sub_account) == before
    with plugin.database.read() as session:
        shown = position_protection(session, CopiedPositionId(position.id))
    assert shown.leader_liquidation_price == leader.liquidation_price < shown.liquidation_price

    await plugin.run_jobs("margin")
    assert len(pair.rows(AlarmRow)) == 1, "the same change is told once"
    await pair.sell(20)
    await plugin.run_jobs("margin")
    assert told(pair) == []


async def test_mirrored_margin_is_in_proportion_and_taken_out_again(plugin, market):
    pair = await opened(plugin, market, mirrors_margin=True)
    before = margin(pair, pair.sub_account)
    add_margin(pair, 100)
    await plugin.run_jobs("margin")
    assert abs(margin(pair, pair.sub_account) - before - 50) < Decimal("0.01")
    assert pair.rows(MarginMirrorRow)[0].is_done

    add_margin(pair, -60)
    await plugin.run_jobs("margin")

    assert abs(margin(pair, pair.sub_account) - before - 20) < Decimal("0.01")
    assert told(pair) == []


async def test_mirrored_leverage_is_the_leaders(plugin, market):
    pair = await opened(plugin, market, mirrors_margin=True)
    market.set_leverage(pair.leader, SOL, 20)
    await plugin.run_jobs("margin")

    position = market.exchange.position(pair.sub_account, SOL, LONG)
    assert position.leverage == 20


async def test_trading_is_no_change_of_margin(plugin, market):
    pair = await opened(plugin, market)
    add_margin(pair, 30)
    await plugin.run_jobs("margin")
    pair.set_price(SOL, "155.00")
    await pair.buy(6)
    await plugin.run_jobs("margin")
    await pair.sell(9)
    await plugin.run_jobs("margin")

    assert len(pair.rows(AlarmRow)) == 1
    assert pair.rows(LeaderMarginRow)[0].changes == 1


async def test_what_the_money_does_not_bear_is_told(plugin, market):
    pair = await opened(plugin, market, mirrors_margin=True)
    add_margin(pair, 50_000)
    await plugin.run_jobs("margin")

    [sentence] = told(pair)
    assert "did not let yours be changed alike" in sentence
    assert pair.rows(MarginMirrorRow)[0].is_done


@pytest.mark.parametrize("lost", ["lost_answers", "lost_requests", "unavailable"])
async def test_a_mirror_in_doubt_is_made_once(plugin, market, line, lost):
    pair = await opened(plugin, market, mirrors_margin=True)
    before = margin(pair, pair.sub_account)
    add_margin(pair, 100)
    setattr(line, lost, 700)
    for _ in range(12):
        await plugin.run_jobs("margin")
    setattr(line, lost, 0)
    await plugin.run_jobs("margin")

    assert abs(margin(pair, pair.sub_account) - before - 50) < Decimal("0.01")
    assert pair.rows(MarginMirrorRow)[0].is_done
