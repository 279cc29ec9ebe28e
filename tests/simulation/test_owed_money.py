"""What is owed out of a sub-account is not the follower's to trade with (C5)."""

from decimal import Decimal

import pytest

from copyplugin.domain.account import TransferKind, TransferState
from copyplugin.domain.skip import SkipReason
from copyplugin.errors import VenueUnavailable
from copyplugin.store.rows import CopyDecisionRow, TransferRow
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import Withdraw
from simexchange.core.types import MONEY_SCALE, Wallet
from tests.simulation.copy_world import Market, Plugin
from tests.simulation.decisions_again import check_decisions_again
from tests.simulation.pair import SOL, Pair
from tests.simulation.test_held_in_place import HOLD
from tests.simulation.test_own_accounts import OwnAccountsVenue
from tests.simulation.test_share_bases import result, round_trip, tenth

MODES = ("proportional", "equity_ratio")


class TellsAndThenActs(SimulatedVenue):
    """Brings no share anywhere while it is silent; between a balance and its news things happen."""

    is_silent = True
    meanwhile = None
    asked = 0

    async def balance(self, account):
        answer = await super().balance(account)
        self.asked += 1
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return answer

    async def transfer(self, request):
        if self.is_silent and TransferKind.SHARE in request.transfer_id:
            raise VenueUnavailable("not a word")
        await super().transfer(request)


async def begin(folder, venue, *, mode, url=None, **settings):
    """Begin a follow of a leader with 20 000 USDT, by a follower with 1000."""
    market = Market()
    plugin = Plugin(folder, market, venue=venue(market.simulation), url=url, **settings)
    await plugin.start()
    return await Pair(plugin, market).start(mode=mode, money=20_000 * MONEY_SCALE)


def in_the_account(pair) -> Decimal:
    return Decimal(pair.market.exchange.account(pair.sub_account).contract_balance).scaleb(-8)


def last_decision(pair) -> CopyDecisionRow:
    return max(pair.rows(CopyDecisionRow), key=lambda row: row.signal_id)


async def opened_with(pair) -> CopyDecisionRow:
    """Let the leader open when the account is flat; return what was decided."""
    pair.set_price(SOL, "150")
    await pair.buy(400)
    return last_decision(pair)


def rests_on(row, money) -> bool:
    return (row.available_frozen, row.equity_frozen) == (money, money)


@pytest.mark.parametrize("mode", MODES)
async def test_a_share_that_is_held_in_the_sub_account_is_not_traded_with(
    migrated_url, tmp_path, mode
):
    held = {"share_escrow_seconds": HOLD, "escrow_account": "1"}
    pair = await begin(tmp_path, OwnAccountsVenue, mode=mode, url=migrated_url, **held)
    await round_trip(pair, 400, "160")
    earned = result(pair)
    assert in_the_account(pair) == 1000 + earned > 1010

    row = await opened_with(pair)

    assert rests_on(row, 1000 + earned - tenth(earned))
    check_decisions_again(pair.plugin)
    pair.plugin.close()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("venue", "state"),
    [(OwnAccountsVenue, TransferState.OWED), (TellsAndThenActs, TransferState.PLANNED)],
    ids=["owed", "waiting"],
)
async def test_a_share_that_has_not_left_the_sub_account_is_not_traded_with(
    tmp_path, venue, state, mode
):
    pair = await begin(tmp_path, venue, mode=mode)
    await round_trip(pair, 400, "160")
    earned = result(pair)
    [transfer] = pair.rows(TransferRow, TransferRow.kind == TransferKind.SHARE)
    assert (transfer.state, transfer.money) == (state, tenth(earned))

    row = await opened_with(pair)

    assert rests_on(row, 1000 + earned - tenth(earned))
    check_decisions_again(pair.plugin)
    pair.plugin.close()


async def test_a_share_that_has_left_is_left_out_once(tmp_path):
    pair = await begin(tmp_path, SimulatedVenue, mode="proportional")
    await round_trip(pair, 400, "160")
    earned = result(pair)

    row = await opened_with(pair)

    assert rests_on(row, 1000 + earned - tenth(earned))
    pair.plugin.close()


async def test_the_balance_is_asked_for_again_where_a_share_left_in_between(tmp_path):
    """The answer may still have had it in, and the rows have it no more."""
    pair = await begin(tmp_path, TellsAndThenActs, mode="proportional")
    venue = pair.plugin.venue
    await round_trip(pair, 400, "160")
    earned = result(pair)

    async def leave() -> None:
        venue.is_silent = False
        pair.market.clock.advance(seconds=60)
        await pair.plugin.run_jobs("settle")

    venue.meanwhile, venue.asked = leave, 0
    row = await opened_with(pair)

    [transfer] = pair.rows(TransferRow, TransferRow.kind == TransferKind.SHARE)
    assert transfer.state is TransferState.DONE
    assert venue.asked > 1
    assert rests_on(row, 1000 + earned - tenth(earned))
    pair.plugin.close()


async def test_who_owes_all_he_has_opens_nothing(tmp_path):
    """What is left to trade with is never below nothing."""
    pair = await begin(tmp_path, OwnAccountsVenue, mode="proportional")
    await round_trip(pair, 400, "160")
    share = tenth(result(pair))
    units = pair.market.exchange.account(pair.sub_account).contract_balance
    left = int(share.scaleb(8)) - 1
    pair.market.apply(Withdraw(pair.sub_account, Wallet.CONTRACT, units - left))

    row = await opened_with(pair)

    assert rests_on(row, 0)
    assert (row.wanted, row.skip_reason) == (0, SkipReason.INSUFFICIENT_BALANCE)
    assert Decimal(row.skip_detail["available"]) == 0
    check_decisions_again(pair.plugin)
    pair.plugin.close()


async def test_what_was_taken_back_is_the_followers_again(tmp_path):
    held = {"share_escrow_seconds": HOLD, "escrow_account": "1"}
    pair = await begin(tmp_path, OwnAccountsVenue, mode="proportional", **held)
    await round_trip(pair, 400, "160")
    await round_trip(pair, 400, "139")
    earned = result(pair)
    assert earned < 0

    row = await opened_with(pair)

    assert rests_on(row, 1000 + earned)
    pair.plugin.close()
