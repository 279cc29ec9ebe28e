"""Shares that are held where no venue brings them to anybody: they wait in the sub-account (M9)."""

from decimal import Decimal
from random import Random

import pytest

from copyplugin.domain.account import TransferKind, TransferState
from copyplugin.domain.command import CommandKind
from copyplugin.domain.follow import FollowState
from copyplugin.errors import LedgerBroken
from copyplugin.store import escrow, ledger, payables
from copyplugin.store.queries.follow_statement import follow_statement
from copyplugin.store.rows import FollowRow, JobRunRow, SettlementRow, TransferRow
from copyplugin.venues.simulated import SimulatedVenue
from tests.simulation.copy_world import Market, Plugin
from tests.simulation.pair import SOL, Pair
from tests.simulation.test_own_accounts import BOB, OwnAccountsVenue
from tests.simulation.test_share_bases import (
    ABOVE_MARK,
    DAY,
    WEEK,
    end,
    pass_time,
    result,
    round_trip,
    tenth,
)

HOLD = 30 * DAY


async def begin(folder, venue=OwnAccountsVenue, *, url=None, **terms):
    market = Market()
    operator = market.open_account("escrow")
    plugin = Plugin(
        folder,
        market,
        venue=venue(market.simulation),
        url=url,
        share_escrow_seconds=HOLD,
        escrow_account=str(operator),
    )
    await plugin.start()
    return await Pair(plugin, market).start(**terms)


@pytest.fixture
async def pair(migrated_url, tmp_path):
    made = await begin(tmp_path, url=migrated_url)
    yield made
    made.plugin.close()


def books(pair):
    """Prove the books and the statement, compare them with a flat wallet, and return them."""
    with pair.plugin.database.read() as session:
        ledger.verify(session)
        payables.verify(session)
        escrow.verify(session)
        assert follow_statement(session, pair.follow_id).difference == 0
        booked = {str(name): money for name, money in ledger.balances(session).items()}
        waits = payables.owed_in(session, pair.follow_id)
    wallet = Decimal(pair.market.exchange.account(pair.sub_account).contract_balance).scaleb(-8)
    his, held = booked[f"sub:{pair.follow_id}"], booked.get(f"escrow:{pair.follow_id}", 0)
    assert pair.held() or wallet == his + held + waits
    return booked


def held_and_owed(pair):
    booked = books(pair)
    held = booked.get(f"escrow:{pair.follow_id}", Decimal(0))
    return held, booked.get(f"payable:{pair.leader}", Decimal(0))


async def differences(pair):
    await pair.plugin.run_jobs("reconcile")
    [run] = pair.rows(JobRunRow, JobRunRow.name == "reconcile")
    return run.backlog


async def test_a_held_share_waits_in_the_sub_account_and_is_owed_when_its_time_is_over(pair):
    await round_trip(pair, 10, "160")
    share = tenth(result(pair))

    assert held_and_owed(pair) == (share, 0)
    assert await differences(pair) == 0
    assert pair.rows(TransferRow, TransferRow.kind != TransferKind.FUND) == []

    await pass_time(pair, HOLD)

    assert held_and_owed(pair) == (0, share)
    [row] = pair.rows(TransferRow, TransferRow.kind == TransferKind.RELEASE)
    assert (row.state, row.money) == (TransferState.OWED, share)
    assert await differences(pair) == 0
    given = {"transfer_id": row.id, "reference": "slip 3", "actor": BOB}
    await pair.plugin.command(CommandKind.MARK_PAID, **given)
    booked = books(pair)
    assert booked[f"leader:{pair.leader}"] == share
    assert booked[f"sub:{pair.follow_id}"] == 1000 + result(pair)
    assert await differences(pair) == 0


async def test_a_held_share_is_taken_back_into_the_follow_as_far_as_the_result_falls(pair):
    await round_trip(pair, 10, "160")
    await round_trip(pair, 10, "145")

    assert held_and_owed(pair) == (tenth(result(pair)), 0)
    await round_trip(pair, 10, "140")
    assert held_and_owed(pair) == (0, 0)
    assert books(pair)[f"sub:{pair.follow_id}"] == 1000 + result(pair)
    [row] = pair.rows(SettlementRow)
    assert (row.share, row.held) == (0, 0)
    assert row.taken_back > 0

    await round_trip(pair, 10, "180")
    await end(pair)
    await pass_time(pair, 60)
    assert pair.follow.state is FollowState.CLOSED
    assert held_and_owed(pair) == (0, tenth(result(pair)))
    assert pair.market.spot(pair.follower) == 50_000 + result(pair) - tenth(result(pair))


async def test_at_the_end_what_is_held_is_owed_at_once_and_the_rest_goes_home(pair):
    await round_trip(pair, 10, "160")

    await end(pair)
    await pass_time(pair, 60)

    share = tenth(result(pair))
    assert pair.follow.state is FollowState.CLOSED
    assert held_and_owed(pair) == (0, share)
    assert pair.market.spot(pair.follower) == 50_000 + result(pair) - share


async def test_what_is_handed_over_is_owed_and_not_held(pair):
    await round_trip(pair, 10, "160")
    await pair.buy(10)

    await end(pair, "hand_over")
    await pass_time(pair, 60)

    held, owed = held_and_owed(pair)
    assert held == 0
    assert owed > 0


async def test_what_is_held_cannot_be_taken_for_another_share(pair):
    """What can be withdrawn is what is neither owed nor held; the next share asks for no more."""
    await round_trip(pair, 10, "160")
    first = held_and_owed(pair)[0]

    await round_trip(pair, 10, "160")

    assert held_and_owed(pair) == (2 * first, 0)
    assert books(pair)[f"sub:{pair.follow_id}"] == 1000 + result(pair) - 2 * first


async def test_a_held_share_that_the_rows_forgot_breaks_the_books(pair):
    await round_trip(pair, 10, "160")

    def forget(session):
        session.query(SettlementRow).one().held = Decimal(0)

    pair.plugin.database.write_and_wait(forget)

    with pytest.raises(LedgerBroken, match=f"escrow:{pair.follow_id} is"):
        books(pair)


async def ended(folder, venue, prices, **terms):
    """Live through these round trips, end, and return who has what and the shares."""
    pair = await begin(folder, venue, **terms)
    for step, price in enumerate(prices):
        await round_trip(pair, 10, price)
        await pass_time(pair, WEEK if step % 3 == 2 else DAY)
    await end(pair)
    await pass_time(pair, 60)
    [follow] = pair.rows(FollowRow)
    assert follow.state is FollowState.CLOSED
    with pair.plugin.database.read() as session:
        ledger.verify(session)
        escrow.verify(session)
        payables.verify(session)
        booked = ledger.balances(session)
    entitled = booked.get(f"leader:{pair.leader}", 0) + booked.get(f"payable:{pair.leader}", 0)
    rows = pair.rows(SettlementRow)
    shares = sorted((row.share, row.taken_back, row.at) for row in rows)
    pair.plugin.close()
    return pair.market.spot(pair.follower), entitled, shares


@pytest.mark.parametrize("terms", [{}, ABOVE_MARK], ids=["per position", "above a mark"])
@pytest.mark.parametrize("seed", range(4))
async def test_whoever_holds_it_everybody_ends_with_the_same(tmp_path, seed, terms):
    """A law: where held shares lie decides nothing about who gets how much."""
    draw = Random(seed)
    prices = [str(draw.randint(142, 160)) for _ in range(7)]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    in_place = await ended(tmp_path / "a", OwnAccountsVenue, prices, **terms)
    moved = await ended(tmp_path / "b", SimulatedVenue, prices, **terms)

    assert in_place == moved


async def test_what_is_held_is_not_counted_as_the_followers_own_at_his_limits(tmp_path):
    pair = await begin(tmp_path, max_loss="50")
    pair.market.set_leverage(pair.leader, SOL, 2)
    await round_trip(pair, 10, "160")
    assert held_and_owed(pair)[0] > Decimal("0.9")
    pair.set_price(SOL, "150")
    await pair.buy(20)

    pair.set_price(SOL, "120.50")  # his own is 949.7, with what is held 950.7
    await pair.plugin.run_jobs("protect", "close ended", "settle", "close ended")

    assert pair.follow.end_reason == "the largest loss of the follow was reached"
    pair.plugin.close()
