"""Following with play money (B6): the same rules, the same quantities, its whole life."""

from decimal import Decimal

import pytest

from copyplugin.domain.command import CommandKind
from copyplugin.domain.follow import FollowState
from copyplugin.domain.identifiers import FollowId
from copyplugin.store.queries.follow_statement import follow_statement
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyOrderRow,
    LaneRow,
    TransferRow,
)
from simexchange.core.types import MONEY_SCALE, Side
from simexchange.market.audit import residue
from tests.simulation.pair import BTC, SOL
from tests.simulation.paper_pair import LONG, SHORT, PaperPair, start_pair, start_plugin


@pytest.fixture
async def plugin(tmp_path, market):
    made = await start_plugin(tmp_path, market)
    yield made
    made.close()


@pytest.fixture
async def pair(plugin, market):
    return await start_pair(plugin, market)


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"mode": "multiple", "factor": "0.5"},
        {"mode": "fixed_margin", "order_margin": "20"},
        {"mode": "multiple", "factor": "3", "instrument_value_max": "500"},
    ],
    ids=["fixed", "multiple", "margin", "capped"],
)
async def test_a_paper_follow_trades_what_a_real_one_of_the_same_settings_trades(
    plugin, market, terms
):
    pair = await PaperPair(plugin, market).start(**terms)
    await pair.start_paper(**terms)

    for step in (
        lambda: pair.buy(10),
        lambda: pair.buy(7),
        lambda: pair.sell(4, SHORT),
        lambda: pair.buy(2, symbol=BTC),
        lambda: pair.sell(5),
        lambda: pair.buy(4, SHORT),
        lambda: pair.sell(12),
    ):
        await step()
        assert pair.lanes(pair.paper_id) == pair.lanes(pair.follow_id)
        assert await pair.held_on_paper() == pair.held()
        assert await pair.held_on_paper(SHORT) == pair.held(SHORT)
    orders = {
        follow_id: [
            (order.sequence, order.order_side, order.contracts, order.filled)
            for lane in pair.rows(LaneRow, LaneRow.follow_id == follow_id)
            for order in pair.rows(CopyOrderRow, CopyOrderRow.lane_id == lane.id)
        ]
        for follow_id in (pair.follow_id, pair.paper_id)
    }
    assert orders[pair.paper_id] == orders[pair.follow_id] != []


async def test_what_a_real_follow_would_skip_is_skipped(plugin, market):
    pair = await PaperPair(plugin, market).start(price_protection="0.001")
    await pair.start_paper(price_protection="0.001")
    market.set_price(SOL, Decimal(151))  # the leader still finds an offer at 150
    await plugin.run_jobs("marks")

    market.trade(pair.leader, SOL, Side.BUY, 10, LONG, price=Decimal(150))
    market.cancel_offers(SOL)
    await plugin.settle()

    assert [lane for lane in pair.lanes(pair.paper_id).values() if any(lane)] == []
    lanes = {lane.id: lane.follow_id for lane in pair.rows(LaneRow)}
    assert {lanes[skip.lane_id] for skip in pair.skips} == {pair.follow_id, pair.paper_id}


async def test_an_order_on_paper_pays_the_mark_the_slippage_and_the_venues_fee(pair):
    await pair.buy(10)

    [position] = pair.rows(CopiedPositionRow, CopiedPositionRow.follow_id == pair.paper_id)
    price = Decimal("150.08")  # 150 and five hundredths of a percent, rounded up to the tick
    assert position.opened_value == price  # ten contracts of 0.1 SOL
    assert position.fees == price * Decimal("0.0005")


async def test_a_proportional_open_is_sized_by_what_the_paper_account_has(plugin, market):
    terms = {"mode": "proportional", "money": 2_000 * MONEY_SCALE}
    pair = await PaperPair(plugin, market).start(**terms)
    await pair.start_paper(mode="proportional")

    await pair.buy(100)

    assert pair.held() > 0
    assert await pair.held_on_paper() == pair.held()


async def test_play_money_comes_home_and_the_statement_adds_up(plugin, pair):
    await pair.buy(100)
    pair.set_price(SOL, "155")
    await plugin.run_jobs("marks")
    await pair.sell(40)
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.paper_id, how="close_now")
    await plugin.run_jobs()

    assert pair.paper_follow.state is FollowState.CLOSED
    with plugin.database.read() as session:
        statement = follow_statement(session, FollowId(pair.paper_id))
    assert statement.difference == statement.balance == 0
    [home] = [row for row in pair.rows(TransferRow) if row.kind.value == "return"]
    twin = f"paper-main-{pair.follower}"
    assert (await plugin.paper.balance(twin)).spot_available == home.money
    exchange = pair.paper_exchange()
    exchange.check()
    assert residue(exchange) == 0


async def test_a_stop_loss_fires_at_the_real_marks(plugin, market):
    pair = await PaperPair(plugin, market).start()
    await pair.start_paper(stop_loss="0.1", copy_amount="1000")
    await pair.buy(100)
    [plan] = await plugin.paper.plans(pair.paper_follow.sub_account)

    pair.set_price(SOL, "139")
    await plugin.run_jobs("marks", "protect")
    await plugin.run_jobs()

    assert plan.trigger_price < Decimal(150)
    assert await pair.held_on_paper() == 0
    assert pair.paper_follow.state is FollowState.CLOSED
    assert pair.held() == 100  # the real follow has no stop
    assert pair.balances()[f"paper-sub:{pair.paper_id}"] == 0


async def test_a_liquidation_on_paper_is_booked_like_any_other(plugin, pair, market):
    market.set_leverage(pair.leader, SOL, 20)
    await pair.buy(400)

    pair.set_price(SOL, "140")
    await plugin.run_jobs("marks", "reconcile", "settle")

    assert await pair.held_on_paper() == 0
    assert pair.lanes(pair.paper_id)[SOL, LONG.name.lower()][1] == 0
    booked = pair.balances()[f"paper-sub:{pair.paper_id}"]
    held = await plugin.paper.balance(pair.paper_follow.sub_account)
    assert booked == held.contract_wallet
