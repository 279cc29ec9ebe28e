"""OKX's rows in our words: texts to exact numbers, one function per kind of row.

The venue counts in contracts of its own, which may be divided into lots: one lot is a contract of
ours. Charges are negative there. Amounts may have more than eight places: what an account pays is
rounded up, what it gets or has down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from copyplugin.domain.account import FundingPayment, VenuePosition
from copyplugin.domain.fill import (
    FillCause,
    LeaderFill,
    Liquidity,
    MarginMode,
    OrderSide,
    PositionSide,
)
from copyplugin.domain.identifiers import AccountId, ClientOrderId, Symbol, VenueOrderId
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import (
    NO_CONTRACTS,
    ZERO_MONEY,
    Contracts,
    Money,
    Price,
    Ratio,
    money_ceil,
    money_floor,
    money_total,
    product,
    total,
)
from copyplugin.domain.order import OrderReport, OrderStatus, OwnFill
from copyplugin.errors import VenueUnavailable
from copyplugin.venues.ccxt.clients import Row
from copyplugin.venues.ccxt.texts import (
    charge_of,
    contracts_of,
    credit_of,
    decimal_of,
    fill_id,
    price_of,
    price_or_none,
    text_of,
    time_of,
)

SIDES = {OrderSide.BUY: "buy", OrderSide.SELL: "sell"}
LEGS = {PositionSide.LONG: "long", PositionSide.SHORT: "short"}
MODES = {MarginMode.ISOLATED: "isolated", MarginMode.CROSS: "cross"}
_BY_LEG = {name: leg for leg, name in LEGS.items()}
_BY_MODE = {name: mode for mode, name in MODES.items()}
_ENDED = {"filled", "canceled", "mmp_canceled"}
_RESTS = {"limit", "post_only"}
_TAKER_FEE, _MAKER_FEE = Ratio(Decimal("0.0005")), Ratio(Decimal("0.0002"))
"""Of an account without a discount."""

_LIQUIDATIONS = {str(number) for number in range(100, 108)}
_TAKEOVERS = {"110", "111", "112", "113"}  # to the insurance fund, and delivery
_DELEVERAGINGS = {"125", "126", "127", "128"}


def instrument_from(row: Row) -> tuple[Instrument, Decimal]:
    """Return the contract, and its lot in contracts of the venue."""
    lot = decimal_of(row, "lotSz")
    most = min(decimal_of(row, "maxLmtSz"), decimal_of(row, "maxMktSz", row["maxLmtSz"]))
    instrument = Instrument(
        symbol=Symbol(row["instId"]),
        base=row["ctValCcy"],
        settle=row["settleCcy"],
        tick_size=decimal_of(row, "tickSz"),
        contract_size=product(decimal_of(row, "ctVal"), decimal_of(row, "ctMult", "1"), lot),
        contracts_min=Contracts(int(-(-decimal_of(row, "minSz") // lot))),
        contracts_max=Contracts(int(most // lot)),
        notional_min=ZERO_MONEY,
        leverage_max=Ratio(decimal_of(row, "lever")),
        maker_fee=_MAKER_FEE,
        taker_fee=_TAKER_FEE,
    )
    return instrument, lot


def order_side(row: Row) -> OrderSide:
    return OrderSide.BUY if row["side"] == "buy" else OrderSide.SELL


def leg_of(row: Row) -> PositionSide | None:
    """Return the leg; None in net mode."""
    return _BY_LEG.get(row["posSide"])


def mode_of(row: Row, name: str = "mgnMode") -> MarginMode:
    mode = _BY_MODE.get(row[name])
    if mode is None:
        raise VenueUnavailable(f"the venue wrote {name} as {row[name]!r}")
    return mode


def held_side(row: Row) -> PositionSide:
    leg = leg_of(row)
    if leg is not None:
        return leg
    return PositionSide.LONG if decimal_of(row, "pos") > 0 else PositionSide.SHORT


def position_from(row: Row, instrument: Instrument, lot: Decimal) -> VenuePosition:
    contracts = contracts_of(decimal_of(row, "pos"), lot, "pos")
    average = price_of(row, "avgPx")
    mode = mode_of(row)
    value = product(contracts, instrument.contract_size, average)
    return VenuePosition(
        symbol=instrument.symbol,
        position_side=held_side(row),
        contracts=contracts,
        entry_cost=money_ceil(Fraction(value)),
        average_entry_price=average,
        unrealized_pnl=credit_of(row, "upl", "0"),
        margin=credit_of(row, "margin" if mode is MarginMode.ISOLATED else "imr", "0"),
        leverage=Ratio(decimal_of(row, "lever", "1")),
        margin_mode=mode,
        liquidation_price=price_or_none(row, "liqPx"),
    )


@dataclass(frozen=True, slots=True)
class Backing:
    """How a leg is held: what rows of fills do not tell."""

    leverage: Ratio
    margin_mode: MarginMode


def fill_time(row: Row) -> str:
    """Return when it traded; `ts` is when the row was written."""
    return text_of(row, "fillTime") or str(row["ts"])


def own_fill_from(row: Row, lot: Decimal) -> OwnFill:
    return OwnFill(
        venue_fill_id=fill_id(fill_time(row), row["billId"]),
        contracts=contracts_of(decimal_of(row, "fillSz"), lot, "fillSz"),
        price=price_of(row, "fillPx"),
        fee=_fee_of(row),
        realized_pnl=credit_of(row, "fillPnl", "0"),
        liquidity=Liquidity.MAKER if row.get("execType") == "M" else Liquidity.TAKER,
        at=time_of(fill_time(row)),
    )


def _fee_of(row: Row) -> Money:
    """Return what was paid in USDT; what was paid in another coin is not of this wallet."""
    return charge_of(row, "fee", "0") if text_of(row, "feeCcy") in {"", "USDT"} else ZERO_MONEY


def leader_fill_from(
    row: Row, order: Row | None, account: AccountId, instrument: Instrument, lot: Decimal
) -> LeaderFill:
    """Return a fill; `order` tells how it was backed, and how much was ordered."""
    own = own_fill_from(row, lot)
    side, leg = order_side(row), leg_of(row)
    backing = backing_of(order)
    closed = None
    if leg is not None:
        closed = own.contracts if side is leg.closing_side else NO_CONTRACTS
    ordered = "" if order is None else text_of(order, "sz")
    return LeaderFill(
        venue_fill_id=own.venue_fill_id,
        # What the venue took belongs to no order: each such fill is one of its own.
        order_id=VenueOrderId(text_of(row, "ordId") or own.venue_fill_id),
        account=account,
        symbol=instrument.symbol,
        side=side,
        position_side=leg,
        contracts=own.contracts,
        contracts_closed=closed,
        price=own.price,
        fee=own.fee,
        realized_pnl=own.realized_pnl,
        liquidity=own.liquidity,
        at=own.at,
        leverage=backing.leverage,
        margin_mode=backing.margin_mode,
        cause=_cause(text_of(row, "subType")),
        order_contracts=contracts_of(Decimal(ordered), lot, "sz") if ordered else None,
    )


def backing_of(order: Row | None) -> Backing:
    """Return leverage and margin mode of an order; a position's row does as well."""
    if order is None:
        raise VenueUnavailable("the venue lists a fill without the order that it was of")
    mode = mode_of(order, "tdMode" if "tdMode" in order else "mgnMode")
    return Backing(Ratio(decimal_of(order, "lever", "1")), mode)


def resting_value(order: Row | None, instrument: Instrument, lot: Decimal) -> Money:
    """Return what the unfilled part of an order is worth where it rests."""
    if order is None or order.get("ordType") not in _RESTS or order["state"] in _ENDED:
        return ZERO_MONEY
    left = total(decimal_of(order, "sz"), -decimal_of(order, "accFillSz", "0"))
    contracts = contracts_of(left, lot, "sz")
    return money_ceil(Fraction(instrument.notional(contracts, Price(decimal_of(order, "px", "0")))))


def funding_from(row: Row, account: AccountId, side: PositionSide) -> FundingPayment:
    return FundingPayment(
        venue_payment_id=row["billId"],
        account=account,
        symbol=Symbol(row["instId"]),
        position_side=side,
        payment=charge_of(row, "pnl"),
        at=time_of(row["ts"]),
    )


def payer(income: Decimal, rate: Decimal) -> PositionSide:
    """Return the side that this payment was for: with a positive rate longs pay shorts."""
    is_long = (income < 0) is (rate > 0)
    return PositionSide.LONG if is_long else PositionSide.SHORT


def report_from(
    row: Row,
    fills: Sequence[Row],
    name: ClientOrderId,
    instrument: Instrument,
    lot: Decimal,
) -> OrderReport:
    """Return what is known of an order; WORKING until each of its fills is listed."""
    own = tuple(own_fill_from(each, lot) for each in fills)
    executed = contracts_of(decimal_of(row, "accFillSz", "0"), lot, "accFillSz")
    listed = Contracts(sum(fill.contracts for fill in own))
    is_ended = row["state"] in _ENDED and listed == executed
    value = total(*(instrument.notional(fill.contracts, fill.price) for fill in own))
    return OrderReport(
        client_order_id=name,
        venue_order_id=VenueOrderId(row["ordId"]),
        status=OrderStatus.DONE if is_ended else OrderStatus.WORKING,
        filled=listed,
        filled_value=_stored(value),
        fee=money_total(*(fill.fee for fill in own)),
        realized_pnl=money_total(*(fill.realized_pnl for fill in own)),
        fills=own,
        acknowledged_at=time_of(row["cTime"]),
        reason=_reason_of(row) if is_ended else None,
    )


def _stored(value: Decimal) -> Money:
    """Return a value with the places that we store; it is asked of nobody and owed to nobody."""
    return money_floor(Fraction(value))


def _reason_of(row: Row) -> str | None:
    """Return why an order ended with less than was asked, in the venue's word."""
    if row["state"] == "filled":
        return None
    return text_of(row, "cancelSourceReason") or text_of(row, "cancelSource") or row["state"]


def acknowledged(row: Row, name: ClientOrderId, now_ms: int) -> OrderReport:
    """Return what an acknowledgement says: the order is there, and nothing more."""
    return OrderReport(
        client_order_id=name,
        venue_order_id=VenueOrderId(row["ordId"]),
        status=OrderStatus.WORKING,
        filled=NO_CONTRACTS,
        filled_value=ZERO_MONEY,
        fee=ZERO_MONEY,
        realized_pnl=ZERO_MONEY,
        fills=(),
        acknowledged_at=time_of(text_of(row, "ts") or now_ms),
    )


def marks_from(rows: Sequence[Row]) -> Mapping[Symbol, Price]:
    return {
        Symbol(row["instId"]): price_of(row, "markPx")
        for row in rows
        if decimal_of(row, "markPx", "0") > 0
    }


def _cause(kind: str) -> FillCause:
    if kind in _DELEVERAGINGS:
        return FillCause.DELEVERAGING
    if kind in _LIQUIDATIONS:
        return FillCause.LIQUIDATION
    return FillCause.TAKEOVER if kind in _TAKEOVERS else FillCause.TRADE
