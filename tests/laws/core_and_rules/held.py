"""Positions reached by real commands in random instruments, and the same in units of the rules."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st

from simexchange.core.commands import (
    AdjustMargin,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetLeverage,
    SetMark,
)
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import Filled, PositionLiquidated
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument, MarginTier
from simexchange.core.types import (
    MONEY_SCALE,
    RATE_SCALE,
    OrderKind,
    PositionSide,
    Side,
    Wallet,
)
from simexchange.rules import TierTable, exact

SYMBOL = "BTCUSDT"
MAKER = 2
UNIT = Fraction(1, MONEY_SCALE)
RICH = 10**18


def units(value):
    """Return an amount of the rules in money units, exact."""
    return exact(value) / UNIT


def rate(value):
    return Fraction(value, RATE_SCALE)


def tier_table(tiers):
    """Return the core's tiers as the rules hold them."""
    return TierTable.from_rates(
        [(tier.floor * UNIT, rate(tier.maintenance_rate), tier.max_leverage) for tier in tiers]
    )


def core_tiers(table):
    """Return a table of the rules as the core holds it; amounts must be whole money units."""
    tiers = []
    for tier in table.tiers:
        floor, deduction = units(tier.floor), units(tier.maintenance_amount)
        maintenance = exact(tier.maintenance_margin_rate) * RATE_SCALE
        assert floor.denominator == deduction.denominator == maintenance.denominator == 1
        tiers.append(
            MarginTier(
                floor=int(floor),
                maintenance_rate=int(maintenance),
                max_leverage=int(tier.maximum_leverage),
                deduction=int(deduction),
            )
        )
    return tuple(tiers)


@st.composite
def tiers(draw):
    """Return up to five tiers; floors are whole USDT, so that deductions are whole units."""
    count = draw(st.integers(1, 5))
    rates = sorted(draw(st.lists(st.integers(1, 20_000_000), min_size=count, max_size=count)))
    floor = deduction = below = 0
    leverage, found = 125, []
    for maintenance in rates:
        deduction += floor // MONEY_SCALE * (maintenance - below) if found else 0
        leverage = min(leverage, (RATE_SCALE - 1) // maintenance)
        found.append(
            MarginTier(
                floor=floor,
                maintenance_rate=maintenance,
                max_leverage=leverage,
                deduction=deduction,
            )
        )
        below = maintenance
        floor += draw(st.integers(1, 10**6)) * MONEY_SCALE
    return tuple(found)


@st.composite
def instruments(draw, tables=None):
    """Return an instrument of random grid, tiers and fees; its tick value is whole units."""
    places = draw(st.integers(0, 4))
    tick = Decimal(draw(st.sampled_from((1, 2, 5, 25)))).scaleb(-places)
    contract = Decimal(draw(st.integers(1, 5_000))).scaleb(-draw(st.integers(0, 8 - places)))
    table = draw(tiers() if tables is None else tables)
    taker = draw(st.integers(0, 200_000))
    most = min(125, table[0].max_leverage)
    return Instrument(
        symbol=SYMBOL,
        base="BTC",
        tick_size=tick,
        contract_size=contract,
        tiers=table,
        max_leverage=most,
        default_leverage=1,
        maker_fee=draw(st.integers(-taker, 200_000)),
        taker_fee=taker,
    )


class Held:
    """Account 1 trades against account 2, who has margin to spare for everything."""

    def __init__(self, instrument, leverage=1, entry=1_000, **config):
        self.exchange = Exchange(ExchangeConfig(check_every=1, **config))
        self.instrument = instrument
        self.table = tier_table(instrument.tiers)
        self.at = 0
        self.fills = []
        self.apply(ListInstrument(instrument))
        self.open(1)
        self.open(MAKER)
        self.apply(SetMark(SYMBOL, entry))
        self.apply(SetLeverage(1, SYMBOL, leverage))

    def open(self, number, money=RICH):
        self.apply(OpenAccount())
        self.apply(Deposit(number, Wallet.CONTRACT, money))

    def apply(self, command, after_us=1):
        self.at += after_us
        return self.exchange.apply(command, self.at)

    def limit(self, number, side, contracts, price):
        return self.apply(PlaceOrder(number, SYMBOL, side, contracts, OrderKind.LIMIT, price))

    def trade(self, side, contracts, price, number=1):
        """Let an account take what account 2 offers; keeps its fills, none if refused."""
        self.limit(MAKER, Side(-side), contracts, price)
        events = self.limit(number, side, contracts, price)
        fills = [e for e in events if isinstance(e, Filled)]
        self.fills += fills
        return fills

    def add_margin(self, money):
        self.apply(AdjustMargin(1, SYMBOL, PositionSide.NET, money))

    def liquidations(self, mark):
        events = self.apply(SetMark(SYMBOL, mark))
        return [e for e in events if isinstance(e, PositionLiquidated) and e.account == 1]

    # ------------------------------------------------------------------ in units of the rules

    @property
    def position(self):
        return self.exchange.position(1, SYMBOL)

    def price(self, ticks):
        return ticks * Fraction(self.instrument.tick_size)

    def as_rules_take_it(self, view=None, *, margin=True):
        """Return side, quantity, entry price and margin of the position, exact."""
        view = view or self.position
        known = {
            "side": "long" if view.contracts > 0 else "short",
            "quantity": abs(view.contracts),
            "entry_price": self.price(view.average_entry_price),
            "contract_size": self.instrument.contract_size,
        }
        return known | ({"margin": view.margin * UNIT} if margin else {})


sides = st.sampled_from((Side.BUY, Side.SELL))


@st.composite
def held(draw, tables=None):
    """Return a position of several fills, some of them closes, with margin put in or taken out."""
    instrument = draw(instruments(tables))
    entry = draw(st.integers(50, 100_000))
    leverage = draw(st.integers(1, instrument.max_leverage))
    world = Held(instrument, leverage, entry)
    side = draw(sides)
    largest = draw(st.sampled_from((5, 1_000, 10**6)))
    for closes in [False, *draw(st.lists(st.booleans(), max_size=3))]:
        contracts = draw(st.integers(1, largest))
        price = max(1, entry + draw(st.integers(-entry // 100, entry // 100)))
        if closes:
            contracts = min(contracts, abs(world.position.contracts) - 1)
        if contracts > 0:
            world.trade(Side(-side) if closes else side, contracts, price)
    if world.position.contracts and draw(st.booleans()):
        world.add_margin(draw(st.integers(-world.position.margin, world.position.margin * 2 + 9)))
    return world
