"""The account: balances and positions."""

from simexchange.core.types import MarginMode, PositionMode
from simexchange.core.views import PositionView
from simexchange.server.amounts import money_text
from simexchange.server.binance.call import NAMES_BY_SIDE, READ, Call, Endpoint
from simexchange.server.binance.market import Row, ms
from simexchange.server.binance.order_queries import MaybeSymbol, in_book
from simexchange.server.binance.parameters import Nothing, Params
from simexchange.server.binance.position_rows import (
    account_position_row,
    account_position_row_v2,
    position_row,
    position_row_v2,
)
from simexchange.server.binance.settings import LEGS


class SpotAccount(Params, frozen=True):
    omit_zero_balances: str | None = None


def _figures(call: Call) -> dict[str, int]:
    """Return the account's sums, in money."""
    exchange = call.venue.exchange
    view = exchange.account(call.account)
    positions = exchange.positions(call.account)
    isolated = sum(p.margin for p in positions if p.margin_mode is MarginMode.ISOLATED)
    profit = sum(p.unrealized_pnl for p in positions)
    cross_profit = sum(p.unrealized_pnl for p in positions if p.margin_mode is MarginMode.CROSS)
    margin = sum(p.margin for p in positions)
    return {
        "totalInitialMargin": margin + view.order_hold,
        "totalMaintMargin": sum(p.maintenance_margin for p in positions),
        "totalWalletBalance": view.contract_balance + isolated,
        "totalUnrealizedProfit": profit,
        "totalMarginBalance": view.contract_balance + isolated + profit,
        "totalPositionInitialMargin": margin,
        "totalOpenOrderInitialMargin": view.order_hold,
        "totalCrossWalletBalance": view.contract_balance,
        "totalCrossUnPnl": cross_profit,
        "availableBalance": exchange.available_balance(call.account),
        "maxWithdrawAmount": exchange.available_balance(call.account),
    }


def account(call: Call, _: Nothing) -> object:
    """Return the account as version 3 has it: positions that are open."""
    views = call.venue.exchange.positions(call.account)
    rows = [account_position_row(call, view, call.grid(view.symbol)) for view in views]
    return {**_sums_and_assets(call), "positions": rows}


def account_v2(call: Call, _: Nothing) -> object:
    """Return the account as version 2 has it: with settings, and with flat positions."""
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": False,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
        **_sums_and_assets(call),
        "positions": [
            account_position_row_v2(call, view, call.grid(view.symbol))
            for view in _all_views(call, None)
        ],
    }


def _sums_and_assets(call: Call) -> Row:
    sums = _figures(call)
    texts: Row = {name: money_text(money) for name, money in sums.items()}
    asset: Row = {
        "asset": "USDT",
        "walletBalance": texts["totalWalletBalance"],
        "unrealizedProfit": texts["totalUnrealizedProfit"],
        "marginBalance": texts["totalMarginBalance"],
        "maintMargin": texts["totalMaintMargin"],
        "initialMargin": texts["totalInitialMargin"],
        "positionInitialMargin": texts["totalPositionInitialMargin"],
        "openOrderInitialMargin": texts["totalOpenOrderInitialMargin"],
        "crossWalletBalance": texts["totalCrossWalletBalance"],
        "crossUnPnl": texts["totalCrossUnPnl"],
        "availableBalance": texts["availableBalance"],
        "maxWithdrawAmount": texts["maxWithdrawAmount"],
        "marginAvailable": True,
        "updateTime": ms(call.venue.now()),
    }
    return {**texts, "assets": [asset]}


def balance(call: Call, _: Nothing) -> object:
    sums = {name: money_text(money) for name, money in _figures(call).items()}
    return [
        {
            "accountAlias": f"sim{call.account}",
            "asset": "USDT",
            "balance": sums["totalWalletBalance"],
            "crossWalletBalance": sums["totalCrossWalletBalance"],
            "crossUnPnl": sums["totalCrossUnPnl"],
            "availableBalance": sums["availableBalance"],
            "maxWithdrawAmount": sums["maxWithdrawAmount"],
            "marginAvailable": True,
            "updateTime": ms(call.venue.now()),
        }
    ]


def _all_views(call: Call, symbol: str | None) -> list[PositionView]:
    """Return the positions of one instrument or of all, flat ones too."""
    return [
        call.venue.exchange.position(call.account, grid.instrument.symbol, leg)
        for grid in call.grids(symbol)
        for leg in LEGS[call.position_mode]
    ]


def positions(call: Call, params: MaybeSymbol) -> object:
    """Return the positions that are open or have orders, as version 3 has them."""
    ordered = {order.symbol for order in in_book(call, params.symbol)}
    return [
        position_row(call, view, call.grid(view.symbol))
        for view in _all_views(call, params.symbol)
        if view.contracts or view.symbol in ordered
    ]


def positions_v2(call: Call, params: MaybeSymbol) -> object:
    """Return positions, flat ones too, as version 2 has them."""
    views = _all_views(call, params.symbol)
    return [position_row_v2(call, view, call.grid(view.symbol)) for view in views]


def queue_places(call: Call, params: MaybeSymbol) -> object:
    """Return where open positions stand in the queue of deleveraging, 0 to 4."""
    rows: list[Row] = []
    for grid in call.grids(params.symbol):
        symbol = grid.instrument.symbol
        views = _all_views(call, symbol)
        if not any(view.contracts for view in views):
            continue
        places: dict[str, object] = dict.fromkeys(("LONG", "SHORT"), 0)
        places["BOTH" if call.position_mode is PositionMode.ONE_WAY else "HEDGE"] = 0
        for view in views:
            place = position_row(call, view, grid)["adl"]
            places[NAMES_BY_SIDE[view.position_side]] = place
        rows.append({"symbol": symbol, "adlQuantile": places})
    return rows[0] if params.symbol and rows else rows


def spot_account(call: Call, _: SpotAccount) -> object:
    """Return the spot wallet, which holds the settle currency only."""
    free = money_text(call.venue.exchange.account(call.account).spot_balance)
    return {
        "makerCommission": 0,
        "takerCommission": 0,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": "0", "taker": "0", "buyer": "0", "seller": "0"},
        "canTrade": False,
        "canWithdraw": False,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": ms(call.venue.now()),
        "accountType": "SPOT",
        "balances": [{"asset": "USDT", "free": free, "locked": "0"}],
        "permissions": [],
        "uid": call.account,
    }


ENDPOINTS = (
    Endpoint("GET", "/fapi/v3/account", Nothing, account, READ, 5),
    Endpoint("GET", "/fapi/v2/account", Nothing, account_v2, READ, 5),
    Endpoint("GET", "/fapi/v3/balance", Nothing, balance, READ, 5),
    Endpoint("GET", "/fapi/v2/balance", Nothing, balance, READ, 5),
    Endpoint("GET", "/fapi/v3/positionRisk", MaybeSymbol, positions, READ, 5),
    Endpoint("GET", "/fapi/v2/positionRisk", MaybeSymbol, positions_v2, READ, 5),
    Endpoint("GET", "/fapi/v1/adlQuantile", MaybeSymbol, queue_places, READ, 5),
    Endpoint("GET", "/api/v3/account", SpotAccount, spot_account, READ, 20),
)
