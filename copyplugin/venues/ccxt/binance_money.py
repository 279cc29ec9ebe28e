"""Binance: money moved inside one owner, sub-accounts of a broker.

Everybody can make sub-accounts by API, but only a broker gets keys for them that way: all others
register theirs in the pool.
"""

from collections.abc import Sequence
from hashlib import blake2b

from copyplugin.domain.account import Wallet
from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import OutcomeUnknown, TransferRejected, VenueUnavailable
from copyplugin.venues.ccxt.binance_account import rows_of
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.config import ApiKeys
from copyplugin.venues.ccxt.dialect import Movement
from copyplugin.venues.ccxt.keys import KnownAccount
from copyplugin.venues.ccxt.texts import decimal_of, plain

_WALLETS = {Wallet.SPOT: "SPOT", Wallet.CONTRACT: "USDT_FUTURE"}
_ATTEMPTS = 20
_SUBS_PAGE = 500


class BinanceMoney:
    """The part of the dialect that makes accounts and moves money."""

    async def open_sub_account(
        self, client: Client, label: str, addresses: Sequence[str]
    ) -> KnownAccount:
        """Find the broker's sub-account with this tag or make one, and make a key for it."""
        assert client.account is not None
        tag = blake2b(f"{client.account}/{label}".encode(), digest_size=16).hexdigest()
        found = await _with_tag(client, tag)
        if found is None:
            found = await client.tell("sapi_post_broker_subaccount", {"tag": tag})
        account = str(found["subaccountId"])
        terms = {"canTrade": "true", "futuresTrade": "true", "marginTrade": "false"}
        key = await client.tell(
            "sapi_post_broker_subaccountapi", {"subAccountId": account, **terms}
        )
        if addresses:
            restriction: Row = {
                "subAccountId": account,
                "subAccountApiKey": key["apiKey"],
                "status": "2",
                "ipAddress": ",".join(addresses),
            }
            await client.tell("sapi_post_broker_subaccountapi_iprestriction", restriction)
        return KnownAccount(
            account=AccountId(account),
            keys=ApiKeys(key["apiKey"], key["secretKey"]),
            owner=client.account,
            label=label,
            address=found["email"],
        )

    async def move(self, client: Client, movement: Movement) -> None:
        """Move the money under the first name that has not failed yet."""
        for attempt in range(_ATTEMPTS):
            name = _name(movement, attempt)
            try:
                await client.tell(
                    "sapi_post_sub_account_universaltransfer",
                    _terms(movement, name),
                    rejected=TransferRejected,
                )
            except OutcomeUnknown:
                if await _status(client, movement, name) is None:
                    raise
            status = await _status(client, movement, name)
            if status == "SUCCESS":
                return
            if status != "FAILURE":
                raise OutcomeUnknown(f"transfer {movement.transfer_id} is {status}")
        sentence = f"transfer {movement.transfer_id} failed {_ATTEMPTS} times"
        raise TransferRejected("refused", sentence)

    async def was_moved(self, client: Client, movement: Movement) -> bool:
        for attempt in range(_ATTEMPTS):
            status = await _status(client, movement, _name(movement, attempt))
            if status is None or status == "SUCCESS":
                return status is not None
            if status != "FAILURE":
                raise VenueUnavailable(f"transfer {movement.transfer_id} is {status}")
        return False


def _name(movement: Movement, attempt: int) -> str:
    return movement.name(attempt).replace("-", "")


def _terms(movement: Movement, name: str) -> Row:
    terms: Row = {
        "fromAccountType": _WALLETS[movement.from_wallet],
        "toAccountType": _WALLETS[movement.to_wallet],
        "asset": "USDT",
        "amount": plain(movement.money),
        "clientTranId": name,
    }
    for end, known in (("fromEmail", movement.giver), ("toEmail", movement.taker)):
        if known.address:  # a main account is meant where none is named
            terms[end] = known.address
    return terms


async def _status(client: Client, movement: Movement, name: str) -> str | None:
    params: Row = {"clientTranId": name}
    try:
        answer = await client.ask("sapi_get_sub_account_universaltransfer", params)
    except VenueUnavailable as error:
        raise OutcomeUnknown(str(error)) from error
    for row in answer["result"]:
        if row["clientTranId"] == name:
            if decimal_of(row, "amount") != movement.money:
                sentence = f"{movement.transfer_id} was made before, with {row['amount']} USDT"
                raise TransferRejected("transfer_id_reused", sentence)
            return str(row["status"])
    return None


async def _with_tag(client: Client, tag: str) -> Row | None:
    page = 1
    while True:
        params: Row = {"page": page, "size": _SUBS_PAGE}
        rows = rows_of(await client.ask("sapi_get_broker_subaccount", params))
        for row in rows:
            if row.get("tag") == tag:
                return row
        if len(rows) < _SUBS_PAGE:
            return None
        page += 1
