"""Bitget: virtual sub-accounts with keys of their own, and money moved inside one owner."""

import secrets
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, cast

from ccxt.base.types import Entry

from copyplugin.domain.account import Wallet
from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import RequestRejected, TransferRejected, VenueUnavailable
from copyplugin.venues.ccxt.bitget_account import PAGE, rows_of
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.config import ApiKeys
from copyplugin.venues.ccxt.dialect import Movement
from copyplugin.venues.ccxt.keys import KnownAccount
from copyplugin.venues.ccxt.movements import Fate, Movements
from copyplugin.venues.ccxt.texts import decimal_of, plain, text_of

_WALLETS = {Wallet.SPOT: "spot", Wallet.CONTRACT: "usdt_futures"}
_FATES = {
    "successful": Fate.DONE,
    "success": Fate.DONE,
    "processing": Fate.PENDING,
    "failed": Fate.FAILED,
}
_PERMISSIONS = ["contract_trade", "read"]
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NAME_LETTERS = 8
_NAMES_TRIED = 5
_PASSPHRASE_BYTES = 12
_BETWEEN = "private_spot_get_v2_spot_account_sub_main_trans_record"


def teach(exchange: Any) -> None:
    """Add to ccxt's endpoints the one for movements between accounts, which it does not know."""
    path = "v2/spot/account/sub-main-trans-record"
    known = cast("type[object]", type(exchange))
    setattr(known, _BETWEEN, Entry(path, ["private", "spot"], "GET", {"cost": 1}))


class BitgetMoney:
    """The part of the dialect that makes accounts and moves money."""

    movements: Movements

    async def open_sub_account(
        self, client: Client, label: str, addresses: Sequence[str]
    ) -> KnownAccount:
        """Find or make the sub-account, and make a key for it.

        A key that was made and whose answer was lost stays: the venue deletes none for us.
        """
        assert client.account is not None
        account = await _found_or_made(client, label)
        passphrase = secrets.token_hex(_PASSPHRASE_BYTES)
        request: Row = {
            "subAccountUid": account,
            "passphrase": passphrase,
            "label": account_name(client.account, label, 0),
            "permType": "read_and_write",
            "permList": _PERMISSIONS,
            **({"ipList": list(addresses)} if addresses else {}),
        }
        method = "private_user_post_v2_user_create_virtual_subaccount_apikey"
        made = (await client.tell(method, request))["data"]
        return KnownAccount(
            account=AccountId(account),
            keys=ApiKeys(made["subAccountApiKey"], made["secretKey"], passphrase),
            owner=client.account,
            label=label,
        )

    async def move(self, client: Client, movement: Movement) -> None:
        terms: Row = {
            "fromType": _WALLETS[movement.from_wallet],
            "toType": _WALLETS[movement.to_wallet],
            "amount": plain(movement.money),
            "coin": "USDT",
        }
        method = "private_spot_post_v2_spot_wallet_transfer"
        if not movement.is_within_account:
            method = "private_spot_post_v2_spot_wallet_subaccount_transfer"
            terms |= {
                "fromUserId": movement.giver.account,
                "toUserId": movement.taker.account,
            }

        async def send(name: str) -> None:
            await client.tell(method, {**terms, "clientOid": name}, rejected=TransferRejected)

        await self.movements.move(movement, send, lambda name: _fate(client, movement, name))

    async def was_moved(self, client: Client, movement: Movement) -> bool:
        return await self.movements.was_moved(movement, lambda name: _fate(client, movement, name))


async def _fate(client: Client, movement: Movement, name: str) -> Fate | None:
    params: Row = {"coin": "USDT", "clientOid": name, "limit": str(PAGE)}
    method = "private_spot_get_v2_spot_account_transferrecords"
    if not movement.is_within_account:
        method = _BETWEEN
        if movement.giver.owner is not None:  # else what the main account gave is listed
            params["subUid"] = movement.giver.account
    rows: list[Row] = (await client.ask(method, params))["data"] or []
    for row in rows:
        if row["clientOid"] != name:
            continue
        if decimal_of(row, "size") != movement.money:
            sentence = f"{movement.transfer_id} was made before, with {row['size']} USDT"
            raise TransferRejected("transfer_id_reused", sentence)
        fate = _FATES.get(str(row["status"]).lower())
        if fate is None:
            raise VenueUnavailable(f"transfer {movement.transfer_id} is {row['status']!r}")
        return fate
    return None


async def _found_or_made(client: Client, label: str) -> str:
    """Return the UID of the sub-account of this label; a name may be somebody else's."""
    assert client.account is not None
    names = [account_name(client.account, label, attempt) for attempt in range(_NAMES_TRIED)]
    known = await _accounts(client)
    for name in names:
        if name in known:
            return known[name]
    method = "private_user_post_v2_user_create_virtual_subaccount"
    for name in names:
        made = rows_of(await client.tell(method, {"subAccountList": [name]}), "successList")
        if made:
            return text_of(made[0], "subAccountUid") or str(made[0]["subaAccountUid"])
    raise RequestRejected("name_taken", f"the venue takes none of the names {', '.join(names)}")


async def _accounts(client: Client) -> dict[str, str]:
    """Return the UIDs of the owner's virtual sub-accounts by their names."""
    params: Row = {"limit": str(PAGE)}
    known: dict[str, str] = {}
    while True:
        method = "private_user_get_v2_user_virtual_subaccount_list"
        answer = await client.ask(method, params)
        rows = rows_of(answer, "subAccountList")
        for row in rows:
            # The venue appends a domain of its own to the name.
            known[str(row["subAccountName"]).partition("@")[0]] = str(row["subAccountUid"])
        if len(rows) < PAGE:
            return known
        params = {**params, "idLessThan": answer["data"]["endId"]}


def account_name(owner: AccountId, label: str, attempt: int) -> str:
    """Return the name of a sub-account: eight letters, as the venue asks, the same every time."""
    text = f"{owner}/{label}/{attempt}"
    number = int.from_bytes(blake2b(text.encode(), digest_size=16).digest())
    letters: list[str] = []
    for _ in range(_NAME_LETTERS):
        number, letter = divmod(number, len(_LETTERS))
        letters.append(_LETTERS[letter])
    return "".join(letters)
