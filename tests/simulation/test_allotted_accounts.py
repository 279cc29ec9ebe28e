"""A venue that moves no money for us (V6): accounts are allotted, start and end are entries."""

from dataclasses import replace
from decimal import Decimal

import pytest

from copyplugin.domain.account import TransferState
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import FollowState
from copyplugin.ports import MovesMoney
from copyplugin.store import ledger, payables
from copyplugin.store.queries.follow_terms import follow_terms
from copyplugin.store.rows import FollowRow, JobRunRow, TransferRow
from copyplugin.store.venue_terms import allotments
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import Deposit
from simexchange.core.types import MONEY_SCALE, Wallet
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import SOL, Pair


class StillVenue(SimulatedVenue):
    """Has accounts, and moves nothing between them."""

    capabilities = replace(SimulatedVenue.capabilities, moves_money=MovesMoney.NONE)

    async def transfer(self, request):
        raise AssertionError(f"nothing moves here: {request}")

    async def transfer_outcome(self, request):
        raise AssertionError(f"nothing moves here: {request}")


@pytest.fixture
async def plugin(tmp_path, market):
    made = Plugin(tmp_path, market, venue=StillVenue(market.simulation))
    await made.start()
    yield made
    made.close()


async def begin(plugin, market):
    """Return a leader and a follower who has tried once, with an account that was still empty."""
    pair = Pair(plugin, market)
    pair.leader = market.open_account("leader", contract=10**9 * MONEY_SCALE)
    pair.follower = market.open_account("follower")
    leader_id = await plugin.add_leader(pair.leader)
    refused = await plugin.follow(leader_id, pair.follower)
    pair.stand_by(SOL)
    return pair, leader_id, refused


async def name_account(plugin, person):
    """Let a person ask for his account; return his number and the answer."""
    registered = await plugin.command(CommandKind.REGISTER_FOLLOWER, account=str(person))
    follower_id = registered.result["follower_id"]
    answer = await plugin.command(CommandKind.NAME_ACCOUNT, follower_id=follower_id)
    return follower_id, answer


def standing(plugin):
    with plugin.database.read() as session:
        return {(each.account, each.held) for each in allotments(session).values()}


def account_named_in(sentence) -> int:
    return int(sentence.partition("account ")[2].partition(" ")[0])


async def start(plugin, market):
    pair, leader_id, refused = await begin(plugin, market)
    account = account_named_in(refused.message)
    market.apply(Deposit(account, Wallet.CONTRACT, 1000 * MONEY_SCALE))
    started = await plugin.follow(leader_id, pair.follower)
    assert started.state is CommandState.DONE, started.message
    pair.follow_id = started.result["follow_id"]
    return pair, account, started


async def test_a_start_names_the_account_that_is_to_be_funded_by_hand(plugin, market):
    pair, _, refused = await begin(plugin, market)

    assert refused.state is CommandState.REFUSED
    assert "moves no money for us" in refused.message
    assert "holds 0 USDT" in refused.message
    [follow] = pair.rows(FollowRow)
    assert (follow.state, follow.sub_account) == (FollowState.VOID, None)


async def test_an_account_is_named_before_anything_is_begun(plugin, market):
    leader_id = await plugin.add_leader(market.open_account("leader", contract=1000 * MONEY_SCALE))
    person = market.open_account("follower")

    follower_id, named = await name_account(plugin, person)

    account = int(named.result["account"])
    assert f"Account {account} stands ready for your next follow and holds 0 USDT" in named.message
    assert Pair(plugin, market).rows(FollowRow) == []
    market.apply(Deposit(account, Wallet.CONTRACT, 12_345_678_901))
    _, again = await name_account(plugin, person)
    assert again.result == {"account": str(account), "held": "123.45678901"}
    with plugin.database.read() as session:
        terms = follow_terms(session, leader_id, follower_id)
    assert terms.venue.moves_money is MovesMoney.NONE
    assert terms.allotment.account == str(account)
    assert terms.allotment.held == Decimal("123.45678901")
    assert terms.spot_available is None
    started = await plugin.follow(leader_id, person, copy_amount="123.45678901")
    assert started.state is CommandState.DONE, started.message
    [follow] = Pair(plugin, market).rows(FollowRow)
    assert follow.sub_account == str(account)


async def test_what_an_account_holds_is_looked_at_until_a_follow_begins_with_it(plugin, market):
    pair, leader_id, refused = await begin(plugin, market)
    account = account_named_in(refused.message)
    market.apply(Deposit(account, Wallet.CONTRACT, 1000 * MONEY_SCALE))

    await plugin.run_jobs("position data")

    assert standing(plugin) == {(str(account), Decimal(1000))}
    await plugin.follow(leader_id, pair.follower)
    await plugin.run_jobs("position data")
    assert standing(plugin) == set()


async def test_where_the_venue_moves_money_no_account_is_named(tmp_path, market):
    plugin = Plugin(tmp_path, market)
    await plugin.start()

    _, answer = await name_account(plugin, market.open_account("follower"))

    assert answer.state is CommandState.REFUSED
    assert answer.message.startswith("This venue moves the copy amount by itself")
    plugin.close()


async def test_the_same_account_begins_when_it_holds_the_copy_amount(plugin, market):
    pair, account, started = await start(plugin, market)

    assert pair.sub_account == account
    assert f"account {account} is allotted to this follow" in started.message
    with plugin.database.read() as session:
        booked = ledger.balances(session)
    assert booked[f"sub:{pair.follow_id}"] == 1000
    assert booked[f"main:{pair.follower}"] == -1000


async def test_the_end_is_an_entry_and_says_what_is_to_be_done_by_hand(plugin, market):
    pair, account, _ = await start(plugin, market)
    await pair.buy(10)
    pair.set_price(SOL, "155.00")
    await pair.sell(10)
    await plugin.run_jobs("settle", "reconcile")
    [run] = pair.rows(JobRunRow, JobRunRow.name == "reconcile")
    assert run.backlog == 0

    ended = await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")
    for _ in range(3):
        market.clock.advance(seconds=60)
        await plugin.run_jobs()

    assert f"what is left stays in account {account}" in ended.message
    assert pair.follow.state is FollowState.CLOSED
    profit = Decimal("4.99") - Decimal("0.0005") * (150 + Decimal("154.99"))
    share = (profit / 10).quantize(Decimal("0.0001"), "ROUND_DOWN")
    held = Decimal(market.exchange.account(account).contract_balance).scaleb(-8)
    assert held == 1000 + profit
    with plugin.database.read() as session:
        ledger.verify(session)
        payables.verify(session)
        booked = ledger.balances(session)
    assert booked[f"sub:{pair.follow_id}"] == 0
    assert booked[f"payable:{pair.leader}"] == share

    [owed] = pair.rows(TransferRow, TransferRow.state == TransferState.OWED)
    await plugin.command(CommandKind.MARK_PAID, transfer_id=owed.id, reference="by hand")
    await plugin.settle()

    with plugin.database.read() as session:
        ledger.verify(session)
        payables.verify(session)
        booked = ledger.balances(session)
    assert booked[f"leader:{pair.leader}"] == share
    assert booked[f"main:{pair.follower}"] == profit - share
    assert booked[f"sub:{pair.follow_id}"] == 0
    assert Decimal(market.exchange.account(account).contract_balance).scaleb(-8) == 1000 + profit


async def test_the_next_follow_gets_another_account(plugin, market):
    pair, account, _ = await start(plugin, market)
    other = market.open_account("other leader", contract=10**6 * MONEY_SCALE)
    leader_id = await plugin.add_leader(other)

    refused = await plugin.follow(leader_id, pair.follower)

    assert account_named_in(refused.message) != account
