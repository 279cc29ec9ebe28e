"""Bybit's rows in our words: texts to exact numbers, one function per kind of row."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

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
    ZERO_MONEY,
    Contracts,
    Money,
    Price,
    Ratio,
    money_total,
    product,
)
from copyplugin.domain.order import OrderReport, OrderStatus, OwnFill
from copyplugin.ports import FundingTerms
from copyplugin.venues.ccxt.clients import Row
from copyplugin.venues.ccxt.texts import (
    contracts_of,
    decimal_of,
    fill_id,
    money_of,
    price_of,
    price_or_none,
    text_of,
    time_of,
)

SIDES = {OrderSide.BUY: "Buy", OrderSide.SELL: "Sell"}
INDEXES = {PositionSide.LONG: 1, PositionSide.SHORT: 2}
_ENDED = {"Filled", "Cancelled", "PartiallyFilledCanceled", "Rejected", "Deactivated"}
_CAUSES = {
    "Trade": FillCause.TRADE,
    "BustTrade": FillCause.LIQUIDATION,
    "AdlTrade": FillCause.DELEVERAGING,
    "SessionSettlePnL": FillCause.TAKEOVER,
    "Delivery": FillCause.TAKEOVER,
}
FILL_TYPES = frozenset(_CAUSES)
_TAKER_FEE, _MAKER_FEE = Ratio(Decimal("0.00055")), Ratio(Decimal("0.0002"))
"""Of an account without a discount."""


def instrument_from(market: Row) -> Instrument:
    """Return the contract; Bybit counts in the base asset, so that one quantity step is one."""
    row = market["info"]
    sizes, prices, leverages = row["lotSizeFilter"], row["priceFilter"], row["leverageFilter"]
    step = decimal_of(sizes, "qtyStep")
    most = min(
        decimal_of(sizes, "maxOrderQty"), decimal_of(sizes, "maxMktOrderQty", sizes["maxOrderQty"])
    )
    return Instrument(
        symbol=Symbol(row["symbol"]),
        base=row["baseCoin"],
        settle=row["settleCoin"],
        tick_size=decimal_of(prices, "tickSize"),
        contract_size=step,
        contracts_min=contracts_of(decimal_of(sizes, "minOrderQty"), step, "minOrderQty"),
        contracts_max=Contracts(int(most // step)),
        notional_min=money_of(sizes, "minNotionalValue", "0"),
        leverage_max=Ratio(decimal_of(leverages, "maxLeverage")),
        maker_fee=_MAKER_FEE,
        taker_fee=_TAKER_FEE,
    )


def order_side(row: Row) -> OrderSide:
    return OrderSide.BUY if row["side"] == "Buy" else OrderSide.SELL


def position_side(row: Row) -> PositionSide | None:
    """Return the leg; None in one-way mode."""
    index = int(row.get("positionIdx") or 0)
    return {0: None, 1: PositionSide.LONG, 2: PositionSide.SHORT}[index]


def held_side(row: Row) -> PositionSide:
    return PositionSide.LONG if row["side"] == "Buy" else PositionSide.SHORT


def position_from(row: Row, instrument: Instrument, mode: MarginMode) -> VenuePosition:
    size = decimal_of(row, "size")
    average = price_of(row, "avgPrice")
    balance = money_of(row, "positionBalance", "0")
    return VenuePosition(
        symbol=instrument.symbol,
        position_side=held_side(row),
        contracts=contracts_of(size, instrument.contract_size, "size"),
        entry_cost=money_of(row, "positionValue", str(product(size, average))),
        average_entry_price=average,
        unrealized_pnl=money_of(row, "unrealisedPnl", "0"),
        margin=balance if balance > 0 else money_of(row, "positionIM", "0"),
        leverage=Ratio(decimal_of(row, "leverage", "1")),
        margin_mode=mode,
        liquidation_price=price_or_none(row, "liqPrice"),
    )


def own_fill_from(row: Row, instrument: Instrument) -> OwnFill:
    return OwnFill(
        venue_fill_id=fill_id(row["execTime"], row["execId"]),
        contracts=contracts_of(decimal_of(row, "execQty"), instrument.contract_size, "execQty"),
        price=price_of(row, "execPrice"),
        fee=money_of(row, "execFee", "0"),
        realized_pnl=money_of(row, "execPnl", "0"),
        liquidity=_liquidity(row),
        at=time_of(row["execTime"]),
    )


def leader_fill_from(
    row: Row,
    instrument: Instrument,
    account: AccountId,
    leg: tuple[PositionSide | None, Ratio],
    mode: MarginMode,
) -> LeaderFill:
    """Return a fill; `leg` is its position side and that one's leverage, which rows do not tell."""
    unit = instrument.contract_size
    side, leverage = leg
    ordered = decimal_of(row, "orderQty", "0")
    contracts = contracts_of(decimal_of(row, "execQty"), unit, "execQty")
    closed = contracts_of(decimal_of(row, "closedSize", "0"), unit, "closedSize")
    return LeaderFill(
        venue_fill_id=fill_id(row["execTime"], row["execId"]),
        # What the venue took belongs to no order: each such fill is one of its own.
        order_id=VenueOrderId(text_of(row, "orderId") or row["execId"]),
        account=account,
        symbol=instrument.symbol,
        side=order_side(row),
        position_side=side,
        contracts=contracts,
        contracts_closed=min(closed, contracts),
        price=price_of(row, "execPrice"),
        fee=money_of(row, "execFee", "0"),
        realized_pnl=money_of(row, "execPnl", "0"),
        liquidity=_liquidity(row),
        at=time_of(row["execTime"]),
        leverage=leverage,
        margin_mode=mode,
        cause=_CAUSES[row["execType"]],
        order_contracts=contracts_of(ordered, unit, "orderQty") if ordered else None,
    )


def leg_of(row: Row, *, is_hedged: bool) -> PositionSide | None:
    """Return the position side of an execution, whose row does not name it.

    In hedge mode a buy that closes something closes a short, one that opens opens a long.
    """
    if not is_hedged:
        return None
    side = order_side(row)
    is_closing = decimal_of(row, "closedSize", "0") > 0
    longs = (side is OrderSide.BUY) is not is_closing
    return PositionSide.LONG if longs else PositionSide.SHORT


def resting_value(row: Row) -> Money:
    """Return what the unfilled part of a fill's order is worth; a market order's never rests."""
    if row.get("orderType") != "Limit":
        return ZERO_MONEY
    return Money(product(decimal_of(row, "leavesQty", "0"), decimal_of(row, "orderPrice", "0")))


def funding_from(row: Row, account: AccountId, side: PositionSide) -> FundingPayment:
    return FundingPayment(
        venue_payment_id=row["execId"],
        account=account,
        symbol=Symbol(row["symbol"]),
        position_side=side,
        payment=money_of(row, "execFee"),
        at=time_of(row["execTime"]),
    )


def report_from(row: Row, executions: Sequence[Row], instrument: Instrument) -> OrderReport:
    """Return what is known of an order; WORKING until each of its fills is listed."""
    fills = tuple(own_fill_from(each, instrument) for each in executions)
    filled = contracts_of(
        decimal_of(row, "cumExecQty", "0"), instrument.contract_size, "cumExecQty"
    )
    is_listed = sum(fill.contracts for fill in fills) == filled
    is_ended = row["orderStatus"] in _ENDED and is_listed
    return OrderReport(
        client_order_id=ClientOrderId(row["orderLinkId"]),
        venue_order_id=VenueOrderId(row["orderId"]),
        status=OrderStatus.DONE if is_ended else OrderStatus.WORKING,
        filled=Contracts(sum(fill.contracts for fill in fills)),
        filled_value=_value(fills, instrument),
        fee=money_total(*(fill.fee for fill in fills)),
        realized_pnl=money_total(*(fill.realized_pnl for fill in fills)),
        fills=fills,
        acknowledged_at=time_of(row["createdTime"]),
        reason=reason_of(row),
    )


def acknowledged(answer: Row, client_order_id: ClientOrderId) -> OrderReport:
    """Return what an acknowledgement says: the order is there, and nothing more."""
    return OrderReport(
        client_order_id=client_order_id,
        venue_order_id=VenueOrderId(answer["result"]["orderId"]),
        status=OrderStatus.WORKING,
        filled=Contracts(0),
        filled_value=ZERO_MONEY,
        fee=ZERO_MONEY,
        realized_pnl=ZERO_MONEY,
        fills=(),
        acknowledged_at=time_of(answer["time"]),
    )


def fee_of(rows: Mapping[str, Row], symbol: str, name: str) -> Ratio | None:
    return Ratio(decimal_of(rows[symbol], name)) if symbol in rows else None


def marks_from(rows: Sequence[Row]) -> Mapping[Symbol, Price]:
    return {
        Symbol(row["symbol"]): price_of(row, "markPrice") for row in rows if row.get("markPrice")
    }


def funding_terms_from(rows: Sequence[Row]) -> Mapping[Symbol, FundingTerms]:
    """Return the rate as it stands now; a contract without funding has an empty one."""
    return {
        Symbol(row["symbol"]): FundingTerms(
            rate=Ratio(decimal_of(row, "fundingRate")), next_at=time_of(row["nextFundingTime"])
        )
        for row in rows
        if row.get("fundingRate") and int(row.get("nextFundingTime") or 0)
    }


def _value(fills: Sequence[OwnFill], instrument: Instrument) -> Money:
    return money_total(*(instrument.notional(fill.contracts, fill.price) for fill in fills))


def _liquidity(row: Row) -> Liquidity:
    return Liquidity.MAKER if row.get("isMaker") else Liquidity.TAKER


def reason_of(row: Row) -> str | None:
    """Return why an order ended with less than was asked, in the venue's word."""
    for name, nothing in (("rejectReason", "EC_NoError"), ("cancelType", "UNKNOWN")):
        said = text_of(row, name)
        if said and said != nothing:
            return said
    return None
