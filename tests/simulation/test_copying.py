"""The main job: what a leader does, his followers' sub-accounts do, and no more."""

from decimal import Decimal

from copyplugin.domain.command import CommandKind
from copyplugin.domain.follow import EndKind, FollowState
from copyplugin.domain.leader import TradeState
from copyplugin.domain.skip import SkipReason
from copyplugin.store.rows import (
    CopyDecisionRow,
    CopyOrderRow,
    SignalRow,
)
from simexchange.core.types import MONEY_SCALE, PositionMode, Side
from tests.simulation.pair import BTC, LONG, NET, SHORT, SOL, Pair

# -- copying


async def test_opens_and_adds_are_copied_contract_by_contract(pair):
    await pair.buy(10)
    await pair.buy(3)

    assert pair.held() == 13
    assert pair.follow.state is FollowState.COPYING


async def test_a_close_takes_the_leaders_part_rounded_toward_less(pair):
    await pair.buy(10)
    await pair.sell(3)  # 7 of 10 stay
    assert pair.held() == 7

    await pair.sell(6)  # 1 of 7 stays
    assert pair.held() == 1

    await pair.sell(1)
    assert pair.held() == 0
    assert [row.state for row in pair.positions] == [TradeState.CLOSED]
    assert pair.follow.state is FollowState.PENDING


async def test_the_two_sides_of_one_instrument_are_copied_apart(pair):
    await pair.buy(10, LONG)
    await pair.sell(4, SHORT)

    assert (pair.held(LONG), abs(pair.held(SHORT))) == (10, 4)


async def test_a_flip_in_one_way_mode_is_a_close_and_an_open(plugin, market):
    pair = await Pair(plugin, market).start(position_mode=PositionMode.ONE_WAY)
    await pair.buy(10, NET)

    await pair.sell(16, NET)

    assert (pair.held(LONG), abs(pair.held(SHORT))) == (0, 6)
    assert [(row.effect.value, row.contracts) for row in pair.rows(SignalRow)] == [
        ("open", 10),
        ("close", 10),
        ("open", 6),
    ]


async def test_the_fills_of_one_leader_order_are_one_copied_order(pair):
    pair.market.cancel_offers(SOL)
    for contracts in (2, 3, 5):
        pair.market.offer(SOL, Side.SELL, contracts)
    pair.market.offer(SOL, Side.SELL, 100)

    await pair.buy(10)

    [order] = pair.rows(CopyOrderRow)
    assert (order.contracts, order.filled) == (10, 10)
    assert len(pair.rows(SignalRow)) == 1


async def test_an_order_that_goes_on_filling_is_topped_up_after_a_while(pair):
    pair.market.cancel_offers(SOL)
    pair.market.offer(SOL, Side.SELL, 4)
    pair.market.offer(SOL, Side.SELL, 100, Decimal("150.01"))
    await pair.buy(10)  # six of them rest in the book
    first = len(pair.rows(CopyOrderRow))
    for contracts in (1, 2):
        pair.market.offer(SOL, Side.SELL, contracts)
        await pair.plugin.settle()
    too_early = len(pair.rows(CopyOrderRow))
    pair.market.clock.advance(microseconds=200_000)
    await pair.plugin.settle()
    assert (first, too_early, pair.held()) == (1, 1, 7)

    pair.market.offer(SOL, Side.SELL, 3)  # the last of them: no waiting any more
    await pair.plugin.settle()

    assert pair.held() == 10
    assert [row.contracts for row in pair.rows(CopyOrderRow)] == [4, 3, 3]
    assert [row.final for row in pair.rows(SignalRow)] == [True]


async def test_instruments_that_the_follower_did_not_choose_are_not_copied(plugin, market):
    pair = await Pair(plugin, market).start(instruments=[BTC])

    await pair.buy(10)

    assert pair.held() == 0
    assert [row.skip_reason for row in pair.skips] == [SkipReason.INSTRUMENT_NOT_FOLLOWED]


async def test_instruments_outside_the_leaders_list_are_not_copied(pair):
    await pair.plugin.command(CommandKind.EDIT_LEADER, leader_id=1, instruments=[BTC])

    await pair.buy(10)

    assert pair.held() == 0
    assert [row.skip_reason for row in pair.skips] == [SkipReason.LEADER_NOT_CONFIGURED_INSTRUMENT]


async def test_proportional_mode_uses_the_same_part_of_the_balance(plugin, market):
    pair = await Pair(plugin, market).start(
        money=10_000 * MONEY_SCALE,
        copy_amount="1000",
    )
    await pair.plugin.command(CommandKind.END_FOLLOW, follow_id=1, how="close_now")
    started = await plugin.follow(1, pair.follower, mode="proportional", copy_amount="1000")
    pair.follow_id = started.result["follow_id"]

    await pair.buy(200)  # 20 SOL: 3000 USDT at leverage 10 are 300 of 10 000

    # 3 % of 1000 at leverage 10 buys 300 USDT: 2 SOL, 20 contracts
    assert pair.held() == 20
    [signal] = pair.rows(SignalRow)
    assert signal.leader_balance_before == 10_000
    assert signal.initial_margin == 300


async def test_leverage_and_margin_mode_are_the_leaders(pair):
    pair.market.set_leverage(pair.leader, SOL, 25)

    await pair.buy(10)

    view = pair.market.exchange.position(pair.sub_account, SOL, LONG)
    assert view.leverage == 25
    assert [row.leverage for row in pair.positions] == [25]


# -- what is left out


async def test_an_open_beyond_the_price_bound_is_skipped_and_not_made_up_for(pair):
    pair.market.cancel_offers(SOL)
    pair.market.offer(SOL, Side.SELL, 10)
    pair.market.offer(SOL, Side.SELL, 4, Decimal("152.25"))  # 1.5 % above
    pair.market.offer(SOL, Side.SELL, 90, Decimal("152.26"))

    await pair.buy(10)

    assert pair.held() == 4
    [skip] = pair.skips
    assert (skip.skip_reason, skip.skip_detail["not_filled"]) == (SkipReason.PRICE_MOVED, "6")

    pair.stand_by(SOL)
    await pair.plugin.run_jobs("copy")
    assert pair.held() == 4


async def test_a_close_is_never_bounded_by_a_price(pair):
    await pair.buy(10)
    pair.market.cancel_offers(SOL)
    pair.market.offer(SOL, Side.BUY, 10, Decimal("149.99"))
    pair.market.offer(SOL, Side.BUY, 100, Decimal(100))

    await pair.sell(10)

    assert pair.held() == 0


async def test_a_close_without_a_buyer_is_tried_until_there_is_one(pair):
    await pair.buy(10)
    pair.market.cancel_offers(SOL)
    pair.market.offer(SOL, Side.BUY, 10, Decimal("149.99"))
    await pair.sell(10)
    assert pair.held() == 10

    pair.stand_by(SOL)
    pair.market.clock.advance(seconds=31)
    await pair.plugin.settle()

    assert pair.held() == 0


async def test_too_little_money_skips_the_open_and_changes_nothing_else(plugin, market):
    pair = await Pair(plugin, market).start(copy_amount="10")

    await pair.buy(1000)  # 15 000 USDT at leverage 10

    assert pair.held() == 0
    assert [row.skip_reason for row in pair.skips] == [SkipReason.INSUFFICIENT_BALANCE]
    assert pair.follow.state is FollowState.PENDING
    await pair.buy(1)
    assert pair.held() == 1


async def test_a_close_of_what_was_skipped_asks_for_nothing(plugin, market):
    pair = await Pair(plugin, market).start(copy_amount="10")
    await pair.buy(1000)

    await pair.sell(1000)

    assert len(pair.rows(CopyOrderRow)) == 1  # the one that was refused


async def test_a_sub_account_that_bears_no_order_any_more_sends_its_money_home(plugin, market):
    leader = {"min_copy_amount": "0.5"}
    pair = await Pair(plugin, market).start(
        leader=leader, copy_amount="0.6", instruments=[BTC], price_protection="0.001"
    )
    pair.market.set_leverage(pair.leader, BTC, 125)
    await pair.buy(1, symbol=BTC)  # 60 USDT
    pair.set_price(BTC, "59900")
    await pair.sell(1, symbol=BTC)
    await pair.plugin.run_jobs("marks")

    await pair.plugin.run_jobs("settle")

    assert pair.follow.state is FollowState.CLOSED
    assert pair.follow.end_kind is EndKind.POSITION_CLOSED
    left = Decimal("0.6") - Decimal("0.1001") - Decimal("0.03") - Decimal("0.02994995")
    assert pair.market.spot(pair.follower) == 50_000 - Decimal("0.6") + left
    assert pair.market.exchange.account(pair.sub_account).contract_balance == 0


async def test_a_sub_account_that_bears_the_smallest_of_its_orders_goes_on(plugin, market):
    leader = {"min_copy_amount": "0.5"}
    pair = await Pair(plugin, market).start(
        leader=leader, copy_amount="0.6", price_protection="0.001"
    )
    pair.market.set_leverage(pair.leader, BTC, 125)
    await pair.buy(1, symbol=BTC)
    pair.set_price(BTC, "59900")
    await pair.sell(1, symbol=BTC)
    await pair.plugin.run_jobs("marks", "settle")

    # 0.44 USDT are left: too little for BTC, enough for SOL
    assert pair.follow.state is FollowState.PENDING


async def test_an_open_waits_for_the_account_s_earlier_orders_and_uses_what_they_left(
    plugin, market
):
    pair = await Pair(plugin, market).start(money=10_000 * MONEY_SCALE, copy_amount="1000")
    await plugin.command(CommandKind.END_FOLLOW, follow_id=1, how="close_now")
    started = await plugin.follow(1, pair.follower, mode="proportional", copy_amount="1000")
    pair.follow_id = started.result["follow_id"]

    # Both are known before anything is decided: 400 and 300 USDT of margin at leverage 10.
    market.trade(pair.leader, BTC, Side.BUY, 66, LONG)
    market.trade(pair.leader, SOL, Side.BUY, 200, LONG)
    await plugin.settle()

    first, second = (row for row in pair.rows(CopyDecisionRow) if row.available_frozen is not None)
    assert first.available_frozen == 1000
    btc = market.exchange.position(pair.sub_account, BTC, LONG)
    paid = Decimal(btc.margin + btc.entry_cost * 5 // 10_000).scaleb(-8)
    assert second.available_frozen == 1000 - paid


async def test_an_order_interrupted_by_another_goes_on_as_a_part_of_its_own(pair):
    pair.market.cancel_offers(SOL)
    pair.market.offer(SOL, Side.SELL, 4)
    pair.market.offer(SOL, Side.SELL, 500, Decimal("150.01"))
    await pair.buy(10)  # 4 filled, 6 rest
    market = pair.market
    market.trade(pair.leader, SOL, Side.BUY, 3, LONG, price=Decimal("150.01"))  # 4 → 7
    await pair.plugin.settle()
    market.clock.advance(seconds=1)
    market.offer(SOL, Side.SELL, 6)  # the rest of the first: 7 → 13
    await pair.plugin.settle()

    signals = pair.rows(SignalRow)
    assert [
        (row.order_id.partition("#")[2], row.contracts_before, row.contracts_after)
        for row in signals
    ] == [("", 0, 4), ("", 4, 7), ("2", 7, 13)]
    assert signals[0].order_id + "#2" == signals[2].order_id
    assert pair.held() == 13
