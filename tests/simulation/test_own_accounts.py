"""A venue that moves money between accounts of one owner only (V6): what is owed waits, alone."""

from dataclasses import replace
from decimal import Decimal

import pytest

from copyplugin.domain.account import TransferState
from copyplugin.domain.command import CommandKind
from copyplugin.domain.follow import FollowState
from copyplugin.errors import TransferRejected
from copyplugin.ports import MovesMoney
from copyplugin.store import ledger
from copyplugin.store.rows import TransferRow
from copyplugin.venues.simulated import SimulatedVenue
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import SOL, Pair


class OwnAccountsVenue(SimulatedVenue):
    """Moves money between a follower's own accounts; to a leader it says no."""

    capabilities = replace(SimulatedVenue.capabilities, moves_money=MovesMoney.OWN_ACCOUNTS)

    async def transfer(self, request):
        numbers = (int(request.from_account), int(request.to_account))
        source, target = (self._exchange.account(number) for number in numbers)
        if (source.owner or numbers[0]) != (target.owner or numbers[1]):
            raise TransferRejected("not_permitted", "The accounts have different owners.")
        await super().transfer(request)


@pytest.fixture
async def plugin(tmp_path, market):
    made = Plugin(tmp_path, market, venue=OwnAccountsVenue(market.simulation))
    await made.start()
    yield made
    made.close()


async def test_the_follower_gets_his_money_and_what_he_owes_waits_in_the_sub_account(
    plugin, market
):
    pair = await Pair(plugin, market).start()
    before = market.spot(pair.follower)
    await pair.buy(10)
    pair.set_price(SOL, "155.00")
    await pair.sell(10)
    await plugin.run_jobs("settle")
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")
    for _ in range(3):
        market.clock.advance(seconds=60)
        await plugin.run_jobs()

    assert pair.follow.state is FollowState.CLOSED
    profit = Decimal("4.99") - Decimal("0.0005") * (150 + Decimal("154.99"))
    share = (profit / 10).quantize(Decimal("0.0001"), "ROUND_DOWN")
    assert market.spot(pair.follower) == before + 1000 + profit - share
    account = market.exchange.account(pair.sub_account)
    assert Decimal(account.contract_balance).scaleb(-8) == share
    [owed] = pair.rows(TransferRow, TransferRow.state == TransferState.PLANNED)
    assert (owed.money, owed.last_error is None) == (share, False)
    with plugin.database.read() as session:
        ledger.verify(session)
        balances = ledger.balances(session)
    assert balances[f"leader:{pair.leader}"] == share
    assert balances.get(f"sub:{pair.follow_id}", 0) == 0
