"""What-ifs that pages ask for: computed beside the engine, answered in the command's row."""

import asyncio
from datetime import timedelta
from fractions import Fraction

import pytest

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.engine import what_ifs
from copyplugin.engine.arguments import Arguments
from copyplugin.engine.what_ifs import words_of
from copyplugin.errors import Refused
from tests.simulation.copy_world import START
from tests.simulation.pair import SOL

ASKED = {"leader_id": 1, "mode": "fixed", "copy_amount": "1000"}


@pytest.fixture
async def traded(pair, market):
    """Return a pair whose leader has made two round trips, a day apart."""
    for price in ("160", "150"):
        await pair.buy(10)
        pair.set_price(SOL, price)
        await pair.sell(10)
        market.clock.advance(seconds=86_400)
    return pair


async def test_its_parts_lead_from_the_leaders_result_to_the_visitors(traded, plugin):
    answer = await plugin.command(CommandKind.WHAT_IF, **ASKED)

    assert answer.state is CommandState.DONE, answer.message
    assert answer.result["faults"] == []
    [follow] = answer.result["follows"]
    bridge = follow["from_leader_to_follower"]
    missing = sum(Fraction(part) for part in bridge["parts"].values())
    assert Fraction(bridge["leader_result"]) - missing == Fraction(follow["net_result"])
    assert follow["orders_filled"] == 4


async def test_it_may_begin_and_end_at_a_day(traded, plugin):
    tomorrow = (START + timedelta(days=1)).date().isoformat()

    first = await plugin.command(CommandKind.WHAT_IF, **ASKED, until=tomorrow)
    second = await plugin.command(CommandKind.WHAT_IF, **ASKED, since=tomorrow)
    none = await plugin.command(CommandKind.WHAT_IF, **ASKED, until="2020-01-01")

    results = [Fraction(each.result["follows"][0]["net_result"]) for each in (first, second)]
    assert results[0] > 0 > results[1]
    assert none.state is CommandState.REFUSED
    assert none.message == (
        "No fill of leader 1 is stored until 2020-01-01T00:00:00: choose another time."
    )


async def test_it_changes_nothing(traded, plugin, market):
    before = (market.exchange.state_hash(), traded.lanes_of())

    await plugin.command(CommandKind.WHAT_IF, **ASKED)

    assert (market.exchange.state_hash(), traded.lanes_of()) == before


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"mode": "wild"}, "Mode must be one of"),
        ({"copy_amount": "much"}, "Copy amount must be a number"),
        ({"since": "soon"}, "'soon' is no date: write it like 2026-01-31."),
        ({"leader_id": 9}, "no leader number 9"),
    ],
)
async def test_what_cannot_be_computed_gets_a_sentence(traded, plugin, changed, sentence):
    answer = await plugin.command(CommandKind.WHAT_IF, **(ASKED | changed))

    assert answer.state is CommandState.REFUSED
    assert sentence in answer.message


def test_words_hold_nothing_but_numbers_and_known_ones():
    given = Arguments(ASKED | {"mode": "multiple", "factor": "0.5", "since": "2026-01-31"})

    assert words_of(given) == (
        "--leader=1",
        "--follow=mode=multiple,amount=1000,factor=0.5",
        "--since=2026-01-31T00:00:00",
    )
    with pytest.raises(Refused):
        words_of(Arguments(ASKED | {"copy_amount": "1,instruments=BTCUSDT"}))


async def test_whoever_comes_when_many_wait_is_sent_away(traded, plugin, monkeypatch):
    monkeypatch.setattr(what_ifs, "WAITING_MAX", 0)

    answer = await plugin.command(CommandKind.WHAT_IF, **ASKED)

    assert (answer.state, answer.message) == (CommandState.REFUSED, what_ifs.TOO_MANY)


async def test_one_that_takes_too_long_is_ended(traded, plugin, monkeypatch):
    monkeypatch.setattr(what_ifs, "SECONDS_MAX", 0)

    answer = await plugin.command(CommandKind.WHAT_IF, **ASKED)

    assert (answer.state, answer.message) == (CommandState.REFUSED, what_ifs.TOO_LONG)


async def test_one_that_a_stop_interrupts_is_computed_by_the_next_process(traded, plugin):
    asking = asyncio.ensure_future(plugin.command(CommandKind.WHAT_IF, **ASKED))
    await until(lambda: plugin.engine.desk._what_ifs.is_computing)
    plugin.engine.desk.stop()
    answer = await asking
    assert answer.state is CommandState.PENDING

    await plugin.die()
    plugin.open()
    await plugin.start()

    assert plugin.answer(answer.id).state is CommandState.DONE


async def until(is_so) -> None:
    """Let everything else run until it is so; a process that began tells nobody."""
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0)
