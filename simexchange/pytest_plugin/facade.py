"""The exchange as a test sees it: names, human units, and assertions that show what there is."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NoReturn

from simexchange.clock import Clock, ManualClock
from simexchange.core.commands import (
    AdvanceTime,
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    SetFundingInterval,
    SetFundingRate,
    SetIndex,
    SetIndexSources,
    SetLeverage,
    SetMarginMode,
    SetMark,
    SetPositionMode,
    SkipFunding,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import AccountOpened, Event
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import AccountKind, RejectReason, Wallet
from simexchange.faults import FaultPlan, FaultySimulation
from simexchange.market.driver import MarketDriver
from simexchange.pytest_plugin.account import AccountFacade
from simexchange.scenario.amounts import (
    Number,
    contracts_of,
    duration_us,
    moment_text,
    moment_us,
    money_of,
    price_of,
    rate_of,
    whole_of,
)
from simexchange.scenario.event_match import pattern_of
from simexchange.scenario.expectations import ledger_mismatches
from simexchange.scenario.expected import expected_number
from simexchange.scenario.facts import PRICE_NUMBERS, mismatches, wanted_facts
from simexchange.scenario.instruments import instrument_of
from simexchange.scenario.market import market_driver, run_market
from simexchange.scenario.model import Mismatch
from simexchange.scenario.names import Names
from simexchange.scenario.parser import parse_fault_plan, parse_market
from simexchange.scenario.quotes import DEFAULT_LEVELS, StillLadder
from simexchange.scenario.reading import MARGIN_MODES, POSITION_MODES, one_of
from simexchange.scenario.units import refusal_text, rejection
from simexchange.scenario.world import World

MAKER = "maker"
MAKER_DEPOSIT = "1000000000"


class ExchangeFacade:
    """One exchange in this process. Everything inside begins with the first use.

    Numbers are given as text, int or Decimal; a float is refused, since it is not exact.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        seed: int = 0,
        instruments: Mapping[str, Mapping[str, Any]] | None = None,
        insurance_fund: int,
    ) -> None:
        self.clock = clock
        self.seed = seed
        self._listed_at_start = dict(instruments or {})
        self._insurance_fund = insurance_fund
        self._accounts: dict[str, AccountFacade] = {}
        self._driver: MarketDriver | None = None

    @cached_property
    def world(self) -> World:
        """What stands behind: names, simulation and all events; made on first use."""
        config = ExchangeConfig(check_every=1, insurance_fund=self._insurance_fund)
        return World(FaultySimulation(Exchange(config), self.clock), Names())

    @cached_property
    def _open_world(self) -> World:
        """The world with the marker's instruments listed."""
        for symbol, words in self._listed_at_start.items():
            self._list(self.world, symbol, words)
        return self.world

    @property
    def simulation(self) -> FaultySimulation:
        simulation = self._open_world.simulation
        assert isinstance(simulation, FaultySimulation), "that is how the world is made"
        return simulation

    @property
    def events(self) -> list[Event]:
        """Everything that happened, in order, in the core's units."""
        return self._open_world.events

    @property
    def event_hash(self) -> str:
        """Two runs with the same hash had the same events, byte for byte."""
        return self._open_world.exchange.event_hash

    # ------------------------------------------------------------------ instruments and accounts

    def list(self, symbol: str, **words: Any) -> Instrument:
        """List an instrument in the words of scenario files, such as tick, face and taker_fee."""
        return self._list(self._open_world, symbol, words)

    def _list(self, world: World, symbol: str, words: Mapping[str, Any]) -> Instrument:
        prices = {word: words[word] for word in ("index", "mark") if word in words}
        plain = {word: value for word, value in words.items() if word not in prices}
        instrument = instrument_of(symbol, plain)
        self._do(world, ListInstrument(instrument))
        world.names.instruments[symbol] = instrument
        for word, price in prices.items():
            ticks = price_of(price, instrument, word)
            command = SetIndex(symbol, ticks) if word == "index" else SetMark(symbol, ticks)
            self._do(world, command)
        return instrument

    def account(  # noqa: PLR0913 - each is one setting of an account
        self,
        name: str,
        *,
        deposit: Number | None = None,
        spot: Number | None = None,
        owner: str | None = None,
        position_mode: str | None = None,
        margin_mode: str | None = None,
        leverage: Number | None = None,
        is_maker: bool = False,
    ) -> AccountFacade:
        """Return the account of this name, opened on first use with what is given.

        ``deposit`` goes to the contract wallet, ``spot`` to the spot wallet. ``margin_mode`` and
        ``leverage`` hold for every instrument listed so far.
        """
        settings = (deposit, spot, owner, position_mode, margin_mode, leverage)
        if name in self._accounts:
            if any(setting is not None for setting in settings):
                raise ValueError(f"account {name} is open already; change it by its own methods")
            return self._accounts[name]
        world = self._open_world
        number = self._open(world, name, owner, is_maker=is_maker)
        commands = _deposits(number, deposit, spot)
        if position_mode is not None:
            mode = one_of(position_mode, "position mode", POSITION_MODES)
            commands.append(SetPositionMode(number, mode))
        for symbol in world.names.instruments:
            commands += _terms(number, symbol, margin_mode, leverage)
        for command in commands:
            self._do(world, command, may_be_unchanged=True)
        self._accounts[name] = AccountFacade(self, name, number)
        return self._accounts[name]

    def _open(self, world: World, name: str, owner: str | None, *, is_maker: bool) -> int:
        owner_number = None if owner is None else world.names.account(owner)
        kind = AccountKind.MAKER if is_maker else AccountKind.USER
        events = self._do(world, OpenAccount(owner_number, name, kind))
        (opened,) = (event for event in events if isinstance(event, AccountOpened))
        world.names.accounts[name] = opened.account
        return opened.account

    # ------------------------------------------------------------------ prices and liquidity

    def mark(self, symbol: str, price: Number | None) -> None:
        """Hold the mark price; None gives it back to the formula."""
        instrument = self.world_instrument(symbol)
        ticks = None if price is None else price_of(price, instrument, "mark")
        self._do(self._open_world, SetMark(symbol, ticks))

    def index(self, symbol: str, price: Number | Sequence[Number]) -> None:
        """Set the index price, or the prices of its sources; an empty list: all have failed."""
        instrument = self.world_instrument(symbol)
        if not isinstance(price, Sequence) or isinstance(price, str):
            self._do(self._open_world, SetIndex(symbol, price_of(price, instrument, "index")))
            return
        sources = tuple(price_of(source, instrument, "index") for source in price)
        self._do(self._open_world, SetIndexSources(symbol, sources))

    def quote(
        self,
        symbol: str,
        *,
        around: Number,
        contracts: Number,
        levels: int = DEFAULT_LEVELS,
        step: Number | None = None,
        gap: Number | None = None,
    ) -> AccountFacade:
        """Put a ladder of resting orders round a price, in the place of the one before.

        Each side has ``levels`` prices, ``step`` apart (a tick where not given), the best at
        ``gap`` from ``around`` (a step where not given), with ``contracts`` at each. The account
        ``maker`` quotes it; it is opened with enough money on first use.
        """
        instrument = self.world_instrument(symbol)
        maker = self._maker()
        step_ticks = 1 if step is None else price_of(step, instrument, "step")
        ladder = StillLadder(
            around=price_of(around, instrument, "around"),
            gap=step_ticks if gap is None else price_of(gap, instrument, "gap"),
            step=step_ticks,
            levels=levels,
            contracts=contracts_of(contracts),
        )
        for command in ladder.commands(maker.number, symbol):
            self._do(self._open_world, command)
        return maker

    def _maker(self) -> AccountFacade:
        if MAKER in self._accounts:
            return self._accounts[MAKER]
        return self.account(MAKER, deposit=MAKER_DEPOSIT, is_maker=True)

    def start_market(self, text: str) -> None:
        """Begin a market that moves, written as the section ``market`` of a scenario file.

        The account ``maker`` is opened with enough money, so that ``maker: maker`` may quote.
        """
        self._maker()
        market = parse_market(text, self._open_world.names, self.seed)
        self._driver = market_driver(self.simulation, market)

    def run_market(self, duration: str) -> str:
        """Let the market run, such as ``"5m"``; returns the time it then is."""
        if self._driver is None:
            raise ValueError("there is no market; call start_market first")
        self._open_world.begin_action()
        clock = self._manual_clock()
        if not run_market(self._driver, clock, clock.now() + duration_us(duration)):
            raise ValueError(
                f"the market's record ends before {self.now}; run it for less, or take a longer one"
            )
        return self.now

    def world_instrument(self, symbol: str) -> Instrument:
        return self._open_world.names.instrument(symbol)

    # ------------------------------------------------------------------ time

    @property
    def now(self) -> str:
        """The exchange's time, in UTC."""
        return moment_text(self.clock.now())

    def advance(self, *, until: str | None = None, every: str | None = None, **lasting: int) -> str:
        """Let time pass and the exchange notice it; returns the time it then is.

        Give ``seconds``, ``minutes``, ``hours`` or ``days``, or a time ``until`` which it passes
        (``"10:00:00"``, the next one). ``every="1s"`` lets the exchange notice in strides. With
        nothing given the exchange only notices, which is the one way with the computer's clock.
        """
        at = self._target(until, lasting)
        if at is not None:
            self._move(at, None if every is None else duration_us(every))
        self.send(AdvanceTime())
        return self.now

    def _target(self, until: str | None, lasting: Mapping[str, int]) -> int | None:
        if until is None and not lasting:
            return None
        if until is not None and lasting:
            raise ValueError("advance takes either a duration or until")
        now = self.clock.now()
        if until is not None:
            return moment_us(until, now)
        letters = {"seconds": "s", "minutes": "m", "hours": "h", "days": "d"}
        units = [one_of(unit, "unit of time", letters) for unit in lasting]
        return now + sum(
            duration_us(f"{count}{unit}")
            for unit, count in zip(units, lasting.values(), strict=True)
        )

    def _move(self, at: int, stride_us: int | None) -> None:
        clock = self._manual_clock()
        while stride_us and clock.now() + stride_us < at:
            clock.advance(microseconds=stride_us)
            self.send(AdvanceTime())
        clock.set(at)

    def _manual_clock(self) -> ManualClock:
        if not isinstance(self.clock, ManualClock):
            raise ValueError(  # noqa: TRY004 - it is the call that is wrong, not a type
                "this exchange follows the computer's clock: move that one (with freezegun: "
                "frozen.tick(30)), then call exchange.advance()"
            )
        return self.clock

    # ------------------------------------------------------------------ faults and funding

    def use_faults(self, plan: FaultPlan | str) -> None:
        """Let commands pass through a fault plan, which may be written as in a scenario file."""
        if isinstance(plan, str):
            plan = parse_fault_plan(plan, self._open_world.names, self.seed)
        self.simulation.set_plan(plan)

    def stop_faults(self) -> None:
        self.simulation.set_plan(FaultPlan())

    def funding_interval(self, symbol: str, interval: str) -> None:
        """Change the funding interval, such as ``"4h"``, from the next boundary on."""
        command = SetFundingInterval(self.world_instrument(symbol).symbol, duration_us(interval))
        self._do(self._open_world, command)

    def skip_funding(self, symbol: str) -> None:
        """Leave out the next funding exchange."""
        self._do(self._open_world, SkipFunding(self.world_instrument(symbol).symbol))

    def funding_rate(self, symbol: str, rate: str | None) -> None:
        """Hold the next funding rate, such as ``"0.01%"``; None gives it back to the formula."""
        units = None if rate is None else rate_of(rate)
        self._do(self._open_world, SetFundingRate(self.world_instrument(symbol).symbol, units))

    # ------------------------------------------------------------------ assertions

    def assert_event(self, event_type: str, *, times: Number | None = None, **fields: Any) -> None:
        """Assert that it happened, ``times`` times or at least once, with these fields."""
        __tracebackhide__ = True
        pattern = pattern_of(event_type, _texts(fields), times)
        self.expect_none(pattern.check_happened(self._open_world))

    def assert_no_event(self, event_type: str, **fields: Any) -> None:
        __tracebackhide__ = True
        pattern = pattern_of(event_type, _texts(fields))
        self.expect_none(pattern.check_did_not_happen(self._open_world))

    def assert_price(self, symbol: str, **facts: Number) -> None:
        """Assert mark, index, last, best_bid or best_ask."""
        __tracebackhide__ = True
        wanted = wanted_facts(facts, PRICE_NUMBERS)
        self.expect_none(mismatches(symbol, self._open_world.price_facts(symbol), wanted))

    def assert_funding_rate(self, symbol: str, rate: str) -> None:
        """Assert the rate that would be paid now, such as ``"0.01%"``."""
        __tracebackhide__ = True
        found = {
            "funding_rate": self._open_world.funding_rate(self.world_instrument(symbol).symbol)
        }
        wanted = {"funding_rate": expected_number(rate, "funding_rate", is_rate=True)}
        self.expect_none(mismatches(symbol, found, wanted))

    def assert_insurance_fund(self, money: Number) -> None:
        """Assert the money of the insurance fund; below zero it has paid what it did not have."""
        __tracebackhide__ = True
        wanted = {"balance": expected_number(money, "insurance fund")}
        found = {"balance": self._open_world.insurance_fund()}
        self.expect_none(mismatches("insurance fund", found, wanted))

    def assert_balanced(self) -> None:
        """Assert every invariant of the exchange: money, positions, book."""
        __tracebackhide__ = True
        self.expect_none(ledger_mismatches(self._open_world))

    def expect_none(self, wrong: "list_[Mismatch]") -> None:
        """Fail with the mismatches and a picture of the exchange, if there are any."""
        __tracebackhide__ = True
        if wrong:
            self.fail("\n".join(map(str, wrong)))

    def fail(self, message: str) -> NoReturn:
        """Fail with ``message``, prices, accounts, ledger and the latest events."""
        __tracebackhide__ = True
        raise AssertionError("\n".join([message, "", *self.world.picture()]))

    # ------------------------------------------------------------------ commands

    def send(
        self, command: Command, *, told: str = "", rejected: str | None = None
    ) -> "list_[Event]":
        """Apply a command of the core; fail unless it is accepted, or ``rejected`` so."""
        __tracebackhide__ = True
        self._open_world.begin_action()
        return self._do(self._open_world, command, told=told, rejected=rejected)

    def _do(
        self,
        world: World,
        command: Command,
        *,
        told: str = "",
        rejected: str | None = None,
        may_be_unchanged: bool = False,
    ) -> "list_[Event]":
        __tracebackhide__ = True
        reasons = {reason.value: reason for reason in RejectReason}
        wanted = None if rejected is None else one_of(rejected, "reason for a rejection", reasons)
        events = world.apply(command)
        refused = rejection(events)
        if refused and may_be_unchanged and refused[0] is RejectReason.UNCHANGED:
            return events
        told = told or type(command).__name__
        if wanted is None and refused is not None:
            self.fail(f"{told}: expected to be accepted, found {refusal_text(refused)}")
        if wanted is not None and (refused is None or refused[0] is not wanted):
            found = "accepted" if refused is None else refusal_text(refused)
            self.fail(f"{told}: expected rejected: {wanted}, found {found}")
        return events


list_ = list


def _texts(fields: Mapping[str, Any]) -> dict[str, Number]:
    """Return fields as a scenario would write them: an account by its name, yes and no."""
    texts: dict[str, Number] = {}
    for name, value in fields.items():
        if isinstance(value, AccountFacade):
            texts[name] = value.name
        elif isinstance(value, bool):
            texts[name] = "yes" if value else "no"
        else:
            texts[name] = "none" if value is None else value
    return texts


def _deposits(account: int, deposit: Number | None, spot: Number | None) -> list[Command]:
    wallets = ((Wallet.CONTRACT, deposit), (Wallet.SPOT, spot))
    amounts = [(wallet, 0 if money is None else money_of(money)) for wallet, money in wallets]
    return [Deposit(account, wallet, money) for wallet, money in amounts if money]


def _terms(
    account: int, symbol: str, margin_mode: str | None, leverage: Number | None
) -> list[Command]:
    commands: list[Command] = []
    if margin_mode is not None:
        margin = one_of(margin_mode, "margin mode", MARGIN_MODES)
        commands.append(SetMarginMode(account, symbol, margin))
    if leverage is not None:
        commands.append(SetLeverage(account, symbol, whole_of(leverage, "leverage")))
    return commands
