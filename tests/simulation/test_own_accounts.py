"""A venue that moves money between accounts of one owner only (V6): shares are owed, then paid."""

from dataclasses import replace
from decimal import Decimal

import pytest

from copyplugin.domain.account import TransferKind, TransferState
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import FollowState
from copyplugin.errors import LedgerBroken, TransferRejected, VenueUnavailable
from copyplugin.ports import MovesMoney
from copyplugin.store import ledger, payables
from copyplugin.store.queries.follow_statement import follow_statement
from copyplugin.store.rows import JobRunRow, LedgerEntryRow, TransferRow
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import Withdraw
from simexchange.core.types import MONEY_SCALE, Wallet
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import SOL, Pair

BOB = "operator:bob"


class OwnAccountsVenue(SimulatedVenue):
    """Moves money between a follower's own accounts; to a leader it says no."""

    capabilities = replace(SimulatedVenue.capabilities, moves_money=MovesMoney.OWN_ACCOUNTS)
    is_silent = False
    meanwhile = None

    async def balance(self, account):
        answer = await super().balance(account)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        return answer

    async def transfer(self, request):
        if self.is_silent:
            raise VenueUnavailable("not a word")
        numbers = (int(request.from_account), int(request.to_account))
        source, target = (self._exchange.account(number) for number in numbers)
        if (source.owner or numbers[0]) != (target.owner or numbers[1]):
            raise TransferRejected("not_permitted", "The accounts have different owners.")
        await super().transfer(request)


@pytest.fixture
async def owing(migrated_url, tmp_path, market):
    """Return a follow that owes a share, and what it is; on both kinds of database."""
    plugin = Plugin(tmp_path, market, venue=OwnAccountsVenue(market.simulation), url=migrated_url)
    await plugin.start()
    pair = await Pair(plugin, market).start()
    await pair.buy(10)
    pair.set_price(SOL, "155.00")
    await pair.sell(10)
    await plugin.run_jobs("settle")
    yield pair
    plugin.close()


PROFIT = Decimal("4.99") - Decimal("0.0005") * (150 + Decimal("154.99"))
SHARE = (PROFIT / 10).quantize(Decimal("0.0001"), "ROUND_DOWN")


async def end(pair):
    await pair.plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")
    await pass_minutes(pair, 3)
    assert pair.follow.state is FollowState.CLOSED


async def pass_minutes(pair, minutes):
    for _ in range(minutes):
        pair.market.clock.advance(seconds=60)
        await pair.plugin.run_jobs()


async def mark_paid(pair, **more):
    [row] = pair.rows(TransferRow, TransferRow.kind == TransferKind.SHARE)
    given = {"transfer_id": row.id, "reference": "bank slip 17"} | more
    return await pair.plugin.command(CommandKind.MARK_PAID, **({"actor": BOB} | given))


def books(pair):
    """Prove the books, and return them."""
    with pair.plugin.database.read() as session:
        ledger.verify(session)
        payables.verify(session)
        return ledger.balances(session)


def waiting(pair) -> Decimal:
    wallet = pair.market.exchange.account(pair.sub_account).contract_balance
    return Decimal(wallet).scaleb(-8)


async def test_the_follower_gets_his_money_and_what_he_owes_waits_in_the_sub_account(owing):
    await end(owing)

    assert owing.market.spot(owing.follower) == 50_000 + PROFIT - SHARE
    assert waiting(owing) == SHARE
    [row] = owing.rows(TransferRow, TransferRow.state == TransferState.OWED)
    assert (row.money, row.attempts) == (SHARE, 0)
    booked = books(owing)
    assert booked[f"payable:{owing.leader}"] == SHARE
    assert f"leader:{owing.leader}" not in booked
    assert booked.get(f"sub:{owing.follow_id}", 0) == 0


async def test_what_is_owed_is_marked_as_paid_and_what_waited_goes_home(owing):
    await end(owing)

    answer = await mark_paid(owing)
    await owing.plugin.settle()

    assert "marked as paid; what waited for it goes home" in answer.message
    assert owing.market.spot(owing.follower) == 50_000 + PROFIT
    assert waiting(owing) == 0
    [row] = owing.rows(TransferRow, TransferRow.kind == TransferKind.SHARE)
    assert (row.state, row.paid_by, row.paid_reference) == (
        TransferState.PAID,
        BOB,
        "bank slip 17",
    )
    assert row.done_at is not None
    booked = books(owing)
    assert (booked[f"payable:{owing.leader}"], booked[f"leader:{owing.leader}"]) == (0, SHARE)
    # he put in 1000, got all back with the profit, and paid the share out of his pocket
    assert booked[f"main:{owing.follower}"] == PROFIT - SHARE
    assert booked[f"sub:{owing.follow_id}"] == 0
    with owing.plugin.database.read() as session:
        assert follow_statement(session, owing.follow_id).difference == 0


async def test_a_share_of_a_follow_that_runs_is_marked_as_paid_and_its_money_trades_on(owing):
    answer = await mark_paid(owing)

    assert answer.message.endswith("is marked as paid.")
    assert books(owing)[f"sub:{owing.follow_id}"] == 1000 + PROFIT
    await owing.plugin.run_jobs("reconcile")
    [run] = owing.rows(JobRunRow, JobRunRow.name == "reconcile")
    assert run.backlog == 0
    await end(owing)
    assert owing.market.spot(owing.follower) == 50_000 + PROFIT
    assert books(owing)[f"sub:{owing.follow_id}"] == 0


async def test_what_was_taken_out_of_the_sub_account_by_hand_goes_nowhere_else(owing):
    await end(owing)
    owing.market.apply(Withdraw(owing.sub_account, Wallet.CONTRACT, int(SHARE * MONEY_SCALE)))

    await mark_paid(owing, from_sub_account=True)
    await pass_minutes(owing, 1)

    assert owing.rows(TransferRow, TransferRow.kind == TransferKind.FREED) == []
    booked = books(owing)
    assert booked[f"leader:{owing.leader}"] == SHARE
    assert booked[f"main:{owing.follower}"] == PROFIT - SHARE


async def test_what_waited_goes_home_also_when_it_is_marked_as_paid_while_the_rest_leaves(owing):
    owing.plugin.venue.is_silent = True
    await owing.plugin.command(CommandKind.END_FOLLOW, follow_id=owing.follow_id, how="close_now")
    assert owing.rows(TransferRow, TransferRow.kind == TransferKind.RETURN)

    await mark_paid(owing)
    owing.plugin.venue.is_silent = False
    await pass_minutes(owing, 3)

    assert owing.follow.state is FollowState.CLOSED
    assert (waiting(owing), owing.market.spot(owing.follower)) == (0, 50_000 + PROFIT)
    assert books(owing)[f"sub:{owing.follow_id}"] == 0


async def test_what_waited_goes_home_also_when_it_is_marked_as_paid_while_the_venue_is_asked(
    owing,
):
    async def mark_it():
        async def mark_it_now():
            await mark_paid(owing)

        owing.plugin.venue.meanwhile = mark_it_now  # the share is settled by then

    owing.plugin.venue.meanwhile = mark_it
    await owing.plugin.command(CommandKind.END_FOLLOW, follow_id=owing.follow_id, how="close_now")
    await pass_minutes(owing, 3)

    assert owing.follow.state is FollowState.CLOSED
    assert (waiting(owing), owing.market.spot(owing.follower)) == (0, 50_000 + PROFIT)
    assert books(owing)[f"sub:{owing.follow_id}"] == 0


async def test_what_was_paid_is_not_paid_twice(owing):
    await end(owing)
    await mark_paid(owing)
    before = len(owing.rows(LedgerEntryRow))

    again = await mark_paid(owing, reference="bank slip 18")

    assert again.state is CommandState.REFUSED
    assert "was marked as paid on 2026-01-05 by operator:bob (bank slip 17)" in again.message
    assert "nothing was booked again" in again.message
    assert len(owing.rows(LedgerEntryRow)) == before
    [row] = owing.rows(TransferRow, TransferRow.kind == TransferKind.SHARE)
    assert row.paid_reference == "bank slip 17"


@pytest.mark.parametrize("actor", ["follower:1", "leader:1", "web"])
async def test_only_staff_marks_a_share_as_paid(owing, actor):
    answer = await mark_paid(owing, actor=actor)

    assert answer.message == "Only operators and administrators mark a share as paid."
    assert books(owing)[f"payable:{owing.leader}"] == SHARE


async def test_what_is_owed_is_no_difference_to_the_venue_and_nobody_elses_to_withdraw(owing):
    await owing.plugin.run_jobs("reconcile", "settle")

    [run] = owing.rows(JobRunRow, JobRunRow.name == "reconcile")
    assert run.backlog == 0
    assert waiting(owing) == 1000 + PROFIT


async def test_a_share_that_the_rows_forgot_breaks_the_books(owing):
    def forget(session):
        [row] = session.query(TransferRow).filter_by(state=TransferState.OWED)
        row.state = TransferState.DONE

    owing.plugin.database.write_and_wait(forget)

    with pytest.raises(LedgerBroken, match="payable"):
        books(owing)
