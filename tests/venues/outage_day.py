"""A day of outages: leaders trade, the engine copies over the wire, and everything breaks in turn.

Run: python -m tests.venues.outage_day [--dialect bybit] [--hours 24] [--seed 1] [--count 1]

The exchange's day passes in steps of five minutes; the clocks of its edge and of the engine are the
computer's. Faults of every kind strike requests and streams, from the seed. When the day is over
they stop; then the feed has every fill once, no order is in doubt, and our books are the venue's.
After each day, orders in a storm go straight to the adapter. Prints one JSON object for each day.
"""

import asyncio
import json
import logging
import sys
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random

import click

from copyplugin.domain.command import CommandKind, CommandState
from copyplugin.domain.fill import PositionSide
from copyplugin.domain.identifiers import AccountId
from copyplugin.domain.money import Contracts, Money, Price
from copyplugin.errors import LedgerBroken
from copyplugin.plugin import CopyPlugin
from copyplugin.settings import Settings
from copyplugin.store.database import upgrade_database
from copyplugin.system_clock import SystemClock
from copyplugin.venues.ccxt.config import VenueConfig
from copyplugin.venues.conformance.bench import Errand, Fault
from copyplugin.venues.conformance.faults import StormConformance
from copyplugin.venues.conformance.steps import Trial
from copyplugin.venues.simulated import SimulatedVenue
from simexchange.clock import SystemClock as EdgeClock
from simexchange.core import commands as c
from simexchange.core import types as t
from simexchange.core.types import SECOND_US
from simexchange.market.audit import residue
from simexchange.server.operator.api import OperatorApi
from simexchange.server.serving import Dialect
from tests.venues.scenery import PRICES, SYMBOL
from tests.venues.served_bench import WIRES, ServedBench
from web.demo.report import faults_of
from web.demo.served import HostVenue
from web.demo.stage import VenuesWord

STEP_US = 300 * SECOND_US
STEPS_AN_HOUR = 12
LEADERS, FOLLOWERS = 2, 4
RICH, NOTHING = Money(Decimal(1_000_000)), Money(Decimal(0))
OFFER, LOT = 20_000, 4
REST_SECONDS = 90
OPERATOR_KEY = "operator key of a test"
REQUEST_FAULTS = (
    Fault.LOST_REQUEST,
    Fault.LOST_ANSWER,
    Fault.SERVER_ERROR,
    Fault.RATE_LIMIT,
    Fault.MAINTENANCE,
    Fault.CLOCK_SKEW,
)
STREAM_FAULTS = tuple(fault for fault in Fault if fault.value.startswith("stream_"))
ERRANDS = (Errand.ORDER, Errand.QUESTION, Errand.TRANSFER, Errand.SUB_ACCOUNT)


class HostBench(ServedBench):
    """The exchange is a host too: what crosses from one owner to another goes by its own way."""

    def _venue(self, config: VenueConfig) -> HostVenue:
        return HostVenue(config, self.keys, OPERATOR_KEY)

    def _dialects(self) -> tuple[Dialect, ...]:
        return (*super()._dialects(), OperatorApi(self.served, OPERATOR_KEY))


class OutageDay:
    """One day on a bench, with a copy engine on a database of its own."""

    def __init__(self, bench: ServedBench, folder: Path, seed: int) -> None:
        self.bench = bench
        self.chance = Random(seed)
        self.struck: Counter[Fault] = Counter()
        url = f"sqlite:///{folder / 'day.db'}"
        upgrade_database(url)
        settings = Settings(
            database_url=url,
            copy_sweep_seconds=1,
            settle_seconds=2,
            position_data_seconds=5,
            reconcile_seconds=5,
            close_backoff_max_seconds=2,
            open_attempts=20,
            open_expiry_seconds=600,
        )
        self.plugin = CopyPlugin(settings, bench.venue, SystemClock())
        self.leaders: list[AccountId] = []
        self.held: Counter[tuple[AccountId, PositionSide]] = Counter()
        self.price = PRICES[SYMBOL]

    async def submit(self, kind: CommandKind, key: str, **arguments: object):
        answer = await asyncio.to_thread(
            self.plugin.commands.submit, kind, arguments, actor="day", idempotency_key=key
        )
        assert answer.state is CommandState.DONE, f"{kind}: {answer.message}"
        return answer.result

    async def open(self) -> None:
        """Let every follower follow one leader."""
        await self.plugin.start()
        await self.move(Decimal(0))
        for number in range(LEADERS):
            account = await self.bench.open_account(spot=NOTHING, contract=RICH)
            mode = c.SetPositionMode(int(account), t.PositionMode.HEDGE)
            self.bench.call(lambda mode=mode: self.bench.scenery.apply(mode))
            self.leaders.append(account)
            terms = {
                "nickname": f"leader {number}",
                "instruments": [SYMBOL],
                "share_ratio": "0.1",
                "max_copy_amount": "1000000",
                "total_copy_amount": "9000000",
            }
            await self.submit(CommandKind.ADD_LEADER, f"l{number}", account=account, **terms)
        for number in range(FOLLOWERS):
            account = await self.bench.open_account(spot=RICH, contract=NOTHING)
            who = await self.submit(CommandKind.REGISTER_FOLLOWER, f"f{number}", account=account)
            await self.submit(
                CommandKind.START_FOLLOW,
                f"s{number}",
                leader_id=1 + number % LEADERS,
                follower_id=who["follower_id"],
                mode="fixed",
                copy_amount="100000",
                instruments=[SYMBOL],
            )

    async def move(self, change: Decimal) -> None:
        """Move the price by a ratio and stand with a deep market around it."""
        self.price = (self.price * (1 + change)).quantize(Decimal("0.1"))
        tick = Decimal("0.1")
        bid, ask = Price(self.price - tick), Price(self.price + tick)
        await self.bench.set_price(self.bench.symbol, Price(self.price))
        await self.bench.quote(self.bench.symbol, bid=bid, ask=ask, contracts=Contracts(OFFER))

    async def step(self) -> None:
        """Let five minutes pass: a price, perhaps a trade, perhaps an outage."""
        chance = self.chance
        self.bench.call(self._advance)
        await self.move(Decimal(chance.randint(-40, 40)) / 10_000)
        if self.struck and chance.random() < 0.3:
            await self.bench.heal()
        if chance.random() < 0.5:
            fault = chance.choice((*REQUEST_FAULTS, *STREAM_FAULTS))
            errand = Errand.STREAM if fault in STREAM_FAULTS else chance.choice(ERRANDS)
            await self.bench.inject(fault, errand, times=chance.randint(1, 4))
            self.struck[fault] += 1
        if chance.random() < 0.6:
            await self._trade(chance.choice(self.leaders))
        # The day is paced so that the engine is at work between two steps, and often behind.
        await asyncio.sleep(chance.choice((0, 0.02, 0.1)))

    def _advance(self) -> None:
        self.bench.clock.advance(STEP_US)
        self.bench.scenery.apply(c.AdvanceTime())

    async def _trade(self, leader: AccountId) -> None:
        side = self.chance.choice(list(PositionSide))
        held = self.held[leader, side]
        is_closing = held > 0 and self.chance.random() < 0.55
        contracts = held if self.chance.random() < 0.4 else LOT * self.chance.randint(1, 5)
        if is_closing:
            contracts = min(contracts, held)
        contracts = max(contracts, LOT)
        self.held[leader, side] += -contracts if is_closing else contracts
        order_side = side.closing_side if is_closing else side.opening_side
        await self.bench.trade(leader, self.bench.symbol, order_side, side, Contracts(contracts))

    async def rest(self) -> None:
        """Stop the faults and wait until there is nothing left to do, at most `REST_SECONDS`.

        Funding is no work that waits: it is known when it is asked for, so that the books may still
        be behind the exchange when all else is done.
        """
        await self.bench.heal()
        loop = asyncio.get_running_loop()
        until = loop.time() + REST_SECONDS
        while loop.time() < until:
            books = await asyncio.to_thread(self.plugin.queries.books)
            work = await asyncio.to_thread(self.plugin.queries.open_work)
            told = self.bench.call(self._leader_fills)
            is_done = work.is_done and dict(books.leader_fills) == told
            if is_done and not (await self.report())["faults"]:
                return
            await asyncio.sleep(0.1)

    def _leader_fills(self) -> dict[AccountId, int]:
        history = self.bench.simulation.history
        return {each: len(history.executions(int(each), limit=10**6)) for each in self.leaders}

    async def _word(self) -> VenuesWord:
        """Return what the exchange itself says, not through the wire."""
        exchange = self.bench.simulation.exchange
        exchange.check()
        truth = SimulatedVenue(self.bench.simulation)
        subs = [
            AccountId(str(number))
            for number in exchange.accounts
            if exchange.account(number).owner is not None
        ]
        held = {
            (account, position.symbol, position.position_side): position.contracts
            for account in subs
            for position in await truth.positions(account)
        }
        owned = {account: (await truth.balance(account)).contract_wallet for account in subs}
        truth.close()
        return VenuesWord(
            held=held,
            owned=owned,
            leader_fills=self._leader_fills(),
            residue=residue(exchange),
            event_hash=exchange.event_hash,
        )

    async def report(self) -> dict[str, object]:
        """Compare our books with the exchange's word."""
        queries = self.plugin.queries
        word = await self._word()  # at rest: nobody trades any more
        summary, books, work = queries.summary(), queries.books(), queries.open_work()
        try:
            queries.prove_ledger()
            broken = None
        except LedgerBroken as error:
            broken = str(error)
        return {
            "leader_fills": summary.leader_fills,
            "leader_orders": summary.leader_orders,
            "orders_sent": summary.orders_sent,
            "orders_copied": summary.orders_copied,
            "skipped": {reason.value: n for reason, n in summary.skipped.items()},
            "outages": {fault.value: n for fault, n in sorted(self.struck.items())},
            "orders_in_doubt": work.orders_in_doubt,
            "faults": list(faults_of(summary, books, word, work, broken)),
        }


async def live_through(dialect: str, hours: int, seed: int) -> dict[str, object]:
    """Live through one day and a storm; return the report."""
    with tempfile.TemporaryDirectory(prefix="outage-day-") as folder:
        async with HostBench(dialect, edge=EdgeClock(), requests_per_second=5_000) as bench:
            day = OutageDay(bench, Path(folder), seed)
            try:
                await day.open()
                for _ in range(hours * STEPS_AN_HOUR):
                    await day.step()
                await day.rest()
            finally:
                await day.plugin.stop()
            found = await day.report()
    async with ServedBench(dialect) as bench:
        storm = StormConformance().test_orders_in_a_storm_are_executed_exactly_once
        await storm(Trial(bench), seed)
    return {"dialect": dialect, "seed": seed, "hours": hours, **found}


@click.command()
@click.option("--dialect", type=click.Choice(sorted(WIRES)), default="bybit", show_default=True)
@click.option("--hours", type=click.IntRange(1), default=24, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the first day.")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="Of days.")
def main(dialect: str, hours: int, seed: int, count: int) -> None:
    """Live through days of outages; exit code 1 when one of them does not add up."""
    logging.basicConfig(level=logging.CRITICAL)  # thousands of outages are what is wanted here
    is_well = True
    for number in range(seed, seed + count):
        found = asyncio.run(live_through(dialect, hours, number))
        click.echo(json.dumps(found))
        is_well = is_well and not found["faults"]
    sys.exit(0 if is_well else 1)


if __name__ == "__main__":
    main()
