"""Bybit: sub-accounts with keys of their own, and money moved inside one owner."""

from collections.abc import Sequence
from hashlib import blake2b

from copyplugin.domain.account import Wallet
from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import OutcomeUnknown, RequestRejected, TransferRejected, VenueUnavailable
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.config import ApiKeys
from copyplugin.venues.ccxt.dialect import Movement
from copyplugin.venues.ccxt.keys import KnownAccount
from copyplugin.venues.ccxt.texts import decimal_of, plain, text_of

_WALLETS = {Wallet.SPOT: "FUND", Wallet.CONTRACT: "UNIFIED"}
_PERMISSIONS = {"ContractTrade": ["Order", "Position"], "Wallet": ["AccountTransfer"]}
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_NAME_DIGITS = 13
_ATTEMPTS = 20


class BybitMoney:
    """The part of the dialect that makes accounts and moves money."""

    async def open_sub_account(
        self, client: Client, label: str, addresses: Sequence[str]
    ) -> KnownAccount:
        """Find or make the member, forget a key that was made and lost, and make one."""
        assert client.account is not None
        name = member_name(client.account, label)
        uid = await _member(client, name)
        if uid is None:
            params: Row = {"username": name, "memberType": 1, "isUta": True, "note": label}
            answer = await client.tell("private_post_v5_user_create_sub_member", params)
            uid = str(answer["result"]["uid"])
        await _forget_keys(client, uid, name)
        request: Row = {
            "subuid": int(uid),
            "readOnly": 0,
            "permissions": _PERMISSIONS,
            "note": name,
        }
        if addresses:
            request["ips"] = ",".join(addresses)
        made = (await client.tell("private_post_v5_user_create_sub_api", request))["result"]
        return KnownAccount(
            account=AccountId(uid),
            keys=ApiKeys(made["apiKey"], made["secret"]),
            owner=client.account,
            label=label,
        )

    async def move(self, client: Client, movement: Movement) -> None:
        """Move the money under the first name that has not failed yet."""
        for attempt in range(_ATTEMPTS):
            try:
                status = await self._send(client, movement, movement.name(attempt))
            except OutcomeUnknown:  # also where the name was used before
                status = await self._status(client, movement, movement.name(attempt))
                if status is None:
                    raise
            if status == "SUCCESS":
                return
            if status != "FAILED":
                raise OutcomeUnknown(f"transfer {movement.transfer_id} is {status}")
        raise TransferRejected(
            "refused", f"transfer {movement.transfer_id} failed {_ATTEMPTS} times"
        )

    async def was_moved(self, client: Client, movement: Movement) -> bool:
        for attempt in range(_ATTEMPTS):
            status = await self._status(client, movement, movement.name(attempt))
            if status is None or status == "SUCCESS":
                return status is not None
            if status != "FAILED":
                raise VenueUnavailable(f"transfer {movement.transfer_id} is {status}")
        return False

    async def _send(self, client: Client, movement: Movement, name: str) -> str:
        params: Row = {
            "transferId": name,
            "coin": "USDT",
            "amount": plain(movement.money),
            "fromAccountType": _WALLETS[movement.from_wallet],
            "toAccountType": _WALLETS[movement.to_wallet],
        }
        method = "private_post_v5_asset_transfer_inter_transfer"
        if not movement.is_within_account:
            method = "private_post_v5_asset_transfer_universal_transfer"
            params["fromMemberId"] = int(movement.giver.account)
            params["toMemberId"] = int(movement.taker.account)
        answer = await client.tell(method, params, rejected=TransferRejected)
        return text_of(answer["result"], "status") or "SUCCESS"

    async def _status(self, client: Client, movement: Movement, name: str) -> str | None:
        kind = "inter" if movement.is_within_account else "universal"
        method = f"private_get_v5_asset_transfer_query_{kind}_transfer_list"
        answer = await client.ask(method, {"transferId": name})
        for row in answer["result"]["list"]:
            if row["transferId"] == name:
                if decimal_of(row, "amount") != movement.money:
                    sentence = f"{movement.transfer_id} was made before, with {row['amount']} USDT"
                    raise TransferRejected("transfer_id_reused", sentence)
                return str(row["status"])
        return None


def member_name(owner: AccountId, label: str) -> str:
    """Return the name of a sub-account: letters and digits, at most 16, the same every time."""
    number = int.from_bytes(blake2b(f"{owner}/{label}".encode(), digest_size=16).digest())
    digits: list[str] = []
    for _ in range(_NAME_DIGITS):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "c0p" + "".join(digits)  # at least one letter and one digit, as the venue asks


async def _member(client: Client, name: str) -> str | None:
    cursor = "0"
    while True:
        params = {"pageSize": "100", "nextCursor": cursor}
        result = (await client.ask("private_get_v5_user_submembers", params))["result"]
        for row in result["subMembers"]:
            if row["username"] == name:
                return str(row["uid"])
        cursor = text_of(result, "nextCursor") or "0"
        if cursor == "0":
            return None


async def _forget_keys(client: Client, uid: str, name: str) -> None:
    """Delete keys that we made for this account and could not keep: nobody has their secret."""
    rows = await _keys(client, uid)
    for row in rows:
        if row.get("note") == name:
            try:
                await client.tell("private_post_v5_user_delete_sub_api", {"apikey": row["apiKey"]})
            except RequestRejected as error:
                raise RequestRejected(
                    error.reason,
                    f"an old key of sub-account {uid} is to be deleted first: {error.sentence}",
                ) from error


async def _keys(client: Client, uid: str) -> list[Row]:
    params: Row = {"subMemberId": uid, "limit": 20}
    rows: list[Row] = []
    while True:
        result = (await client.ask("private_get_v5_user_sub_apikeys", params))["result"]
        rows += result["result"]
        cursor = text_of(result, "nextPageCursor")
        if not cursor or not result["result"]:
            return rows
        params = {**params, "cursor": cursor}
