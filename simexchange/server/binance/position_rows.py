"""Rows of positions, as each version of each endpoint has them."""

from simexchange.core.types import MarginMode, PositionSide
from simexchange.core.views import PositionView
from simexchange.server.amounts import Grid, money_text
from simexchange.server.binance.call import NAMES_BY_SIDE, Call
from simexchange.server.binance.market import Row, ms


def signed(view: PositionView) -> int:
    return -view.contracts if view.position_side is PositionSide.SHORT else view.contracts


def position_row(call: Call, view: PositionView, grid: Grid) -> Row:
    """Return a position as version 3 has it: without leverage and margin type."""
    held, symbol = signed(view), view.symbol
    mark = call.venue.exchange.mark_price(symbol)
    notional = 0 if mark is None else grid.value(held * mark)
    kept = call.records.positions.get((symbol, view.position_side))
    isolated = view.margin if view.margin_mode is MarginMode.ISOLATED and held else 0
    quantity = grid.whole_quantity(abs(held))
    margin = money_text(view.margin if held else 0)
    average = grid.average_price(view.entry_cost, abs(held)) or "0.0"
    return {
        "symbol": symbol,
        "positionSide": NAMES_BY_SIDE[view.position_side],
        "positionAmt": f"-{quantity}" if held < 0 else quantity,
        "entryPrice": average,
        "breakEvenPrice": average,
        "markPrice": grid.price(mark),
        "unRealizedProfit": money_text(view.unrealized_pnl),
        "liquidationPrice": grid.price(view.liquidation_price) if held else "0",
        "isolatedMargin": money_text(isolated + view.unrealized_pnl if isolated else 0),
        "notional": money_text(notional),
        "marginAsset": grid.instrument.settle,
        "isolatedWallet": money_text(isolated),
        "initialMargin": margin,
        "maintMargin": money_text(view.maintenance_margin),
        "positionInitialMargin": margin,
        "openOrderInitialMargin": "0",
        "adl": call.venue.lights(call.account, symbol, view.position_side) - 1 if held else 0,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": 0 if kept is None else ms(kept.updated_at),
    }


def position_row_v2(call: Call, view: PositionView, grid: Grid) -> Row:
    """Return a position as version 2 has it, with leverage and margin type."""
    row = position_row(call, view, grid)
    shared = {
        name: row[name]
        for name in (
            "symbol",
            "positionSide",
            "positionAmt",
            "entryPrice",
            "breakEvenPrice",
            "markPrice",
            "unRealizedProfit",
            "liquidationPrice",
            "isolatedMargin",
            "notional",
            "isolatedWallet",
            "adl",
            "updateTime",
        )
    }
    return {
        **shared,
        "leverage": str(view.leverage),
        "maxNotionalValue": max_notional(view, grid),
        "marginType": "isolated" if view.margin_mode is MarginMode.ISOLATED else "cross",
        "isAutoAddMargin": "false",
    }


def account_position_row(call: Call, view: PositionView, grid: Grid) -> Row:
    """Return a position as version 3 of the account has it."""
    row = position_row(call, view, grid)
    names = (
        "symbol",
        "positionSide",
        "positionAmt",
        "isolatedMargin",
        "notional",
        "isolatedWallet",
        "initialMargin",
        "maintMargin",
        "updateTime",
    )
    return {
        **{name: row[name] for name in names},
        "unrealizedProfit": row["unRealizedProfit"],
    }


def account_position_row_v2(call: Call, view: PositionView, grid: Grid) -> Row:
    """Return a position as version 2 of the account has it."""
    row = position_row(call, view, grid)
    names = (
        "symbol",
        "initialMargin",
        "maintMargin",
        "positionInitialMargin",
        "openOrderInitialMargin",
        "entryPrice",
        "breakEvenPrice",
        "bidNotional",
        "askNotional",
        "positionSide",
        "positionAmt",
        "isolatedWallet",
        "notional",
        "updateTime",
    )
    return {
        **{name: row[name] for name in names},
        "unrealizedProfit": row["unRealizedProfit"],
        "leverage": str(view.leverage),
        "isolated": view.margin_mode is MarginMode.ISOLATED,
        "maxNotional": max_notional(view, grid),
    }


def max_notional(view: PositionView, grid: Grid) -> str:
    """Return the largest notional that the leverage allows."""
    ends = [tier.floor for tier in grid.instrument.tiers[1:]] + [10**20]
    allowed = [
        end
        for tier, end in zip(grid.instrument.tiers, ends, strict=True)
        if view.leverage <= tier.max_leverage
    ]
    return money_text(max(allowed, default=0))
