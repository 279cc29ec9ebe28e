"""The exchange's side of a bench: instruments, a maker who quotes, people who trade by hand."""

from decimal import Decimal

from msgspec.structs import replace

from copyplugin.domain.fill import OrderSide, PositionSide
from copyplugin.venues.conformance.bench import Errand, Fault
from simexchange.core import commands as c
from simexchange.core import types as t
from simexchange.core.events import AccountOpened, CommandRejected, Event, OrderRejected
from simexchange.core.instrument import FundingRules, Instrument, MarginTier
from simexchange.faults import Fault as ExchangeFault
from simexchange.faults import FaultPlan, FaultRule
from simexchange.simulation import Simulation

SYMBOL, OTHER = "BTCUSDT", "SOLUSDT"
PRICES = {SYMBOL: Decimal(50_000), OTHER: Decimal(150)}
TIERS = (
    MarginTier(floor=0, maintenance_rate=500_000, max_leverage=100),
    MarginTier(
        floor=2_000_000 * t.MONEY_SCALE,
        maintenance_rate=1_000_000,
        max_leverage=50,
        deduction=10_000 * t.MONEY_SCALE,
    ),
)
INSTRUMENTS = (
    Instrument(
        symbol=SYMBOL,
        base="BTC",
        tick_size=Decimal("0.1"),
        contract_size=Decimal("0.001"),
        max_contracts=100_000,
        min_notional=120 * t.MONEY_SCALE,  # so that the smallest order is not one contract
        max_leverage=100,
        tiers=TIERS,
        maker_fee=20_000,
        taker_fee=55_000,
        price_band=50_000_000,
        funding=FundingRules(),
    ),
    Instrument(
        symbol=OTHER,
        base="SOL",
        tick_size=Decimal("0.01"),
        contract_size=Decimal("0.1"),
        max_contracts=100_000,
        funding=FundingRules(),
    ),
)
AMPLE = 10**9 * t.MONEY_SCALE
SIDES = {OrderSide.BUY: t.Side.BUY, OrderSide.SELL: t.Side.SELL}
LEGS = {
    PositionSide.LONG: t.PositionSide.LONG,
    PositionSide.SHORT: t.PositionSide.SHORT,
    None: t.PositionSide.NET,
}


class Scenery:
    """Whatever is refused here is a mistake of the bench."""

    def __init__(self, simulation: Simulation, *, taker_fee: int = 55_000) -> None:
        """Take the fee as a venue's usual one, in rate units of 10⁻⁸."""
        self.simulation = simulation
        for instrument in INSTRUMENTS:
            self.apply(c.ListInstrument(replace(instrument, taker_fee=taker_fee)))
        self.maker = self._open(t.AccountKind.MAKER)
        self.apply(c.Deposit(self.maker, t.Wallet.CONTRACT, AMPLE))
        for symbol, price in PRICES.items():
            self.set_price(symbol, price)

    def apply(self, command: c.Command) -> list[Event]:
        events = self.simulation.apply(command)
        refused = [event for event in events if isinstance(event, CommandRejected | OrderRejected)]
        assert not refused, refused
        return events

    def _open(self, kind: t.AccountKind) -> int:
        opened = self.apply(c.OpenAccount(kind=kind))[0]
        assert isinstance(opened, AccountOpened)
        return opened.account

    def open_account(self, *, spot: Decimal, contract: Decimal) -> int:
        account = self._open(t.AccountKind.USER)
        for wallet, money in ((t.Wallet.SPOT, spot), (t.Wallet.CONTRACT, contract)):
            if money:
                self.apply(c.Deposit(account, wallet, int(money.scaleb(8))))
        return account

    def _ticks(self, symbol: str, price: Decimal) -> int:
        return self.simulation.exchange.instrument(symbol).price_to_ticks(price)

    def set_price(self, symbol: str, price: Decimal) -> None:
        self.apply(c.SetIndex(symbol, self._ticks(symbol, price)))
        # An order that a plan fires may be refused: that is the plan's fate, not the bench's.
        self.simulation.apply(c.SetMark(symbol, self._ticks(symbol, price)))

    def quote(self, symbol: str, bid: Decimal, ask: Decimal, contracts: int) -> None:
        self.apply(c.CancelAll(self.maker, symbol))
        for side, price in ((t.Side.BUY, bid), (t.Side.SELL, ask)):
            ticks = self._ticks(symbol, price)
            self.apply(c.PlaceOrder(self.maker, symbol, side, contracts, t.OrderKind.LIMIT, ticks))

    def trade(
        self,
        account: int,
        symbol: str,
        order_side: OrderSide,
        position_side: PositionSide | None,
        contracts: int,
    ) -> None:
        self.apply(
            c.PlaceOrder(
                account,
                symbol,
                SIDES[order_side],
                contracts,
                t.OrderKind.MARKET,
                time_in_force=t.TimeInForce.IOC,
                position_side=LEGS[position_side],
            )
        )


def exchange_plan(fault: Fault, errand: Errand, times: int) -> FaultPlan:
    """Return what the exchange itself is to do wrong."""
    kind = ExchangeFault.REJECT_ORDERS
    if fault is Fault.PLAN_FAILURE:
        kind = ExchangeFault.FAIL_PLANS
    elif errand is Errand.PLAN:
        kind = ExchangeFault.REJECT_PLANS
    return FaultPlan(rules=(FaultRule(fault=kind, at_most=times),))
