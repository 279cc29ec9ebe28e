"""The account: balances, positions, modes, fees, income, wallet transfers."""

from decimal import Decimal
from typing import Literal

from simexchange.core.commands import (
    AdjustMargin,
    SetLeverage,
    SetMarginMode,
    SetPositionMode,
    Transfer,
)
from simexchange.core.events import Event
from simexchange.core.types import (
    MarginMode,
    PositionMode,
    PositionSide,
    RejectReason,
    Wallet,
)
from simexchange.core.views import PositionView
from simexchange.server.amounts import Grid, money_from, money_text, rate_text
from simexchange.server.binance import errors
from simexchange.server.binance.call import (
    KEYED,
    READ,
    TRADE,
    TRANSFER,
    Call,
    Endpoint,
    Nothing,
    Params,
    position_side,
)
from simexchange.server.binance.errors import WireError, refusal_error
from simexchange.server.binance.market import Row, ms
from simexchange.server.binance.orders import MaybeSymbol, OneSymbol, WireFlag, WireLeg, window
from simexchange.server.binance.rows import position_row
from simexchange.server.records.rows import CashEntry, EntryKind, KeptTransfer

_LEGS = {
    PositionMode.ONE_WAY: (PositionSide.NET,),
    PositionMode.HEDGE: (PositionSide.LONG, PositionSide.SHORT),
}
_DONE = {"code": 200, "msg": "success"}
_PREFIX = "binance"


def _check(call: Call, events: list[Event], codes: dict[RejectReason, errors.Code]) -> None:
    """Raise the error of a refusal among the events, if there is one."""
    refusal = call.venue.refusal(events)
    if refusal is None:
        return
    code = codes.get(refusal.reason)
    if code is None:
        raise refusal_error(refusal.reason, refusal.message)
    raise WireError(code)


# ---------------------------------------------------------------------------- balances


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
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": False,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
        **texts,
        "assets": [asset],
        "positions": _position_rows(call, None, with_flat=False),
    }


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


def _position_rows(call: Call, symbol: str | None, *, with_flat: bool) -> list[Row]:
    exchange = call.venue.exchange
    views: list[PositionView] = []
    if with_flat or symbol:
        for grid in call.grids(symbol):
            name = grid.instrument.symbol
            views += [
                exchange.position(call.account, name, leg) for leg in _LEGS[call.position_mode]
            ]
    if not with_flat:
        views = (
            [view for view in views if view.contracts]
            if symbol
            else exchange.positions(call.account)
        )
    return [position_row(call, view, call.grid(view.symbol)) for view in views]


def positions(call: Call, params: MaybeSymbol) -> object:
    """Return open positions."""
    if params.symbol:
        call.grid(params.symbol)
    return _position_rows(call, params.symbol, with_flat=False)


def all_positions(call: Call, params: MaybeSymbol) -> object:
    """Return positions, flat ones too, as version 2 has them."""
    return _position_rows(call, params.symbol, with_flat=True)


# ---------------------------------------------------------------------------- settings


class LeverageParams(Params, frozen=True):
    symbol: str
    leverage: int


def set_leverage(call: Call, params: LeverageParams) -> object:
    grid = call.grid(params.symbol)
    events = call.venue.apply(SetLeverage(call.account, params.symbol, params.leverage))
    refusal = call.venue.refusal(events)
    if refusal is not None and refusal.reason is not RejectReason.UNCHANGED:
        raise refusal_error(refusal.reason, refusal.message)
    view = call.venue.exchange.position(call.account, params.symbol, _LEGS[call.position_mode][0])
    row = position_row(call, view, grid)
    return {
        "leverage": view.leverage,
        "maxNotionalValue": row["maxNotionalValue"],
        "symbol": params.symbol,
    }


class MarginTypeParams(Params, frozen=True):
    symbol: str
    margin_type: Literal["ISOLATED", "CROSSED"]


def set_margin_type(call: Call, params: MarginTypeParams) -> object:
    call.grid(params.symbol)
    mode = MarginMode.ISOLATED if params.margin_type == "ISOLATED" else MarginMode.CROSS
    events = call.venue.apply(SetMarginMode(call.account, params.symbol, mode))
    _check(call, events, {RejectReason.UNCHANGED: errors.MARGIN_UNCHANGED})
    return _DONE


class SideMode(Params, frozen=True):
    dual_side_position: WireFlag


def set_side_mode(call: Call, params: SideMode) -> object:
    mode = PositionMode.HEDGE if params.dual_side_position == "true" else PositionMode.ONE_WAY
    codes = {
        RejectReason.UNCHANGED: errors.SIDE_UNCHANGED,
        RejectReason.OPEN_ORDERS: errors.SIDE_ORDERS,
        RejectReason.OPEN_POSITION: errors.SIDE_POSITION,
    }
    _check(call, call.venue.apply(SetPositionMode(call.account, mode)), codes)
    return _DONE


def side_mode(call: Call, _: Nothing) -> object:
    return {"dualSidePosition": call.position_mode is PositionMode.HEDGE}


def asset_mode(_: Call, __: Nothing) -> object:
    return {"multiAssetsMargin": False}


def account_config(call: Call, _: Nothing) -> object:
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": False,
        "dualSidePosition": call.position_mode is PositionMode.HEDGE,
        "updateTime": 0,
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


def symbol_config(call: Call, params: MaybeSymbol) -> object:
    rows: list[Row] = []
    for grid in call.grids(params.symbol):
        symbol = grid.instrument.symbol
        view = call.venue.exchange.position(call.account, symbol, _LEGS[call.position_mode][0])
        rows.append(
            {
                "symbol": symbol,
                "marginType": (
                    "ISOLATED" if view.margin_mode is MarginMode.ISOLATED else "CROSSED"
                ),
                "isAutoAddMargin": False,
                "leverage": view.leverage,
                "maxNotionalValue": position_row(call, view, grid)["maxNotionalValue"],
            }
        )
    return rows


def brackets(call: Call, params: MaybeSymbol) -> object:
    return [
        {
            "symbol": grid.instrument.symbol,
            "notionalCoef": 1,
            "brackets": _bracket_rows(grid),
        }
        for grid in call.grids(params.symbol)
    ]


def _bracket_rows(grid: Grid) -> list[Row]:
    tiers = grid.instrument.tiers
    ends = [tier.floor for tier in tiers[1:]] + [10**20]
    return [
        {
            "bracket": number,
            "initialLeverage": tier.max_leverage,
            "notionalCap": end // 10**8,
            "notionalFloor": tier.floor // 10**8,
            "maintMarginRatio": Decimal(tier.maintenance_rate).scaleb(-8),
            "cum": Decimal(tier.deduction).scaleb(-8),
        }
        for number, (tier, end) in enumerate(zip(tiers, ends, strict=True), start=1)
    ]


def commission(call: Call, params: OneSymbol) -> object:
    instrument = call.grid(params.symbol).instrument
    terms = call.venue.exchange.account(call.account)
    maker = instrument.maker_fee if terms.maker_fee is None else terms.maker_fee
    taker = instrument.taker_fee if terms.taker_fee is None else terms.taker_fee
    return {
        "symbol": params.symbol,
        "makerCommissionRate": rate_text(maker),
        "takerCommissionRate": rate_text(taker),
        "rpiCommissionRate": "0",
    }


class MarginParams(Params, frozen=True):
    symbol: str
    amount: str
    type: Literal["1", "2"]
    position_side: WireLeg | None = None


def adjust_margin(call: Call, params: MarginParams) -> object:
    call.grid(params.symbol)
    side = position_side(params.position_side, call.position_mode)
    money = _money(params.amount) * (1 if params.type == "1" else -1)
    events = call.venue.apply(AdjustMargin(call.account, params.symbol, side, money))
    _check(call, events, {})
    return {
        "amount": params.amount,
        "code": 200,
        "msg": "Successfully modify position margin.",
        "type": int(params.type),
    }


def _money(text: str) -> int:
    try:
        return money_from(text)
    except ValueError as error:
        raise WireError(errors.TOO_PRECISE, f"{errors.TOO_PRECISE.message} ({error})") from error


# ---------------------------------------------------------------------------- income, transfers


class IncomeQuery(Params, frozen=True):
    symbol: str | None = None
    income_type: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    page: int = 1
    limit: int = 100


def income(call: Call, params: IncomeQuery) -> object:
    start, end = window(call, params.start_time, params.end_time)
    rows = [
        row
        for entry in call.records.entries
        if start <= entry.at <= end and params.symbol in (None, entry.symbol)
        for row in _income_rows(entry)
        if params.income_type in (None, row["incomeType"])
    ]
    if params.start_time is None:
        return rows[-params.limit :]
    return rows[(params.page - 1) * params.limit : params.page * params.limit]


def _income_rows(entry: CashEntry) -> list[Row]:
    """Return the incomes that one change of the wallet consists of."""
    parts: list[tuple[str, int]] = []
    if entry.kind is EntryKind.TRADE:
        parts = [("REALIZED_PNL", entry.cash_flow), ("COMMISSION", -entry.fee)]
    elif entry.kind is EntryKind.FUNDING:
        parts = [("FUNDING_FEE", entry.change)]
    elif entry.kind is EntryKind.LIQUIDATION:
        parts = [("INSURANCE_CLEAR", entry.change)]
    else:
        parts = [("TRANSFER", entry.change)]
    fill = entry.fill
    return [
        {
            "symbol": entry.symbol or "",
            "incomeType": kind,
            "income": money_text(money),
            "asset": "USDT",
            "info": "",
            "time": ms(entry.at),
            "tranId": entry.sequence,
            "tradeId": "" if fill is None else str(fill.number),
        }
        for kind, money in parts
        if money
    ]


class WalletTransfer(Params, frozen=True):
    type: str
    asset: str
    amount: str
    from_symbol: str | None = None
    to_symbol: str | None = None


_ROUTES = {
    "MAIN_UMFUTURE": (Wallet.SPOT, Wallet.CONTRACT),
    "FUNDING_UMFUTURE": (Wallet.SPOT, Wallet.CONTRACT),
    "UMFUTURE_MAIN": (Wallet.CONTRACT, Wallet.SPOT),
    "UMFUTURE_FUNDING": (Wallet.CONTRACT, Wallet.SPOT),
}


def transfer(call: Call, params: WalletTransfer) -> object:
    route = _ROUTES.get(params.type)
    if route is None or params.asset != "USDT":
        raise WireError(errors.MANDATORY, "this type or asset of transfer is not offered here")
    number = call.venue.records.next_sequence()
    money = _money(params.amount)
    command = Transfer(call.account, route[0], call.account, route[1], money, f"{_PREFIX}/{number}")
    _check(call, call.venue.apply(command), {})
    return {"tranId": number}


class TransferQuery(Params, frozen=True):
    type: str
    start_time: int | None = None
    end_time: int | None = None
    current: int = 1
    size: int = 10
    from_symbol: str | None = None
    to_symbol: str | None = None


def transfers(call: Call, params: TransferQuery) -> object:
    route = _ROUTES.get(params.type)
    start = -1 if params.start_time is None else params.start_time * 1_000
    end = 2**62 if params.end_time is None else params.end_time * 1_000 + 999
    found = [
        row
        for row in reversed(call.records.transfers)
        if (row.from_wallet, row.to_wallet) == route
        and row.from_account == row.to_account
        and start <= row.at <= end
    ]
    first = (params.current - 1) * params.size
    rows = [_transfer_row(row, params.type) for row in found[first : first + params.size]]
    return {"total": len(found), "rows": rows} if found else {"total": 0}


def _transfer_row(row: KeptTransfer, kind: str) -> Row:
    number = row.transfer_id.rpartition("/")[2]
    return {
        "asset": "USDT",
        "amount": money_text(row.money),
        "type": kind,
        "status": "CONFIRMED",
        "tranId": int(number) if number.isdecimal() else row.sequence,
        "timestamp": ms(row.at),
    }


def coins(call: Call, _: Nothing) -> list[Row]:
    names = {"USDT": None} | {i.base: None for i in call.venue.exchange.instruments}
    spot = call.venue.exchange.account(call.account).spot_balance
    return [
        {
            "coin": name,
            "name": name,
            "free": money_text(spot) if name == "USDT" else "0",
            "locked": "0",
            "isLegalMoney": False,
            "trading": True,
            "depositAllEnable": True,
            "withdrawAllEnable": True,
            "networkList": [],
        }
        for name in names
    ]


def no_pairs(_: Call, __: Nothing) -> object:
    return []


ENDPOINTS = (
    Endpoint("GET", "/fapi/v3/account", Nothing, account, READ, 5),
    Endpoint("GET", "/fapi/v2/account", Nothing, account, READ, 5),
    Endpoint("GET", "/fapi/v3/balance", Nothing, balance, READ, 5),
    Endpoint("GET", "/fapi/v2/balance", Nothing, balance, READ, 5),
    Endpoint("GET", "/fapi/v3/positionRisk", MaybeSymbol, positions, READ, 5),
    Endpoint("GET", "/fapi/v2/positionRisk", MaybeSymbol, all_positions, READ, 5),
    Endpoint("POST", "/fapi/v1/leverage", LeverageParams, set_leverage, TRADE),
    Endpoint("POST", "/fapi/v1/marginType", MarginTypeParams, set_margin_type, TRADE),
    Endpoint("POST", "/fapi/v1/positionMargin", MarginParams, adjust_margin, TRADE),
    Endpoint("POST", "/fapi/v1/positionSide/dual", SideMode, set_side_mode, TRADE),
    Endpoint("GET", "/fapi/v1/positionSide/dual", Nothing, side_mode, READ, 30),
    Endpoint("GET", "/fapi/v1/multiAssetsMargin", Nothing, asset_mode, READ, 30),
    Endpoint("GET", "/fapi/v1/accountConfig", Nothing, account_config, READ, 5),
    Endpoint("GET", "/fapi/v1/symbolConfig", MaybeSymbol, symbol_config, READ, 5),
    Endpoint("GET", "/fapi/v1/leverageBracket", MaybeSymbol, brackets, READ),
    Endpoint("GET", "/fapi/v1/commissionRate", OneSymbol, commission, READ, 20),
    Endpoint("GET", "/fapi/v1/income", IncomeQuery, income, READ, 30),
    Endpoint("POST", "/sapi/v1/asset/transfer", WalletTransfer, transfer, TRANSFER),
    Endpoint("GET", "/sapi/v1/asset/transfer", TransferQuery, transfers, READ),
    Endpoint("GET", "/sapi/v1/capital/config/getall", Nothing, coins, READ),
    Endpoint("GET", "/sapi/v1/margin/allPairs", Nothing, no_pairs, KEYED),
    Endpoint("GET", "/sapi/v1/margin/isolated/allPairs", Nothing, no_pairs, READ),
)
