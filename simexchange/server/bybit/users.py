"""Keys and sub-accounts."""

import re
from datetime import UTC, datetime, timedelta

from simexchange.core.commands import OpenAccount
from simexchange.core.events import AccountOpened
from simexchange.core.types import SECOND_US
from simexchange.server.bybit import errors
from simexchange.server.bybit.call import ACCOUNT_TRANSFER, READ, Call, Endpoint
from simexchange.server.bybit.errors import WireError
from simexchange.server.bybit.order_rows import Row
from simexchange.server.bybit.parameters import Nothing, Params, Text, Whole
from simexchange.server.bybit.permissions import grant_from, is_read_only, permissions_of
from simexchange.server.keys import ANY_ADDRESS, ApiKey, Grant, valid_addresses
from simexchange.server.limits import Quota

_NAME = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9])[A-Za-z0-9]{6,16}")
_LIFETIME_US = 90 * 24 * 3_600 * SECOND_US
_MEMBER_TYPES = (1, 6)
_FEW, _SOME = Quota(5), Quota(10)
Permissions = dict[str, list[str]]


def _date(at: int) -> str:
    """Return a time as the venue writes dates."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_master(call: Call, account: int) -> bool:
    return call.venue.exchange.account(account).owner is None


def _require_master(call: Call) -> None:
    if not _is_master(call, call.account):
        raise WireError(errors.NOT_PERMITTED)


def own_sub(call: Call, uid: int | str) -> int:
    """Return the account of a sub-account's uid; it must be the caller's."""
    _require_master(call)
    text = str(uid)
    number = int(text) if text.isdecimal() else -1
    if number not in call.venue.members.of(call.account):
        raise WireError(errors.PARAMETER, "params error: the sub UID is not yours")
    return number


# ------------------------------------------------------------------------------------ keys


def _key_row(key: ApiKey) -> Row:
    return {
        "id": str(key.number),
        "note": key.name,
        "apiKey": key.key,
        "readOnly": int(is_read_only(key.grant)),
        "secret": "",
        "permissions": permissions_of(key.grant),
        "ips": list(key.addresses),
    }


def query_key(call: Call, _: Nothing) -> object:
    key = call.key
    owner = call.venue.exchange.account(call.account).owner
    is_bound = ANY_ADDRESS not in key.addresses
    return {
        **_key_row(key),
        "type": 1,
        "deadlineDay": -2 if is_bound else 90,
        "expiredAt": _date(0) if is_bound else _date(key.created_at + _LIFETIME_US),
        "createdAt": _date(key.created_at),
        "unified": 0,
        "uta": 1,
        "userID": call.account,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": owner is None,
        "parentUid": "0" if owner is None else str(owner),
        "kycLevel": "LEVEL_DEFAULT",
        "kycRegion": "",
    }


class CreateSubKey(Params, frozen=True):
    subuid: int
    read_only: int
    permissions: Permissions
    note: Text = None
    ips: Text = None


def create_sub_key(call: Call, params: CreateSubKey) -> object:
    account = own_sub(call, params.subuid)
    grant = _grant(params.permissions, params.read_only)
    key = call.venue.keys.create(
        account,
        grant,
        call.venue.edge_now(),
        name=params.note or "",
        addresses=_addresses(params.ips),
    )
    return {**_key_row(key), "secret": key.secret}


def _grant(permissions: Permissions, read_only: int) -> Grant:
    if read_only not in (0, 1):
        raise WireError(errors.PARAMETER, "params error: readOnly is 0 or 1")
    if not any(permissions.values()):
        raise WireError(errors.PARAMETER, "params error: permissions must not be empty")
    if "Withdraw" in permissions.get("Wallet", ()):
        raise WireError(errors.PARAMETER, "params error: a sub-account key cannot withdraw")
    try:
        return grant_from(permissions, read_only=bool(read_only))
    except ValueError as error:
        raise WireError(errors.PARAMETER, f"params error: {error}") from error


def _addresses(text: str | None) -> tuple[str, ...]:
    if not text:
        return (ANY_ADDRESS,)
    addresses = tuple(text.split(","))
    if not valid_addresses(addresses):
        raise WireError(errors.PARAMETER, f"params error: ips invalid: {text}")
    return addresses


class UpdateSubKey(Params, frozen=True):
    apikey: Text = None
    read_only: Whole = None
    ips: Text = None
    permissions: Permissions | None = None


def update_sub_key(call: Call, params: UpdateSubKey) -> object:
    return _update(call, _sub_key(call, params.apikey), params)


def update_key(call: Call, params: UpdateSubKey) -> object:
    return _update(call, call.key, params)


def _sub_key(call: Call, name: str | None) -> ApiKey:
    """Return the key of a sub-account; a sub-account may name only its own."""
    key = call.key if name is None else call.venue.keys.find(name)
    if key is None or (key.account != call.account and key.account not in _subs(call)):
        raise WireError(errors.KEY_NOT_FOUND)
    return key


def _subs(call: Call) -> dict[int, str]:
    return call.venue.members.of(call.account)


def _update(call: Call, key: ApiKey, params: UpdateSubKey) -> object:
    grant, addresses = key.grant, key.addresses
    if params.permissions is not None or params.read_only is not None:
        permissions = params.permissions or {
            group: words for group, words in permissions_of(key.grant).items() if words
        }
        read_only = int(is_read_only(key.grant)) if params.read_only is None else params.read_only
        grant = _grant(permissions, read_only)
    if params.ips:
        addresses = _addresses(params.ips)
    call.venue.keys.change(key.key, grant, addresses)
    return _key_row(key)


class DeleteSubKey(Params, frozen=True):
    apikey: Text = None


def delete_sub_key(call: Call, params: DeleteSubKey) -> object:
    call.venue.keys.revoke(_sub_key(call, params.apikey))
    return {}


def delete_key(call: Call, _: Nothing) -> object:
    call.venue.keys.revoke(call.key)
    return {}


class SubKeys(Params, frozen=True):
    sub_member_id: Text = None
    limit: Whole = None
    cursor: Text = None


def sub_keys(call: Call, params: SubKeys) -> object:
    account = own_sub(call, params.sub_member_id or "")
    rows = [
        {
            **_key_row(key),
            "createdAt": _date(key.created_at),
            "expiredAt": _date(key.created_at + _LIFETIME_US),
            "type": "hmac",
            "status": 1,
            "flag": "hmac",
            "deadlineDay": 90,
        }
        for key in call.venue.keys.of_account(account)
    ]
    return {"result": rows, "nextPageCursor": ""}


# ------------------------------------------------------------------------------------ members


class CreateMember(Params, frozen=True):
    username: str
    member_type: int
    password: Text = None
    switch: Whole = None
    is_uta: bool | None = None
    note: Text = None


def create_member(call: Call, params: CreateMember) -> object:
    _require_master(call)
    if _NAME.fullmatch(params.username) is None:
        raise WireError(errors.NAME_INVALID)
    if params.member_type not in _MEMBER_TYPES:
        raise WireError(errors.PARAMETER, "params error: memberType is 1 or 6")
    if call.venue.members.is_taken(params.username):
        raise WireError(errors.NAME_TAKEN)
    events = call.venue.apply(OpenAccount(owner=call.account, label=params.username))
    opened = events[0]
    assert isinstance(opened, AccountOpened), f"no account was opened: {events}"
    return {
        "uid": str(opened.account),
        "username": params.username,
        "memberType": params.member_type,
        "status": 1,
        "remark": params.note or "",
    }


class MemberQuery(Params, frozen=True):
    page_size: Whole = None
    next_cursor: Text = None


def members(call: Call, _: MemberQuery) -> object:
    return {"subMembers": _member_rows(call)}


def member_pages(call: Call, params: MemberQuery) -> object:
    rows = _member_rows(call)
    size = params.page_size or 100
    cursor = params.next_cursor or "0"
    if not cursor.isdecimal():
        raise WireError(errors.PARAMETER, "params error: nextCursor invalid")
    start = int(cursor)
    following = str(start + size) if start + size < len(rows) else "0"
    return {"subMembers": rows[start : start + size], "nextCursor": following}


def _member_rows(call: Call) -> list[Row]:
    _require_master(call)
    frozen = call.venue.members.frozen
    return [
        {
            "uid": str(number),
            "username": name,
            "memberType": 1,
            "status": 4 if number in frozen else 1,
            "accountMode": 6,
            "remark": "",
        }
        for number, name in _subs(call).items()
    ]


class FreezeMember(Params, frozen=True):
    subuid: int
    frozen: int


def freeze_member(call: Call, params: FreezeMember) -> object:
    account = own_sub(call, params.subuid)
    if params.frozen == 1:
        call.venue.members.freeze(account)
    else:
        call.venue.members.free(account)
    return {}


class DeleteMember(Params, frozen=True):
    sub_member_id: str


def delete_member(call: Call, params: DeleteMember) -> object:
    """Close a sub-account that holds nothing, and revoke its keys."""
    account = own_sub(call, params.sub_member_id)
    view = call.venue.exchange.account(account)
    if view.spot_balance or call.venue.exchange.equity(account):
        raise WireError(errors.STILL_HOLDS)
    if call.venue.exchange.positions(account) or call.venue.exchange.open_orders(account):
        raise WireError(errors.STILL_HOLDS)
    for key in call.venue.keys.of_account(account):
        call.venue.keys.revoke(key)
    call.venue.members.close(account)
    return {}


ENDPOINTS = (
    Endpoint("GET", "/v5/user/query-api", Nothing, query_key, READ, _SOME),
    Endpoint(
        "POST", "/v5/user/create-sub-api", CreateSubKey, create_sub_key, ACCOUNT_TRANSFER, _FEW
    ),
    Endpoint(
        "POST", "/v5/user/update-sub-api", UpdateSubKey, update_sub_key, ACCOUNT_TRANSFER, _FEW
    ),
    Endpoint("POST", "/v5/user/update-api", UpdateSubKey, update_key, READ, _FEW),
    Endpoint("POST", "/v5/user/delete-sub-api", DeleteSubKey, delete_sub_key, READ, _FEW),
    Endpoint("POST", "/v5/user/delete-api", Nothing, delete_key, READ, _FEW),
    Endpoint("GET", "/v5/user/sub-apikeys", SubKeys, sub_keys, READ, _SOME),
    Endpoint(
        "POST", "/v5/user/create-sub-member", CreateMember, create_member, ACCOUNT_TRANSFER, _FEW
    ),
    Endpoint("GET", "/v5/user/query-sub-members", MemberQuery, members, READ, _SOME),
    Endpoint("GET", "/v5/user/submembers", MemberQuery, member_pages, READ, _SOME),
    Endpoint(
        "POST", "/v5/user/frozen-sub-member", FreezeMember, freeze_member, ACCOUNT_TRANSFER, _FEW
    ),
    Endpoint("POST", "/v5/user/del-submember", DeleteMember, delete_member, ACCOUNT_TRANSFER, _FEW),
)
