"""Funding that a venue tells after it has moved the wallet is no money taken out (S11)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import msgspec
import pytest

from copyplugin.store.rows import LeaderDayRow, LeaderEquityRow
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import AdvanceTime, SetFundingRate
from simexchange.core.instrument import FundingRules
from simexchange.core.types import HOUR_US, MONEY_SCALE
from tests.simulation import copy_world
from tests.simulation.copy_world import Market, Plugin
from tests.simulation.pair import BTC, SOL, Pair
from tests.simulation.test_track_record import Life, contract_equity, differences, recorded

LATEST_SECONDS = 290
"""Within the time that is granted to a venue."""


class TellsLate(SimulatedVenue):
    """Tells each payment of funding so many seconds after it was made."""

    now = None

    def late(self, payment) -> int:
        return 0

    async def funding(self, account, since):
        told = await super().funding(account, since)
        return [
            payment
            for payment in told
            if payment.at + timedelta(seconds=self.late(payment)) <= self.now()
        ]


@pytest.fixture
async def pair(tmp_path, monkeypatch):
    """Yield a pair on an exchange that pays funding every eight hours in both instruments."""
    for name in ("SOL", "BTC"):
        paid = msgspec.structs.replace(getattr(copy_world, name), funding=FundingRules())
        monkeypatch.setattr(copy_world, name, paid)
    market = Market()
    plugin = Plugin(tmp_path, market, venue=TellsLate(market.simulation))
    plugin.venue.now = plugin.clock.now
    await plugin.start()
    yield await Pair(plugin, market).start(money=10_000 * MONEY_SCALE)
    plugin.close()


async def pass_time(pair, seconds: float) -> None:
    pair.market.clock.advance(microseconds=round(seconds * 1_000_000))
    pair.market.apply(AdvanceTime())
    await pair.plugin.settle()


async def look(pair) -> None:
    await pair.plugin.run_jobs("statistics")


async def be_paid_funding(pair) -> None:
    """Hold two instruments until funding was exchanged in both, just now."""
    await look(pair)
    await pair.buy(100)
    await pair.buy(100, symbol=BTC)
    for symbol in (SOL, BTC):
        pair.market.apply(SetFundingRate(symbol, 200_000))
    now = pair.plugin.clock.now()
    next_one = (now + timedelta(hours=8)).replace(minute=0, second=0)
    next_one -= timedelta(hours=next_one.hour % 8)
    await pass_time(pair, (next_one - now).total_seconds() - 60)
    await look(pair)
    await pass_time(pair, 60)
    assert len(await SimulatedVenue.funding(pair.plugin.venue, str(pair.leader), None)) == 2


@pytest.mark.parametrize("which", ["all", SOL, BTC])
@pytest.mark.parametrize("looks", [1, 3])
async def test_a_payment_that_is_told_late_is_neither_taken_out_nor_brought_in(pair, which, looks):
    pair.plugin.venue.late = lambda payment: 200 if which in ("all", payment.symbol) else 0
    await be_paid_funding(pair)

    for _ in range(looks):
        await look(pair)
        await pass_time(pair, 60)
    await pass_time(pair, 60 * (4 - looks))
    await look(pair)

    points = recorded(pair)
    assert [row.flow for row in points] == [0] * len(points)
    assert points[-1].equity == contract_equity(pair)
    assert points[-1].unit_value == (points[-1].equity / 10_000).quantize(Decimal("1e-12"))
    assert differences(pair) == []


async def test_a_point_that_lacked_a_payment_stays_one_of_the_chart(pair):
    pair.plugin.venue.late = lambda _: 200
    await be_paid_funding(pair)
    await look(pair)
    [*_, doubted] = recorded(pair)
    assert doubted.flow < 0, "all that is known then"

    await pass_time(pair, 240)
    await look(pair)

    [row] = pair.rows(LeaderEquityRow, LeaderEquityRow.at == doubted.at)
    assert (row.equity, row.profit) == (doubted.equity, doubted.profit)
    assert (row.unit_value, row.flow, row.wallet) == (None, None, None)


async def test_a_day_that_ended_with_a_doubted_point_ends_with_the_one_before(pair):
    """The first look of a day is doubted on the next one, and the day has no other."""
    pair.plugin.venue.late = lambda _: 290
    pair.market.clock.advance(microseconds=4 * HOUR_US)
    pair.market.apply(AdvanceTime())
    await be_paid_funding(pair)
    assert pair.plugin.clock.now() == datetime(2026, 1, 6, tzinfo=UTC)
    await look(pair)
    first, second = (row.day for row in pair.rows(LeaderDayRow))
    assert (first.day, second.day) == (5, 6)

    await pass_time(pair, 280)
    await look(pair)
    assert differences(pair) == []
    await pass_time(pair, 24 * 3600)
    await look(pair)

    assert [row.day.day for row in pair.rows(LeaderDayRow)] == [5, 7]
    assert differences(pair) == []


class LooksOften(Life):
    brings = True

    async def move_money(self) -> None:
        if self.brings:
            await super().move_money()

    async def record(self) -> None:
        for _ in range(self.random.randint(1, 4)):
            self.pair.market.clock.advance(seconds=self.random.randint(20, 200))
            await self.pair.plugin.run_jobs("statistics")


@pytest.mark.parametrize("seed", range(8))
async def test_whenever_payments_are_told_what_was_brought_and_taken_is_found(pair, seed):
    """A law: the flows are what he brought and took, and there is none where he did nothing."""
    delays = Random(seed)
    late: dict[str, int] = {}
    pair.plugin.venue.late = lambda payment: late.setdefault(
        payment.venue_payment_id, delays.randint(0, LATEST_SECONDS)
    )
    life = LooksOften(pair, seed)
    life.brings = seed % 2 == 0
    await life.record()
    for _ in range(40):
        await life.go_on()
    await pass_time(pair, LATEST_SECONDS)
    await life.record()

    points = recorded(pair)
    assert len(points) > 2
    assert sum(row.flow for row in points) == life.brought
    assert life.brings or {row.flow for row in points} == {0}
    assert differences(pair) == []
