"""Sub-accounts: virtual ones by e-mail, a broker's by number with keys, and money between them."""

import re
from typing import Literal

from simexchange.core.commands import OpenAccount, Transfer
from simexchange.core.events import AccountOpened
from simexchange.core.types import Wallet
from simexchange.server.amounts import money_from, money_text
from simexchange.server.binance import errors
from simexchange.server.binance.call import READ, TRANSFER, Call, Endpoint
from simexchange.server.binance.errors import WireError, refusal_error
from simexchange.server.binance.market import Row, ms
from simexchange.server.binance.parameters import Params, between_us
from simexchange.server.keys import Grant
from simexchange.server.records.rows import KeptTransfer

_NAME = re.compile(r"[A-Za-z0-9]{1,32}")
_DOMAIN = "_virtual@simulated.noemail.com"
_WALLETS = {"SPOT": Wallet.SPOT, "USDT_FUTURE": Wallet.CONTRACT}
_TYPES = {wallet: name for name, wallet in _WALLETS.items()}
_PREFIX = "binance"
_FEW = Literal["true", "false"]
AccountType = Literal["SPOT", "USDT_FUTURE"]
NO_SUCH_SUB = errors.Code(-12022, "The sub-account does not exist or is not yours.")
NAME_TAKEN = errors.Code(-12026, "The sub-account exists already.")


def _email(name: str) -> str:
    return f"{name.lower()}{_DOMAIN}"


def _master(call: Call) -> int:
    if call.venue.exchange.account(call.account).owner is not None:
        raise WireError(errors.REJECTED_KEY)
    return call.account


def _by_email(call: Call, email: str | None) -> int:
    """Return the account of an e-mail; none means the master."""
    master = _master(call)
    if not email:
        return master
    for number, name in call.venue.members.of(master).items():
        if _email(name) == email.lower():
            return number
    raise WireError(NO_SUCH_SUB)


class Virtual(Params, frozen=True):
    sub_account_string: str


def create_virtual(call: Call, params: Virtual) -> object:
    return {"email": _email(_open(call, params.sub_account_string)[1])}


def _open(call: Call, name: str) -> tuple[int, str]:
    master = _master(call)
    if _NAME.fullmatch(name) is None:
        raise WireError(errors.MANDATORY, "a sub-account's name takes 1 to 32 letters and digits")
    if call.venue.members.is_taken(name):
        raise WireError(NAME_TAKEN)
    opened = call.venue.apply(OpenAccount(owner=master, label=name))[0]
    assert isinstance(opened, AccountOpened), f"no account was opened: {opened}"
    return opened.account, name


class Email(Params, frozen=True):
    email: str


def enable_futures(call: Call, params: Email) -> object:
    _by_email(call, params.email)
    return {"email": params.email, "isFuturesEnabled": True}


class SubQuery(Params, frozen=True):
    email: str | None = None
    is_freeze: _FEW | None = None
    page: int = 1
    limit: int = 10


def sub_accounts(call: Call, params: SubQuery) -> object:
    frozen = call.venue.members.frozen
    rows: list[Row] = [
        {
            "subUserId": number,
            "email": _email(name),
            "remark": "",
            "isFreeze": number in frozen,
            "createTime": 0,
            "isManagedSubAccount": False,
            "isAssetManagementSubAccount": False,
        }
        for number, name in call.venue.members.of(_master(call)).items()
        if params.email in (None, _email(name))
        and params.is_freeze in (None, str(number in frozen).lower())
    ]
    first = (params.page - 1) * params.limit
    return {"subAccounts": rows[first : first + params.limit]}


class Universal(Params, frozen=True):
    from_account_type: AccountType
    to_account_type: AccountType
    asset: str
    amount: str
    from_email: str | None = None
    to_email: str | None = None
    client_tran_id: str | None = None
    symbol: str | None = None


def universal_transfer(call: Call, params: Universal) -> object:
    """Move money once per client's id: the same request again gives the same answer."""
    source, target = _by_email(call, params.from_email), _by_email(call, params.to_email)
    if params.asset != "USDT":
        raise WireError(errors.MANDATORY, "only USDT is held here")
    try:
        money = money_from(params.amount)
    except ValueError as error:
        raise WireError(errors.TOO_PRECISE) from error
    word = params.client_tran_id or f"universal-{call.venue.number_of_now()}"
    command = Transfer(
        source,
        _WALLETS[params.from_account_type],
        target,
        _WALLETS[params.to_account_type],
        money,
        f"{_PREFIX}/{call.account}/{word}",
    )
    refusal = call.venue.refusal(call.venue.apply(command))
    if refusal is not None:
        raise refusal_error(refusal.reason, refusal.message)
    done = next(t for t in _universal(call) if t.transfer_id == command.transfer_id)
    return {"tranId": done.sequence, "clientTranId": params.client_tran_id or ""}


def _universal(call: Call) -> list[KeptTransfer]:
    """Return the transfers of the master and its sub-accounts, newest first, each once."""
    master = _master(call)
    found = {
        row.sequence: row
        for account in (master, *call.venue.members.of(master))
        for row in call.venue.records.of(account).transfers
    }
    return [found[sequence] for sequence in sorted(found, reverse=True)]


class UniversalQuery(Params, frozen=True):
    from_email: str | None = None
    to_email: str | None = None
    client_tran_id: str | None = None
    start_time: int | None = None
    end_time: int | None = None
    page: int = 1
    limit: int = 500


def universal_transfers(call: Call, params: UniversalQuery) -> object:
    start, end = between_us(params.start_time, params.end_time)
    source = _by_email(call, params.from_email) if params.from_email else None
    target = _by_email(call, params.to_email) if params.to_email else None
    names = {_master(call): ""} | {
        number: _email(name) for number, name in call.venue.members.of(_master(call)).items()
    }
    prefix = f"{_PREFIX}/{_master(call)}/"
    found = [
        row
        for row in _universal(call)
        if row.transfer_id.startswith(prefix)
        and start <= row.at <= end
        and source in (None, row.from_account)
        and target in (None, row.to_account)
        and params.client_tran_id in (None, row.transfer_id.rpartition("/")[2])
    ]
    first = (params.page - 1) * params.limit
    rows = [
        {
            "tranId": row.sequence,
            "fromEmail": names.get(row.from_account, ""),
            "toEmail": names.get(row.to_account, ""),
            "asset": "USDT",
            "amount": money_text(row.money),
            "createTimeStamp": ms(row.at),
            "fromAccountType": _TYPES[row.from_wallet],
            "toAccountType": _TYPES[row.to_wallet],
            "status": "SUCCESS",
            "clientTranId": row.transfer_id.rpartition("/")[2],
        }
        for row in found[first : first + params.limit]
    ]
    return {"result": rows, "totalCount": len(found)}


class BrokerSub(Params, frozen=True):
    tag: str | None = None


def create_broker_sub(call: Call, params: BrokerSub) -> object:
    number = len(call.venue.exchange.accounts)
    account, name = _open(call, f"broker{number}")
    call.venue.members.tags[account] = params.tag or ""
    return {"subaccountId": str(account), "email": _email(name), "tag": params.tag or ""}


class BrokerQuery(Params, frozen=True):
    sub_account_id: str | None = None
    page: int = 1
    size: int = 500


def broker_subs(call: Call, params: BrokerQuery) -> object:
    tags = call.venue.members.tags
    rows: list[Row] = [
        {
            "subaccountId": str(number),
            "email": _email(name),
            "tag": tags[number],
            "makerCommission": "0.00",
            "takerCommission": "0.00",
            "marginMakerCommission": "-1.00",
            "marginTakerCommission": "-1.00",
            "createTime": 0,
        }
        for number, name in call.venue.members.of(_master(call)).items()
        if number in tags and params.sub_account_id in (None, str(number))
    ]
    first = (params.page - 1) * params.size
    return rows[first : first + params.size]


class BrokerKey(Params, frozen=True):
    sub_account_id: str
    can_trade: _FEW
    futures_trade: _FEW = "true"
    margin_trade: _FEW = "false"


def create_broker_key(call: Call, params: BrokerKey) -> object:
    text = params.sub_account_id
    account = int(text) if text.isdecimal() else -1
    if account not in call.venue.members.of(_master(call)):
        raise WireError(NO_SUCH_SUB)
    trades = params.can_trade == "true" and params.futures_trade == "true"
    grant = Grant(trade=trades)
    key = call.venue.keys.create(account, grant, call.venue.edge_now())
    return {
        "subaccountId": text,
        "apiKey": key.key,
        "secretKey": key.secret,
        "canTrade": params.can_trade == "true",
        "marginTrade": params.margin_trade == "true",
        "futuresTrade": params.futures_trade == "true",
    }


_SUB = "/sapi/v1/sub-account"
ENDPOINTS = (
    Endpoint("POST", f"{_SUB}/virtualSubAccount", Virtual, create_virtual, TRANSFER),
    Endpoint("POST", f"{_SUB}/futures/enable", Email, enable_futures, TRANSFER),
    Endpoint("GET", f"{_SUB}/list", SubQuery, sub_accounts, READ),
    Endpoint("POST", f"{_SUB}/universalTransfer", Universal, universal_transfer, TRANSFER),
    Endpoint("GET", f"{_SUB}/universalTransfer", UniversalQuery, universal_transfers, READ),
    Endpoint("POST", "/sapi/v1/broker/subAccount", BrokerSub, create_broker_sub, TRANSFER),
    Endpoint("GET", "/sapi/v1/broker/subAccount", BrokerQuery, broker_subs, READ),
    Endpoint("POST", "/sapi/v1/broker/subAccountApi", BrokerKey, create_broker_key, TRANSFER),
)
