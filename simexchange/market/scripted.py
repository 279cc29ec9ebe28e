"""A market where recorded trades happen again: recorded prices, recorded sizes, nothing else.

There is no maker and no index here. A counterparty with ample money offers exactly what the
script asks for, and the other side takes or makes it through the exchange's own matching.
"""

from collections.abc import Mapping
from decimal import Decimal

from simexchange.clock import ManualClock
from simexchange.core.commands import (
    Command,
    Deposit,
    ListInstrument,
    OpenAccount,
    PlaceOrder,
    SetIndex,
    SetMarginMode,
    SetPositionMode,
)
from simexchange.core.events import AccountOpened, Event, Filled, refusal_among
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    MONEY_SCALE,
    Liquidity,
    MarginMode,
    OrderKind,
    PositionMode,
    PositionSide,
    Side,
    Wallet,
)
from simexchange.market.fills import FillsError, Precision, RecordedFills
from simexchange.simulation import Simulation

# Enough that margin refuses nothing and no account comes near liquidation.
AMPLE_MONEY = 10**10 * MONEY_SCALE


def recorded_instruments(
    record: RecordedFills, *, maker_fee: int, taker_fee: int
) -> dict[str, Instrument]:
    """Return an instrument for each symbol of the record, on the finest grid that its rows use.

    Fees are rates (10⁻⁸). Raises FillsError when a grid is too fine for whole money units.
    """
    instruments = {
        symbol: recorded_instrument(symbol, precision, maker_fee=maker_fee, taker_fee=taker_fee)
        for symbol, precision in record.precisions.items()
    }
    for instrument in instruments.values():
        if problem := instrument.problem():
            raise FillsError(problem)
    return instruments


def recorded_instrument(
    symbol: str, precision: Precision, *, maker_fee: int, taker_fee: int
) -> Instrument:
    return Instrument(
        symbol=symbol,
        base=symbol.removesuffix("USDT"),
        tick_size=precision.tick_size,
        contract_size=precision.contract_size,
        max_contracts=10**18,
        maker_fee=maker_fee,
        taker_fee=taker_fee,
    )


class ScriptedMarket:
    """An exchange in a process, its instruments listed, and a counterparty that never runs out."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self.clock = ManualClock()
        self.exchange = Exchange()
        self.simulation = Simulation(self.exchange, self.clock)
        self.instruments = dict(instruments)
        for instrument in self.instruments.values():
            self.apply(ListInstrument(instrument))
        self.counterparty = self.open_account("counterparty", PositionMode.ONE_WAY)

    def apply(self, command: Command) -> list[Event]:
        """Apply a command that the script is sure of; a refusal would be a defect of the script."""
        events = self.simulation.apply(command)
        refused = refusal_among(events)
        assert refused is None, f"{command} was refused: {refused}"
        return events

    def open_account(self, label: str, mode: PositionMode, *, balance: int | None = None) -> int:
        """Open an account with `balance` (None: ample) in its contract wallet, in cross margin."""
        opened = self.apply(OpenAccount(label=label))[0]
        assert isinstance(opened, AccountOpened)
        account = opened.account
        money = AMPLE_MONEY if balance is None else balance
        self.apply(Deposit(account, Wallet.CONTRACT, money))
        if self.exchange.account(account).position_mode is not mode:
            self.apply(SetPositionMode(account, mode))
        for symbol in self.instruments:
            self.apply(SetMarginMode(account, symbol, MarginMode.CROSS))
        return account

    def trade(  # noqa: PLR0913 - a trade has as many sides to it
        self,
        account: int,
        symbol: str,
        side: Side,
        contracts: int,
        price: int,
        *,
        position_side: PositionSide,
        liquidity: Liquidity,
        time_ms: int,
    ) -> Filled:
        """Let `account` trade `contracts` at `price` ticks with the counterparty, in one fill.

        The clock moves to `time_ms` unless it is already later.
        """
        self.clock.set(max(self.clock.now(), time_ms * 1000))
        self.apply(SetIndex(symbol, price))
        own = PlaceOrder(
            account,
            symbol,
            side,
            contracts,
            OrderKind.LIMIT,
            price,
            position_side=position_side,
        )
        other = PlaceOrder(
            self.counterparty, symbol, Side(-side), contracts, OrderKind.LIMIT, price
        )
        first, second = (own, other) if liquidity is Liquidity.MAKER else (other, own)
        self.apply(first)
        events = self.apply(second)
        fills = [e for e in events if isinstance(e, Filled) and e.account == account]
        assert len(fills) == 1
        assert (fills[0].contracts, fills[0].price) == (contracts, price)
        return fills[0]


def usdt(money: int) -> Decimal:
    """Return money units of 10⁻⁸ as USDT, exactly."""
    return Decimal(money).scaleb(-8)
