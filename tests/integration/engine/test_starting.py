"""Starting a follow: whatever step fails, the money is back and the follow does not exist (L1)."""

from decimal import Decimal

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import FollowState
from copyplugin.errors import (
    OutcomeUnknown,
    RequestRejected,
    TransferRejected,
    VenueUnavailable,
)
from copyplugin.store import follows, ledger
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.types import MONEY_SCALE, PositionSide, Side
from tests.simulation.copy_world import AMPLE, Market, Plugin

REJECTED = RequestRejected("forced", "not today")
UNREACHABLE = VenueUnavailable("nobody answers")
NOT_MOVED = TransferRejected("forced", "not today")
DOUBT = OutcomeUnknown("the answer was lost")


class BrokenVenue(SimulatedVenue):
    """Fails in one method: before it does anything, or after, so many times."""

    broken: str | None = None
    error: Exception = DOUBT
    times = 10**9
    is_after = False

    def break_down(self, method: str, error: Exception, *, times: int, after: bool) -> None:
        self.broken, self.error, self.times, self.is_after = method, error, times, after

    async def open_sub_account(self, *arguments):
        return await self._do("open_sub_account", *arguments)

    async def set_hedge_mode(self, *arguments):
        return await self._do("set_hedge_mode", *arguments)

    async def transfer(self, *arguments):
        return await self._do("transfer", *arguments)

    async def _do(self, name, *arguments):
        if name != self.broken or self.times == 0:
            return await getattr(super(), name)(*arguments)
        self.times -= 1
        if self.is_after:
            await getattr(super(), name)(*arguments)
        raise self.error


@pytest.fixture
def market():
    return Market()


@pytest.fixture
def venue(market):
    return BrokenVenue(market.simulation)


@pytest.fixture
async def plugin(tmp_path, market, venue):
    made = Plugin(tmp_path, market, venue=venue)
    await made.start()
    yield made
    made.close()


async def begin(plugin, market) -> tuple[int, int]:
    """Return the command's id and the follower's account."""
    leader_id = await plugin.add_leader(market.open_account("leader", contract=AMPLE))
    follower = market.open_account("follower", spot=5000 * MONEY_SCALE)
    row = await plugin.follow(leader_id, follower)
    return row.id, follower


async def wait(plugin, market, command_id):
    for _ in range(20):
        if plugin.answer(command_id).state is not CommandState.PENDING:
            break
        market.clock.advance(seconds=10)
        await plugin.settle()
        await plugin.run_jobs("close ended", "copy")
    return plugin.answer(command_id)


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("open_sub_account", REJECTED),
        ("open_sub_account", UNREACHABLE),
        ("set_hedge_mode", REJECTED),
        ("set_hedge_mode", UNREACHABLE),
        ("transfer", NOT_MOVED),
        ("transfer", UNREACHABLE),
    ],
)
async def test_a_start_that_fails_leaves_the_money_and_no_follow(
    plugin, market, venue, method, error
):
    venue.break_down(method, error, times=10**9, after=False)

    command_id, follower = await begin(plugin, market)
    answer = await wait(plugin, market, command_id)

    assert answer.state is CommandState.REFUSED
    assert answer.message
    assert market.spot(follower) == 5000
    with plugin.database.read() as session:
        [follow] = follows.follows_in(session, set(FollowState))
        assert follow.state is FollowState.VOID
        assert ledger.balances(session) == {}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("method", ["open_sub_account", "set_hedge_mode", "transfer"])
async def test_a_start_in_doubt_goes_on_and_moves_the_money_once(
    plugin, market, venue, method, after
):
    venue.break_down(method, DOUBT, times=2, after=after)

    command_id, follower = await begin(plugin, market)
    answer = await wait(plugin, market, command_id)

    assert answer.state is CommandState.DONE
    assert market.spot(follower) == 4000
    with plugin.database.read() as session:
        [follow] = follows.follows_in(session, set(FollowState))
        assert follow.state is FollowState.PENDING
        account = market.exchange.account(int(follow.sub_account))
        assert account.contract_balance == 1000 * MONEY_SCALE


async def test_a_leader_prohibited_while_the_money_moves_gives_it_back(plugin, market, venue):
    venue.break_down("transfer", DOUBT, times=1, after=True)
    command_id, follower = await begin(plugin, market)
    await plugin.command(CommandKind.PROHIBIT_LEADER, leader_id=1)

    answer = await wait(plugin, market, command_id)

    assert answer.state is CommandState.REFUSED
    assert market.spot(follower) == 5000
    with plugin.database.read() as session:
        assert ledger.balances(session)["sub:1"] == 0


async def test_more_than_the_spot_wallet_holds_is_refused_before_anything_is_begun(plugin, market):
    leader_id = await plugin.add_leader(market.open_account("leader", contract=AMPLE))
    follower = market.open_account("follower", spot=500 * MONEY_SCALE)

    answer = await plugin.follow(leader_id, follower, copy_amount="501")

    assert answer.state is CommandState.REFUSED
    assert "500 USDT" in answer.message
    with plugin.database.read() as session:
        assert follows.follows_in(session, set(FollowState)) == []


async def test_the_same_command_is_carried_out_once(plugin, market):
    _, follower = await begin(plugin, market)
    plugin.keys -= 1  # the next command comes with the key of the last one

    again = await plugin.command(
        CommandKind.START_FOLLOW,
        leader_id=1,
        follower_id=1,
        mode="fixed",
        copy_amount="1000",
        instruments=["BTCUSDT", "SOLUSDT"],
    )

    assert again.state is CommandState.DONE
    assert market.spot(follower) == 4000
    with plugin.database.read() as session:
        assert len(follows.follows_in(session, set(FollowState))) == 1


async def test_what_the_leader_holds_at_the_start_is_not_copied_but_his_closes_count_it(
    plugin, market
):
    leader = market.open_account("leader", contract=AMPLE)
    leader_id = await plugin.add_leader(leader)
    market.offer("SOLUSDT", Side.SELL, 1000)
    market.trade(leader, "SOLUSDT", Side.BUY, 30, PositionSide.LONG)
    await plugin.settle()
    follower = market.open_account("follower", spot=5000 * MONEY_SCALE)
    started = await plugin.follow(leader_id, follower)

    market.trade(leader, "SOLUSDT", Side.BUY, 10, PositionSide.LONG)  # 30 → 40
    await plugin.settle()
    held_after_add = held(plugin, market, started)
    market.offer("SOLUSDT", Side.BUY, 1000, Decimal("149.99"))
    market.trade(
        leader, "SOLUSDT", Side.SELL, 20, PositionSide.LONG, price=Decimal("149.99")
    )  # 40 → 20
    await plugin.settle()

    assert held_after_add == 10
    assert held(plugin, market, started) == 5


def held(plugin, market, started) -> int:
    with plugin.database.read() as session:
        follow = follows.get_follow(session, started.result["follow_id"])
    return market.exchange.position(int(follow.sub_account), "SOLUSDT", PositionSide.LONG).contracts
