"""A market bears so much copying and no more; who comes later is told before he starts (N9)."""

from decimal import Decimal

from copyplugin.domain.command import CommandState
from copyplugin.errors import VenueUnavailable
from copyplugin.store import capacity
from copyplugin.store.rows import DepthSampleRow
from simexchange.core.types import MONEY_SCALE, Side
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import SOL, Pair
from tests.simulation.paper_pair import PaperPair, start_plugin


class Ladder(Pair):
    """Sells 30 contracts near the price and buys as many; the rest is far away."""

    def stand_by(self, symbol: str) -> None:
        price = self.market.prices[symbol]
        self.market.cancel_offers(symbol)
        self.market.offer(symbol, Side.SELL, 30, price)
        self.market.offer(symbol, Side.BUY, 30, price - self.tick(symbol))
        self.market.offer(symbol, Side.SELL, 10_000, price * Decimal("1.05"))

    async def another(self, amount: str):
        account = self.market.open_account("another", spot=50_000 * MONEY_SCALE)
        return await self.plugin.follow(self.follow.leader_id, account, copy_amount=amount)


async def test_the_room_is_what_the_depth_bears_beside_the_follows_there_are(plugin, market):
    pair = await Ladder(plugin, market).start(copy_amount="100")
    await pair.buy(2)  # the leader and his follower take two contracts each
    pair.stand_by(SOL)
    await plugin.run_jobs("depth")

    # Depth: 30 contracts of 15 USDT on the buying side, of 14.999 on the other. Half of it less the
    # leader's own 30 is 194.985; each USDT copied asks for 0.3: 649.95 may be copied in all.
    with plugin.database.read() as session:
        known = capacity.capacity_of(session, pair.follow.leader_id)
        assert (known.symbol, known.copy_amount) == (SOL, Decimal("649.95"))

    refused = await pair.another("549.96")
    assert refused.state is CommandState.REFUSED
    assert "The market in SOLUSDT bears 549.95 USDT more of copies" in refused.message

    taken = await pair.another("549.95")
    assert taken.state is CommandState.DONE, taken.message


class LadderWithPlayMoney(Ladder, PaperPair):
    """The same, and the follower follows with play money too."""


async def test_play_money_takes_nothing_of_the_room(tmp_path, market):
    plugin = await start_plugin(tmp_path, market)
    pair = await LadderWithPlayMoney(plugin, market).start(copy_amount="100")
    started = await pair.start_paper(copy_amount="1000")
    assert started.state is CommandState.DONE, started.message
    await pair.buy(2)
    assert await pair.held_on_paper() == 2
    pair.stand_by(SOL)
    await plugin.run_jobs("depth")

    with plugin.database.read() as session:
        assert capacity.capacity_of(session, pair.follow.leader_id).copy_amount == Decimal("649.95")
    plugin.close()


async def test_a_market_that_is_full_takes_nobody(plugin, market):
    pair = await Ladder(plugin, market).start(copy_amount="100")
    await pair.buy(14)
    pair.stand_by(SOL)
    await plugin.run_jobs("depth")

    refused = await pair.another("10")
    assert refused.state is CommandState.REFUSED
    assert "bears 0 USDT more" in refused.message
    assert "Try again later." in refused.message


async def test_who_wants_no_such_limit_sets_it_off(tmp_path, market):
    plugin = Plugin(tmp_path, market, capacity_limits_follows=False)
    await plugin.start()
    pair = await Ladder(plugin, market).start(copy_amount="100")
    await pair.buy(14)
    pair.stand_by(SOL)
    await plugin.run_jobs("depth")

    assert (await pair.another("1000")).state is CommandState.DONE
    plugin.close()


async def test_a_thin_moment_does_not_count_as_the_market(plugin, market):
    pair = await Ladder(plugin, market).start(copy_amount="100")
    await pair.buy(2)
    for _ in range(7):
        pair.stand_by(SOL)
        await plugin.run_jobs("depth")
        market.clock.advance(seconds=60)
    market.cancel_offers(SOL)
    await plugin.run_jobs("depth")

    with plugin.database.read() as session:
        assert capacity.capacity_of(session, pair.follow.leader_id).copy_amount > 600


async def test_old_samples_are_forgotten(plugin, market):
    pair = await Ladder(plugin, market).start(copy_amount="100")
    await pair.buy(2)
    await plugin.run_jobs("depth")
    market.clock.advance(seconds=3_700)
    await plugin.run_jobs("depth")

    assert len(pair.rows(DepthSampleRow)) == 1


async def test_a_venue_that_does_not_answer_changes_nothing(plugin, market, monkeypatch):
    pair = await Ladder(plugin, market).start(copy_amount="100")
    await pair.buy(2)
    pair.stand_by(SOL)
    await plugin.run_jobs("depth")

    async def silent(*_):
        raise VenueUnavailable("nobody there")

    monkeypatch.setattr(plugin.venue, "depth", silent)
    await plugin.run_jobs("depth")
    with plugin.database.read() as session:
        assert capacity.capacity_of(session, pair.follow.leader_id).copy_amount == Decimal("649.95")
