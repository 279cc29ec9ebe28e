"""Nobody is always served last, closes go first, and how far apart followers are is a figure."""

from collections import Counter, defaultdict
from datetime import timedelta

from copyplugin.domain.command import CommandState
from copyplugin.store.queries.spread import copy_spread, order_spreads
from copyplugin.store.rows import CopyOrderRow
from simexchange.core.types import MONEY_SCALE

FOLLOWERS = 5


async def test_each_follower_is_served_first_and_last_in_turn(pair, plugin, market):
    for number in range(FOLLOWERS - 1):
        account = market.open_account(f"follower {number}", spot=5000 * MONEY_SCALE)
        answer = await plugin.follow(1, account)
        assert answer.state is CommandState.DONE

    for _ in range(2 * FOLLOWERS):
        await pair.buy(1)

    lanes = defaultdict(list)
    for order in pair.rows(CopyOrderRow):
        lanes[order.signal_id].append(order.lane_id)
    firsts = Counter(served[0] for served in lanes.values())
    lasts = Counter(served[-1] for served in lanes.values())
    assert len(lanes) == 2 * FOLLOWERS
    assert len(firsts) == len(lasts) == FOLLOWERS
    assert max(lasts.values()) <= 3


async def test_the_spread_is_from_the_first_to_the_last_acknowledgement(pair, plugin, market):
    account = market.open_account("another follower", spot=5000 * MONEY_SCALE)
    await pair.buy(1)
    with plugin.database.read() as session:
        assert copy_spread(session) is None  # one follower is no crowd
    await plugin.follow(1, account)
    await pair.buy(1)
    _, one, other = pair.rows(CopyOrderRow)
    later = one.acknowledged_at + timedelta(milliseconds=7)

    def acknowledge(session):
        session.get(CopyOrderRow, other.id).acknowledged_at = later

    plugin.database.write_and_wait(acknowledge)

    with plugin.database.read() as session:
        [spread] = order_spreads(session)
        assert copy_spread(session).p99 == timedelta(milliseconds=7)
    assert (spread.orders, spread.spread) == (2, timedelta(milliseconds=7))
