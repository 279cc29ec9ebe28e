"""What was still to be opened when something ended it is skipped with the reason that ended it."""

import pytest
from sqlalchemy import update

from copyplugin.domain.command import CommandKind
from copyplugin.domain.skip import SkipReason
from copyplugin.errors import VenueUnavailable
from copyplugin.store.rows import CopyDecisionRow, CopyOrderRow, LaneRow, LeaderPositionRow
from copyplugin.venues.simulated import SimulatedVenue
from tests.simulation.copy_world import Plugin


class MuteVenue(SimulatedVenue):
    """Takes no order and answers no question about one while it is mute; fills go on."""

    is_mute = False

    async def place_order(self, request):
        self.speak()
        return await super().place_order(request)

    async def find_order(self, account, symbol, client_order_id):
        self.speak()
        return await super().find_order(account, symbol, client_order_id)

    def speak(self):
        if self.is_mute:
            raise VenueUnavailable("not a word")


@pytest.fixture
async def plugin(tmp_path, market):
    made = Plugin(tmp_path, market, venue=MuteVenue(market.simulation))
    await made.start()
    yield made
    made.close()


async def end(plugin, pair):
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")


async def hand_over(plugin, pair):
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="hand_over")


async def close(plugin, pair):
    [position] = pair.positions
    await plugin.command(CommandKind.CLOSE_POSITION, copied_position_id=position.id)


async def halt(plugin, pair):
    await plugin.command(CommandKind.HALT_COPYING, scope="global", close=True)


async def lose_the_leaders_close(plugin, pair):
    plugin.database.write_and_wait(
        lambda s: s.execute(update(LeaderPositionRow).values(contracts=0))
    )
    await plugin.run_jobs("close ended")


@pytest.mark.parametrize(
    ("do", "reason", "left"),
    [
        (end, SkipReason.FOLLOW_NOT_ACTIVE, 0),
        (hand_over, SkipReason.FOLLOW_NOT_ACTIVE, 10),
        (close, SkipReason.POSITION_CLOSED, 0),
        (halt, SkipReason.COPYING_HALTED, 0),
        (lose_the_leaders_close, SkipReason.LEADER_HAS_CLOSED, 0),
    ],
)
async def test_the_rest_of_an_open_that_is_ended_is_skipped_with_its_reason(
    pair, plugin, do, reason, left
):
    await pair.buy(10)
    plugin.database.write_and_wait(wants_four_more)

    await do(plugin, pair)
    await plugin.run_jobs("copy")

    assert pair.held() == left
    [skip] = pair.skips
    assert (skip.skip_reason, skip.skip_detail["not_filled"]) == (reason, "4")


@pytest.mark.parametrize(
    ("do", "reason"),
    [
        (end, SkipReason.FOLLOW_NOT_ACTIVE),
        (halt, SkipReason.COPYING_HALTED),
    ],
)
async def test_an_open_that_never_arrived_and_was_ended_is_skipped_with_its_reason(
    pair, market, plugin, do, reason
):
    plugin.venue.is_mute = True
    await pair.buy(10)
    await do(plugin, pair)
    plugin.venue.is_mute = False
    market.clock.advance(seconds=2)

    await plugin.run_jobs("copy", "close ended")

    assert pair.held() == 0
    [skip] = pair.skips
    assert (skip.skip_reason, skip.skip_detail["not_filled"]) == (reason, "10")


async def test_an_open_that_never_arrived_before_the_leader_closed_is_skipped_with_its_reason(
    pair, market, plugin
):
    plugin.venue.is_mute = True
    await pair.buy(10)
    await pair.sell(10)
    plugin.venue.is_mute = False
    market.clock.advance(seconds=2)

    await plugin.run_jobs("copy")

    assert pair.held() == 0
    assert len(pair.rows(CopyOrderRow)) == 1
    opened, closed = sorted(pair.skips, key=lambda row: row.signal_id)
    assert opened.skip_reason is SkipReason.LEADER_HAS_CLOSED
    assert closed.skip_reason is SkipReason.NOTHING_TO_CLOSE


def wants_four_more(session):
    """Leave a lane as a big open does whose second order was not sent yet."""
    session.execute(update(LaneRow).values(target=14))
    session.execute(update(CopyDecisionRow).values(wanted=14, target_after=14))
