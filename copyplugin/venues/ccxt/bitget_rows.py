"""Bitget's rows in our words: texts to exact numbers, one function per kind of row.

Sizes are in the base asset. In hedge mode `side` is the leg's, whether an order opens or closes it:
a buy that closes closes a long. Amounts may have more than eight places: what an account pays is
rounded up, what it gets or has down.
"""

from collections.abc import Mapping, Sequence
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
    money_of,
    price_of,
    price_or_none,
    text_of,
    time_of,
)

LEGS = {PositionSide.LONG: "long", PositionSide.SHORT: "short"}
SIDES = {PositionSide.LONG: "buy", PositionSide.SHORT: "sell"}
"""How an order in a leg is called, whether it opens or closes."""

MODES = {MarginMode.ISOLATED: "isolated", MarginMode.CROSS: "crossed"}
_BY_LEG = {name: leg for leg, name in LEGS.items()}
_BY_MODE = {"isolated": MarginMode.ISOLATED, "crossed": MarginMode.CROSS, "cross": MarginMode.CROSS}
_HEDGED = "hedge_mode"
_ENDED = {"filled", "canceled", "cancelled"}
_NO_MOST = 10**12
"""Contracts of one order where the venue names no most; it refuses what is too much."""


def instrument_from(row: Row) -> Instrument:
    """Return the contract; one step of size is one."""
    step = decimal_of(row, "sizeMultiplier")
    tick = decimal_of(row, "priceEndStep").scaleb(-int(row["pricePlace"]))
    most = [decimal_of(row, name) for name in ("maxOrderQty", "maxMarketOrderQty") if row.get(name)]
    return Instrument(
        symbol=Symbol(row["symbol"]),
        base=row["baseCoin"],
        settle=row["quoteCoin"],
        tick_size=tick,
        contract_size=step,
        contracts_min=Contracts(int(-(-decimal_of(row, "minTradeNum") // step))),
        contracts_max=Contracts(int(min(most) // step) if most else _NO_MOST),
        notional_min=money_of(row, "minTradeUSDT", "0"),
        leverage_max=Ratio(decimal_of(row, "maxLever")),
        maker_fee=Ratio(decimal_of(row, "makerFeeRate")),
        taker_fee=Ratio(decimal_of(row, "takerFeeRate")),
    )


def is_hedged(row: Row) -> bool:
    return bool(row["posMode"] == _HEDGED)


def mode_of(row: Row) -> MarginMode:
    mode = _BY_MODE.get(row["marginMode"])
    if mode is None:
        raise VenueUnavailable(f"the venue wrote marginMode as {row['marginMode']!r}")
    return mode


def position_from(row: Row, instrument: Instrument) -> VenuePosition:
    contracts = contracts_of(decimal_of(row, "total"), instrument.contract_size, "total")
    average = price_of(row, "openPriceAvg")
    value = product(contracts, instrument.contract_size, average)
    return VenuePosition(
        symbol=instrument.symbol,
        position_side=_BY_LEG[row["holdSide"]],
        contracts=contracts,
        entry_cost=money_ceil(Fraction(value)),
        average_entry_price=average,
        unrealized_pnl=credit_of(row, "unrealizedPL", "0"),
        margin=credit_of(row, "marginSize", "0"),
        leverage=Ratio(decimal_of(row, "leverage", "1")),
        margin_mode=mode_of(row),
        liquidation_price=price_or_none(row, "liquidationPrice"),
    )


def leg_of(row: Row) -> PositionSide | None:
    """Return the leg that a fill was in; None in one-way mode."""
    if not is_hedged(row):
        return None
    kind = text_of(row, "tradeSide")
    for leg, name in LEGS.items():
        if kind.endswith(name):  # what the venue closed names its leg
            return leg
    return PositionSide.LONG if row["side"] == "buy" else PositionSide.SHORT


def closes(row: Row) -> bool:
    return "close" in text_of(row, "tradeSide")


def order_side(row: Row) -> OrderSide:
    leg = leg_of(row)
    if leg is None:
        return OrderSide.BUY if row["side"] == "buy" else OrderSide.SELL
    return leg.closing_side if closes(row) else leg.opening_side


def own_fill_from(row: Row, instrument: Instrument) -> OwnFill:
    size = decimal_of(row, "baseVolume")
    return OwnFill(
        venue_fill_id=fill_id(row["cTime"], row["tradeId"]),
        contracts=contracts_of(size, instrument.contract_size, "baseVolume"),
        price=price_of(row, "price"),
        fee=_fee_of(row),
        realized_pnl=credit_of(row, "profit", "0"),
        liquidity=Liquidity.MAKER if row.get("tradeScope") == "maker" else Liquidity.TAKER,
        at=time_of(row["cTime"]),
    )


def _fee_of(row: Row) -> Money:
    """Return what was paid in USDT; what was paid in another coin is not of this wallet."""
    parts: list[Row] = row.get("feeDetail") or []
    paid = [part for part in parts if part["feeCoin"] == "USDT"]
    return money_total(*(charge_of(part, "totalFee", "0") for part in paid))


def leader_fill_from(
    row: Row, order: Row, account: AccountId, instrument: Instrument
) -> LeaderFill:
    """Return a fill; `order` tells how it was backed and how much was ordered, or who else does."""
    own = own_fill_from(row, instrument)
    leg = leg_of(row)
    closed = None
    if leg is not None:
        closed = own.contracts if closes(row) else NO_CONTRACTS
    ordered = text_of(order, "size")
    unit = instrument.contract_size
    return LeaderFill(
        venue_fill_id=own.venue_fill_id,
        # What the venue took belongs to no order: each such fill is one of its own.
        order_id=VenueOrderId(text_of(row, "orderId") or own.venue_fill_id),
        account=account,
        symbol=instrument.symbol,
        side=order_side(row),
        position_side=leg,
        contracts=own.contracts,
        contracts_closed=closed,
        price=own.price,
        fee=own.fee,
        realized_pnl=own.realized_pnl,
        liquidity=own.liquidity,
        at=own.at,
        leverage=Ratio(decimal_of(order, "leverage", "1")),
        margin_mode=mode_of(order),
        cause=_cause(text_of(row, "tradeSide")),
        order_contracts=contracts_of(Decimal(ordered), unit, "size") if ordered else None,
    )


def resting_value(order: Row | None) -> Money:
    """Return what the unfilled part of an order is worth where it rests."""
    if order is None or order.get("orderType") != "limit" or state_of(order) in _ENDED:
        return ZERO_MONEY
    left = total(decimal_of(order, "size"), -decimal_of(order, "baseVolume", "0"))
    return money_ceil(Fraction(product(left, decimal_of(order, "price", "0"))))


def state_of(order: Row) -> str:
    """Return an order's state, which lists call otherwise than the answer about one order."""
    return text_of(order, "state") or text_of(order, "status")


def ended_with_nothing(order: Row) -> bool:
    return state_of(order) in _ENDED and decimal_of(order, "baseVolume", "0") == 0


def funding_from(row: Row, account: AccountId, side: PositionSide) -> FundingPayment:
    return FundingPayment(
        venue_payment_id=row["billId"],
        account=account,
        symbol=Symbol(row["symbol"]),
        position_side=side,
        payment=charge_of(row, "amount"),
        at=time_of(row["cTime"]),
    )


def payer(income: Decimal, rate: Decimal) -> PositionSide:
    """Return the side that this payment was for: with a positive rate longs pay shorts."""
    is_long = (income < 0) is (rate > 0)
    return PositionSide.LONG if is_long else PositionSide.SHORT


def report_from(row: Row, fills: Sequence[Row], instrument: Instrument) -> OrderReport:
    """Return what is known of an order; WORKING until each of its fills is listed."""
    own = tuple(own_fill_from(each, instrument) for each in fills)
    size = decimal_of(row, "baseVolume", "0")
    executed = contracts_of(size, instrument.contract_size, "baseVolume")
    listed = Contracts(sum(fill.contracts for fill in own))
    is_ended = state_of(row) in _ENDED and listed == executed
    value = total(*(instrument.notional(fill.contracts, fill.price) for fill in own))
    return OrderReport(
        client_order_id=ClientOrderId(row["clientOid"]),
        venue_order_id=VenueOrderId(row["orderId"]),
        status=OrderStatus.DONE if is_ended else OrderStatus.WORKING,
        filled=listed,
        filled_value=money_floor(Fraction(value)),
        fee=money_total(*(fill.fee for fill in own)),
        realized_pnl=money_total(*(fill.realized_pnl for fill in own)),
        fills=own,
        acknowledged_at=time_of(row["cTime"]),
        reason=_reason_of(row) if is_ended else None,
    )


def _reason_of(row: Row) -> str | None:
    """Return why an order ended with less than was asked, in the venue's word."""
    state = state_of(row)
    return None if state == "filled" else text_of(row, "cancelReason") or state


def acknowledged(answer: Row, name: ClientOrderId) -> OrderReport:
    """Return what an acknowledgement says: the order is there, and nothing more."""
    return OrderReport(
        client_order_id=name,
        venue_order_id=VenueOrderId(answer["data"]["orderId"]),
        status=OrderStatus.WORKING,
        filled=NO_CONTRACTS,
        filled_value=ZERO_MONEY,
        fee=ZERO_MONEY,
        realized_pnl=ZERO_MONEY,
        fills=(),
        acknowledged_at=time_of(answer["requestTime"]),
    )


def marks_from(rows: Sequence[Row]) -> Mapping[Symbol, Price]:
    return {
        Symbol(row["symbol"]): price_of(row, "markPrice")
        for row in rows
        if decimal_of(row, "markPrice", "0") > 0
    }


def _cause(kind: str) -> FillCause:
    if "adl" in kind:
        return FillCause.DELEVERAGING
    if kind.startswith("burst"):
        return FillCause.LIQUIDATION
    return FillCause.TAKEOVER if kind.startswith("delivery") else FillCause.TRADE
