"""What other settings would have done, from our own rows: unchanged ones change nothing (N12)."""

from decimal import Decimal

import pytest

from copyplugin.changeable_settings import assignments
from copyplugin.domain.command import CommandKind
from copyplugin.domain.skip import SkipReason
from copyplugin.setting_trial import Sum, try_settings
from copyplugin.store.rows import CopyDecisionRow, LaneRow, LeaderRow
from copyplugin.trial_words import tried_from
from simexchange.core.types import MONEY_SCALE, PositionSide, Side
from tests.simulation.copy_world import Plugin
from tests.simulation.decisions_again import decisions_again
from tests.simulation.pair import BTC, SOL, Pair

MODES = (
    {"mode": "fixed"},
    {"mode": "multiple", "factor": "0.3", "below_minimum": "carry"},
    {"mode": "multiple", "factor": "0.3", "below_minimum": "raise"},
    {"mode": "fixed_margin", "order_margin": "16"},
    {"mode": "equity_ratio"},
    {"mode": "proportional"},
    {"mode": "fixed", "total_value_max": "100", "open_positions_max": 1},
    {"mode": "fixed", "orders_per_day_max": 2, "order_margin_max": "20"},
)


@pytest.fixture
def begin(plugin, market):
    async def begin(**terms):
        return await Pair(plugin, market).start(**terms)

    return begin


def tried(pair, *words, hours=24, **wanted) -> Sum:
    plugin = pair.plugin
    with plugin.database.read() as session:
        leaders = [(row.id, row.nickname) for row in session.query(LeaderRow)]
        return try_settings(
            session,
            plugin.settings,
            tried_from(assignments(words)),
            hours=hours,
            now=plugin.clock.now(),
            leaders=leaders,
            **wanted,
        ).sum


async def trade(pair):
    """Open, add, part of a close, another instrument, a short, all closed, opened again."""
    await pair.buy(5)
    await pair.buy(2)
    await pair.buy(1, symbol=BTC)
    await pair.sell(3)
    pair.set_price(SOL, "151")
    await pair.sell(4, leg=PositionSide.SHORT)
    await pair.sell(4)
    await pair.buy(1)


@pytest.mark.parametrize("terms", MODES, ids=lambda terms: " ".join(map(str, terms.values())))
async def test_unchanged_settings_give_every_recorded_decision_again(begin, terms):
    pair = await begin(money=2_000 * MONEY_SCALE, **terms)
    await trade(pair)
    recorded = pair.rows(CopyDecisionRow)

    runs = decisions_again(pair.plugin)

    assert sum(run.decisions for run in runs) == len(recorded) > 5
    assert [run.unlike + run.unlike_orders for run in runs] == [()]
    assert [(run.least, run.most) for run in runs] == [(0, 0)]
    [run] = runs
    assert all(each.made == each.kept and each.was == each.would_be for each in run.opens)
    lanes = {(lane.symbol, lane.position_side): lane.actual for lane in pair.rows(LaneRow)}
    assert run.held == lanes


async def test_a_leader_order_that_fills_in_parts_is_taken_again_part_by_part(begin, market):
    pair = await begin(mode="multiple", factor="0.5")
    market.cancel_offers(SOL)
    market.offer(SOL, Side.SELL, 4, Decimal("150.10"))
    market.trade(pair.leader, SOL, Side.BUY, 10, PositionSide.LONG, price=Decimal("150.40"))
    await pair.plugin.settle()
    market.clock.advance(seconds=1)
    market.offer(SOL, Side.SELL, 20, Decimal("150.40"))
    await pair.plugin.settle()
    await pair.plugin.run_jobs("copy")

    [run] = decisions_again(pair.plugin)

    assert len(pair.rows(CopyDecisionRow)) == run.decisions == 1
    assert run.orders >= 2
    assert (run.unlike, run.unlike_orders) == ((), ())


async def test_an_open_that_was_not_had_and_whose_rest_was_halted_is_taken_again_so(
    begin, plugin, market
):
    pair = await begin()
    market.cancel_offers(SOL)
    market.offer(SOL, Side.SELL, 4, Decimal("150.10"))
    market.trade(pair.leader, SOL, Side.BUY, 10, PositionSide.LONG, price=Decimal("150.40"))
    await plugin.settle()  # nobody sells to the follower
    market.clock.advance(seconds=1)
    await plugin.command(
        CommandKind.HALT_COPYING, scope="follow", follow_id=pair.follow_id, close=False
    )
    market.offer(SOL, Side.SELL, 6, Decimal("150.40"))
    await plugin.settle()
    await plugin.run_jobs("copy")
    [row] = pair.rows(CopyDecisionRow)
    assert (row.wanted, row.skip_reason) == (4, SkipReason.COPYING_HALTED)

    [run] = decisions_again(plugin)

    assert (run.unlike, run.unlike_orders) == ((), ())


async def test_one_order_for_two_decisions_that_was_not_had_is_given_up_for_both(
    begin, plugin, market
):
    pair = await begin()
    market.trade(pair.leader, SOL, Side.BUY, 4, PositionSide.LONG)
    market.trade(pair.leader, SOL, Side.BUY, 2, PositionSide.LONG)
    market.cancel_offers(SOL)  # nobody sells to the follower
    await plugin.settle()
    pair.stand_by(SOL)
    await pair.sell(3)
    assert [row.wanted for row in pair.rows(CopyDecisionRow)] == [4, 2]
    assert pair.rows(CopyDecisionRow)[1].skip_detail["not_filled"] == "6"

    [run] = decisions_again(plugin)

    assert (run.unlike, run.unlike_orders) == ((), ())
    assert (run.least, run.most) == (0, 0)


async def test_a_decision_under_a_setting_that_was_changed_meanwhile_is_taken_under_it(
    begin, plugin, market
):
    pair = await begin()
    await pair.buy(2)
    market.clock.advance(seconds=5)
    await plugin.command(
        CommandKind.PROPOSE_SETTING,
        actor="operator:ann",
        name="price_bound_other",
        value="0.002",
        reason="thin",
    )
    market.clock.advance(seconds=5)
    await pair.buy(2)

    assert (tried(pair).decisions, tried(pair).unlike) == (2, 0)


async def test_a_narrower_bound_would_have_skipped_what_was_dearer(begin, market):
    pair = await begin()
    market.cancel_offers(SOL)
    market.offer(SOL, Side.SELL, 3, Decimal(150))
    market.offer(SOL, Side.SELL, 100, Decimal("151.50"))
    market.trade(pair.leader, SOL, Side.BUY, 3, PositionSide.LONG)
    await pair.plugin.settle()
    assert pair.held() == 3

    wide = tried(pair, "price_bound_other=0.02")
    narrow = tried(pair, "price_bound_other=0.005")

    assert (wide.would_be_skipped, wide.result_least, wide.result_most) == (0, 0, 0)
    assert (narrow.made, narrow.would_be_skipped) == (1, 1)
    assert narrow.value_not_made == Decimal("45.45")  # 3 contracts of 0.1 at 151.50
    # bought at 151.50 with 0.055 % of fee, and worth 150 now: that would have been spared
    assert narrow.result_least == narrow.result_most
    assert narrow.result_least > Decimal("0.45")


async def test_a_wider_bound_would_have_made_at_most_what_the_price_forbade(begin, market):
    pair = await begin()
    market.cancel_offers(SOL)
    market.offer(SOL, Side.SELL, 3, Decimal(150))
    market.offer(SOL, Side.SELL, 100, Decimal(153))
    market.trade(pair.leader, SOL, Side.BUY, 3, PositionSide.LONG)
    await pair.plugin.settle()
    assert pair.held() == 0

    wide = tried(pair, "price_bound_other=0.03")

    assert (wide.made, wide.would_be_made, wide.unlike) == (0, 1, 0)
    assert wide.value_estimated == 45
    assert wide.result_least < wide.result_most < 0  # fees, and 154.50 at the worst for what is 150


async def test_what_would_have_been_made_anew_is_closed_with_the_leader(begin, market):
    pair = await begin()
    market.cancel_offers(SOL)
    market.offer(SOL, Side.SELL, 3, Decimal(150))
    market.trade(pair.leader, SOL, Side.BUY, 3, PositionSide.LONG)
    await pair.plugin.settle()
    pair.set_price(SOL, "160")
    await pair.sell(3)
    assert [row.skip_reason for row in pair.skips][:1] == [SkipReason.PRICE_MOVED]
    pair.set_price(SOL, "100")  # whatever comes after does not touch it

    wide = tried(pair, "price_bound_other=0.03")

    # 3 × 0.1 × (159.99 − 150), less fees of about 0.05; at the worst bought at 154.50
    assert Decimal("2.9") < wide.result_most < Decimal(3)
    assert Decimal("1.5") < wide.result_least < Decimal("1.65")


async def test_a_cap_would_have_made_copies_smaller_or_skipped_them(begin):
    pair = await begin()
    await pair.buy(5)  # 75 USDT
    await pair.buy(5)
    await pair.sell(10)

    capped = tried(pair, "total_value_max=100")
    few = tried(pair, "orders_per_day_max=1")
    none = tried(pair, "order_margin_max=0.5", "leverage_max=1")

    assert (capped.made, capped.would_be_smaller, capped.would_be_skipped) == (2, 1, 0)
    assert capped.value_not_made == 60  # 4 contracts: 1 more fits under 100
    assert (few.would_be_skipped, few.would_be_smaller) == (1, 0)
    assert none.would_be_skipped == 2
    assert none.result_least == none.result_most > 0  # spread and fees would have been spared


async def test_what_was_too_small_would_have_been_raised(begin):
    pair = await begin(mode="multiple", factor="0.1")
    await pair.buy(5)
    assert [row.skip_reason for row in pair.skips] == [SkipReason.BELOW_MINIMUM]

    raised = tried(pair, "below_minimum=raise")

    assert (raised.would_be_made, raised.unlike) == (1, 0)
    assert raised.value_estimated == 15


async def test_what_was_too_small_would_have_been_carried_until_it_is_enough(begin):
    pair = await begin(mode="multiple", factor="0.4")
    for _ in range(3):
        await pair.buy(2)  # 0.8 of one each time
    assert pair.held() == 0

    carried = tried(pair, "below_minimum=carry")

    assert (carried.would_be_made, carried.unlike) == (2, 0)  # with the second, and the third


async def test_what_came_too_late_would_have_been_copied_by_who_waits_longer(begin, market):
    pair = await begin()
    market.trade(pair.leader, SOL, Side.BUY, 2, PositionSide.LONG)
    market.clock.advance(seconds=90)
    await pair.plugin.settle()
    assert [row.skip_reason for row in pair.skips] == [SkipReason.EXPIRED]

    assert tried(pair).would_be_made == 0
    assert tried(pair, "signal_late_seconds=60").would_be_made == 0
    assert tried(pair, "signal_late_seconds=120").would_be_made == 1


async def test_only_the_hours_asked_for_are_tried(begin, market):
    pair = await begin()
    await pair.buy(5)
    market.clock.advance(seconds=7200)
    await pair.buy(5)

    assert tried(pair, "order_margin_max=0.5", hours=1).would_be_skipped == 1
    assert tried(pair, "order_margin_max=0.5", hours=3).would_be_skipped == 2


async def test_what_the_follower_closed_himself_is_closed_in_the_trial_too(begin, plugin):
    pair = await begin()
    await pair.buy(6)
    await plugin.command(CommandKind.CLOSE_POSITION, copied_position_id=pair.positions[0].id)
    await pair.buy(2)
    assert pair.held() == 2

    [run] = decisions_again(plugin)
    assert (run.unlike, run.least, run.most) == ((), 0, 0)
    halved = tried(pair, "order_margin_max=4.5")  # ten-fold: 45 USDT, 3 contracts
    assert (halved.would_be_smaller, halved.would_be_skipped) == (1, 0)


async def test_what_was_carried_and_forgotten_is_taken_again_so(begin, plugin):
    pair = await begin(mode="multiple", factor="0.3", below_minimum="carry")
    await pair.buy(5)  # 1, and a half is carried
    await plugin.command(CommandKind.CLOSE_POSITION, copied_position_id=pair.positions[0].id)
    await pair.buy(2)  # 0.6 of one: the half is forgotten
    await pair.buy(2)
    assert pair.held() == 1

    [run] = decisions_again(plugin)

    assert (run.decisions, run.unlike, run.least, run.most) == (3, (), 0, 0)


async def test_a_share_that_was_settled_is_reckoned_with_another_part(begin, plugin):
    pair = await begin(leader={"share_ratio": "0.1"})
    await pair.buy(10)
    pair.set_price(SOL, "200")
    await pair.sell(10)
    await plugin.run_jobs("settle")
    await plugin.settle()

    found = tried(pair, "share_ratio=0.2")

    assert found.share_paid > 4
    assert found.share_would_be == pytest.approx(2 * found.share_paid, abs=Decimal("0.0001"))


async def test_a_decision_that_does_not_come_out_as_recorded_is_told_and_left(begin, plugin):
    pair = await begin()
    await pair.buy(5)

    def forge(session):
        session.query(CopyDecisionRow).one().wanted = 4

    plugin.database.write_and_wait(forge)

    found = tried(pair, "order_margin_max=0.5")

    assert (found.decisions, found.unlike, found.would_be_skipped) == (1, 1, 0)
    assert (found.result_least, found.result_most) == (0, 0)


async def test_a_bound_that_nobody_had_set_is_told(tmp_path, market):
    """The rows do not keep what the environment said then: the order's own price gives it away."""
    plugin = Plugin(tmp_path, market, price_bound_other="0.01")
    await plugin.start()
    pair = await Pair(plugin, market).start()
    await pair.buy(5)
    plugin.settings = plugin.settings.model_copy(update={"price_bound_other": Decimal("0.02")})

    found = tried(pair, "order_margin_max=0.5")

    assert (found.unlike, found.would_be_skipped) == (1, 0)
    plugin.close()
