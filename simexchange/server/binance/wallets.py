"""Money: incomes of the contract wallet, and transfers between an account's own wallets."""

from typing import Literal

from simexchange.core.commands import Transfer
from simexchange.core.types import Wallet
from simexchange.server.amounts import money_text
from simexchange.server.binance import errors
from simexchange.server.binance.call import (
    KEYED,
    READ,
    TRANSFER,
    Call,
    Endpoint,
    check,
    money_of,
)
from simexchange.server.binance.errors import WireError
from simexchange.server.binance.market import Row, ms
from simexchange.server.binance.order_queries import window
from simexchange.server.binance.parameters import Nothing, Params, at_most, between_us
from simexchange.server.keys import ANY_ADDRESS
from simexchange.server.records.rows import CashEntry, EntryKind, KeptTransfer

_INCOMES_MOST = 1_000
PREFIX = "binance"


class IncomeQuery(Params, frozen=True):
    symbol: str | None = None
    income_type: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    page: int = 1
    limit: int = 100


def income(call: Call, params: IncomeQuery) -> object:
    limit = at_most(params.limit, _INCOMES_MOST)
    start, end = window(call, params.start_time, params.end_time)
    rows = [
        row
        for entry in call.records.entries
        if start <= entry.at <= end and params.symbol in (None, entry.symbol)
        for row in _income_rows(entry)
        if params.income_type in (None, row["incomeType"])
    ]
    if params.start_time is None:
        return rows[-limit:]
    return rows[(params.page - 1) * limit : params.page * limit]


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
    return _transfer(call, params.type, params.asset, params.amount)


def _transfer(call: Call, kind: str, asset: str, amount: str) -> Row:
    route = _ROUTES.get(kind)
    if route is None:
        raise WireError(errors.MANDATORY, f"this type of transfer is not offered here: {kind}")
    if asset != "USDT":
        raise WireError(errors.BAD_ASSET)
    number = call.venue.number_of_now()
    money = money_of(amount)
    if not money:
        raise WireError(errors.NOT_POSITIVE)
    word = f"{PREFIX}/{call.account}/{number}"
    command = Transfer(call.account, route[0], call.account, route[1], money, word)
    check(call, call.venue.apply(command), {})
    return {"tranId": number}


class FuturesTransfer(Params, frozen=True):
    asset: str
    amount: str
    type: Literal["1", "2"]


_OLD_TYPES = {"1": "MAIN_UMFUTURE", "2": "UMFUTURE_MAIN"}


def futures_transfer(call: Call, params: FuturesTransfer) -> object:
    """Transfer as the older endpoint does: 1 to the contract wallet, 2 from it."""
    return _transfer(call, _OLD_TYPES[params.type], params.asset, params.amount)


class FuturesQuery(Params, frozen=True):
    start_time: int
    asset: str | None = None
    end_time: int | None = None
    current: int = 1
    size: int = 10


def futures_transfers(call: Call, params: FuturesQuery) -> object:
    """Return transfers between spot and contract wallet, newest first."""
    start, end = between_us(params.start_time, params.end_time)
    found = [
        row
        for row in reversed(call.records.transfers)
        if row.from_account == row.to_account and start <= row.at <= end
    ]
    first = (params.current - 1) * params.size
    rows: list[Row] = [
        {
            "asset": "USDT",
            "tranId": _number(row),
            "amount": money_text(row.money),
            "type": "1" if row.to_wallet is Wallet.CONTRACT else "2",
            "timestamp": ms(row.at),
            "status": "CONFIRMED",
        }
        for row in found[first : first + params.size]
    ]
    return {"rows": rows, "total": len(found)}


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
    if route is None:
        raise WireError(
            errors.MANDATORY, f"this type of transfer is not offered here: {params.type}"
        )
    start, end = between_us(params.start_time, params.end_time)
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
    return {
        "asset": "USDT",
        "amount": money_text(row.money),
        "type": kind,
        "status": "CONFIRMED",
        "tranId": _number(row),
        "timestamp": ms(row.at),
    }


def _number(row: KeptTransfer) -> int:
    """Return the number under which a transfer was answered."""
    number = row.transfer_id.rpartition("/")[2]
    return int(number) if number.isdecimal() else row.sequence


class OneAsset(Params, frozen=True):
    asset: str | None = None
    need_btc_valuation: str | None = None


def _spot_rows(call: Call, asset: str | None) -> list[Row]:
    spot = call.venue.exchange.account(call.account).spot_balance
    if not spot or asset not in (None, "USDT"):
        return []
    return [
        {
            "asset": "USDT",
            "free": money_text(spot),
            "locked": "0",
            "freeze": "0",
            "withdrawing": "0",
            "btcValuation": "0",
        }
    ]


def user_assets(call: Call, params: OneAsset) -> object:
    """Return what the spot wallet holds."""
    return [{**row, "ipoable": "0"} for row in _spot_rows(call, params.asset)]


def funding_assets(call: Call, params: OneAsset) -> object:
    """Return what the funding wallet holds, which is the spot wallet here."""
    return _spot_rows(call, params.asset)


def restrictions(call: Call, _: Nothing) -> object:
    """Return what the key may do."""
    key = call.key
    return {
        "ipRestrict": ANY_ADDRESS not in key.addresses,
        "createTime": ms(key.created_at),
        "enableReading": True,
        "enableFutures": key.grant.trade,
        "enableSpotAndMarginTrading": False,
        "enableMargin": False,
        "enableWithdrawals": key.grant.withdraw,
        "enableInternalTransfer": key.grant.transfer,
        "permitsUniversalTransfer": key.grant.transfer,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
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
            "freeze": "0",
            "ipoable": "0",
            "ipoing": "0",
            "storage": "0",
            "withdrawing": "0",
            "networkList": [],
        }
        for name in names
    ]


class PairQuery(Params, frozen=True):
    symbol: str | None = None


def no_pairs(_: Call, __: PairQuery) -> object:
    return []


ENDPOINTS = (
    Endpoint("GET", "/fapi/v1/income", IncomeQuery, income, READ, 30),
    Endpoint("POST", "/sapi/v1/asset/transfer", WalletTransfer, transfer, TRANSFER, 900),
    Endpoint("GET", "/sapi/v1/asset/transfer", TransferQuery, transfers, READ),
    Endpoint("POST", "/sapi/v1/futures/transfer", FuturesTransfer, futures_transfer, TRANSFER),
    Endpoint("GET", "/sapi/v1/futures/transfer", FuturesQuery, futures_transfers, READ, 10),
    Endpoint("POST", "/sapi/v1/asset/get-funding-asset", OneAsset, funding_assets, READ),
    Endpoint("POST", "/sapi/v3/asset/getUserAsset", OneAsset, user_assets, READ, 5),
    Endpoint("GET", "/sapi/v1/capital/config/getall", Nothing, coins, READ, 10),
    Endpoint("GET", "/sapi/v1/account/apiRestrictions", Nothing, restrictions, READ),
    Endpoint("GET", "/sapi/v1/margin/allPairs", PairQuery, no_pairs, KEYED),
    Endpoint("GET", "/sapi/v1/margin/isolated/allPairs", PairQuery, no_pairs, READ, 10),
)
