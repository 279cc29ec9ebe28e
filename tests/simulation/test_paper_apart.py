"""Nothing of a paper follow is real: not its orders, nor its money, nor any figure."""

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.identifiers import LeaderId
from copyplugin.domain.paper import is_paper
from copyplugin.store.queries import Queries
from copyplugin.store.rows import (
    LedgerPostingRow,
    SettlementRow,
    TransferRow,
)
from copyplugin.store.statistics_proof import statistics_differences
from simexchange.core.types import MONEY_SCALE
from tests.simulation.copy_world import Plugin
from tests.simulation.pair import SOL
from tests.simulation.paper_pair import PaperPair, start_pair, start_plugin


@pytest.fixture
async def plugin(tmp_path, market):
    made = await start_plugin(tmp_path, market)
    yield made
    made.close()


@pytest.fixture
async def pair(plugin, market):
    return await start_pair(plugin, market)


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
    market.clock.advance(seconds=60)
    await pair.buy(50)
    await pair.sell(20)
    market.clock.advance(seconds=60)
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
