"""How a follow ends, what the leader is paid, and how the money comes home (L3 to L9, M2, M6)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from copyplugin.domain.account import AccountBalance, TransferRequest
from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import EndKind, FollowState
from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.leader import ShareState
from copyplugin.domain.ledger import main_account, moved
from copyplugin.domain.money import Money
from copyplugin.errors import OutcomeUnknown, VenueUnavailable
from copyplugin.store import ledger, transfers
from copyplugin.store.rows import (
    FollowHistoryRow,
    SettlementRow,
)
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.core.commands import Withdraw
from simexchange.core.types import MONEY_SCALE, Side, Wallet
from simexchange.simulation import Simulation
from tests.simulation.copy_world import START, Plugin
from tests.simulation.pair import BTC, SOL, Pair

# -- ends


async def test_ending_now_closes_everything_and_brings_the_money_home(pair):
    await pair.buy(10)
    await pair.buy(1, symbol=BTC)

    await pair.plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")

    assert (pair.held(), pair.held(symbol=BTC)) == (0, 0)
    assert pair.follow.state is FollowState.CLOSED
    assert pair.follow.end_kind is EndKind.ENDED_AFTER_OPENING
    states = [row.to_state.value for row in pair.rows(FollowHistoryRow)]
    assert states == [
        "starting", "pending", "copying", "closing", "settling", "closed",
    ]  # fmt: skip


async def test_ending_with_the_leaders_closes_copies_no_opens(pair):
    await pair.buy(10)
    await pair.plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="follow_closes")
    await pair.buy(5)
    assert (pair.held(), pair.follow.state) == (10, FollowState.WINDING_DOWN)

    await pair.sell(15)

    assert pair.held() == 0
    assert pair.follow.state is FollowState.CLOSED


async def test_closing_one_position_leaves_the_relationship(pair):
    await pair.buy(10)
    await pair.buy(1, symbol=BTC)
    [position] = [row for row in pair.positions if row.symbol == SOL]

    await pair.plugin.command(CommandKind.CLOSE_POSITION, copied_position_id=position.id)
    assert (pair.held(), pair.held(symbol=BTC)) == (0, 1)
    await pair.buy(4)

    assert pair.held() == 4
    assert pair.follow.state is FollowState.COPYING


async def test_ending_from_one_position_lets_the_others_follow_the_leaders_closes(pair):
    await pair.buy(10)
    await pair.buy(1, symbol=BTC)
    [position] = [row for row in pair.positions if row.symbol == SOL]

    await pair.plugin.command(CommandKind.END_FROM_POSITION, copied_position_id=position.id)
    assert (pair.held(), pair.held(symbol=BTC)) == (0, 1)
    assert pair.follow.state is FollowState.WINDING_DOWN
    await pair.sell(1, symbol=BTC)

    assert pair.held(symbol=BTC) == 0
    assert pair.follow.state is FollowState.CLOSED


async def test_a_prohibited_leaders_positions_follow_his_closes_to_the_end(pair):
    await pair.buy(10)
    await pair.plugin.command(CommandKind.PROHIBIT_LEADER, leader_id=1)
    assert (pair.held(), pair.follow.state) == (10, FollowState.WINDING_DOWN)
    await pair.plugin.command(CommandKind.RESTORE_LEADER, leader_id=1)
    assert pair.follow.state is FollowState.WINDING_DOWN

    await pair.sell(10)

    assert pair.follow.state is FollowState.CLOSED


async def test_a_follow_that_has_ended_cannot_be_ended_again(pair):
    await pair.plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")

    again = await pair.plugin.command(
        CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now"
    )

    assert again.state is CommandState.REFUSED
    assert again.message == "This follow has ended or is ending already."


# -- money


async def test_the_share_of_a_profit_is_truncated_and_paid_once(pair):
    await pair.buy(7)
    pair.set_price(SOL, "151.37")
    await pair.sell(7)
    await pair.plugin.run_jobs("settle")
    await pair.plugin.run_jobs("settle")

    # 0.7 SOL from 150 to 151.36; fees of 5 bps on both values
    profit = Decimal("0.952") - Decimal("0.0525") - Decimal("0.052976")
    [settlement] = pair.rows(SettlementRow)
    assert settlement.profit == profit
    assert settlement.share == Decimal("0.0846")  # 10 % of 0.846524
    assert pair.market.spot(pair.leader) == Decimal("0.0846")
    with pair.plugin.database.read() as session:
        balances = ledger.balances(session)
    assert balances[f"sub:{pair.follow_id}"] == 1000 + profit - Decimal("0.0846")
    account = pair.market.exchange.account(pair.sub_account)
    assert Decimal(account.contract_balance).scaleb(-8) == balances[f"sub:{pair.follow_id}"]


async def test_a_loss_costs_no_share(pair):
    await pair.buy(7)
    pair.set_price(SOL, "149.00")
    await pair.sell(7)

    await pair.plugin.run_jobs("settle")

    assert pair.rows(SettlementRow) == []
    assert [row.share_state for row in pair.positions] == [ShareState.NONE]
    assert pair.market.spot(pair.leader) == 0


async def test_a_share_waits_while_the_money_is_at_work_and_is_paid_before_the_rest_goes_home(
    plugin, market
):
    pair = await Pair(plugin, market).start(copy_amount="100")
    await pair.buy(40)
    pair.set_price(SOL, "160.00")
    await pair.sell(40)  # about 40 USDT of profit: a share of about 4
    while market.exchange.available_balance(pair.sub_account) > 3 * MONEY_SCALE:
        await pair.buy(1, symbol=BTC)
        assert not pair.skips

    await plugin.run_jobs("settle")
    [sol] = [row for row in pair.positions if row.symbol == SOL]
    assert sol.share_state is ShareState.DUE
    assert pair.market.spot(pair.leader) == 0

    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")

    [settlement] = pair.rows(SettlementRow, SettlementRow.copied_position_id == sol.id)
    assert pair.market.spot(pair.leader) == settlement.share > 3
    assert pair.follow.state is FollowState.CLOSED
    with plugin.database.read() as session:
        assert ledger.balances(session)[f"sub:{pair.follow_id}"] == 0


class LosesAnAnswer(SimulatedVenue):
    """A venue without an answer to one transfer, which it has made."""

    loses_the_next = False

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation)
        self.transfers: list[str] = []

    async def transfer(self, request: TransferRequest) -> None:
        self.transfers.append(request.transfer_id)
        await super().transfer(request)
        if self.loses_the_next:
            self.loses_the_next = False
            raise OutcomeUnknown("the answer was lost")


async def test_a_transfer_whose_answer_was_lost_is_asked_for_and_not_made_again(tmp_path, market):
    venue = LosesAnAnswer(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    await plugin.start()
    pair = await Pair(plugin, market).start()
    venue.loses_the_next = True

    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")
    market.clock.advance(seconds=2)
    await plugin.settle()

    assert pair.follow.state is FollowState.CLOSED
    assert len(venue.transfers) == len(set(venue.transfers)) == 2  # there and back
    assert market.spot(pair.follower) == 50_000
    plugin.close()


class MovesNothing(SimulatedVenue):
    """A venue that trades and answers, and is silent when money is to be moved."""

    is_silent = False

    async def transfer(self, request: TransferRequest) -> None:
        if self.is_silent:
            raise VenueUnavailable("the line is dead")
        await super().transfer(request)


async def test_a_share_that_is_on_its_way_is_not_there_to_pay_another(tmp_path, market):
    venue = MovesNothing(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    await plugin.start()
    pair = await Pair(plugin, market).start()
    await pair.buy(10)
    await pair.buy(10, symbol=BTC)
    venue.is_silent = True
    pair.set_price(SOL, "153.00")
    await pair.sell(10)
    await plugin.run_jobs("settle")  # the first share leaves as soon as the venue lets it
    pair.set_price(BTC, "60600.0")
    await pair.sell(10, symbol=BTC)
    left = 60_000_000  # bears one share or the other
    balance = market.exchange.account(pair.sub_account).contract_balance
    market.apply(Withdraw(pair.sub_account, Wallet.CONTRACT, balance - left))

    await plugin.run_jobs("settle")

    states = {row.symbol: row.share_state for row in pair.positions}
    assert states == {SOL: ShareState.SETTLED, BTC: ShareState.DUE}
    plugin.close()


class MovesWhileItAnswers(MovesNothing):
    """While it answers what an account holds, the shares that wait leave it."""

    plugin: Plugin | None = None

    async def balance(self, account: AccountId) -> AccountBalance:
        answer = await super().balance(account)
        plugin, self.plugin = self.plugin, None
        if plugin is not None:
            with plugin.database.read() as session:
                [row] = transfers.due_transfers(session, now=START + timedelta(days=1))
            await SimulatedVenue.transfer(self, transfers.request_of(row))
            await plugin.database.write(
                lambda s: transfers.transfer_done(s, row.id, at=plugin.clock.now())
            )
        return answer


@pytest.mark.parametrize("is_over", [False, True])
async def test_a_share_that_leaves_while_the_venue_is_asked_is_not_there_to_pay_another(
    tmp_path, market, is_over
):
    venue = MovesWhileItAnswers(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    await plugin.start()
    pair = await Pair(plugin, market).start()
    await pair.buy(10)
    await pair.buy(10, symbol=BTC)
    venue.is_silent = True
    pair.set_price(SOL, "153.00")
    await pair.sell(10)
    await plugin.run_jobs("settle")
    pair.set_price(BTC, "60600.0")
    await pair.sell(10, symbol=BTC)
    balance = market.exchange.account(pair.sub_account).contract_balance
    market.apply(Withdraw(pair.sub_account, Wallet.CONTRACT, balance - 60_000_000))
    venue.plugin = plugin

    if is_over:
        await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")
        await plugin.run_jobs("close ended")
    else:
        await plugin.run_jobs("settle")

    [first, *others] = pair.rows(SettlementRow)
    assert market.spot(pair.leader) == first.share == Decimal("0.2838")
    assert [row.share for row in others] == ([Decimal("0.3162")] if is_over else [])
    plugin.close()


@pytest.mark.parametrize("leader", [{}, {"sharer_ratio": "0.3"}])
async def test_a_share_that_a_later_loss_has_eaten_keeps_no_follow_from_its_end(
    tmp_path, market, leader
):
    venue = MovesNothing(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    await plugin.start()
    sharer = market.open_account("sharer")
    pair = await Pair(plugin, market).start(
        copy_amount="100", leader=leader, sharer_account=str(sharer)
    )
    await pair.buy(40)
    pair.set_price(SOL, "160.00")
    await pair.sell(40)
    venue.is_silent = True
    await plugin.run_jobs("settle")  # a share of about 4, which does not leave yet
    [settlement] = pair.rows(SettlementRow)
    assert settlement.share > Decimal("3.8")
    while market.exchange.available_balance(pair.sub_account) > 3 * MONEY_SCALE:
        await pair.buy(1, symbol=BTC)
        assert len(pair.skips) == 0
    market.cancel_offers(BTC)
    market.offer(BTC, Side.BUY, 1000, Decimal("54000.0"))
    market.set_price(BTC, Decimal("54200.0"))  # liquidated
    await plugin.run_jobs("reconcile")
    left = Decimal(market.exchange.account(pair.sub_account).contract_balance).scaleb(-8)
    assert 0 < left < settlement.share

    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")
    venue.is_silent = False
    for _ in range(4):
        market.clock.advance(seconds=31)
        await plugin.run_jobs("close ended")

    assert pair.follow.state is FollowState.CLOSED
    [settlement] = pair.rows(SettlementRow)
    assert settlement.share == left.quantize(Decimal("0.0001"), "ROUND_DOWN")
    assert settlement.leader_part + settlement.sharer_part == settlement.share
    assert market.spot(pair.leader) == settlement.leader_part
    assert market.spot(sharer) == settlement.sharer_part
    with plugin.database.read() as session:
        ledger.verify(session)
        booked = ledger.balances(session)
    assert booked[f"sub:{pair.follow_id}"] == 0
    assert market.exchange.account(pair.sub_account).contract_balance == 0
    assert market.spot(pair.follower) == 50_000 + booked[f"main:{pair.follower}"]
    plugin.close()


class SilentVenue(SimulatedVenue):
    """Carries orders out and says nothing of them while it is silent."""

    is_silent = False

    async def place_order(self, request):
        report = await super().place_order(request)
        if self.is_silent:
            raise OutcomeUnknown("the answer was lost")
        return report

    async def find_order(self, account, symbol, client_order_id):
        if self.is_silent:
            raise VenueUnavailable("not a word")
        return await super().find_order(account, symbol, client_order_id)


async def test_money_that_backs_an_order_in_doubt_is_not_taken_for_spent(tmp_path, market):
    venue = SilentVenue(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    await plugin.start()
    pair = await Pair(plugin, market).start(
        leader={"min_copy_amount": "1"},
        copy_amount="6.2",
        instruments=[BTC],
        price_protection="0.001",
    )
    await pair.buy(1, symbol=BTC)
    await pair.sell(1, symbol=BTC)  # its result waits for the next settlement
    await plugin.run_jobs("marks")
    venue.is_silent = True
    await pair.buy(1, symbol=BTC)  # leaves less than the smallest order needs
    assert pair.held(symbol=BTC) == 1

    await plugin.run_jobs("settle")
    venue.is_silent = False
    market.clock.advance(seconds=1)
    await plugin.run_jobs("copy")

    assert (pair.held(symbol=BTC), pair.follow.state) == (1, FollowState.COPYING)


async def crowd_that_has_earned(pair, others=3) -> list[int]:
    """Let several follow the leader, earn the same, and return their follows' numbers."""
    follow_ids = [pair.follow_id]
    for _ in range(others):
        account = pair.market.open_account("follower", spot=50_000 * MONEY_SCALE)
        started = await pair.plugin.follow(1, account)
        follow_ids.append(started.result["follow_id"])
    await pair.buy(7)
    pair.set_price(SOL, "151.37")
    await pair.sell(7)
    return follow_ids


def settled(pair) -> list[int]:
    return sorted(row.follow_id for row in pair.rows(SettlementRow))


async def test_a_follow_that_cannot_be_settled_keeps_no_other_waiting(pair):
    follow_ids = await crowd_that_has_earned(pair)
    [wrong, *_] = [row for row in pair.positions if row.follow_id == follow_ids[1]]
    pair.plugin.database.write_and_wait(
        lambda session: ledger.post(
            session,
            kind="share",
            reference=f"position:{wrong.id}",
            postings=moved(main_account("1"), main_account("2"), Money(Decimal(1))),
            at=pair.plugin.clock.now(),
        )
    )

    with pytest.raises(ExceptionGroup):
        await pair.plugin.run_jobs("settle")
    await pair.plugin.settle()

    assert settled(pair) == [follow_ids[0], *follow_ids[2:]]
    assert pair.market.spot(pair.leader) == 3 * Decimal("0.0846")


class SilentForOne(SimulatedVenue):
    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation)
        self.silent_for: str | None = None

    async def balance(self, account):
        if account == self.silent_for:
            raise VenueUnavailable
        return await super().balance(account)


async def test_a_follow_the_venue_says_nothing_of_is_settled_later_and_keeps_no_other_waiting(
    tmp_path, market
):
    venue = SilentForOne(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    await plugin.start()
    pair = await Pair(plugin, market).start()
    follow_ids = await crowd_that_has_earned(pair)
    venue.silent_for = pair.follow.sub_account

    await plugin.run_jobs("settle")
    assert settled(pair) == follow_ids[1:]
    venue.silent_for = None
    await plugin.run_jobs("settle")

    assert settled(pair) == follow_ids
    assert pair.market.spot(pair.leader) == 4 * Decimal("0.0846")
    plugin.close()


async def test_what_the_venue_said_before_a_share_left_settles_nothing(tmp_path, market):
    class Slow(SimulatedVenue):
        meanwhile: Callable[[], Awaitable[None]] | None = None

        async def balance(self, account):
            told = await super().balance(account)
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None:
                await meanwhile()
            return told

    venue = Slow(market.simulation)
    plugin = Plugin(tmp_path, market, venue=venue)
    await plugin.start()
    pair = await Pair(plugin, market).start()
    await pair.buy(7)
    pair.set_price(SOL, "151.37")
    await pair.sell(7)
    venue.meanwhile = lambda: plugin.run_jobs("settle")

    assert await plugin.engine.settler.settle(pair.follow_id) is False
    assert await plugin.engine.settler.settle(pair.follow_id) is True
    assert len(settled(pair)) == 1
    plugin.close()
