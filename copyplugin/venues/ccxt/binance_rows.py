"""Binance USD-M's rows in our words: texts to exact numbers, one function per kind of row."""

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
    NO_CONTRACTS,
    ZERO_MONEY,
    Contracts,
    Money,
    Price,
    Ratio,
    money_total,
    product,
    total,
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

SIDES = {OrderSide.BUY: "BUY", OrderSide.SELL: "SELL"}
LEGS = {PositionSide.LONG: "LONG", PositionSide.SHORT: "SHORT"}
_BY_LEG = {name: leg for leg, name in LEGS.items()}
_ENDED = {"FILLED", "CANCELED", "EXPIRED", "EXPIRED_IN_MATCH", "REJECTED"}
_TAKER_FEE, _MAKER_FEE = Ratio(Decimal("0.0005")), Ratio(Decimal("0.0002"))
"""Of an account without a discount."""

_LIQUIDATED, _DELEVERAGED = "autoclose-", "adl_autoclose"
"""How the venue begins the names of orders that are its own."""


def instrument_from(market: Row) -> Instrument:
    """Return the contract; Binance counts in the base asset: one step of quantity is one."""
    row = market["info"]
    filters = {each["filterType"]: each for each in row["filters"]}
    sizes = filters["LOT_SIZE"]
    market_sizes = filters.get("MARKET_LOT_SIZE", sizes)
    step = max(decimal_of(sizes, "stepSize"), decimal_of(market_sizes, "stepSize"))
    least = max(decimal_of(sizes, "minQty"), decimal_of(market_sizes, "minQty"))
    most = min(decimal_of(sizes, "maxQty"), decimal_of(market_sizes, "maxQty"))
    return Instrument(
        symbol=Symbol(row["symbol"]),
        base=row["baseAsset"],
        settle=row["marginAsset"],
        tick_size=decimal_of(filters["PRICE_FILTER"], "tickSize"),
        contract_size=step,
        contracts_min=Contracts(int(-(-least // step))),
        contracts_max=Contracts(int(most // step)),
        notional_min=money_of(filters.get("MIN_NOTIONAL", {}), "notional", "0"),
        leverage_max=_LEVERAGE_MAX,
        maker_fee=_MAKER_FEE,
        taker_fee=_TAKER_FEE,
    )


_LEVERAGE_MAX = Ratio(Decimal(125))
"""The venue's highest, until we are told what the symbol allows."""


def order_side(row: Row) -> OrderSide:
    return OrderSide.BUY if row["side"] == "BUY" else OrderSide.SELL


def leg_of(row: Row) -> PositionSide | None:
    """Return the leg; None in one-way mode."""
    return _BY_LEG.get(row["positionSide"])


def position_from(row: Row, instrument: Instrument, leverage: Ratio) -> VenuePosition:
    amount = decimal_of(row, "positionAmt")
    average = price_of(row, "entryPrice")
    wallet = money_of(row, "isolatedWallet", "0")
    return VenuePosition(
        symbol=instrument.symbol,
        position_side=leg_of(row) or (PositionSide.LONG if amount > 0 else PositionSide.SHORT),
        contracts=contracts_of(amount, instrument.contract_size, "positionAmt"),
        entry_cost=Money(product(abs(amount), average)),
        average_entry_price=average,
        unrealized_pnl=money_of(row, "unRealizedProfit", "0"),
        margin=wallet if wallet > 0 else money_of(row, "positionInitialMargin", "0"),
        leverage=leverage,
        margin_mode=MarginMode.ISOLATED if wallet > 0 else MarginMode.CROSS,
        liquidation_price=price_or_none(row, "liquidationPrice"),
    )


def own_fill_from(row: Row, instrument: Instrument) -> OwnFill:
    return OwnFill(
        venue_fill_id=fill_id(row["time"], f"{row['symbol']}:{row['id']}"),
        contracts=contracts_of(decimal_of(row, "qty"), instrument.contract_size, "qty"),
        price=price_of(row, "price"),
        fee=money_of(row, "commission", "0"),
        realized_pnl=money_of(row, "realizedPnl", "0"),
        liquidity=Liquidity.MAKER if row["maker"] else Liquidity.TAKER,
        at=time_of(row["time"]),
    )


def leader_fill_from(
    row: Row, order: Row | None, account: AccountId, instrument: Instrument, settings: Row
) -> LeaderFill:
    """Return a fill, with what its order and the symbol's settings tell of it."""
    own = own_fill_from(row, instrument)
    side, leg = order_side(row), leg_of(row)
    unit = instrument.contract_size
    is_isolated = settings["marginType"] == "ISOLATED"
    closed = None
    if leg is not None:
        closed = own.contracts if side is leg.closing_side else NO_CONTRACTS
    number = str(row["orderId"])
    return LeaderFill(
        venue_fill_id=own.venue_fill_id,
        # What the venue took belongs to no order: each such fill is one of its own.
        order_id=VenueOrderId(number if number != "0" else own.venue_fill_id),
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
        leverage=Ratio(decimal_of(settings, "leverage")),
        margin_mode=MarginMode.ISOLATED if is_isolated else MarginMode.CROSS,
        cause=_cause(number, order),
        order_contracts=(
            None if order is None else contracts_of(decimal_of(order, "origQty"), unit, "origQty")
        ),
    )


def resting_value(order: Row | None) -> Money:
    """Return what the unfilled part of an order is worth where it rests."""
    if order is None or order["type"] == "MARKET" or order["status"] in _ENDED:
        return ZERO_MONEY
    left = total(decimal_of(order, "origQty"), -decimal_of(order, "executedQty"))
    return Money(product(left, decimal_of(order, "price", "0")))


def funding_from(row: Row, account: AccountId, side: PositionSide) -> FundingPayment:
    return FundingPayment(
        venue_payment_id=f"{row['symbol']}-{row['time']}-{row['tranId']}",
        account=account,
        symbol=Symbol(row["symbol"]),
        position_side=side,
        payment=Money(-money_of(row, "income")),
        at=time_of(row["time"]),
    )


def payer(income: Decimal, rate: Decimal) -> PositionSide:
    """Return the side that this payment was for: with a positive rate longs pay shorts."""
    is_long = (income < 0) is (rate > 0)
    return PositionSide.LONG if is_long else PositionSide.SHORT


def report_from(row: Row, trades: Sequence[Row], instrument: Instrument) -> OrderReport:
    """Return what is known of an order; WORKING until each of its fills is listed."""
    fills = tuple(own_fill_from(each, instrument) for each in trades)
    executed = contracts_of(decimal_of(row, "executedQty"), instrument.contract_size, "executedQty")
    listed = Contracts(sum(fill.contracts for fill in fills))
    is_ended = row["status"] in _ENDED and listed == executed
    is_whole = executed == contracts_of(
        decimal_of(row, "origQty"), instrument.contract_size, "origQty"
    )
    return OrderReport(
        client_order_id=ClientOrderId(row["clientOrderId"]),
        venue_order_id=VenueOrderId(str(row["orderId"])),
        status=OrderStatus.DONE if is_ended else OrderStatus.WORKING,
        filled=listed,
        filled_value=money_total(
            *(instrument.notional(fill.contracts, fill.price) for fill in fills)
        ),
        fee=money_total(*(fill.fee for fill in fills)),
        realized_pnl=money_total(*(fill.realized_pnl for fill in fills)),
        fills=fills,
        acknowledged_at=time_of(row.get("time") or row["updateTime"]),
        reason=row["status"] if is_ended and not is_whole else None,
    )


def marks_from(rows: Sequence[Row]) -> Mapping[Symbol, Price]:
    return {
        Symbol(row["symbol"]): price_of(row, "markPrice")
        for row in rows
        if decimal_of(row, "markPrice", "0") > 0
    }


def funding_terms_from(rows: Sequence[Row]) -> Mapping[Symbol, FundingTerms]:
    """Return the rate as it stands now, which the venue calls the last; dated contracts have none.

    See `premiumIndex` in the documentation of USD-M futures.
    """
    return {
        Symbol(row["symbol"]): FundingTerms(
            rate=Ratio(decimal_of(row, "lastFundingRate")), next_at=time_of(row["nextFundingTime"])
        )
        for row in rows
        if row.get("lastFundingRate") and int(row.get("nextFundingTime") or 0)
    }


def _cause(number: str, order: Row | None) -> FillCause:
    name = "" if order is None else text_of(order, "clientOrderId")
    if name.startswith(_DELEVERAGED):
        return FillCause.DELEVERAGING
    if name.startswith(_LIQUIDATED):
        return FillCause.LIQUIDATION
    return FillCause.TAKEOVER if number == "0" else FillCause.TRADE
