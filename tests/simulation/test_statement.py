"""The statement of a follow: whoever adds up its lines finds the ledger, to the last unit."""

import csv
import io
from decimal import Decimal

import msgspec
import pytest
from click.testing import CliRunner

from copyplugin.cli import main
from copyplugin.domain.command import CommandKind
from copyplugin.domain.leader import ShareState
from copyplugin.domain.ledger import main_account, moved, sub_account
from copyplugin.store import ledger
from simexchange.core.commands import AdvanceTime, SetFundingRate
from simexchange.core.instrument import FundingRules
from simexchange.core.types import MONEY_SCALE, PositionSide, Side
from tests.simulation import copy_world
from tests.simulation.copy_world import Market, Plugin
from tests.simulation.pair import BTC, SOL, Pair

HOUR_US = 3_600_000_000


@pytest.fixture
def market(monkeypatch):
    """Return a market in which SOL pays funding every eight hours."""
    monkeypatch.setattr(
        copy_world, "SOL", msgspec.structs.replace(copy_world.SOL, funding=FundingRules())
    )
    return Market()


def statement(plugin: Plugin, *options: str):
    return CliRunner().invoke(main, ["statement", f"--database={plugin.url}", *options])


def rows_of(plugin: Plugin, follow_id: int) -> list[dict[str, str]]:
    printed = statement(plugin, f"--follow={follow_id}", "--csv")
    assert printed.exit_code == 0, printed.output
    return list(csv.DictReader(io.StringIO(printed.output)))


def booked_sum(rows) -> Decimal:
    return sum(Decimal(row["money_usdt"]) for row in rows if row["booked"] == "yes")


def ledger_says(pair) -> Decimal:
    with pair.plugin.database.read() as session:
        return ledger.balance(session, f"sub:{pair.follow_id}")


async def a_life(pair, plugin, market) -> None:
    """Trade with funding, in parts, with profit and with loss, and leave one position open."""
    market.apply(SetFundingRate(SOL, 100_000))
    await pair.buy(7)
    market.clock.advance(microseconds=8 * HOUR_US)
    market.apply(AdvanceTime())
    await plugin.run_jobs("position data")
    pair.set_price(SOL, "151.37")
    await pair.sell(3)
    await pair.sell(4)
    await pair.sell(5, PositionSide.SHORT)
    pair.set_price(SOL, "153.01")
    await pair.buy(5, PositionSide.SHORT)
    await pair.buy(1, symbol=BTC)
    await plugin.run_jobs("settle")


async def test_the_booked_lines_sum_to_the_ledger_while_a_position_is_open(pair, plugin, market):
    await a_life(pair, plugin, market)

    rows = rows_of(plugin, pair.follow_id)

    assert booked_sum(rows) == ledger_says(pair)
    assert {row["kind"] for row in rows} == {"paid_in", "fill", "fee", "funding", "share"}
    assert {row["instrument"] for row in rows if row["booked"] == "no"} == {BTC}


async def test_the_lines_of_an_ended_follow_sum_to_nothing(pair, plugin, market):
    await a_life(pair, plugin, market)
    await plugin.command(CommandKind.END_FOLLOW, follow_id=pair.follow_id, how="close_now")

    rows = rows_of(plugin, pair.follow_id)

    assert all(row["booked"] == "yes" for row in rows)
    assert booked_sum(rows) == ledger_says(pair) == 0
    paid = {
        kind: sum(Decimal(row["money_usdt"]) for row in rows if row["kind"] == kind)
        for kind in ("paid_in", "paid_out", "share")
    }
    assert market.spot(pair.follower) == 50_000 - paid["paid_in"] - paid["paid_out"]
    assert market.spot(pair.leader) == -paid["share"] > 0


async def test_what_the_venue_took_by_force_is_in_the_statement(plugin, market):
    pair = await Pair(plugin, market).start(copy_amount="20", leverage="50")
    await pair.buy(20)
    market.cancel_offers(SOL)
    market.offer(SOL, Side.BUY, 10_000, Decimal("140.00"))
    market.set_price(SOL, Decimal("140.10"))
    await plugin.run_jobs("reconcile", "settle")
    assert pair.held() == 0

    rows = rows_of(plugin, pair.follow_id)

    assert booked_sum(rows) == ledger_says(pair) < 20


async def test_the_statement_is_printed_with_its_sums(pair, plugin, market):
    await a_life(pair, plugin, market)

    printed = statement(plugin, f"--follow={pair.follow_id}")

    assert printed.exit_code == 0
    lines = printed.output.splitlines()
    assert lines[-2].split()[-1] == lines[-1].split()[-1] == f"{ledger_says(pair):f}"
    assert "fill buy 7 SOLUSDT long at 150.00" in printed.output
    assert "(not booked yet)" in printed.output


async def test_a_statement_that_does_not_add_up_says_so(pair, plugin, market):
    await a_life(pair, plugin, market)
    postings = moved(main_account("1"), sub_account(pair.follow_id), Decimal(1))
    plugin.database.write_and_wait(
        lambda s: ledger.post(
            s, kind="mistake", reference="1", postings=postings, at=copy_world.START
        )
    )

    printed = statement(plugin, f"--follow={pair.follow_id}")

    assert printed.exit_code == 1
    assert "The ledger has 1.00000000 USDT more than the lines." in printed.output


def test_a_follow_that_does_not_exist_has_no_statement(tmp_path, market):
    plugin = Plugin(tmp_path, market)

    printed = statement(plugin, "--follow=99")

    assert printed.exit_code == 2
    assert "There is no follow number 99." in printed.output
    plugin.close()


async def test_while_a_share_waits_the_lines_add_up_to_the_ledger(plugin, market):
    pair = await Pair(plugin, market).start(copy_amount="100")
    await pair.buy(40)
    pair.set_price(SOL, "160.00")
    await pair.sell(40)
    while market.exchange.available_balance(pair.sub_account) > 3 * MONEY_SCALE:
        await pair.buy(1, symbol=BTC)
    await plugin.run_jobs("settle")
    assert ShareState.DUE in {row.share_state for row in pair.positions}

    assert booked_sum(rows_of(plugin, pair.follow_id)) == ledger_says(pair) > 130
