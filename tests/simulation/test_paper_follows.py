"""Following with play money (B6): the same rules, quantities and books, and nothing is real."""

from decimal import Decimal

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.follow import FollowState
from copyplugin.domain.identifiers import FollowId, LeaderId
from copyplugin.domain.paper import is_paper
from copyplugin.errors import OutcomeUnknown
from copyplugin.store import ledger
from copyplugin.store.queries import Queries
from copyplugin.store.queries.follow_statement import follow_statement
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyOrderRow,
    FollowRow,
    LaneRow,
    LedgerPostingRow,
    SettlementRow,
    TransferRow,
)
from copyplugin.store.statistics_proof import statistics_differences
from copyplugin.venues import paper_market
from copyplugin.venues.paper import PaperVenue
from simexchange.core.types import MONEY_SCALE, PositionSide, Side
from simexchange.market.audit import residue
from tests.simulation.copy_world import Market, Plugin
from tests.simulation.pair import BTC, SOL, Pair

LONG, SHORT = PositionSide.LONG, PositionSide.SHORT


class PaperPair(Pair):
    """A pair whose follower follows the leader with play money too, on the same terms."""

    paper_id = 0

    async def start_paper(self, **terms: object):
        given = {
            "mode": "fixed",
            "copy_amount": "1000",
            "instruments": [BTC, SOL],
            "leader_id": 1,
            "follower_id": 1,
        } | terms
        answer = await self.plugin.command(CommandKind.START_PAPER_FOLLOW, **given)
        if answer.state is CommandState.DONE:
            self.paper_id = answer.result["follow_id"]
        return answer

    @property
    def paper_follow(self) -> FollowRow:
        [row] = self.rows(FollowRow, FollowRow.id == self.paper_id)
        return row

    def lanes(self, follow_id: int):
        return {
            (lane.symbol, lane.position_side): (lane.target, lane.actual)
            for lane in self.rows(LaneRow, LaneRow.follow_id == follow_id)
        }

    async def held_on_paper(self, leg=LONG, symbol=SOL) -> int:
        """Return what the exchange of play money says."""
        found = await self.plugin.paper.positions(self.paper_follow.sub_account)
        held = {(one.symbol, one.position_side.value): one.contracts for one in found}
        return held.get((symbol, leg.name.lower()), 0)

    def paper_exchange(self):
        market, _ = self.plugin.paper._open()
        return market.exchange

    def balances(self):
        with self.plugin.database.read() as session:
            ledger.verify(session)
            return ledger.balances(session)


@pytest.fixture
async def plugin(tmp_path, market):
    made = Plugin(tmp_path, market, paper=True)
    await made.start()
    yield made
    made.close()


@pytest.fixture
async def pair(plugin, market):
    made = await PaperPair(plugin, market).start()
    assert (await made.start_paper()).state is CommandState.DONE
    return made


async def restart(pair) -> None:
    await pair.plugin.die()
    pair.plugin.open()
    await pair.plugin.start()


# -- the same as with real money


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"mode": "multiple", "factor": "0.5"},
        {"mode": "fixed_margin", "order_margin": "20"},
        {"mode": "multiple", "factor": "3", "instrument_value_max": "500"},
    ],
    ids=["fixed", "multiple", "margin", "capped"],
)
async def test_a_paper_follow_trades_what_a_real_one_of_the_same_settings_trades(
    plugin, market, terms
):
    pair = await PaperPair(plugin, market).start(**terms)
    await pair.start_paper(**terms)

    for step in (
        lambda: pair.buy(10),
        lambda: pair.buy(7),
        lambda: pair.sell(4, SHORT),
        lambda: pair.buy(2, symbol=BTC),
        lambda: pair.sell(5),
        lambda: pair.buy(4, SHORT),
        lambda: pair.sell(12),
    ):
        await step()
        assert pair.lanes(pair.paper_id) == pair.lanes(pair.follow_id)
        assert await pair.held_on_paper() == pair.held()
        assert await pair.held_on_paper(SHORT) == pair.held(SHORT)
    orders = {
        follow_id: [
            (order.sequence, order.order_side, order.contracts, order.filled)
            for lane in pair.rows(LaneRow, LaneRow.follow_id == follow_id)
            for order in pair.rows(CopyOrderRow, CopyOrderRow.lane_id == lane.id)
        ]
        for follow_id in (pair.follow_id, pair.paper_id)
    }
    assert orders[pair.paper_id] == orders[pair.follow_id] != []


async def test_what_a_real_follow_would_skip_is_skipped(plugin, market):
    pair = await PaperPair(plugin, market).start(price_protection="0.001")
    await pair.start_paper(price_protection="0.001")
    market.set_price(SOL, Decimal(151))  # the leader still finds an offer at 150
    await plugin.run_jobs("marks")

    market.trade(pair.leader, SOL, Side.BUY, 10, LONG, price=Decimal(150))
    market.cancel_offers(SOL)
    await plugin.settle()

    assert [lane for lane in pair.lanes(pair.paper_id).values() if any(lane)] == []
    lanes = {lane.id: lane.follow_id for lane in pair.rows(LaneRow)}
    assert {lanes[skip.lane_id] for skip in pair.skips} == {pair.follow_id, pair.paper_id}


async def test_an_order_on_paper_pays_the_mark_the_slippage_and_the_venues_fee(pair):
    await pair.buy(10)

    [position] = pair.rows(CopiedPositionRow, CopiedPositionRow.follow_id == pair.paper_id)
    price = Decimal("150.08")  # 150 and five hundredths of a percent, rounded up to the tick
    assert position.opened_value == price  # ten contracts of 0.1 SOL
    assert position.fees == price * Decimal("0.0005")


async def test_a_proportional_open_is_sized_by_what_the_paper_account_has(plugin, market):
    terms = {"mode": "proportional", "money": 2_000 * MONEY_SCALE}
    pair = await PaperPair(plugin, market).start(**terms)
    await pair.start_paper(mode="proportional")

    await pair.buy(100)

    assert pair.held() > 0
    assert await pair.held_on_paper() == pair.held()


# -- nothing of it is real


async def test_nothing_of_a_paper_follow_reaches_the_real_venue(plugin, market):
    pair = await PaperPair(plugin, market).start()
    accounts, spot = list(market.exchange.accounts), market.spot(pair.follower)

    await pair.start_paper()
    await pair.buy(10)
    await pair.sell(10)
    await plugin.run_jobs()

    assert list(market.exchange.accounts) == accounts
    assert market.spot(pair.follower) == spot
    fills = market.simulation.history.executions(pair.sub_account)
    assert len(fills) == 2  # of the real follow alone
    paper_account = pair.paper_follow.sub_account
    assert is_paper(paper_account)
    assert not await plugin.venue.knows_account(paper_account)


async def test_no_ledger_entry_touches_both_kinds_of_money(plugin, market):
    pair = await PaperPair(plugin, market).start(share_ratio="0.2")
    await pair.start_paper()
    await pair.buy(100)
    pair.set_price(SOL, "160")
    await plugin.run_jobs("marks")
    await pair.sell(100)
    await plugin.run_jobs("settle")
    for follow_id in (pair.follow_id, pair.paper_id):
        await plugin.command(CommandKind.END_FOLLOW, follow_id=follow_id, how="close_now")
    await plugin.run_jobs()

    books = pair.balances()

    kinds: dict[int, set[bool]] = {}
    for posting in pair.rows(LedgerPostingRow):
        kinds.setdefault(posting.entry_id, set()).add(is_paper(posting.account))
    assert {len(kind) for kind in kinds.values()} == {1}
    assert {True, False} == {is_paper(account) for account in books}
    for paper in (True, False):
        assert sum(money for account, money in books.items() if is_paper(account) is paper) == 0
    for row in pair.rows(TransferRow):
        assert is_paper(row.from_account) is is_paper(row.to_account)


async def test_the_leader_gets_no_real_share_of_play_money(plugin, market):
    pair = PaperPair(plugin, market)
    await pair.start(leader={"share_ratio": "0.2"})
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")
    await pair.start_paper()
    before = market.exchange.account(pair.leader).spot_balance
    await pair.buy(100)
    pair.set_price(SOL, "160")
    await plugin.run_jobs("marks")
    await pair.sell(100)
    await plugin.run_jobs("settle")

    [settled] = pair.rows(SettlementRow)

    assert settled.share > 0
    assert market.exchange.account(pair.leader).spot_balance == before
    paid = await plugin.paper.balance(f"paper-main-{pair.leader}")
    assert paid.spot_available == settled.share


async def test_every_figure_of_the_leader_is_what_it_is_without_paper_follows(plugin, market):
    pair = await PaperPair(plugin, market).start()
    await pair.buy(50)
    await pair.sell(20)
    await plugin.run_jobs()
    queries = Queries(plugin.database, plugin.clock)
    before = figures_of_leader(queries)

    market.clock.advance(seconds=60)
    await pair.start_paper(copy_amount="700")
    await plugin.run_jobs("statistics")
    assert figures_of_leader(queries) == before

    # What happens from here on happens to the real follow alone, and to both.
    await pair.sell(10)
    market.clock.advance(seconds=60)
    await plugin.run_jobs()
    with_paper = figures_of_leader(queries)
    assert [line.follow_id for line in with_paper["followers"].lines] == [pair.follow_id]
    differences = plugin.database.write_and_wait(
        lambda session: statistics_differences(
            session, now=plugin.clock.now(), zone=plugin.settings.zone
        )
    )
    assert differences == []


def figures_of_leader(queries: Queries):
    leader = LeaderId(1)
    page = queries.leader_page(leader, None)
    card = queries.leader_card(leader, None)
    assert page is not None
    assert card is not None
    assert card.figures is not None
    followers = queries.follower_list(leader)
    overview = queries.leader_overview(leader)
    shares = queries.share_list(leader, page=1, page_size=10)
    timeless = {
        name: getattr(card.figures, name)
        for name in card.figures.__dataclass_fields__
        if name != "computed_at"
    }
    return {
        "figures": timeless,
        "places": card.places,
        "overview": overview,
        "followers": followers,
        "shares": shares,
        "books": queries.books(),
    }


async def test_a_paper_follow_takes_no_place_and_none_of_the_total(plugin, market):
    pair = PaperPair(plugin, market)
    await pair.start(leader={"max_followers": 1, "total_copy_amount": "1000"})
    other = market.open_account("another", spot=5_000 * MONEY_SCALE)

    assert (await pair.start_paper()).state is CommandState.DONE  # though the leader is full
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")

    assert (await plugin.follow(1, other)).state is CommandState.DONE


async def test_all_other_limits_hold_with_play_money_too(plugin, market):
    pair = PaperPair(plugin, market)
    await pair.start(leader={"max_copy_amount": "500"}, copy_amount="500")

    too_much = await pair.start_paper(copy_amount="501")
    assert too_much.message == "The copy amount must be between 10 and 500 USDT."
    assert (await pair.start_paper(copy_amount="500")).state is CommandState.DONE
    again = await pair.start_paper(copy_amount="500")
    assert again.message == "You follow leader 2 with play money already: end that follow first."


async def test_a_leader_cannot_follow_himself_with_play_money_either(plugin, market):
    pair = await PaperPair(plugin, market).start()
    own = await plugin.command(CommandKind.REGISTER_FOLLOWER, account=str(pair.leader))

    answer = await pair.start_paper(follower_id=own.result["follower_id"])

    assert answer.message == "You cannot follow yourself."


async def test_accounts_with_play_money_are_nobody(plugin, pair):
    twin = f"paper-main-{pair.follower}"

    registered = await plugin.command(CommandKind.REGISTER_FOLLOWER, account=twin)
    led = await plugin.command(CommandKind.ADD_LEADER, account=twin, nickname="x")

    assert (registered.state, led.state) == (CommandState.REFUSED, CommandState.REFUSED)
    assert "account with play money" in registered.message


async def test_where_play_money_is_off_nobody_follows_with_it(tmp_path, market):
    plugin = Plugin(tmp_path, market)
    await plugin.start()
    pair = await PaperPair(plugin, market).start()

    answer = await pair.start_paper()

    plugin.close()
    assert answer.state is CommandState.REFUSED
    assert "switched off" in answer.message


# -- its whole life


async def test_play_money_comes_home_and_the_statement_adds_up(plugin, pair):
    await pair.buy(100)
    pair.set_price(SOL, "155")
    await plugin.run_jobs("marks")
    await pair.sell(40)
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.paper_id, how="close_now")
    await plugin.run_jobs()

    assert pair.paper_follow.state is FollowState.CLOSED
    with plugin.database.read() as session:
        statement = follow_statement(session, FollowId(pair.paper_id))
    assert statement.difference == statement.balance == 0
    [home] = [row for row in pair.rows(TransferRow) if row.kind.value == "return"]
    twin = f"paper-main-{pair.follower}"
    assert (await plugin.paper.balance(twin)).spot_available == home.money
    exchange = pair.paper_exchange()
    exchange.check()
    assert residue(exchange) == 0


async def test_a_stop_loss_fires_at_the_real_marks(plugin, market):
    pair = await PaperPair(plugin, market).start()
    await pair.start_paper(stop_loss="0.1", copy_amount="1000")
    await pair.buy(100)
    [plan] = await plugin.paper.plans(pair.paper_follow.sub_account)

    pair.set_price(SOL, "139")
    await plugin.run_jobs("marks", "protect")
    await plugin.run_jobs()

    assert plan.trigger_price < Decimal(150)
    assert await pair.held_on_paper() == 0
    assert pair.paper_follow.state is FollowState.CLOSED
    assert pair.held() == 100  # the real follow has no stop
    assert pair.balances()[f"paper-sub:{pair.paper_id}"] == 0


async def test_a_liquidation_on_paper_is_booked_like_any_other(plugin, pair, market):
    market.set_leverage(pair.leader, SOL, 20)
    await pair.buy(400)

    pair.set_price(SOL, "140")
    await plugin.run_jobs("marks", "reconcile", "settle")

    assert await pair.held_on_paper() == 0
    assert pair.lanes(pair.paper_id)[SOL, LONG.name.lower()][1] == 0
    booked = pair.balances()[f"paper-sub:{pair.paper_id}"]
    held = await plugin.paper.balance(pair.paper_follow.sub_account)
    assert booked == held.contract_wallet


# -- what may go wrong


async def test_a_process_that_dies_finds_everything_again(pair, plugin):
    await pair.buy(10)
    await restart(pair)
    await pair.sell(4)
    assert await pair.held_on_paper() == pair.held() == 6
    await restart(pair)
    await pair.sell(6)
    assert await pair.held_on_paper() == 0
    await plugin.run_jobs("settle", "reconcile")
    with plugin.database.read() as session:
        assert follow_statement(session, FollowId(pair.paper_id)).difference == 0


async def test_what_comes_back_from_a_snapshot_is_all_that_was(pair, plugin, monkeypatch):
    monkeypatch.setattr(paper_market, "SNAPSHOT_AFTER", 1)
    await pair.buy(10)
    await plugin.run_jobs("marks")
    [order] = [row for row in pair.rows(CopyOrderRow) if row.client_order_id.startswith("cp")][-1:]
    account = pair.paper_follow.sub_account
    orders = {
        row.client_order_id: await plugin.paper.find_order(account, SOL, row.client_order_id)
        for row in pair.rows(CopyOrderRow)
    }

    await restart(pair)

    exchange = pair.paper_exchange()
    assert exchange.recovery.snapshot_sequence > 0
    assert exchange.recovery.replayed < 5
    for client_order_id, report in orders.items():
        assert await plugin.paper.find_order(account, SOL, client_order_id) == report
    assert order.client_order_id in orders
    await pair.sell(10)
    assert await pair.held_on_paper() == 0


class Died(BaseException):
    """The process ended here."""


class Mortal(PaperVenue):
    """Executes, and its answer is lost: in another way each time."""

    losses: list[BaseException]

    async def place_order(self, request):
        report = await super().place_order(request)
        if self.losses:
            raise self.losses.pop(0)
        return report

    async def transfer(self, request):
        await super().transfer(request)
        if self.losses:
            raise self.losses.pop(0)


class MortalPlugin(Plugin):
    losses: list[BaseException]

    def make_paper(self, folder):
        made = super().make_paper(folder)
        made.__class__ = Mortal
        made.losses = self.losses
        return made


@pytest.fixture
async def mortal(tmp_path, market):
    MortalPlugin.losses = []
    made = MortalPlugin(tmp_path, market, paper=True)
    await made.start()
    yield made
    made.close()


async def test_an_order_in_doubt_is_asked_for_and_not_sent_again(mortal, market):
    pair = await PaperPair(mortal, market).start()
    await pair.start_paper()
    mortal.losses.append(OutcomeUnknown("the answer was lost"))

    await pair.buy(10)
    await mortal.run_jobs("copy")

    assert await pair.held_on_paper() == 10
    assert pair.lanes(pair.paper_id) == pair.lanes(pair.follow_id)


async def test_a_process_killed_after_its_order_was_filled_finds_the_fill(mortal, market):
    pair = await PaperPair(mortal, market).start()
    await pair.start_paper()
    mortal.losses.append(Died())

    with pytest.raises(Died):
        await pair.buy(10)
    await restart(pair)
    await mortal.run_jobs("copy")

    assert await pair.held_on_paper() == pair.held() == 10
    assert pair.lanes(pair.paper_id) == pair.lanes(pair.follow_id)
    await pair.sell(10)
    assert await pair.held_on_paper() == 0


async def test_play_money_moves_once_when_the_process_dies_while_it_moves(mortal, market):
    pair = await PaperPair(mortal, market).start()
    mortal.losses.append(Died())

    with pytest.raises(Died):
        await pair.start_paper()
    await restart(pair)
    await mortal.run_jobs()

    [follow] = pair.rows(FollowRow, FollowRow.paper)
    assert follow.state is FollowState.PENDING
    assert (await mortal.paper.balance(follow.sub_account)).contract_wallet == 1000


async def test_play_money_of_another_database_is_not_taken_for_ones_own(pair, plugin, tmp_path):
    await pair.buy(10)
    plugin.close()
    stranger = Plugin(tmp_path / "elsewhere", Market())
    stranger.close()
    stranger.paper_folder = plugin.paper_folder
    stranger.open()
    await stranger.start()
    other = await PaperPair(stranger, stranger.market).start()

    answer = await other.start_paper()  # its number is that of a follow of the first database

    stranger.close()
    assert answer.state is CommandState.REFUSED
    assert "was used before" in answer.message
    assert other.rows(TransferRow, TransferRow.from_account.startswith("paper-")) == []
