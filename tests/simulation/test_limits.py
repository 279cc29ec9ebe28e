"""Limits of a follow, and halts: of a follow, a leader, everybody (P5)."""

from decimal import Decimal

import pytest

from copyplugin.domain.account import TransferKind, TransferState
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import EndKind, FollowState
from copyplugin.domain.skip import SkipReason
from copyplugin.errors import VenueUnavailable
from copyplugin.store.rows import (
    FollowHistoryRow,
    FollowProtectionRow,
    HaltRow,
    LaneRow,
    TransferRow,
)
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.types import PositionSide
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import BTC, SOL, Pair

LONG = PositionSide.LONG
DAY = 24 * 3600


async def limited(plugin, market, **terms) -> Pair:
    pair = await Pair(plugin, market).start(**terms)
    market.set_leverage(pair.leader, SOL, 2)
    await plugin.run_jobs("protect")
    return pair


async def watched(pair) -> None:
    await pair.plugin.run_jobs("protect", "close ended", "settle", "close ended")


async def test_the_largest_loss_closes_everything_and_ends_the_follow(plugin, market):
    pair = await limited(plugin, market, max_loss="50")
    await pair.buy(20)  # 2 SOL
    pair.set_price(SOL, "126.00")
    await watched(pair)
    assert pair.follow.state is FollowState.COPYING, "48 of 50 are lost"

    pair.set_price(SOL, "124.50")
    await watched(pair)

    assert pair.held() == 0
    assert pair.follow.state is FollowState.CLOSED
    assert pair.follow.end_kind is EndKind.POSITION_CLOSED
    assert pair.follow.end_reason == "the largest loss of the follow was reached"


class MovesNothing(SimulatedVenue):
    """Trades, and is silent when money is to be moved."""

    is_silent = False

    async def transfer(self, request):
        if self.is_silent:
            raise VenueUnavailable("not a word")
        await super().transfer(request)


async def test_a_share_that_is_still_in_the_account_is_not_the_followers(tmp_path, market):
    venue = MovesNothing(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    await plugin.start()
    pair = await limited(plugin, market, max_loss="20")
    await pair.buy(40)  # 4 SOL
    pair.set_price(SOL, "190.00")
    await pair.sell(40)  # earns about 160
    venue.is_silent = True
    await watched(pair)  # of which about 16 are the leader's
    for _ in range(3):  # by then it is known that they have not left
        market.clock.advance(seconds=5)
        await watched(pair)
    await pair.buy(40)
    pair.set_price(SOL, "148.00")  # 168 lost: 10 of his own, and the share
    await watched(pair)

    assert pair.follow.end_reason == "the largest loss of the follow was reached"
    plugin.close()


class LooksWhileItMoves(SimulatedVenue):
    """Between a transfer and its answer something happens."""

    meanwhile = None

    async def transfer(self, request):
        await super().transfer(request)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()


async def test_a_share_that_leaves_just_now_is_no_loss(tmp_path, market):
    venue = LooksWhileItMoves(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    await plugin.start()
    pair = await limited(plugin, market, trailing_stop="0.01")
    await pair.buy(40)
    pair.set_price(SOL, "190.00")
    await watched(pair)
    await pair.sell(40)
    looks = []

    async def look():
        looks.append(pair.rows(TransferRow, TransferRow.kind == TransferKind.SHARE))
        await plugin.engine.protector._protect(pair.follow_id)

    venue.meanwhile = look
    await watched(pair)

    assert [row.state for row in looks[0]] == [TransferState.PLANNED]
    assert pair.follow.state is FollowState.PENDING
    plugin.close()


@pytest.mark.parametrize("is_held", [False, True])
async def test_the_trailing_stop_follows_the_peak_and_a_share_paid_is_no_loss(
    tmp_path, market, is_held
):
    escrow = market.open_account("escrow")
    held = {"share_escrow_seconds": 86_400, "escrow_account": str(escrow)} if is_held else {}
    plugin = Plugin(tmp_path, market, **held)
    await plugin.start()
    pair = await limited(plugin, market, trailing_stop="0.05")
    await pair.buy(40)  # 4 SOL
    pair.set_price(SOL, "190.00")
    await watched(pair)
    assert pair.rows(FollowProtectionRow)[0].peak_value > 1155
    await pair.sell(40)
    await watched(pair)  # a share of about 16 is paid
    assert market.spot(escrow if is_held else pair.leader) > 15
    await pair.buy(40)
    pair.set_price(SOL, "178.00")  # 48 of 57 given back
    await watched(pair)
    assert pair.follow.state is FollowState.COPYING

    pair.set_price(SOL, "175.00")
    await watched(pair)

    assert pair.follow.state is FollowState.CLOSED
    assert "trailing stop" in pair.follow.end_reason
    plugin.close()


async def test_a_days_loss_closes_all_and_pauses_until_the_next_day_in_the_time_zone(
    plugin, market
):
    pair = await limited(plugin, market, max_day_loss="20")
    await pair.buy(20)
    pair.set_price(SOL, "139.00")
    await watched(pair)
    assert pair.held() == 0
    assert pair.follow.state is FollowState.PENDING

    await pair.buy(5)
    assert pair.held() == 0
    assert pair.skips[-1].skip_reason is SkipReason.COPYING_HALTED
    [halt] = pair.rows(HaltRow)
    assert (halt.until.hour, halt.until.day) == (0, 6)
    reasons = [row.reason for row in pair.rows(FollowHistoryRow)]
    assert "paused until the next day: the largest loss of a day was reached" in reasons

    market.clock.advance(seconds=12 * 3600)  # it was noon
    await watched(pair)
    await pair.buy(5)

    assert pair.held() == 5
    assert pair.rows(HaltRow)[0].lifted_by == "engine"
    await watched(pair)
    assert pair.held() == 5, "the new day begins with what the last one left"


async def test_a_day_begins_with_what_was_last_seen_of_the_day_before(plugin, market):
    pair = await limited(plugin, market, max_day_loss="20")
    await pair.buy(20)
    market.clock.advance(seconds=12 * 3600)
    pair.set_price(SOL, "139.00")  # at midnight, and nobody looked before

    await watched(pair)

    assert pair.held() == 0


async def test_losing_positions_in_a_row_pause_opens_and_closes_are_still_copied(plugin, market):
    pair = await limited(plugin, market, losing_positions=2)
    await pair.buy(1, symbol=BTC)
    for _ in range(2):
        await pair.buy(5)
        await pair.sell(5)  # a tick and two fees lost
    await pair.buy(5)
    assert pair.held() == 0
    assert pair.held(symbol=BTC) == 1

    await pair.sell(1, symbol=BTC)
    assert pair.held(symbol=BTC) == 0

    resumed = await plugin.command(
        CommandKind.RESUME_COPYING, scope="follow", follow_id=pair.follow_id
    )
    assert resumed.state is CommandState.DONE
    await pair.buy(5)
    assert pair.held() == 5
    await watched(pair)
    await pair.buy(5)
    assert pair.held() == 10, "what was lost before he resumed is not counted again"


async def test_a_follower_pauses_and_resumes_by_hand(plugin, market):
    pair = await limited(plugin, market)
    await pair.buy(5)
    paused = await plugin.command(
        CommandKind.HALT_COPYING, scope="follow", follow_id=pair.follow_id, reason="holiday"
    )
    again = await plugin.command(CommandKind.HALT_COPYING, scope="follow", follow_id=pair.follow_id)
    await pair.buy(5)

    assert paused.state is CommandState.DONE
    assert again.message == "Copying is halted for this follow already."
    assert pair.held() == 5
    await plugin.command(
        CommandKind.RESUME_COPYING, scope="follow", follow_id=pair.follow_id, reason="back home"
    )
    twice = await plugin.command(
        CommandKind.RESUME_COPYING, scope="follow", follow_id=pair.follow_id
    )
    assert twice.message == "Copying is not halted for this follow."
    reasons = [row.reason for row in pair.rows(FollowHistoryRow)]
    assert reasons[-2:] == ["paused: holiday", "resumed: back home"]


@pytest.mark.parametrize("scope", ["leader", "global"])
async def test_a_kill_switch_opens_nothing_more_and_closes_all_where_asked(plugin, market, scope):
    pair = await limited(plugin, market)
    await pair.buy(5)
    whose = {"leader_id": 1} if scope == "leader" else {}
    await plugin.command(CommandKind.HALT_COPYING, scope=scope, **whose)
    await pair.buy(5)
    assert pair.held() == 5
    other = market.open_account("other", spot=5000 * 10**8)
    refused = await plugin.follow(1, other)
    assert refused.state is CommandState.REFUSED
    assert "Copying is halted for" in refused.message

    closed = await plugin.command(CommandKind.HALT_COPYING, scope=scope, close=True, **whose)

    assert "closed at market" in closed.message
    assert pair.held() == 0
    assert pair.follow.state is FollowState.PENDING
    await plugin.command(CommandKind.RESUME_COPYING, scope=scope, **whose)
    await pair.buy(3)
    assert pair.held() == 3
    assert [row.target for row in pair.rows(LaneRow)] == [3]


async def test_a_leaders_halt_leaves_other_leaders_followers_alone(plugin, market):
    pair = await limited(plugin, market)
    other = await Pair(plugin, market).start()
    await plugin.command(CommandKind.HALT_COPYING, scope="leader", leader_id=1)

    await pair.buy(5)
    await other.buy(5)

    assert (pair.held(), other.held()) == (0, 5)


async def test_limits_that_cannot_work_are_refused(plugin, market):
    pair = await limited(plugin, market)

    refused = await plugin.command(
        CommandKind.SET_PROTECTION, follow_id=pair.follow_id, max_loss="1001"
    )

    assert "at most the copy amount, 1000 USDT" in refused.message
    assert pair.rows(FollowProtectionRow) == []
    assert Decimal(pair.follow.copy_amount) == 1000
