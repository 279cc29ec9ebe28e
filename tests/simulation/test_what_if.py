"""A what-if of fills that were copied live comes to what the live copy came to (B6)."""

import asyncio
import json
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete

from copyplugin.domain.money import money_total
from copyplugin.replay.what_if import what_if_command
from copyplugin.store.rows import (
    CopiedPositionRow,
    CopyDecisionRow,
    LeaderEquityRow,
    SettlementRow,
)
from simexchange.core.commands import SetMarginMode
from simexchange.core.types import MONEY_SCALE, MarginMode, PositionMode
from tests.simulation.copy_world import Market, Plugin
from tests.simulation.pair import BTC, NET, SHORT, SOL, Pair

LEADER_MONEY = 20_000 * MONEY_SCALE


def run(plugin: Plugin, *options: str) -> Result:
    arguments = [f"--database={plugin.url}", *options]
    return CliRunner().invoke(what_if_command, arguments)


async def what_if(plugin: Plugin, *options: str) -> dict:
    """Run the command beside the loop of the test: it has a loop of its own."""
    result = await asyncio.to_thread(run, plugin, *options, "--json=-")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


async def trade_a_while(pair: Pair) -> None:
    """Open, add, reduce and close on both sides of two instruments, at moving prices."""
    await pair.buy(41)
    await pair.sell(7, leg=SHORT, symbol=BTC)
    pair.set_price(SOL, "153.70")
    await pair.buy(9)
    await pair.sell(23)
    pair.set_price(BTC, "59321.3")
    await pair.buy(3, leg=SHORT, symbol=BTC)
    await pair.sell(27)
    pair.set_price(SOL, "149.11")
    await pair.buy(33)
    await pair.buy(4, leg=SHORT, symbol=BTC)
    pair.set_price(SOL, "147.02")
    await pair.sell(33)
    await pair.plugin.run_jobs("settle", "marks")


def live_result(market: Market, pair: Pair) -> Decimal:
    """Return what the follower has more than at his beginning."""
    equity = Decimal(market.exchange.equity(pair.sub_account)).scaleb(-8)
    return equity + market.spot(pair.follower) - 50_000


@pytest.mark.parametrize(
    "terms",
    [
        {"mode": "fixed"},
        {"mode": "proportional"},
        {"mode": "multiple", "factor": "0.37"},
        {"mode": "multiple", "factor": "2.5", "below_minimum": "carry", "leverage": "25"},
        {"mode": "fixed_margin", "order_margin": "31.7", "leverage": "7"},
        {"mode": "equity_ratio"},
        {"mode": "fixed", "orders_per_day_max": 2, "total_value_max": "700"},
    ],
    ids=lambda terms: " ".join(str(value) for value in terms.values()),
)
async def test_a_what_if_with_the_same_settings_comes_to_the_same_to_the_last_unit(
    plugin: Plugin, market: Market, terms: dict[str, object]
):
    pair = await Pair(plugin, market).start(money=LEADER_MONEY, **terms)
    await trade_a_while(pair)
    follow = ",".join(f"{name}={value}" for name, value in terms.items())

    report = await what_if(plugin, "--leader=1", f"--follow={follow},amount=1000")

    (one,) = report["follows"]
    positions = pair.rows(CopiedPositionRow)
    assert positions, "the test copies something"
    assert Decimal(one["net_result"]) == live_result(market, pair)
    assert Decimal(one["fees"]) == money_total(*(row.fees for row in positions))
    assert Decimal(one["share"]) == sum(row.share for row in pair.rows(SettlementRow))
    assert sum(one["skipped"].values()) == len(pair.skips)
    assert one["signals"] == len(pair.rows(CopyDecisionRow))
    assert one["from_leader_to_follower"]["unexplained"] == "0.00000000"


async def test_a_what_if_reads_either_database(tmp_path: Path, market: Market, migrated_url: str):
    plugin = Plugin(tmp_path, market, url=migrated_url)
    await plugin.start()
    pair = await Pair(plugin, market).start(money=LEADER_MONEY, mode="proportional")
    await trade_a_while(pair)

    report = await what_if(
        plugin, "--leader=1", "--follow=mode=proportional,amount=1000", "--since=2026-01-05"
    )

    assert Decimal(report["follows"][0]["net_result"]) == live_result(market, pair)
    plugin.close()


async def test_what_the_leader_held_before_is_not_copied_and_is_a_difference_of_its_own(
    plugin: Plugin, market: Market
):
    pair = await Pair(plugin, market).start(position_mode=PositionMode.ONE_WAY)
    await pair.buy(30, leg=NET)
    market.clock.set(market.clock.now() + 86_400_000_000)
    pair.set_price(SOL, "160.00")
    await pair.buy(10, leg=NET)
    await pair.sell(40, leg=NET)

    report = await what_if(
        plugin, "--leader=1", "--follow=mode=fixed,amount=1000", "--since=2026-01-06"
    )

    (one,) = report["follows"]
    way = one["from_leader_to_follower"]
    assert report["leader"]["fills"] == 2
    assert Decimal(way["leader_result"]) == Decimal("-0.04")  # 40 bought at 160, sold a tick lower
    assert one["from_leader_to_follower"]["unexplained"] == "0.00000000"
    assert one["signals"] == 2


async def test_slippage_costs_what_it_says(plugin: Plugin, market: Market):
    pair = await Pair(plugin, market).start()
    await pair.buy(30)
    pair.set_price(SOL, "160.00")
    await pair.sell(30)
    follow = "--follow=mode=fixed,amount=1000"

    exact, worse = [
        (await what_if(plugin, "--leader=1", follow, f"--slippage={ratio}"))["follows"][0]
        for ratio in ("0", "0.001")
    ]

    parts = worse["from_leader_to_follower"]["parts"]
    assert "price within the same levels" not in exact["from_leader_to_follower"]["parts"]
    assert Decimal(parts["price within the same levels"]) == 3 * (
        Decimal("0.15") + Decimal("0.16")  # 159.99 less 0.1 % is 159.83, rounded down
    )
    assert Decimal(worse["net_result"]) < Decimal(exact["net_result"])


async def test_funding_is_paid_at_every_eighth_hour_a_position_is_held(
    plugin: Plugin, market: Market
):
    pair = await Pair(plugin, market).start()
    await pair.buy(30)  # at noon
    market.clock.set(market.clock.now() + 21 * 3_600_000_000)
    await pair.sell(30)

    report = await what_if(
        plugin, "--leader=1", "--follow=mode=fixed,amount=1000", "--funding-rate=0.0001"
    )

    (one,) = report["follows"]
    assert Decimal(one["funding"]) == 3 * Decimal("0.045")  # at 16, 0 and 8 o'clock, of 450
    assert one["from_leader_to_follower"]["parts"]["funding"] == "0.13500000"
    assert report["faults"] == []


async def test_a_visitor_who_would_have_been_liquidated_is_told_so_and_all_adds_up(
    plugin: Plugin, market: Market
):
    pair = await Pair(plugin, market).start()
    market.apply(SetMarginMode(pair.leader, SOL, MarginMode.CROSS))  # he himself bears it
    await pair.buy(30)
    pair.set_price(SOL, "120.00")
    await pair.buy(10)
    pair.set_price(SOL, "170.00")
    await pair.sell(40)

    report = await what_if(plugin, "--leader=1", "--follow=mode=fixed,amount=60")

    (one,) = report["follows"]
    assert one["liquidated"]
    assert report["faults"] == []
    # 30 contracts were lost at 135 and less, and sold by the leader a tick below 170.
    assert Decimal(one["from_leader_to_follower"]["parts"]["closed by liquidation"]) > 90
    assert Decimal(one["net_result"]) == Decimal(one["equity"]) - 60


async def test_the_database_is_left_as_it_was(plugin: Plugin, market: Market):
    pair = await Pair(plugin, market).start()
    await pair.buy(30)
    before = [(row.id, row.state, row.opened_value) for row in pair.positions]

    await what_if(plugin, "--leader=1", "--follow=mode=fixed,amount=1000")

    assert [(row.id, row.state, row.opened_value) for row in pair.positions] == before


async def test_bad_input_gets_a_sentence_and_exit_code_two(plugin: Plugin, market: Market):
    pair = await Pair(plugin, market).start()
    await pair.buy(30)
    plugin.database.write_and_wait(lambda s: s.execute(delete(LeaderEquityRow)))
    follow = "--follow=mode=fixed,amount=1000"
    for options, sentence in (
        (["--leader=7", follow], "There is no leader number 7."),
        (["--leader=1", "--follow=mode=fixed"], "amount is missing."),
        (["--leader=1", "--follow=mode=fixed,amount=1"], "The copy amount must be between"),
        (["--leader=1", "--follow=mode=fixed,amount=20,instruments=X"], "has no X; it has"),
        (["--leader=1", follow, "--since=soon"], "--since must be a date like 2026-01-31"),
        (["--leader=1", follow, "--since=2030-01-01"], "stored since 2030-01-01: choose an ear"),
        (["--leader=1", follow, "--slippage=0.5"], "--slippage must be between 0 and 0.05"),
        (["--leader=1", follow, "--funding-rate=1"], "--funding-rate must be between -0.02 and"),
        (["--leader=1", follow, "--leader-balance=-1"], "--leader-balance must be above 0"),
        (
            ["--leader=1", "--follow=mode=equity_ratio,amount=100"],
            "The mode equity_ratio rests on what the leader has, which no stored row tells",
        ),
        (["--leader=1", follow, "--json=/no/such/file"], "name a file in a folder that exists"),
        (["--leader=1", follow, "--database=sqlite:////no/such.db"], "upgrade"),
    ):
        result = await asyncio.to_thread(run, plugin, *options)
        assert result.exit_code == 2, (options, result.output)
        assert sentence in result.output, (options, result.output)
        assert "Traceback" not in result.output
