"""Settings of the account and its positions: leverage, margin, modes, tiers, fees."""

from decimal import Decimal
from typing import Literal

from simexchange.core.commands import AdjustMargin, SetLeverage, SetMarginMode, SetPositionMode
from simexchange.core.types import MarginMode, PositionMode, PositionSide, RejectReason
from simexchange.server.amounts import Grid, money_text, rate_text
from simexchange.server.binance import errors
from simexchange.server.binance.call import (
    NAMES_BY_SIDE,
    READ,
    TRADE,
    Call,
    Endpoint,
    check,
    money_of,
    position_side,
)
from simexchange.server.binance.errors import WireError, refusal_error
from simexchange.server.binance.market import OneSymbol, Row, ms
from simexchange.server.binance.order_queries import MaybeSymbol
from simexchange.server.binance.orders import WireLeg
from simexchange.server.binance.parameters import Nothing, Params, WireFlag, at_most, between_us
from simexchange.server.binance.position_rows import max_notional

LEGS = {
    PositionMode.ONE_WAY: (PositionSide.NET,),
    PositionMode.HEDGE: (PositionSide.LONG, PositionSide.SHORT),
}
_DONE = {"code": 200, "msg": "success"}


class LeverageParams(Params, frozen=True):
    symbol: str
    leverage: int


def set_leverage(call: Call, params: LeverageParams) -> object:
    """Set the leverage; the present one is taken as any other."""
    grid = call.grid(params.symbol)
    events = call.venue.apply(SetLeverage(call.account, params.symbol, params.leverage))
    refusal = call.venue.refusal(events)
    if refusal is not None and refusal.reason is not RejectReason.UNCHANGED:
        raise refusal_error(refusal.reason, refusal.message)
    view = call.venue.exchange.position(call.account, params.symbol, LEGS[call.position_mode][0])
    return {
        "leverage": view.leverage,
        "maxNotionalValue": max_notional(view, grid),
        "symbol": params.symbol,
    }


class MarginTypeParams(Params, frozen=True):
    symbol: str
    margin_type: Literal["ISOLATED", "CROSSED"]


def set_margin_type(call: Call, params: MarginTypeParams) -> object:
    call.grid(params.symbol)
    mode = MarginMode.ISOLATED if params.margin_type == "ISOLATED" else MarginMode.CROSS
    events = call.venue.apply(SetMarginMode(call.account, params.symbol, mode))
    check(call, events, {RejectReason.UNCHANGED: errors.MARGIN_UNCHANGED})
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
    check(call, call.venue.apply(SetPositionMode(call.account, mode)), codes)
    return _DONE


def side_mode(call: Call, _: Nothing) -> object:
    return {"dualSidePosition": call.position_mode is PositionMode.HEDGE}


class AssetMode(Params, frozen=True):
    multi_assets_margin: WireFlag


def set_asset_mode(_: Call, params: AssetMode) -> object:
    """Only one asset is margin here, so this can only be left as it is."""
    if params.multi_assets_margin == "true":
        raise WireError(errors.MULTI_ASSETS)
    raise WireError(errors.Code(-4171, "No need to change margin mode."))


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
        view = call.venue.exchange.position(call.account, symbol, LEGS[call.position_mode][0])
        rows.append(
            {
                "symbol": symbol,
                "marginType": (
                    "ISOLATED" if view.margin_mode is MarginMode.ISOLATED else "CROSSED"
                ),
                "isAutoAddMargin": False,
                "leverage": view.leverage,
                "maxNotionalValue": max_notional(view, grid),
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
    if not money_of(params.amount):
        raise WireError(errors.NOT_POSITIVE)
    money = money_of(params.amount) * (1 if params.type == "1" else -1)
    events = call.venue.apply(AdjustMargin(call.account, params.symbol, side, money))
    check(call, events, {RejectReason.NO_POSITION: errors.NO_ISOLATED_POSITION})
    return {
        "amount": Decimal(params.amount),
        "code": 200,
        "msg": "Successfully modify position margin.",
        "type": int(params.type),
    }


class MarginHistory(Params, frozen=True):
    symbol: str
    type: Literal["1", "2"] | None = None
    start_time: int | None = None
    end_time: int | None = None
    limit: int = 500


def margin_history(call: Call, params: MarginHistory) -> object:
    """Return what was put into and taken from isolated positions, newest first."""
    call.grid(params.symbol)
    start, end = between_us(params.start_time, params.end_time)
    limit = at_most(params.limit, 500)
    rows: list[Row] = [
        {
            "symbol": event.symbol,
            "type": 1 if event.money > 0 else 2,
            "deltaType": "USER_ADJUST",
            "amount": money_text(event.money),
            "asset": "USDT",
            "time": ms(event.at),
            "positionSide": NAMES_BY_SIDE[event.position_side],
            "clientTranId": "",
        }
        for event in reversed(call.records.margins)
        if event.symbol == params.symbol and start <= event.at <= end
    ]
    return [row for row in rows if params.type in (None, str(row["type"]))][:limit]


def trading_status(call: Call, _: MaybeSymbol) -> object:
    """Return the indicators of trading rules, of which none is measured here."""
    return {"indicators": {}, "updateTime": ms(call.venue.now())}


def fee_burn(_: Call, __: Nothing) -> object:
    return {"feeBurn": False}


ENDPOINTS = (
    Endpoint("POST", "/fapi/v1/leverage", LeverageParams, set_leverage, TRADE),
    Endpoint("POST", "/fapi/v1/marginType", MarginTypeParams, set_margin_type, TRADE),
    Endpoint("POST", "/fapi/v1/positionMargin", MarginParams, adjust_margin, TRADE),
    Endpoint("GET", "/fapi/v1/positionMargin/history", MarginHistory, margin_history, READ),
    Endpoint("POST", "/fapi/v1/positionSide/dual", SideMode, set_side_mode, TRADE),
    Endpoint("GET", "/fapi/v1/positionSide/dual", Nothing, side_mode, READ, 30),
    Endpoint("POST", "/fapi/v1/multiAssetsMargin", AssetMode, set_asset_mode, TRADE),
    Endpoint("GET", "/fapi/v1/multiAssetsMargin", Nothing, asset_mode, READ, 30),
    Endpoint("GET", "/fapi/v1/accountConfig", Nothing, account_config, READ, 5),
    Endpoint("GET", "/fapi/v1/symbolConfig", MaybeSymbol, symbol_config, READ, 5),
    Endpoint("GET", "/fapi/v1/leverageBracket", MaybeSymbol, brackets, READ),
    Endpoint("GET", "/fapi/v1/commissionRate", OneSymbol, commission, READ, 20),
    Endpoint("GET", "/fapi/v1/apiTradingStatus", MaybeSymbol, trading_status, READ),
    Endpoint("GET", "/fapi/v1/feeBurn", Nothing, fee_burn, READ, 30),
)
