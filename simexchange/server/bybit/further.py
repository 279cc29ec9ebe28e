"""Questions that few clients ask: the fund, what may be borrowed, what never expires here."""

from typing import Literal

from simexchange.core.accounts import INSURANCE_FUND
from simexchange.server.amounts import money_text
from simexchange.server.bybit import errors
from simexchange.server.bybit.call import POSITION, READ, Call, Endpoint, require_linear
from simexchange.server.bybit.errors import WireError
from simexchange.server.bybit.market import Instruments, instruments
from simexchange.server.bybit.paging import ms
from simexchange.server.bybit.parameters import Category, Params, Text, Whole
from simexchange.server.bybit.users import own_sub

_COIN = "USDT"


class Coin(Params, frozen=True):
    coin: Text = None


def insurance(call: Call, params: Coin) -> object:
    """Return what the insurance fund holds for all instruments together."""
    exchange = call.venue.exchange
    symbols = ",".join(instrument.symbol for instrument in exchange.instruments)
    balance = money_text(exchange.equity(INSURANCE_FUND))
    row = {"coin": _COIN, "symbols": symbols, "balance": balance, "value": balance}
    rows = [row] if params.coin in (None, "", _COIN) else []
    return {"updatedTime": ms(exchange.now), "list": rows}


class Deliveries(Params, frozen=True):
    category: Category
    symbol: Text = None
    base_coin: Text = None
    settle_coin: Text = None
    exp_date: Text = None
    start_time: Whole = None
    end_time: Whole = None
    limit: Whole = None
    cursor: Text = None


def no_deliveries(_: Call, params: Deliveries) -> object:
    """Return an empty list: a perpetual is never delivered, nor settled by session."""
    return {"category": params.category, "nextPageCursor": "", "list": []}


class Currency(Params, frozen=True):
    currency: Text = None


def collateral(_: Call, params: Currency) -> object:
    """Return the one coin of the account, which is its own money and cannot be borrowed."""
    row = {
        "currency": _COIN,
        "hourlyBorrowRate": "0",
        "maxBorrowingAmount": "0",
        "freeBorrowingAmount": "",
        "freeBorrowingLimit": "0",
        "freeBorrowAmount": "0",
        "borrowAmount": "0",
        "availableToBorrow": "0",
        "borrowUsageRate": "0",
        "otherBorrowAmount": "0",
        "borrowable": False,
        "marginCollateral": True,
        "collateralSwitch": True,
        "collateralRatio": "1",
    }
    return {"list": [row] if params.currency in (None, "", _COIN) else []}


class Borrowings(Currency, frozen=True):
    start_time: Whole = None
    end_time: Whole = None
    limit: Whole = None
    cursor: Text = None


def no_borrowings(_: Call, __: Borrowings) -> object:
    return {"nextPageCursor": "", "list": []}


class Coins(Params, frozen=True):
    coin_name: str


def transferable(call: Call, params: Coins) -> object:
    """Return what may be moved out of the account, coin by coin; others than its own are none."""
    coins = params.coin_name.split(",")
    money = money_text(call.venue.exchange.available_balance(call.account))
    each = {coin: money if coin == _COIN else "0" for coin in coins}
    return {"availableWithdrawal": each[coins[0]], "availableWithdrawalMap": each}


class Members(Params, frozen=True):
    member_ids: Text = None


def member_types(call: Call, params: Members) -> object:
    """Return which wallets an account has, its own or those of its sub-accounts."""
    named = params.member_ids.split(",") if params.member_ids else []
    accounts = [own_sub(call, uid) for uid in named] or [call.account]
    return {
        "accounts": [
            {"uid": str(account), "accountType": ["UNIFIED", "FUND"]} for account in accounts
        ]
    }


class AutoMargin(Params, frozen=True):
    category: Category
    symbol: str
    auto_add_margin: Literal[0, 1]
    position_idx: Literal[0, 1, 2] | None = None


def set_auto_margin(call: Call, params: AutoMargin) -> object:
    """Take that no margin is added by itself; the exchange never does."""
    require_linear(params.category)
    call.grid(params.symbol)
    if params.auto_add_margin:
        raise WireError(errors.PARAMETER, "autoAddMargin is not offered here")
    return {}


class Isolation(Params, frozen=True):
    category: Category
    symbol: str
    trade_mode: Literal[0, 1]
    buy_leverage: str
    sell_leverage: str


def switch_isolated(_: Call, __: Isolation) -> object:
    """Refuse: a unified account has one margin mode, which is set for all of it."""
    raise WireError(errors.FORBIDDEN_FOR_UNIFIED)


ENDPOINTS = (
    Endpoint("GET", "/v5/market/insurance", Coin, insurance),
    Endpoint("GET", "/v5/market/delivery-price", Deliveries, no_deliveries),
    Endpoint("GET", "/v5/asset/delivery-record", Deliveries, no_deliveries, READ),
    Endpoint("GET", "/v5/asset/settlement-record", Deliveries, no_deliveries, READ),
    Endpoint("GET", "/v5/account/instruments-info", Instruments, instruments, READ),
    Endpoint("GET", "/v5/account/collateral-info", Currency, collateral, READ),
    Endpoint("GET", "/v5/account/borrow-history", Borrowings, no_borrowings, READ),
    Endpoint("GET", "/v5/account/withdrawal", Coins, transferable, READ),
    Endpoint("GET", "/v5/user/get-member-type", Members, member_types, READ),
    Endpoint("POST", "/v5/position/set-auto-add-margin", AutoMargin, set_auto_margin, POSITION),
    Endpoint("POST", "/v5/position/switch-isolated", Isolation, switch_isolated, POSITION),
)
