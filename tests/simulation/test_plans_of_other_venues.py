"""Stops at venues whose plan orders are not as the simulated exchange's are."""

from dataclasses import replace
from decimal import Decimal

import pytest

from copyplugin.domain.plan_order import PlanState, PlanStatus
from copyplugin.store.rows import PlanOrderRow
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import CancelPlanOrder
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import SOL, Pair
from tests.simulation.resting_plans import resting


class ForgetfulVenue(SimulatedVenue):
    """Knows nothing of plan orders that do not rest any more."""

    async def find_plan(self, account, symbol, client_order_id):
        found = await super().find_plan(account, symbol, client_order_id)
        return found if found is not None and found.status is PlanStatus.RESTING else None


class SizingVenue(SimulatedVenue):
    """Has plan orders close so many contracts as they were told, as some venues do."""

    def __init__(self, simulation):
        super().__init__(simulation)
        self.sizes = {}

    async def place_plan(self, request):
        self.sizes[request.client_order_id] = request.contracts
        return self.sized(await super().place_plan(request))

    async def amend_plan(self, account, symbol, client_order_id, *, contracts, trigger_price):
        self.sizes[client_order_id] = contracts
        return self.sized(
            await super().amend_plan(
                account,
                symbol,
                client_order_id,
                contracts=contracts,
                trigger_price=trigger_price,
            )
        )

    async def plans(self, account):
        return [self.sized(report) for report in await super().plans(account)]

    def sized(self, report):
        return replace(report, contracts=self.sizes[report.client_order_id])


@pytest.fixture
async def plugin_at(tmp_path, market):
    """Return what makes a plugin at a venue, and close it afterwards."""
    made = []

    async def make(venue):
        made.append(Plugin(tmp_path, market, venue=venue))
        await made[0].start()
        return made[0]

    yield make
    for plugin in made:
        plugin.close()


async def test_a_plan_that_the_venue_knows_no_more_rests_again_with_the_next_job(plugin_at, market):
    plugin = await plugin_at(ForgetfulVenue(market.simulation))
    pair = await Pair(plugin, market).start(take_profit="0.05", stop_loss="0.03")
    await pair.buy(10)
    for view in market.exchange.open_plans(pair.sub_account):
        market.apply(CancelPlanOrder(pair.sub_account, view.symbol, view.plan_id))
    assert resting(pair) == {}

    await plugin.run_jobs("protect")

    assert list(resting(pair)) == ["take_profit rises", "stop_loss falls"]
    states = [row.state for row in pair.rows(PlanOrderRow)]
    assert states == [PlanState.WITHDRAWN] * 2 + [PlanState.RESTING] * 2


async def test_a_plan_grows_with_its_position_where_its_price_stays(plugin_at, market):
    plugin = await plugin_at(SizingVenue(market.simulation))
    pair = await Pair(plugin, market).start(stop_loss="0.03")
    market.set_leverage(pair.leader, SOL, 20)
    await pair.buy(900)
    assert resting(pair) == {"stop_loss falls": Decimal("149.67")}  # 30 less in 90 SOL
    assert list(plugin.venue.sizes.values()) == [900]

    await pair.buy(1)

    assert resting(pair) == {"stop_loss falls": Decimal("149.67")}
    assert list(plugin.venue.sizes.values()) == [901]
