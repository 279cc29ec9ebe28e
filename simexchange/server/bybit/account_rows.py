"""Rows of positions and wallets, with all fields that the venue documents."""

from fractions import Fraction

from simexchange.core.margin import tier_of
from simexchange.core.types import MONEY_SCALE, MarginMode, PositionSide
from simexchange.core.views import PositionView
from simexchange.server.amounts import Grid, fraction_text, money_text
from simexchange.server.bybit.order_rows import Row, stop_type
from simexchange.server.bybit.paging import ms
from simexchange.server.bybit.parameters import position_index
from simexchange.server.records.account import AccountRecords
from simexchange.server.records.rows import KeptOrder
from simexchange.server.venue import Venue

NO_LIMIT = 10**12 * MONEY_SCALE
"""The upper end of the last tier, which has none here."""


def position_row(venue: Venue, records: AccountRecords, view: PositionView, grid: Grid) -> Row:
    kept = records.positions.get((view.symbol, view.position_side))
    mark = venue.exchange.mark_price(view.symbol)
    risk_id, risk_limit = risk_of(grid, view.entry_cost)
    stops = position_stops(records, view.symbol, view.position_side, grid)
    held = abs(view.contracts)
    side = _side(view)
    lights = venue.lights(records.account, view.symbol, view.position_side)
    return {
        "positionIdx": position_index(view.position_side),
        "riskId": risk_id,
        "riskLimitValue": money_text(risk_limit),
        "symbol": view.symbol,
        "side": side,
        "size": grid.quantity(held),
        "avgPrice": grid.average_price(view.entry_cost, held) or "0",
        "positionValue": money_text(view.entry_cost) if held else "",
        "tradeMode": 0,
        "positionStatus": "Normal",
        "autoAddMargin": 0,
        "adlRankIndicator": lights if held else 0,
        "leverage": str(view.leverage),
        "positionBalance": money_text(view.margin if held else 0),
        "markPrice": grid.price(mark),
        "liqPrice": grid.price(view.liquidation_price) if held else "",
        "bustPrice": _bust_price(view, grid),
        "positionMM": money_text(view.maintenance_margin),
        "positionMMByMp": money_text(view.maintenance_margin),
        "positionIM": money_text(view.margin if held else 0),
        "positionIMByMp": money_text(view.margin if held else 0),
        "tpslMode": "Full",
        "takeProfit": stops.get("TakeProfit", ""),
        "stopLoss": stops.get("StopLoss", ""),
        "trailingStop": stops.get("TrailingStop", "0"),
        "unrealisedPnl": money_text(view.unrealized_pnl) if held else "",
        "curRealisedPnl": money_text(0 if kept is None else kept.current),
        "cumRealisedPnl": money_text(0 if kept is None else kept.cumulative),
        "sessionAvgPrice": "",
        "seq": -1 if kept is None else kept.sequence,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
        "createdTime": "" if kept is None else ms(kept.created_at),
        "updatedTime": "" if kept is None else ms(kept.updated_at),
    }


def pushed_position_row(
    venue: Venue, records: AccountRecords, view: PositionView, grid: Grid
) -> Row:
    """Return the row as the position stream has it."""
    row = position_row(venue, records, view, grid)
    row["category"] = "linear"
    row["entryPrice"] = row["avgPrice"]
    return row


def position_stops(
    records: AccountRecords, symbol: str, side: PositionSide, grid: Grid
) -> dict[str, str]:
    """Return the triggers of the stops that close this whole position, by their kind."""
    shown: dict[str, str] = {}
    for order in waiting_stops(records, symbol, side):
        kind = stop_type(order)
        trigger = order.trigger
        if kind == "TrailingStop":
            shown[kind] = order.words.get("trailingStop", "")
        elif trigger is not None and trigger.close_position:
            shown[kind] = grid.price(trigger.price)
    return shown


def waiting_stops(records: AccountRecords, symbol: str, side: PositionSide) -> list[KeptOrder]:
    return [
        order
        for order in records.waiting_stops.values()
        if order.symbol == symbol and order.position_side is side
    ]


def _side(view: PositionView) -> str:
    if view.contracts == 0:
        return ""
    is_long = (
        view.contracts > 0 if view.position_side is PositionSide.NET else view.position_side > 0
    )
    return "Buy" if is_long else "Sell"


def _bust_price(view: PositionView, grid: Grid) -> str:
    if not view.contracts or view.bankruptcy_price is None or view.bankruptcy_price <= 0:
        return ""
    return fraction_text(
        view.bankruptcy_price * Fraction(grid.instrument.tick_size), grid.prices.places
    )


def risk_of(grid: Grid, notional: int) -> tuple[int, int]:
    """Return the number of the tier that a notional falls in, and where the next begins."""
    tiers = grid.instrument.tiers
    found = tier_of(tiers, notional)
    place = tiers.index(found)
    limit = tiers[place + 1].floor if place + 1 < len(tiers) else NO_LIMIT
    return place + 1, limit


def wallet_row(venue: Venue, account: int) -> Row:
    """Return the unified account: the contract wallet with its positions and orders."""
    exchange = venue.exchange
    view = exchange.account(account)
    position_margin = maintenance = profit = isolated = 0
    for position in exchange.positions(account):
        position_margin += position.margin
        maintenance += position.maintenance_margin
        profit += position.unrealized_pnl
        if position.margin_mode is MarginMode.ISOLATED:
            isolated += position.margin
    balance = view.contract_balance + isolated
    equity = balance + profit
    available = exchange.available_balance(account)
    realized = sum(p.cumulative for p in venue.records.of(account).positions.values())
    coin: Row = {
        "coin": "USDT",
        "equity": money_text(equity),
        "usdValue": money_text(equity),
        "walletBalance": money_text(balance),
        "free": "",
        "locked": "0",
        "borrowAmount": "0",
        "availableToBorrow": "",
        "availableToWithdraw": "",
        "accruedInterest": "0",
        "totalOrderIM": money_text(view.order_hold),
        "totalPositionIM": money_text(position_margin),
        "totalPositionMM": money_text(maintenance),
        "unrealisedPnl": money_text(profit),
        "cumRealisedPnl": money_text(realized),
        "bonus": "0",
        "collateralSwitch": True,
        "marginCollateral": True,
        "spotHedgingQty": "0",
        "spotBorrow": "0",
    }
    initial = position_margin + view.order_hold
    return {
        "accountType": "UNIFIED",
        "accountLTV": "0",
        "accountIMRate": _ratio(initial, equity),
        "accountMMRate": _ratio(maintenance, equity),
        "accountIMRateByMp": _ratio(initial, equity),
        "accountMMRateByMp": _ratio(maintenance, equity),
        "totalEquity": money_text(equity),
        "totalWalletBalance": money_text(balance),
        "totalMarginBalance": money_text(equity),
        "totalAvailableBalance": money_text(available),
        "totalPerpUPL": money_text(profit),
        "totalInitialMargin": money_text(initial),
        "totalInitialMarginByMp": money_text(initial),
        "totalMaintenanceMargin": money_text(maintenance),
        "totalMaintenanceMarginByMp": money_text(maintenance),
        "coin": [coin],
    }


def _ratio(part: int, whole: int) -> str:
    return "0" if whole <= 0 else fraction_text(Fraction(part, whole), 4)
