"""What the simulated exchange says in the plugin's words, and the other way round; exact."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from copyplugin.domain.account import (
    FundingPayment,
    VenuePosition,
)
from copyplugin.domain.account import Wallet as PluginWallet
from copyplugin.domain.fill import FillCause, LeaderFill, MarginMode, OrderSide, PositionSide
from copyplugin.domain.fill import Liquidity as PluginLiquidity
from copyplugin.domain.identifiers import (
    AccountId,
    Symbol,
    VenueFillId,
    VenueOrderId,
)
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import (
    MONEY_STEP,
    ZERO_MONEY,
    Contracts,
    Money,
    Price,
    Ratio,
    product,
)
from copyplugin.domain.order import (
    OrderRequest,
    OwnFill,
)
from copyplugin.domain.order import TimeInForce as PluginTimeInForce
from simexchange.core import commands as c
from simexchange.core import events as e
from simexchange.core import types as t
from simexchange.core.instrument import Instrument as ExchangeInstrument
from simexchange.core.views import PositionView

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
SIDES = {OrderSide.BUY: t.Side.BUY, OrderSide.SELL: t.Side.SELL}
LEGS = {PositionSide.LONG: t.PositionSide.LONG, PositionSide.SHORT: t.PositionSide.SHORT}
WALLETS = {PluginWallet.SPOT: t.Wallet.SPOT, PluginWallet.CONTRACT: t.Wallet.CONTRACT}
_TIMES_IN_FORCE = {
    PluginTimeInForce.GTC: t.TimeInForce.GTC,
    PluginTimeInForce.IOC: t.TimeInForce.IOC,
    PluginTimeInForce.FOK: t.TimeInForce.FOK,
}
_CAUSES: Mapping[type, FillCause] = {
    e.BankruptcyTakeover: FillCause.TAKEOVER,
    e.Deleveraged: FillCause.DELEVERAGING,
}

PositionEvent = e.Filled | e.BankruptcyTakeover | e.Deleveraged
"""What changes the contracts of a position."""


def money_from(units: int) -> Money:
    return Money(product(units, MONEY_STEP))


def units_of(money: Money) -> int:
    units = Fraction(money) / Fraction(MONEY_STEP)
    assert units.denominator == 1, f"{money} is finer than the exchange counts"
    return int(units)


def time_from(at: int) -> datetime:
    return _EPOCH + at * _MICROSECOND


def _decimal(value: Fraction) -> Decimal:
    """Return the fraction to 28 digits: for averages, which are shown and not summed."""
    return Decimal(value.numerator) / Decimal(value.denominator)


def _rate(units: int) -> Ratio:
    return Ratio(Decimal(units) / t.RATE_SCALE)


def _leg(side: t.PositionSide, *, is_long: bool) -> PositionSide:
    if side is t.PositionSide.NET:
        return PositionSide.LONG if is_long else PositionSide.SHORT
    return PositionSide.LONG if side is t.PositionSide.LONG else PositionSide.SHORT


def _stated_leg(side: t.PositionSide) -> PositionSide | None:
    return None if side is t.PositionSide.NET else _leg(side, is_long=True)


def _order_side(side: t.Side) -> OrderSide:
    return OrderSide.BUY if side is t.Side.BUY else OrderSide.SELL


def instrument_from(listed: ExchangeInstrument) -> Instrument:
    return Instrument(
        symbol=Symbol(listed.symbol),
        base=listed.base,
        settle=listed.settle,
        tick_size=listed.tick_size,
        contract_size=listed.contract_size,
        contracts_min=Contracts(listed.min_contracts),
        contracts_max=Contracts(min(listed.max_contracts, listed.max_market_contracts)),
        notional_min=money_from(listed.min_notional),
        leverage_max=Ratio(Decimal(listed.max_leverage)),
        maker_fee=_rate(listed.maker_fee),
        taker_fee=_rate(listed.taker_fee),
        maintenance_rate=_rate(listed.tiers[0].maintenance_rate),
    )


def position_from(view: PositionView, instrument: ExchangeInstrument) -> VenuePosition:
    assert view.average_entry_price is not None, "the position is flat"
    average = _decimal(view.average_entry_price * Fraction(instrument.tick_size))
    liquidation = view.liquidation_price
    return VenuePosition(
        symbol=Symbol(view.symbol),
        position_side=_leg(view.position_side, is_long=view.contracts > 0),
        contracts=Contracts(abs(view.contracts)),
        entry_cost=money_from(view.entry_cost),
        average_entry_price=Price(average),
        unrealized_pnl=money_from(view.unrealized_pnl),
        margin=money_from(view.margin),
        leverage=Ratio(Decimal(view.leverage)),
        margin_mode=MarginMode(view.margin_mode.value),
        liquidation_price=(
            None if liquidation is None else Price(instrument.ticks_to_price(liquidation))
        ),
    )


def trade_from(
    fill: e.Filled, instrument: ExchangeInstrument, available_after: Money | None
) -> LeaderFill:
    return LeaderFill(
        venue_fill_id=VenueFillId(str(fill.execution_id)),
        order_id=VenueOrderId(str(fill.order_id)),
        account=AccountId(str(fill.account)),
        symbol=Symbol(fill.symbol),
        side=_order_side(fill.side),
        position_side=_stated_leg(fill.position_side),
        contracts=Contracts(fill.contracts),
        contracts_closed=Contracts(fill.closed_contracts),
        price=Price(instrument.ticks_to_price(fill.price)),
        fee=money_from(fill.fee),
        realized_pnl=money_from(fill.realized_pnl),
        liquidity=PluginLiquidity(fill.liquidity.value),
        at=time_from(fill.at),
        leverage=Ratio(Decimal(fill.leverage)),
        margin_mode=MarginMode(fill.margin_mode.value),
        order_contracts=Contracts(fill.order_contracts),
        available_after=available_after,
    )


def seized_from(
    event: e.BankruptcyTakeover | e.Deleveraged,
    instrument: ExchangeInstrument,
    view: PositionView,
    available_after: Money | None,
) -> LeaderFill:
    """Return the fill of a position that the exchange took or closed; it belongs to no order."""
    cause = _CAUSES[type(event)]
    name = f"{cause}-{event.symbol}-{event.position_side.name.lower()}-{event.at}"
    ticks = Fraction(event.value, event.contracts * instrument.tick_value)
    return LeaderFill(
        venue_fill_id=VenueFillId(f"{name}-{event.position_contracts}"),
        order_id=VenueOrderId(name),
        account=AccountId(str(event.account)),
        symbol=Symbol(event.symbol),
        side=_order_side(event.side),
        position_side=_stated_leg(event.position_side),
        contracts=Contracts(event.contracts),
        contracts_closed=Contracts(event.contracts),
        # A bankruptcy price may lie at or below zero; a price must not.
        price=Price(max(_decimal(ticks * Fraction(instrument.tick_size)), instrument.tick_size)),
        fee=ZERO_MONEY,
        realized_pnl=money_from(event.realized_pnl),
        liquidity=PluginLiquidity.TAKER,
        at=time_from(event.at),
        leverage=Ratio(Decimal(view.leverage)),
        margin_mode=MarginMode(view.margin_mode.value),
        cause=cause,
        order_contracts=Contracts(event.contracts),
        available_after=available_after,
    )


def own_fill_from(fill: e.Filled, instrument: ExchangeInstrument) -> OwnFill:
    return OwnFill(
        venue_fill_id=VenueFillId(str(fill.execution_id)),
        contracts=Contracts(fill.contracts),
        price=Price(instrument.ticks_to_price(fill.price)),
        fee=money_from(fill.fee),
        realized_pnl=money_from(fill.realized_pnl),
        liquidity=PluginLiquidity(fill.liquidity.value),
        at=time_from(fill.at),
    )


def funding_from(event: e.FundingPaid, account: AccountId) -> FundingPayment:
    side = _leg(event.position_side, is_long=event.contracts > 0)
    return FundingPayment(
        venue_payment_id=f"{event.symbol}-{side}-{event.at}",
        account=account,
        symbol=Symbol(event.symbol),
        position_side=side,
        payment=money_from(event.payment),
        at=time_from(event.at),
    )


def place_order_command(
    request: OrderRequest, account: int, instrument: ExchangeInstrument
) -> c.PlaceOrder:
    price = request.limit_price
    return c.PlaceOrder(
        account=account,
        symbol=request.symbol,
        side=SIDES[request.order_side],
        contracts=request.contracts,
        kind=t.OrderKind.MARKET if price is None else t.OrderKind.LIMIT,
        price=None if price is None else instrument.price_to_ticks(price),
        time_in_force=(
            t.TimeInForce.IOC if price is None else _TIMES_IN_FORCE[request.time_in_force]
        ),
        reduce_only=request.reduce_only,
        position_side=LEGS[request.position_side],
        client_order_id=request.client_order_id,
    )


def refusal_of(events: Sequence[e.Event]) -> tuple[str, str] | None:
    """Return why the command was refused.

    Not why a plan order was that a trade of the command has fired.
    """
    for event in events:
        if isinstance(event, e.CommandRejected) or (
            isinstance(event, e.OrderRejected) and event.plan_id is None
        ):
            return event.reason.value, event.message
    return None
