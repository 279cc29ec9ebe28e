"""Coins, and money moved between wallets and accounts."""

from typing import Literal
from uuid import UUID

from simexchange.core.commands import Transfer
from simexchange.core.types import RejectReason, Wallet
from simexchange.server.amounts import is_decimal, money_from, money_text
from simexchange.server.bybit import errors
from simexchange.server.bybit.call import (
    ACCOUNT_TRANSFER,
    READ,
    SUB_TRANSFER,
    Call,
    Endpoint,
)
from simexchange.server.bybit.errors import Code, WireError
from simexchange.server.bybit.order_rows import Row
from simexchange.server.bybit.paging import limited, ms, page, window
from simexchange.server.bybit.parameters import Params, Text, Whole
from simexchange.server.limits import Quota
from simexchange.server.records.rows import KeptTransfer

_COIN = "USDT"
_PREFIX = "bybit"
_WALLETS = {"UNIFIED": Wallet.CONTRACT, "FUND": Wallet.SPOT}
_TYPES = {Wallet.CONTRACT: "UNIFIED", Wallet.SPOT: "FUND"}
_QUOTA = Quota(20)
AccountType = Literal["UNIFIED", "FUND", "CONTRACT", "SPOT", "OPTION", "INVESTMENT"]


class CoinQuery(Params, frozen=True):
    coin: Text = None


def coins(call: Call, params: CoinQuery) -> object:
    names = {_COIN: None} | {i.base: None for i in call.venue.exchange.instruments}
    rows: list[Row] = [
        {"name": name, "coin": name, "remainAmount": "0", "chains": []}
        for name in names
        if params.coin in (None, name)
    ]
    return {"rows": rows}


# ---------------------------------------------------------------------------- transfers


class InterTransfer(Params, frozen=True):
    transfer_id: str
    coin: str
    amount: str
    from_account_type: AccountType
    to_account_type: AccountType


def inter_transfer(call: Call, params: InterTransfer) -> object:
    if params.from_account_type == params.to_account_type:
        raise WireError(errors.SAME_ACCOUNT_TYPE)
    account = call.account
    return _move(call, params, account, account)


class UniversalTransfer(Params, frozen=True):
    transfer_id: str
    coin: str
    amount: str
    from_member_id: int
    to_member_id: int
    from_account_type: AccountType
    to_account_type: AccountType


def universal_transfer(call: Call, params: UniversalTransfer) -> object:
    """Move money within one owner's accounts; a sub-account may give only its own."""
    for member in (params.from_member_id, params.to_member_id):
        if member not in _family(call):
            raise WireError(errors.MEMBER_UNKNOWN)
    is_master = call.venue.exchange.account(call.account).owner is None
    if not is_master and params.from_member_id != call.account:
        raise WireError(errors.MEMBER_UNKNOWN)
    return _move(call, params, params.from_member_id, params.to_member_id)


def _family(call: Call) -> tuple[int, ...]:
    """Return all accounts of the caller's owner, the owner first."""
    owner = call.venue.exchange.account(call.account).owner
    head = call.account if owner is None else owner
    return (head, *call.venue.members.of(head))


def _move(
    call: Call, params: InterTransfer | UniversalTransfer, from_account: int, to_account: int
) -> object:
    money = _money(params)
    transfer_id = _transfer_id(call, params.transfer_id)
    if call.venue.exchange.transfer(transfer_id) is not None:
        raise WireError(errors.TRANSFER_REPEATED)
    command = Transfer(
        from_account,
        _wallet(params.from_account_type, errors.NO_TRANSFER_OUT),
        to_account,
        _wallet(params.to_account_type, errors.NO_TRANSFER_IN),
        money,
        transfer_id,
    )
    refusal = call.venue.refusal(call.venue.apply(command))
    if refusal is not None:
        code = {
            RejectReason.INSUFFICIENT_BALANCE: errors.TRANSFER_BALANCE,
            RejectReason.INVALID_REQUEST: errors.SAME_ACCOUNT_TYPE,
        }.get(refusal.reason, errors.TRANSFER_PARAMETER)
        raise WireError(code, f"{code.message} ({refusal.message})")
    return {"transferId": params.transfer_id, "status": "SUCCESS"}


def _transfer_id(call: Call, text: str) -> str:
    """Return the exchange's id of a transfer: the client's UUID, apart for each caller."""
    try:
        UUID(text)
    except ValueError as error:
        raise WireError(
            errors.TRANSFER_PARAMETER, "Request parameter error: transferId must be a UUID"
        ) from error
    return f"{_PREFIX}/{call.account}/{text}"


def _money(params: InterTransfer | UniversalTransfer) -> int:
    if params.coin != _COIN:
        raise WireError(errors.TRANSFER_PARAMETER, f"the coin {params.coin} is not held here")
    if not is_decimal(params.amount):
        raise WireError(errors.TRANSFER_AMOUNT)
    try:
        money = money_from(params.amount)
    except ValueError as error:
        raise WireError(errors.AMOUNT_PRECISION) from error
    if money == 0:
        raise WireError(errors.TRANSFER_AMOUNT)
    return money


def _wallet(account_type: str, code: Code) -> Wallet:
    wallet = _WALLETS.get(account_type)
    if wallet is None:
        raise WireError(code)
    return wallet


class TransferQuery(Params, frozen=True):
    transfer_id: Text = None
    coin: Text = None
    status: Literal["SUCCESS", "PENDING", "FAILED"] | None = None
    start_time: Whole = None
    end_time: Whole = None
    limit: Whole = None
    cursor: Text = None


def inter_transfers(call: Call, params: TransferQuery) -> object:
    rows = [t for t in call.records.transfers if t.from_account == t.to_account]
    shown, cursor = _select(call, params, rows)
    return {"list": [_transfer_row(row) for row in shown], "nextPageCursor": cursor}


def universal_transfers(call: Call, params: TransferQuery) -> object:
    """Return the transfers between accounts of the caller, each once."""
    accounts = _family(call) if call.account == _family(call)[0] else (call.account,)
    found = {
        row.sequence: row
        for account in accounts
        for row in call.venue.records.of(account).transfers
        if row.from_account != row.to_account
    }
    shown, cursor = _select(call, params, [found[sequence] for sequence in sorted(found)])
    rows = [
        {
            **_transfer_row(row),
            "fromMemberId": str(row.from_account),
            "toMemberId": str(row.to_account),
        }
        for row in shown
    ]
    return {"list": rows, "nextPageCursor": cursor}


def _select(
    call: Call, params: TransferQuery, rows: list[KeptTransfer]
) -> tuple[list[KeptTransfer], str]:
    most = limited(params.limit, 20, 50)
    start, end = window(params.start_time, params.end_time, call.venue.now())
    fitting = [
        row
        for row in reversed(rows)
        if start <= row.at <= end
        and params.coin in (None, _COIN)
        and params.status in (None, "SUCCESS")
        and params.transfer_id in (None, _wire_id(row))
    ]
    return page(fitting, lambda row: row.sequence, params.cursor, most)


def _wire_id(row: KeptTransfer) -> str:
    return row.transfer_id.rpartition("/")[2]


def _transfer_row(row: KeptTransfer) -> Row:
    return {
        "transferId": _wire_id(row),
        "coin": _COIN,
        "amount": money_text(row.money),
        "fromAccountType": _TYPES[row.from_wallet],
        "toAccountType": _TYPES[row.to_wallet],
        "timestamp": ms(row.at),
        "status": "SUCCESS",
    }


# ---------------------------------------------------------------------------- balances


class CoinsBalance(Params, frozen=True):
    account_type: AccountType
    member_id: Text = None
    coin: Text = None
    with_bonus: Whole = None


def coins_balance(call: Call, params: CoinsBalance) -> object:
    account = _member(call, params.member_id)
    balance = [] if params.coin not in (None, _COIN) else [_balance_row(call, account, params)]
    return {
        "memberId": str(account),
        "accountType": params.account_type,
        "balance": balance,
    }


class CoinBalance(CoinsBalance, frozen=True):
    to_member_id: Text = None
    to_account_type: Text = None
    with_transfer_safe_amount: Whole = None
    with_ltv_transfer_safe_amount: Whole = None


def coin_balance(call: Call, params: CoinBalance) -> object:
    if params.coin != _COIN:
        raise WireError(errors.TRANSFER_PARAMETER, f"the coin {params.coin} is not held here")
    account = _member(call, params.member_id)
    return {
        "accountType": params.account_type,
        "bizType": 1,
        "accountId": str(account),
        "memberId": str(account),
        "balance": {**_balance_row(call, account, params), "transferSafeAmount": ""},
    }


def _member(call: Call, member_id: str | None) -> int:
    if not member_id:
        return call.account
    number = int(member_id) if member_id.isdecimal() else -1
    if number not in _family(call):
        raise WireError(errors.MEMBER_UNKNOWN)
    return number


def _balance_row(call: Call, account: int, params: CoinsBalance) -> Row:
    exchange = call.venue.exchange
    view = exchange.account(account)
    balance = movable = 0
    if params.account_type == "FUND":
        balance = movable = view.spot_balance
    elif params.account_type == "UNIFIED":
        balance = call.venue.records.of(account).cash
        movable = exchange.available_balance(account)
    return {
        "coin": _COIN,
        "walletBalance": money_text(balance),
        "transferBalance": money_text(movable),
        "bonus": "",
    }


class TransferCoins(Params, frozen=True):
    from_account_type: AccountType
    to_account_type: AccountType


def transfer_coins(_: Call, params: TransferCoins) -> object:
    known = params.from_account_type in _WALLETS and params.to_account_type in _WALLETS
    return {"list": [_COIN] if known else []}


ENDPOINTS = (
    Endpoint("GET", "/v5/asset/coin/query-info", CoinQuery, coins, READ, Quota(5)),
    Endpoint(
        "POST",
        "/v5/asset/transfer/inter-transfer",
        InterTransfer,
        inter_transfer,
        ACCOUNT_TRANSFER,
        _QUOTA,
    ),
    Endpoint(
        "GET",
        "/v5/asset/transfer/query-inter-transfer-list",
        TransferQuery,
        inter_transfers,
        READ,
        _QUOTA,
    ),
    Endpoint(
        "POST",
        "/v5/asset/transfer/universal-transfer",
        UniversalTransfer,
        universal_transfer,
        SUB_TRANSFER,
        _QUOTA,
    ),
    Endpoint(
        "GET",
        "/v5/asset/transfer/query-universal-transfer-list",
        TransferQuery,
        universal_transfers,
        READ,
        _QUOTA,
    ),
    Endpoint(
        "GET", "/v5/asset/transfer/query-account-coins-balance", CoinsBalance, coins_balance, READ
    ),
    Endpoint(
        "GET", "/v5/asset/transfer/query-account-coin-balance", CoinBalance, coin_balance, READ
    ),
    Endpoint(
        "GET", "/v5/asset/transfer/query-transfer-coin-list", TransferCoins, transfer_coins, READ
    ),
)
