"""The exchange of our own on which paper follows trade: prices of a real venue, play money.

Beside the other adapters of the simulated exchange a file of the plugin that knows it. Nobody
trades here but followers; a maker with more play money than anybody needs quotes both sides at the
mark, worse by the slippage, wherever something is open or about to be.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import msgspec

from copyplugin.domain.fill import OrderSide
from copyplugin.domain.identifiers import Symbol
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import NO_CONTRACTS, Contracts, Price, Ratio
from copyplugin.ports import Clock, FundingTerms
from copyplugin.venues.listing import exchange_instrument, slipped_ticks
from simexchange.core import commands as c
from simexchange.core import events as e
from simexchange.core import types as t
from simexchange.core.config import ExchangeConfig
from simexchange.core.instrument import FundingRules
from simexchange.history import History, HistoryLimits
from simexchange.journal.journaled import JournaledExchange
from simexchange.journal.writer import Durability
from simexchange.simulation import Simulation

JOURNAL = "paper.journal"
SNAPSHOT_AFTER = 20_000
"""Commands between two snapshots: coming back takes seconds at most."""

AMPLE_MONEY = 10**10 * t.MONEY_SCALE
QUOTED_VALUE = 10**8 * t.MONEY_SCALE
"""What the maker offers on each side at least, at the mark."""

CONTRACTS_MAX = 10**12
_MAKER = "maker"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_INTERVALS = tuple(
    minutes * 60 * t.SECOND_US for minutes in (1440, 720, 480, 360, 240, 120, 60, 30, 15, 10, 5, 1)
)
"""How often a venue may pay funding, the longest first; all of them counted from midnight UTC."""

CONFIG = ExchangeConfig(insurance_fund=AMPLE_MONEY, position_mode=t.PositionMode.HEDGE)
LIMITS = HistoryLimits(executions=5_000, orders=2_000, candles=0, trades=0, candle_intervals_us=())


class PaperMarket:
    """The journaled exchange and its maker; whatever died in the middle is finished at the start.

    `slippage` is how much worse than the mark followers trade, as a ratio.
    """

    def __init__(self, directory: Path, clock: Clock, slippage: Ratio) -> None:
        """Open or begin the exchange in the directory; JournalError where that cannot be used."""
        directory.mkdir(parents=True, exist_ok=True)
        # What killing the process takes is nothing; a power cut may take the latest moments.
        self.exchange = JournaledExchange(
            directory / JOURNAL,
            CONFIG,
            durability=Durability.SYSTEM,
            snapshot_every=0,
            history=History(LIMITS),
        )
        self._slippage = slippage
        self.simulation = Simulation(
            self.exchange, _PluginTime(clock, self.exchange), self.exchange.history
        )
        self._snapshot_at = self.exchange.sequence
        self._maker = self._hire_maker()
        for listed in self.exchange.instruments:
            self._trade_in_cross(listed.symbol)

    def close(self) -> None:
        self.exchange.close()

    def apply(self, command: c.Command) -> list[e.Event]:
        """Apply a command that cannot be refused: a refusal would be a bug of ours."""
        events = self.simulation.apply(command)
        refused = [one for one in events if isinstance(one, e.CommandRejected | e.OrderRejected)]
        assert not refused, f"{command} was refused: {refused}"
        return events

    # -- instruments and prices

    def is_listed(self, symbol: Symbol) -> bool:
        return any(listed.symbol == symbol for listed in self.exchange.instruments)

    def list_instrument(self, instrument: Instrument, terms: FundingTerms | None) -> None:
        """List it with the venue's steps, margins and fees.

        What the venue asks of an order's size is checked against its rules of today, not here.
        Raises `Refused` where the instrument cannot be counted exactly.
        """
        rules = None
        if terms is not None:
            interval_us = self._interval_of(terms)
            rules = FundingRules(interval_us=interval_us, sample_us=interval_us)
        listed = msgspec.structs.replace(
            exchange_instrument(instrument, rules),
            min_contracts=1,
            max_contracts=CONTRACTS_MAX,
            max_market_contracts=CONTRACTS_MAX,
            min_notional=0,
        )
        self.apply(c.ListInstrument(listed))
        self._trade_in_cross(listed.symbol)

    def active(self) -> list[Symbol]:
        """Return the instruments in which somebody holds something."""
        return [
            Symbol(listed.symbol)
            for listed in self.exchange.instruments
            if self.exchange.open_interest(listed.symbol)
        ]

    def move(self, symbol: Symbol, mark: Price, *, wanted: Contracts = NO_CONTRACTS) -> None:
        """Let the maker quote at this mark, so much at least, and set it: plans and liquidations.

        The quotes come first, so that whatever the mark fires finds somebody to trade with. A mark
        between two ticks counts as the lower one.
        """
        listed = self.exchange.instrument(symbol)
        ticks = max(1, int(mark // listed.tick_size))
        contracts = max(QUOTED_VALUE // listed.notional(ticks, 1), int(wanted), 1)
        price = Price(listed.ticks_to_price(ticks))
        bid, ask = (
            slipped_ticks(price, side, self._slippage, listed.tick_size)
            for side in (OrderSide.SELL, OrderSide.BUY)
        )
        self._quote(symbol, contracts, bid, max(ask, bid + 1))  # without slippage a tick apart
        if self.exchange.mark_price(symbol) != ticks:
            self.apply(c.SetMark(symbol, ticks))
            if self.exchange.index_price(symbol) is None:
                self.apply(c.SetIndex(symbol, ticks))  # without one no funding is exchanged

    def pass_time(self) -> None:
        """Let the funding that has come due be exchanged, at the marks and rates known till then.

        Time does its work with the next command, and where nothing moves there may be none.
        """
        now = self.simulation.clock.now()
        clocks = (self.exchange.funding(listed.symbol) for listed in self.exchange.instruments)
        if any(clock is not None and clock.next_funding_at <= now for clock in clocks):
            self.apply(c.AdvanceTime())

    def set_funding(self, symbol: Symbol, terms: FundingTerms) -> None:
        """Hold the rate that the venue tells, and its next time; nothing without funding rules."""
        funding = self.exchange.funding(symbol)
        if funding is None:
            return
        rate = round(Fraction(terms.rate) * t.RATE_SCALE)
        if funding.rate != rate:
            self.apply(c.SetFundingRate(symbol, rate))
        if funding.next_funding_at != _microseconds(terms.next_at):
            interval_us = self._interval_of(terms)
            if interval_us != funding.interval_us:
                self.apply(c.SetFundingInterval(symbol, interval_us))

    def keep(self) -> None:
        """Take a snapshot when there is much to replay without one; call it between commands."""
        if self.exchange.sequence - self._snapshot_at >= SNAPSHOT_AFTER:
            self._snapshot_at = self.exchange.sequence
            self.exchange.take_snapshot()

    # -- accounts

    def numbers(self) -> Mapping[str, int]:
        """Return the accounts of followers and of those they pay, by their labels."""
        views = (self.exchange.account(number) for number in self.exchange.accounts)
        return {view.label: view.account for view in views if view.account > self._maker}

    def open_account(self, label: str, owner: int | None) -> int:
        opened = self.apply(c.OpenAccount(owner=owner, label=label))[0]
        assert isinstance(opened, e.AccountOpened)
        return opened.account

    def was_used(self, account: int) -> bool:
        """Return whether money ever came to the account."""
        history = self.exchange.history
        assert history is not None
        return bool(history.transfers(account, limit=1)) or self.exchange.equity(account) != 0

    def print_money(self, account: int, units: int) -> None:
        """Put what is missing of so much play money into the account's spot wallet."""
        missing = units - self.exchange.account(account).spot_balance
        if missing > 0:
            self.apply(c.Deposit(account, t.Wallet.SPOT, missing))

    # -- the maker

    def _hire_maker(self) -> int:
        """Return the maker's account, the first of all, with his money."""
        found = [number for number in self.exchange.accounts if number]
        maker = found[0] if found else self.open_account(_MAKER, None)
        view = self.exchange.account(maker)
        assert view.label == _MAKER, "the journal is of another exchange"
        if view.position_mode is not t.PositionMode.ONE_WAY:
            self.apply(c.SetPositionMode(maker, t.PositionMode.ONE_WAY))
        if view.contract_balance == 0:
            self.apply(c.Deposit(maker, t.Wallet.CONTRACT, AMPLE_MONEY))
        return maker

    def _trade_in_cross(self, symbol: str) -> None:
        if self.exchange.position(self._maker, symbol).margin_mode is not t.MarginMode.CROSS:
            self.apply(c.SetMarginMode(self._maker, symbol, t.MarginMode.CROSS))

    def _quote(self, symbol: Symbol, contracts: int, bid: int, ask: int) -> None:
        """Have the maker's two orders rest at these prices, each whole."""
        resting = self.exchange.open_orders(self._maker, symbol)
        wanted = {(t.Side.BUY, bid, contracts), (t.Side.SELL, ask, contracts)}
        if {(order.side, order.price, order.remaining) for order in resting} == wanted:
            return
        cancels = [c.CancelOrder(self._maker, symbol, order.order_id) for order in resting]
        places = [
            c.PlaceOrder(
                self._maker,
                symbol,
                side,
                contracts,
                t.OrderKind.LIMIT,
                price,
            )
            for side, price in ((t.Side.BUY, bid), (t.Side.SELL, ask))
        ]
        self.apply(c.Batch((*cancels, *places)))

    def _interval_of(self, terms: FundingTerms) -> int:
        """Return the longest interval whose next boundary is the venue's next payment."""
        now, next_at = self.simulation.clock.now(), _microseconds(terms.next_at)
        fitting = (
            interval for interval in _INTERVALS if now - now % interval + interval == next_at
        )
        return next(fitting, _INTERVALS[2])


class _PluginTime:
    """The plugin's clock as the exchange counts; one that is set back stands still meanwhile."""

    def __init__(self, clock: Clock, exchange: JournaledExchange) -> None:
        self._clock = clock
        self._exchange = exchange

    def now(self) -> int:
        return max(self._exchange.now, _microseconds(self._clock.now()))


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND
