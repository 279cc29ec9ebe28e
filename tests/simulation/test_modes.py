"""The further modes, caps and small opens through the whole engine (C7)."""

from decimal import Decimal
from fractions import Fraction

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.fill import MarginMode
from copyplugin.domain.leader import TradeState
from copyplugin.domain.skip import SkipReason
from copyplugin.store.rows import CopyOrderRow, LaneRow
from simexchange.core.types import MONEY_SCALE, PositionSide, Side
from tests.simulation.decisions_again import check_decisions_again
from tests.simulation.pair import BTC, SOL, Pair

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
TINY = {"mode": "multiple", "factor": "0.3", "below_minimum": "carry"}


@pytest.fixture
def begin(plugin, market):
    async def begin(**terms):
        return await Pair(plugin, market).start(**terms)

    return begin


async def test_a_multiple_opens_its_factor_times_the_leaders_contracts(begin):
    pair = await begin(mode="multiple", factor="0.5")

    await pair.buy(11)

    assert pair.held() == 5


async def test_fixed_margin_opens_for_the_same_margin_whatever_the_leader_opens(begin):
    pair = await begin(mode="fixed_margin", order_margin="16")  # ten-fold: 160 of 15 each

    await pair.buy(1)
    await pair.buy(50)

    assert pair.held() == 20


async def test_the_equity_ratio_opens_the_followers_part_of_the_leaders_contracts(begin):
    pair = await begin(mode="equity_ratio", money=20_000 * MONEY_SCALE)

    await pair.buy(40)  # 1000 of 20 000, less the fee that the leader has paid by then

    assert pair.held() == 2


async def test_what_is_too_small_is_carried_until_it_is_large_enough(begin):
    pair = await begin(**TINY)

    held = []
    for _ in range(4):
        await pair.buy(1)
        held.append(pair.held())

    assert held == [0, 0, 0, 1]
    [lane] = pair.rows(LaneRow)
    assert lane.residue == Fraction(1, 5)
    await pair.sell(2)  # half: what is carried too; half of one contract is closed whole
    [lane] = pair.rows(LaneRow)
    assert (pair.held(), lane.residue) == (0, None)


async def test_what_is_carried_is_forgotten_when_the_leader_is_flat_though_nothing_was_opened(
    begin,
):
    pair = await begin(**TINY)

    await pair.buy(3)
    [lane] = pair.rows(LaneRow)
    assert lane.residue == Fraction(9, 10)
    await pair.sell(3)
    [lane] = pair.rows(LaneRow)
    assert lane.residue is None
    await pair.buy(3)

    assert pair.held() == 0


async def test_what_is_carried_is_forgotten_when_the_follower_closes_his_position(begin, plugin):
    pair = await begin(**TINY)
    await pair.buy(5)
    assert pair.held() == 1

    await plugin.command(CommandKind.CLOSE_POSITION, copied_position_id=pair.positions[0].id)
    await pair.buy(2)

    assert pair.held() == 0
    [lane] = pair.rows(LaneRow)
    assert lane.residue == Fraction(3, 5)


async def test_what_was_forgotten_of_an_order_is_not_carried_again_when_it_grows(begin, plugin):
    pair = await begin(**TINY)
    pair.market.cancel_offers(SOL)
    pair.market.trade(pair.leader, SOL, Side.BUY, 9, LONG)
    await fill(pair, 5)  # 1.5 of 0.3 each
    assert pair.held() == 1

    await close(pair)
    await fill(pair, 4)  # 1.2 more, not 1.7

    [lane] = pair.rows(LaneRow)
    assert (pair.held(), lane.residue) == (1, Fraction(1, 5))
    pair.market.offer(SOL, Side.SELL, 100)
    await pair.buy(3)  # 0.9 more: what came after the close is carried as ever
    [lane] = pair.rows(LaneRow)
    assert (pair.held(), lane.residue) == (2, Fraction(1, 10))
    check_decisions_again(plugin)


async def test_what_was_forgotten_twice_of_an_order_is_carried_by_nothing(begin):
    pair = await begin(**TINY)
    pair.market.cancel_offers(SOL)
    pair.market.trade(pair.leader, SOL, Side.BUY, 15, LONG)

    for contracts, held in ((5, 1), (6, 1), (4, 1)):  # 1.5, 1.8 and 1.2
        await fill(pair, contracts)
        assert pair.held() == held
        if contracts > 4:
            await close(pair)

    [lane] = pair.rows(LaneRow)
    assert lane.residue == Fraction(1, 5)


async def fill(pair, contracts):
    """Let so much of the leader's resting order fill, and followers copy it."""
    pair.market.offer(SOL, Side.SELL, 100, pair.market.prices[SOL] + pair.tick(SOL))
    pair.market.offer(SOL, Side.SELL, contracts)
    for _ in range(2):
        await pair.plugin.settle()
        pair.market.clock.advance(seconds=1)


async def close(pair):
    """Let the follower close what he holds, to somebody who pays more than the leader."""
    pair.market.cancel_offers(SOL)
    pair.market.offer(SOL, Side.BUY, 100, pair.market.prices[SOL] + pair.tick(SOL))
    [position] = [each for each in pair.positions if each.state is TradeState.OPEN]
    await pair.plugin.command(CommandKind.CLOSE_POSITION, copied_position_id=position.id)
    pair.market.cancel_offers(SOL)


async def test_what_is_too_small_is_raised_to_the_minimum(begin):
    pair = await begin(mode="multiple", factor="0.3", below_minimum="raise")

    await pair.buy(1)

    assert pair.held() == 1


async def test_leverage_and_margin_mode_are_the_followers_own_where_he_fixed_them(begin, market):
    pair = await begin(leverage="5", margin_mode="isolated")
    market.set_leverage(pair.leader, SOL, 20)

    await pair.buy(10)

    [order] = pair.rows(CopyOrderRow)
    assert (order.leverage, order.margin_mode) == (5, MarginMode.ISOLATED)
    assert [row.leverage for row in pair.positions] == [5]
    assert market.exchange.position(pair.sub_account, SOL, LONG).leverage == 5


async def test_a_leverage_cap_lowers_the_leaders(begin, market):
    pair = await begin(leverage_max="3")

    await pair.buy(10)

    assert market.exchange.position(pair.sub_account, SOL, LONG).leverage == 3


async def test_the_margin_of_an_order_is_cut_down_to_its_cap(begin):
    pair = await begin(order_margin_max="10")  # ten-fold: 100 of 15 each

    await pair.buy(50)

    assert pair.held() == 6


async def test_all_positions_together_stay_within_their_cap(begin):
    pair = await begin(total_value_max="160")

    await pair.buy(8)  # 120
    await pair.buy(1, symbol=BTC)  # 60: too much beside it, and nothing smaller exists
    assert (pair.held(), pair.held(symbol=BTC)) == (8, 0)
    await pair.sell(8, SHORT)  # 40 are left: two of 15

    assert pair.held(SHORT) == 2
    assert [row.skip_reason for row in pair.skips] == [SkipReason.EXPOSURE_CAPPED]


async def test_one_instrument_stays_within_its_cap_and_has_room_again_after_a_close(begin):
    pair = await begin(instrument_value_max="100")

    await pair.buy(4)
    await pair.buy(4)
    assert pair.held() == 6
    await pair.sell(8)
    await pair.buy(4)

    assert pair.held() == 4


async def test_a_second_position_waits_for_a_free_place_and_the_first_may_grow(begin):
    pair = await begin(open_positions_max=1)

    await pair.buy(1)
    await pair.buy(1, symbol=BTC)
    await pair.buy(1)

    assert (pair.held(), pair.held(symbol=BTC)) == (2, 0)
    assert [row.skip_reason for row in pair.skips] == [SkipReason.POSITIONS_CAPPED]
    await pair.sell(2)
    await pair.buy(1, symbol=BTC)
    assert pair.held(symbol=BTC) == 1


async def test_the_orders_of_a_day_are_counted_anew_the_next_day(begin, market):
    pair = await begin(orders_per_day_max=2)

    for _ in range(3):
        await pair.buy(1)
    assert pair.held() == 2
    await pair.sell(1)  # a close is no order that is counted
    market.clock.advance(seconds=12 * 3600)
    await pair.buy(1)

    assert [row.skip_reason for row in pair.skips] == [SkipReason.ORDERS_CAPPED]
    assert pair.held() == 2


async def test_an_order_of_the_leader_that_goes_on_filling_counts_once_a_day(begin, market):
    pair = await begin(orders_per_day_max=1)
    market.cancel_offers(SOL)
    market.offer(SOL, Side.SELL, 4)
    market.offer(SOL, Side.SELL, 100, Decimal("150.01"))
    await pair.buy(10)
    market.clock.advance(seconds=1)
    market.offer(SOL, Side.SELL, 6)
    await pair.plugin.settle()

    assert (pair.held(), pair.skips) == (10, [])


async def test_an_instrument_may_have_a_rule_of_its_own(begin):
    pair = await begin(
        mode="multiple", factor="2", per_instrument={BTC: {"mode": "fixed", "leverage": "4"}}
    )

    await pair.buy(3)
    await pair.buy(3, symbol=BTC)

    assert (pair.held(), pair.held(symbol=BTC)) == (6, 3)
    assert {row.symbol: row.leverage for row in pair.positions} == {SOL: 10, BTC: 4}


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        ({"mode": "multiple"}, "The factor must be between 0.001 and 1000."),
        ({"mode": "multiple", "factor": "x"}, "Factor must be a number, not 'x'."),
        ({"below_minimum": "double"}, "Below minimum must be one of skip, raise, carry"),
        ({"open_positions_max": "2"}, "Open positions max must be a whole number, not '2'."),
        ({"per_instrument": [1]}, "Per instrument must be given by name."),
        ({"per_instrument": {BTC: 1}}, "The settings of BTCUSDT must be given by name."),
        (
            {"per_instrument": {BTC: {"total_value_max": "1"}}},
            "total_value_max cannot be set for one instrument",
        ),
        ({"price_protection": "0.05"}, "The price protection must be between 0.1 % and 3 %."),
    ],
)
async def test_terms_that_do_not_fit_are_refused_with_what_to_change(
    plugin, market, terms, sentence
):
    leader = await plugin.add_leader(market.open_account("leader", contract=MONEY_SCALE))
    follower = market.open_account("follower", spot=5000 * MONEY_SCALE)

    answer = await plugin.follow(leader, follower, **terms)

    assert answer.state is CommandState.REFUSED
    assert sentence in answer.message
