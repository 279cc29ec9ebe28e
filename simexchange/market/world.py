"""A small world to trade in: instruments, market makers and bots, set up by one seed."""

from dataclasses import dataclass
from decimal import Decimal

import msgspec

from simexchange.core.commands import (
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    SetFeeTier,
    SetLeverage,
    SetPositionMode,
)
from simexchange.core.events import AccountOpened, CommandRejected
from simexchange.core.instrument import Instrument
from simexchange.core.types import MONEY_SCALE, RATE_SCALE, AccountKind, PositionMode, Wallet
from simexchange.market.driver import MarketDriver
from simexchange.market.ladder import LadderShape
from simexchange.market.maker import MarketMaker
from simexchange.market.synthetic import IndexShape, SyntheticIndex
from simexchange.market.traders import Style, Trader, TraderShape
from simexchange.simulation import Simulation

BASIS_POINT = RATE_SCALE // 10_000

INSTRUMENTS = (
    Instrument(
        symbol="BTCUSDT", base="BTC", tick_size=Decimal("0.1"), contract_size=Decimal("0.001")
    ),
    Instrument(
        symbol="ETHUSDT", base="ETH", tick_size=Decimal("0.01"), contract_size=Decimal("0.01")
    ),
    Instrument(
        symbol="SOLUSDT", base="SOL", tick_size=Decimal("0.01"), contract_size=Decimal("0.1")
    ),
)
INDICES = (
    IndexShape(symbol="BTCUSDT", start=650_000, volatility=6 * BASIS_POINT),
    IndexShape(symbol="ETHUSDT", start=350_000, volatility=8 * BASIS_POINT),
    IndexShape(symbol="SOLUSDT", start=15_000, volatility=10 * BASIS_POINT),
)
# Professionals pay no maker fee; at the public rate a ladder this tight would bleed.
MAKER_FEE, MAKER_TAKER_FEE = 0, 25_000
MAKER_MONEY = 100_000_000 * MONEY_SCALE
TAKER_MONEY = 250_000 * MONEY_SCALE


class LeaderPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One leader of the demo: a name, money, leverage and a way to trade."""

    label: str
    money: int
    leverage: int
    mode: PositionMode
    shape: TraderShape


LEADERS = (
    LeaderPlan(
        label="North Star",
        money=100_000 * MONEY_SCALE,
        leverage=10,
        mode=PositionMode.HEDGE,
        shape=TraderShape(
            style=Style.FORESIGHT,
            symbols=("BTCUSDT", "ETHUSDT"),
            position_limit=60_000 * MONEY_SCALE,
            window=120,
            threshold=60 * BASIS_POINT,
            act_percent=30,
        ),
    ),
    LeaderPlan(
        label="Still Water",
        money=60_000 * MONEY_SCALE,
        leverage=5,
        mode=PositionMode.ONE_WAY,
        shape=TraderShape(
            style=Style.MEAN_REVERSION,
            symbols=("ETHUSDT", "SOLUSDT"),
            position_limit=30_000 * MONEY_SCALE,
            threshold=30 * BASIS_POINT,
        ),
    ),
    LeaderPlan(
        label="Open Range",
        money=80_000 * MONEY_SCALE,
        leverage=8,
        mode=PositionMode.HEDGE,
        shape=TraderShape(
            style=Style.BREAKOUT,
            symbols=("SOLUSDT", "BTCUSDT"),
            position_limit=40_000 * MONEY_SCALE,
            window=20,
            act_percent=30,
        ),
    ),
    LeaderPlan(
        label="Fast Lane",
        money=40_000 * MONEY_SCALE,
        leverage=20,
        mode=PositionMode.ONE_WAY,
        shape=TraderShape(
            style=Style.MOMENTUM,
            symbols=("BTCUSDT", "ETHUSDT", "SOLUSDT"),
            position_limit=50_000 * MONEY_SCALE,
            threshold=30 * BASIS_POINT,
        ),
    ),
)
BACKGROUND = TraderShape(
    style=Style.NOISE,
    symbols=tuple(instrument.symbol for instrument in INSTRUMENTS),
    position_limit=80_000 * MONEY_SCALE,
    act_percent=35,
)
# Two makers of different temper, so that the touch is tight and there is depth behind it. A tenth
# of a real book's depth: what leaders and their followers trade should be seen to cost something.
NEAR_LADDER = LadderShape(
    levels=16,
    half_spread=0,
    reach=12 * BASIS_POINT,
    size=6_000 * MONEY_SCALE,
    touch=15_000 * MONEY_SCALE,
)
FAR_LADDER = LadderShape(
    levels=20,
    half_spread=2 * BASIS_POINT,
    reach=120 * BASIS_POINT,
    size=15_000 * MONEY_SCALE,
    inventory_limit=20_000_000 * MONEY_SCALE,
)


@dataclass(frozen=True)
class World:
    """What `build_world` made. `leaders` are the accounts by label."""

    simulation: Simulation
    driver: MarketDriver
    leaders: dict[str, int]
    makers: tuple[int, ...]
    background: tuple[int, ...]


def build_world(
    simulation: Simulation,
    *,
    seed: int,
    step_us: int = 500_000,
    leaders: tuple[LeaderPlan, ...] = LEADERS,
    background_takers: int = 3,
) -> World:
    """List the instruments, open and fund all accounts and quote the book once.

    Everything that follows depends on `seed`, the simulation's clock and the commands of others.
    """
    exchange = simulation.exchange
    for instrument in INSTRUMENTS:
        _apply(simulation, ListInstrument(instrument))
    index = SyntheticIndex(INDICES, seed=seed, step_us=step_us)
    makers = [
        MarketMaker(
            exchange,
            _open(simulation, label, MAKER_MONEY, AccountKind.MAKER),
            {instrument.symbol: ladder for instrument in INSTRUMENTS},
            seed=seed,
        )
        for label, ladder in (("near maker", NEAR_LADDER), ("far maker", FAR_LADDER))
    ]
    for maker in makers:
        _apply(simulation, SetFeeTier(maker.account, MAKER_FEE, MAKER_TAKER_FEE))
    accounts = {plan.label: _open_leader(simulation, plan) for plan in leaders}
    traders = [
        Trader(
            exchange,
            accounts[plan.label],
            plan.shape,
            seed=seed,
            outlook=SyntheticIndex(INDICES, seed=seed, step_us=step_us)
            if plan.shape.style is Style.FORESIGHT
            else None,
        )
        for plan in leaders
    ]
    for number in range(background_takers):
        account = _open(simulation, f"taker {number + 1}", TAKER_MONEY, AccountKind.USER)
        traders.append(Trader(exchange, account, BACKGROUND, seed=seed))
    driver = MarketDriver(simulation, index, makers, traders)
    driver.open()
    return World(
        simulation,
        driver,
        accounts,
        tuple(maker.account for maker in makers),
        tuple(trader.account for trader in traders[len(leaders) :]),
    )


def _open_leader(simulation: Simulation, plan: LeaderPlan) -> int:
    account = _open(simulation, plan.label, plan.money, AccountKind.USER)
    if simulation.exchange.account(account).position_mode is not plan.mode:
        _apply(simulation, SetPositionMode(account, plan.mode))
    for symbol in plan.shape.symbols:
        if plan.leverage != simulation.exchange.instrument(symbol).default_leverage:
            _apply(simulation, SetLeverage(account, symbol, plan.leverage))
    return account


def _open(simulation: Simulation, label: str, money: int, kind: AccountKind) -> int:
    events = simulation.apply(OpenAccount(label=label, kind=kind))
    opened = events[0]
    assert isinstance(opened, AccountOpened), f"no account was opened: {events}"
    _apply(simulation, Deposit(opened.account, Wallet.CONTRACT, money))
    return opened.account


def _apply(simulation: Simulation, command: Command) -> None:
    for event in simulation.apply(command):
        assert not isinstance(event, CommandRejected), event.message
