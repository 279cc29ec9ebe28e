"""Nothing keeps a close waiting: no open before it, no pause, no clock that was set (N2, C10)."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from copyplugin.domain.command import CommandKind
from copyplugin.domain.skip import SkipReason
from copyplugin.errors import OutcomeUnknown, VenueUnavailable
from copyplugin.store.rows import CopyDecisionRow, LaneRow, SignalRow
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import CancelAll
from simexchange.core.types import MONEY_SCALE, PositionSide, Side
from tests.simulation.copy_world import Plugin
from tests.simulation.decisions_again import check_decisions_again
from tests.simulation.pair import BTC, SOL, Pair

LONG = PositionSide.LONG


class HalfDeafVenue(SimulatedVenue):
    """Loses the orders in one instrument and tells nothing of them, or of any balance."""

    deaf_to: str | None = None
    hides_balances = False

    async def place_order(self, request):
        if request.symbol == self.deaf_to:
            raise OutcomeUnknown("no answer")
        return await super().place_order(request)

    async def find_order(self, account, symbol, client_order_id):
        if symbol == self.deaf_to:
            raise VenueUnavailable("not a word")
        return await super().find_order(account, symbol, client_order_id)

    async def balance(self, account):
        if self.hides_balances:
            raise VenueUnavailable("not a word")
        return await super().balance(account)


class ForgetfulVenue(SimulatedVenue):
    """Loses orders, which may arrive for five seconds."""

    loses_orders = False

    @property
    def capabilities(self):
        return replace(super().capabilities, requests_live_seconds=5)

    async def place_order(self, request):
        if self.loses_orders:
            raise OutcomeUnknown("lost")
        return await super().place_order(request)


@pytest.fixture
def venue(market):
    return HalfDeafVenue(market.simulation)


@pytest.fixture
async def plugin(tmp_path, market, venue):
    made = Plugin(tmp_path, market, venue=venue)
    await made.start()
    yield made
    check_decisions_again(made)
    made.close()


def reasons_of(pair, symbol):
    """Return why each leader order in this instrument was skipped, None where it was copied."""
    with pair.plugin.database.read() as session:
        found = session.query(SignalRow, CopyDecisionRow, LaneRow).filter(
            SignalRow.id == CopyDecisionRow.signal_id,
            LaneRow.id == CopyDecisionRow.lane_id,
            LaneRow.symbol == symbol,
        )
        return [row.skip_reason for _, row, _ in found.order_by(SignalRow.id)]


async def test_a_close_passes_an_open_that_waits_for_another_lane(pair, venue):
    await pair.buy(10)
    venue.deaf_to = BTC
    await pair.buy(1, symbol=BTC)  # sent, and nobody knows what became of it
    await pair.buy(5)
    assert pair.held() == 10, "the add waits for its turn"

    await pair.sell(15)

    assert pair.held() == 0
    assert reasons_of(pair, SOL) == [None, SkipReason.LEADER_HAS_CLOSED, None]


async def test_a_close_passes_an_open_that_waits_for_a_balance(plugin, market, venue):
    pair = await Pair(plugin, market).start(
        money=10_000 * MONEY_SCALE, mode="proportional", copy_amount="1000"
    )
    await pair.buy(20)
    held = pair.held()
    assert held > 0
    venue.hides_balances = True
    await pair.buy(20)
    assert pair.held() == held, "the add waits for the balance"

    await pair.sell(40)
    await plugin.run_jobs("copy")

    assert pair.held() == 0


async def test_a_reduction_waits_no_longer_for_an_open_than_that_may_be_late(pair, venue, market):
    await pair.buy(10)
    venue.deaf_to = BTC
    await pair.buy(1, symbol=BTC)
    await pair.buy(10)

    await pair.sell(10)
    market.clock.advance(seconds=11)
    await pair.plugin.run_jobs("copy")

    assert pair.held() == 5
    assert reasons_of(pair, SOL) == [None, SkipReason.EXPIRED, None]


async def test_an_open_that_need_not_wait_is_copied_though_a_reduction_is_known_already(
    pair, plugin, market
):
    market.trade(pair.leader, SOL, Side.BUY, 10, LONG)
    market.trade(pair.leader, SOL, Side.SELL, 5, LONG, price=Decimal("149.99"))
    market.clock.advance(seconds=30)  # the engine was away

    await plugin.run_jobs("copy")

    assert pair.held() == 5
    assert pair.skips == []


async def test_a_close_does_not_wait_for_a_pause_that_an_open_earned(plugin, market, venue):
    pair = await Pair(plugin, market).start(
        money=10_000 * MONEY_SCALE, mode="proportional", copy_amount="1000"
    )
    await pair.buy(20)
    venue.hides_balances = True
    await pair.buy(20)
    assert pair.rows(LaneRow)[0].retry_at > plugin.clock.now()
    venue.hides_balances = False

    await pair.sell(40)

    assert pair.held() == 0


async def test_a_follower_who_ends_waits_for_no_pause(pair, plugin, venue):
    await pair.buy(10)
    venue.deaf_to = SOL
    await pair.sell(5)
    venue.deaf_to = None
    assert pair.rows(LaneRow)[0].retry_at > plugin.clock.now()

    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")

    assert pair.held() == 0


async def test_a_clock_that_is_set_back_keeps_no_close_waiting(pair, plugin, market, venue):
    await pair.buy(10)
    venue.deaf_to = SOL
    await pair.sell(5)
    market.clock.advance(seconds=1)
    await plugin.run_jobs("copy")
    venue.deaf_to = None
    plugin.clock.was_set_by = -timedelta(hours=1)

    await plugin.run_jobs("copy")

    assert pair.held() == 5


async def test_a_clock_that_is_set_back_keeps_no_lost_close_from_being_sent_again(tmp_path, market):
    venue = ForgetfulVenue(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    await plugin.start()
    pair = await Pair(plugin, market).start()
    await pair.buy(10)
    venue.loses_orders = True
    await pair.sell(10)
    venue.loses_orders = False
    plugin.clock.was_set_by = -timedelta(hours=1)

    await plugin.run_jobs("copy")
    market.clock.advance(seconds=7)
    await plugin.run_jobs("copy")

    assert pair.held() == 0
    plugin.close()


async def test_a_clock_that_is_set_back_keeps_no_reduction_behind_an_order_that_fills(
    pair, plugin, market
):
    market.cancel_offers(SOL)
    market.offer(SOL, Side.SELL, 4)
    market.offer(SOL, Side.SELL, 500, Decimal("150.01"))
    market.offer(SOL, Side.BUY, 500, Decimal("149.99"))
    await pair.buy(10)  # 4 filled, 6 rest
    market.offer(SOL, Side.SELL, 2)
    await plugin.settle()  # known, and to be topped up after a while
    assert (pair.held_by_leader(), pair.held()) == (6, 4)
    market.apply(CancelAll(pair.leader, SOL))
    plugin.clock.was_set_by = -timedelta(hours=1)

    await pair.sell(3)
    await plugin.run_jobs("copy")

    assert pair.held() == pair.held_by_leader() == 3


class TellsNoSizes(SimulatedVenue):
    """A venue that does not tell how much an order of a leader is to fill in all."""

    async def leader_fills(self, account, after):
        fills = await super().leader_fills(account, after)
        return [replace(fill, order_contracts=None) for fill in fills]


async def test_the_last_part_of_a_close_is_not_kept_for_a_top_up(tmp_path, market):
    plugin = Plugin(tmp_path, market, venue=TellsNoSizes(market.simulation))
    await plugin.start()
    pair = await Pair(plugin, market).start()
    await pair.buy(10)
    market.cancel_offers(SOL)
    market.offer(SOL, Side.BUY, 4, Decimal("149.99"))
    market.offer(SOL, Side.BUY, 500, Decimal("149.98"))
    await pair.sell(10)  # 4 are gone, 6 rest
    assert pair.held() == 6
    market.offer(SOL, Side.BUY, 6, Decimal("149.99"))

    await plugin.settle()  # in the same moment

    assert pair.held() == pair.held_by_leader() == 0
    plugin.close()
