"""A run of the synthetic market, and the figures that describe it."""

from collections import Counter
from pathlib import Path

import msgspec

from simexchange.clock import ManualClock
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import Event, Filled
from simexchange.core.exchange import Exchange
from simexchange.core.types import MONEY_SCALE, RATE_SCALE, SECOND_US, Liquidity
from simexchange.journal.journaled import JournaledExchange
from simexchange.journal.records import JournalError
from simexchange.journal.writer import Durability
from simexchange.market.audit import residue
from simexchange.market.world import World, build_world
from simexchange.simulation import Simulation

# Runs begin at one moment, not now: the time is in the events, and so in their hash.
START_AT = 1_700_000_000 * SECOND_US


class MarketFigures(msgspec.Struct, frozen=True):
    """One instrument over a run. Prices and spread in ticks, `volume` in money units."""

    symbol: str
    index_first: int
    index_last: int
    trades: int
    volume: int
    spread_smallest: int | None
    spread_median: int | None
    steps_one_sided: int


class AccountFigures(msgspec.Struct, frozen=True):
    """One account at the end. `equity` and `result` (equity less deposits) in money units."""

    account: int
    label: str
    fills: int
    equity: int
    result: int


class DemoFigures(msgspec.Struct, frozen=True):
    """A whole run. `ledger_residue`: money units that appeared or vanished; 0 when it balances."""

    seed: int
    seconds: int
    steps: int
    commands: int
    event_hash: str
    ledger_residue: int
    markets: tuple[MarketFigures, ...]
    leaders: tuple[AccountFigures, ...]
    makers: tuple[AccountFigures, ...]
    background: tuple[AccountFigures, ...]
    refusals: dict[str, int]


class _Watch:
    """Counts what a run does; a listener of the simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self.commands = 0
        self.fills: Counter[int] = Counter()
        self.trades: Counter[str] = Counter()
        self.volume: Counter[str] = Counter()
        self.spreads: dict[str, list[int]] = {}
        self.one_sided: Counter[str] = Counter()
        self._exchange = simulation.exchange
        simulation.subscribe(self._listen)

    def _listen(self, events: list[Event]) -> None:
        self.commands += 1
        for event in events:
            if isinstance(event, Filled):
                self.fills[event.account] += 1
                if event.liquidity is Liquidity.TAKER:  # once a trade
                    instrument = self._exchange.instrument(event.symbol)
                    self.trades[event.symbol] += 1
                    self.volume[event.symbol] += instrument.notional(event.price, event.contracts)

    def look(self) -> None:
        """Take the spread of every book, once a step."""
        for instrument in self._exchange.instruments:
            symbol = instrument.symbol
            bid, ask = self._exchange.best_bid(symbol), self._exchange.best_ask(symbol)
            if bid is None or ask is None:
                self.one_sided[symbol] += 1
            else:
                self.spreads.setdefault(symbol, []).append(ask - bid)


def run_demo_market(*, seconds: int, seed: int, journal: Path | None = None) -> DemoFigures:
    """Run the synthetic world for `seconds` of its own time, as fast as the machine can.

    With `journal` every command is written there too, for `simexchange replay`. Raises
    JournalError when that file cannot be used or already holds a run.
    """
    config = ExchangeConfig(check_every=1_000)
    if journal is None:
        return _run(Exchange(config), seconds, seed)
    with JournaledExchange(journal, config, durability=Durability.SYSTEM) as exchange:
        if exchange.sequence:
            raise JournalError(f"{journal} already holds a run; name a new file")
        return _run(exchange, seconds, seed)


def _run(exchange: Exchange, seconds: int, seed: int) -> DemoFigures:
    clock = ManualClock(START_AT)
    simulation = Simulation(exchange, clock)
    watch = _Watch(simulation)
    world = build_world(simulation, seed=seed)
    deposits = {account: simulation.exchange.equity(account) for account in _accounts(world)}
    first = dict(world.driver.index.prices)
    while clock.now() < START_AT + seconds * SECOND_US:
        clock.advance(microseconds=world.driver.index.step_us)
        world.driver.step()
        watch.look()
    exchange.check()

    def figures(accounts: tuple[int, ...]) -> tuple[AccountFigures, ...]:
        return tuple(
            AccountFigures(
                account,
                exchange.account(account).label,
                watch.fills[account],
                exchange.equity(account),
                exchange.equity(account) - deposits[account],
            )
            for account in accounts
        )

    return DemoFigures(
        seed=seed,
        seconds=seconds,
        steps=world.driver.steps,
        commands=watch.commands,
        event_hash=exchange.event_hash,
        ledger_residue=residue(exchange),
        markets=tuple(
            _market_figures(symbol, first[symbol], last, watch)
            for symbol, last in world.driver.index.prices.items()
        ),
        leaders=figures(tuple(world.leaders.values())),
        makers=figures(world.makers),
        background=figures(world.background),
        refusals=dict(sorted(world.driver.refusals.items())),
    )


def _accounts(world: World) -> tuple[int, ...]:
    return (*world.leaders.values(), *world.makers, *world.background)


def _market_figures(symbol: str, first: int, last: int, watch: _Watch) -> MarketFigures:
    spreads = sorted(watch.spreads.get(symbol, []))
    return MarketFigures(
        symbol,
        index_first=first,
        index_last=last,
        trades=watch.trades[symbol],
        volume=watch.volume[symbol],
        spread_smallest=spreads[0] if spreads else None,
        spread_median=spreads[len(spreads) // 2] if spreads else None,
        steps_one_sided=watch.one_sided[symbol],
    )


def as_lines(figures: DemoFigures) -> list[str]:
    """Return the figures for people; money in USDT to the cent."""
    run = f"seed {figures.seed}: {figures.seconds} s in {figures.steps:,} steps"
    lines = [f"{run}, {figures.commands:,} commands", ""]
    for market in figures.markets:
        change = (market.index_last - market.index_first) * RATE_SCALE // market.index_first
        lines.append(
            f"{market.symbol}: index {change / 10**6:+.2f} %, {market.trades:,} trades worth"
            f" {_usdt(market.volume)} USDT, spread {market.spread_smallest} ticks at its"
            f" narrowest, {market.spread_median} in the middle"
        )
    for title, accounts in (
        ("leaders", figures.leaders),
        ("makers", figures.makers),
        ("background takers", figures.background),
    ):
        lines += ["", title]
        lines += [
            f"  {account.label:<14} {account.fills:>7,} fills   equity {_usdt(account.equity):>16}"
            f"   result {_usdt(account.result):>13} USDT"
            for account in accounts
        ]
    refusals = ", ".join(f"{count} {reason}" for reason, count in figures.refusals.items())
    residue_text = f"{figures.ledger_residue} units of 10⁻⁸ USDT appeared or vanished"
    lines += [
        "",
        f"refused: {refusals or 'nothing'}",
        f"ledger: {'balanced' if figures.ledger_residue == 0 else residue_text}",
        f"event hash: {figures.event_hash}",
    ]
    return lines


def _usdt(money: int) -> str:
    """Return money in USDT, cut to the cent."""
    sign = "-" if money < 0 else ""
    cents = abs(money) * 100 // MONEY_SCALE
    return f"{sign}{cents // 100:,}.{cents % 100:02}"
