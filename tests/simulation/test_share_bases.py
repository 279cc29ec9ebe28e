"""Shares above a high-water mark, in escrow, at a hand-over, by the engine (M3, M9, L13)."""

from decimal import Decimal

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import FollowState
from copyplugin.store import ledger
from copyplugin.store.rows import (
    CopyOrderRow,
    FollowHistoryRow,
    HighWaterMarkRow,
    SettlementRow,
)
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import AdjustMargin
from simexchange.core.types import MONEY_SCALE, PositionSide, Side
from tests.simulation.copy_world import Market, Plugin
from tests.simulation.pair import SOL, Pair

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT
ABOVE_MARK = {"leader": {"share_basis": "high_water_mark"}}
WEEK, DAY = 7 * 86400, 86400


async def round_trip(pair, contracts: int, price: str) -> None:
    """Let the leader open at 150 and close at the bid below this price."""
    pair.set_price(SOL, "150")
    await pair.buy(contracts)
    pair.set_price(SOL, price)
    await pair.sell(contracts)
    await pair.plugin.run_jobs("settle")


async def pass_time(pair, seconds: int) -> None:
    pair.market.clock.advance(seconds=seconds)
    await pair.plugin.run_jobs("position data", "settle")
    await pair.plugin.settle()


async def end(pair, how: str = "close_now") -> None:
    answer = await pair.plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how=how)
    assert answer.state is CommandState.DONE, answer.message


def balances(pair) -> dict[str, Decimal]:
    with pair.plugin.database.read() as session:
        ledger.verify(session)
        return {str(name): money for name, money in ledger.balances(session).items()}


def result(pair) -> Decimal:
    return sum(row.realized_pnl - row.fees - row.funding for row in pair.positions)


def tenth(value: Decimal) -> Decimal:
    return (value / 10).quantize(Decimal("0.0001"), "ROUND_DOWN")


def money_is_where_the_books_say(pair) -> None:
    booked = balances(pair)
    account = pair.market.exchange.account(pair.sub_account)
    assert Decimal(account.contract_balance).scaleb(-8) == booked[f"sub:{pair.follow_id}"]
    assert pair.market.spot(pair.leader) == booked.get(f"leader:{pair.leader}", 0)
    assert pair.market.spot(pair.follower) == 50_000 + booked[f"main:{pair.follower}"]


# -- above a high-water mark


async def test_losses_are_earned_back_before_a_share_is_taken(plugin, market):
    pair = await Pair(plugin, market).start(**ABOVE_MARK)
    await round_trip(pair, 10, "160")
    assert pair.rows(SettlementRow) == []  # not before its period is over
    await pass_time(pair, WEEK)
    best = result(pair)
    [first] = pair.rows(SettlementRow)
    assert (first.share, first.result_after) == (tenth(best), best)

    await round_trip(pair, 10, "145")
    await pass_time(pair, WEEK)
    await round_trip(pair, 10, "154")
    await pass_time(pair, WEEK)
    assert pair.rows(SettlementRow) == [first]

    await round_trip(pair, 10, "170")
    await end(pair)

    settlements = pair.rows(SettlementRow)
    assert [row.share for row in settlements] == [tenth(best), tenth(result(pair) - best)]
    assert pair.follow.state is FollowState.CLOSED
    money_is_where_the_books_say(pair)


async def test_what_is_open_counts_at_its_value(plugin, market):
    pair = await Pair(plugin, market).start(**ABOVE_MARK)
    await round_trip(pair, 10, "160")
    await pair.buy(10)  # at 160
    pair.set_price(SOL, "150")

    await pass_time(pair, WEEK)

    # 1 SOL of realised 9.99 less fees, and 10 of loss that is not realised
    assert pair.rows(SettlementRow) == []
    pair.set_price(SOL, "165")
    await pass_time(pair, 30)
    assert pair.rows(SettlementRow) == []  # the next period has begun
    await pass_time(pair, WEEK)
    [settlement] = pair.rows(SettlementRow)
    assert settlement.share == tenth(result(pair) + 5)


class MovesOnWhileItAnswers(SimulatedVenue):
    """Between the answer to which positions there are and its arrival something happens."""

    meanwhile = None

    async def positions(self, account):
        answer = await super().positions(account)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return answer


@pytest.mark.parametrize("is_over", [False, True])
async def test_a_profit_that_is_realised_while_the_venue_is_asked_counts_once(
    tmp_path, market, is_over
):
    venue = MovesOnWhileItAnswers(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    await plugin.start()
    pair = await Pair(plugin, market).start(**ABOVE_MARK)
    await pair.buy(10)
    pair.set_price(SOL, "160")

    async def close():
        await (end(pair) if is_over else pair.sell(10))

    market.clock.advance(seconds=WEEK)
    venue.meanwhile = close
    await plugin.run_jobs("settle")
    for _ in range(3):
        await pass_time(pair, 30)
        await plugin.run_jobs("close ended")

    [settlement] = pair.rows(SettlementRow)
    assert settlement.share == tenth(result(pair))
    assert pair.rows(HighWaterMarkRow)[0].mark == result(pair)
    money_is_where_the_books_say(pair)
    plugin.close()


async def test_a_loss_that_is_not_booked_yet_is_not_left_out_of_a_reckoning(plugin, market):
    pair = await Pair(plugin, market).start(**ABOVE_MARK)
    await round_trip(pair, 10, "153")
    market.set_leverage(pair.leader, SOL, 50)
    pair.set_price(SOL, "150")
    await pair.buy(10)
    market.apply(AdjustMargin(pair.leader, SOL, LONG, 1000 * MONEY_SCALE))
    market.cancel_offers(SOL)
    market.offer(SOL, Side.BUY, 1000, Decimal("146.50"))
    market.set_price(SOL, Decimal("147.00"))
    assert pair.held() == 0, "liquidated, and nobody knows"

    market.clock.advance(seconds=WEEK)
    await plugin.run_jobs("settle")
    assert pair.rows(SettlementRow) == []
    await plugin.run_jobs("reconcile", "settle")

    assert pair.rows(SettlementRow) == []
    assert result(pair) < 0
    money_is_where_the_books_say(pair)


async def test_the_mark_survives_the_end_and_a_new_start_with_the_same_leader(plugin, market):
    pair = await Pair(plugin, market).start(**ABOVE_MARK)
    await round_trip(pair, 10, "160")
    await end(pair)
    [mark] = pair.rows(HighWaterMarkRow)
    assert mark.mark == result(pair) > 9

    for price in ("140", "150.01"):  # a loss, and what earns some of it back in the next follow
        again = await plugin.follow(1, pair.follower)
        pair.follow_id = again.result["follow_id"]
        await round_trip(pair, 10, "140" if price == "140" else "158")
        await end(pair)
    assert len(pair.rows(SettlementRow)) == 1
    assert pair.rows(HighWaterMarkRow)[0].mark == mark.mark

    again = await plugin.follow(1, pair.follower)
    pair.follow_id = again.result["follow_id"]
    await round_trip(pair, 10, "170")
    await end(pair)

    _, second = pair.rows(SettlementRow)
    assert second.share == tenth(result(pair) - mark.mark)
    money_is_where_the_books_say(pair)


async def test_the_sharer_gets_his_part_of_a_share_above_the_mark(plugin, market):
    sharer = market.open_account("sharer")
    pair = await Pair(plugin, market).start(
        leader={"share_basis": "high_water_mark", "sharer_ratio": "0.3"},
        sharer_account=str(sharer),
    )

    await round_trip(pair, 10, "160")
    await end(pair)

    [settlement] = pair.rows(SettlementRow)
    assert settlement.sharer_part == (settlement.share * 3 / 10).quantize(
        Decimal("0.0001"), "ROUND_DOWN"
    )
    assert market.spot(sharer) == settlement.sharer_part > 0
    assert market.spot(pair.leader) == settlement.share - settlement.sharer_part


async def test_nobody_follows_through_a_link_of_his_own_or_of_nobody(plugin, market):
    leader = await plugin.add_leader(market.open_account("leader", contract=MONEY_SCALE))
    follower = market.open_account("follower", spot=5000 * MONEY_SCALE)

    own = await plugin.follow(leader, follower, sharer_account=str(follower))
    nobodys = await plugin.follow(leader, follower, sharer_account="999999")

    assert own.message == "You cannot follow through a link of your own."
    assert nobodys.message == "The venue knows no account 999999: follow without this link."


# -- in escrow


@pytest.fixture
async def held(tmp_path):
    """Return a function that starts a pair whose shares are held for a day."""
    market = Market()
    escrow = market.open_account("escrow")
    plugin = Plugin(tmp_path, market, share_escrow_seconds=30 * DAY, escrow_account=str(escrow))
    await plugin.start()

    async def begin(**terms):
        pair = await Pair(plugin, market).start(**terms)
        pair.escrow = escrow
        return pair

    yield begin
    plugin.close()


def in_escrow(pair) -> Decimal:
    booked = balances(pair).get(f"escrow:{pair.follow_id}", Decimal(0))
    assert pair.market.spot(pair.escrow) == booked
    return booked


async def test_a_held_share_is_released_when_its_time_is_over(held):
    pair = await held()
    await round_trip(pair, 10, "160")
    share = tenth(result(pair))
    assert (in_escrow(pair), pair.market.spot(pair.leader)) == (share, 0)

    await pass_time(pair, 30 * DAY)

    assert (in_escrow(pair), pair.market.spot(pair.leader)) == (0, share)
    money_is_where_the_books_say(pair)


async def test_a_held_share_is_taken_back_as_far_as_the_result_falls(held):
    pair = await held()
    await round_trip(pair, 10, "160")
    await round_trip(pair, 10, "145")

    share = tenth(result(pair))
    assert in_escrow(pair) == share > 0
    [first] = pair.rows(SettlementRow)
    assert (first.share, first.leader_part) == (share, share)
    await round_trip(pair, 10, "140")
    assert in_escrow(pair) == 0
    assert pair.market.spot(pair.follower) == 49_000 + first.share + first.taken_back

    # what was given back may be earned anew, and in the end the share is of the whole result
    await round_trip(pair, 10, "180")
    await end(pair)
    assert pair.market.spot(pair.leader) == tenth(result(pair))
    assert in_escrow(pair) == 0
    money_is_where_the_books_say(pair)


async def test_above_a_mark_what_was_given_back_may_be_earned_anew(held):
    pair = await held(**ABOVE_MARK)
    await round_trip(pair, 10, "160")
    await pass_time(pair, WEEK)
    best = in_escrow(pair)
    await round_trip(pair, 10, "145")
    await pass_time(pair, WEEK)
    assert in_escrow(pair) == tenth(result(pair)) < best
    await round_trip(pair, 10, "165")

    await end(pair)

    assert pair.market.spot(pair.leader) in {
        tenth(result(pair)) - Decimal("0.0001"),  # two shares, each truncated
        tenth(result(pair)),
    }
    assert pair.rows(HighWaterMarkRow)[0].mark == result(pair)
    money_is_where_the_books_say(pair)


# -- handed over


async def hand_over(pair) -> None:
    await end(pair, "hand_over")
    assert pair.follow.state is FollowState.HANDED_OVER


@pytest.mark.parametrize("leader", [{}, {"share_basis": "high_water_mark"}])
async def test_a_follow_that_is_handed_over_pays_its_share_of_now_and_keeps_its_positions(
    plugin, market, leader
):
    pair = await Pair(plugin, market).start(leader=leader)
    await pair.buy(10)
    pair.set_price(SOL, "160")

    await hand_over(pair)

    share = tenth(result(pair) + 10)  # nothing realised but the fee; 1 SOL up by 10
    assert pair.held() == 10
    assert market.spot(pair.leader) == share > 0
    await pair.sell(10)  # the leader's closes are no longer followed
    await pair.buy(3)
    assert pair.held() == 10
    pair.set_price(SOL, "190")
    await plugin.command(CommandKind.CLOSE_POSITION, copied_position_id=pair.positions[0].id)
    await plugin.run_jobs("close ended", "settle")
    await plugin.settle()

    assert pair.held() == 0
    assert pair.follow.state is FollowState.CLOSED
    assert market.spot(pair.leader) == share
    states = [row.to_state.value for row in pair.rows(FollowHistoryRow)]
    assert states[-3:] == ["handed_over", "settling", "closed"]
    money_is_where_the_books_say(pair)
    assert balances(pair)[f"sub:{pair.follow_id}"] == 0


async def test_what_cannot_be_withdrawn_at_a_hand_over_stays_owed(plugin, market):
    pair = await Pair(plugin, market).start(copy_amount="100", margin_mode="isolated")
    await pair.buy(50)  # 750 USDT: 75 of margin
    pair.set_price(SOL, "250")  # 500 that cannot be withdrawn while it is not realised

    await hand_over(pair)

    assert pair.follow.share_owed is not None
    assert pair.follow.share_owed + market.spot(pair.leader) == tenth(result(pair) + 500)
    await plugin.command(CommandKind.CLOSE_POSITION, copied_position_id=pair.positions[0].id)
    await plugin.run_jobs("close ended", "settle")
    await plugin.settle()

    assert pair.follow.state is FollowState.CLOSED
    fee_of_the_open = Decimal(750) * Decimal("0.0005")
    assert market.spot(pair.leader) == tenth(500 - fee_of_the_open)
    money_is_where_the_books_say(pair)


async def test_a_follow_without_a_position_that_is_handed_over_is_over(pair):
    await end(pair, "hand_over")

    assert pair.follow.state is FollowState.CLOSED
    assert pair.market.spot(pair.follower) == 50_000


async def test_what_the_follower_trades_by_himself_is_booked_and_reported_to_nobody(
    pair, market, plugin
):
    await pair.buy(10)
    await hand_over(pair)

    market.trade(
        pair.sub_account, SOL, Side.SELL, 10, LONG, price=market.prices[SOL] - pair.tick(SOL)
    )
    await plugin.run_jobs("reconcile", "close ended", "settle")
    await plugin.settle()

    assert pair.follow.state is FollowState.CLOSED
    assert len(pair.rows(CopyOrderRow)) == 2
    account = market.exchange.account(pair.sub_account)
    assert (account.contract_balance, account.spot_balance) == (0, 0)
    assert balances(pair)[f"sub:{pair.follow_id}"] == 0


async def test_a_follow_that_was_handed_over_may_still_be_closed_at_once(pair):
    await pair.buy(10)
    await hand_over(pair)

    await end(pair)

    assert pair.held() == 0
    assert pair.follow.state is FollowState.CLOSED
