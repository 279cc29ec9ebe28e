"""OKX: money moved between wallets, and between a main account and its sub-accounts.

The venue knows sub-accounts by name where it moves money. They are made by their owner in the app:
here they come from the pool.
"""

from collections.abc import Sequence

from copyplugin.domain.account import Wallet
from copyplugin.domain.identifiers import AccountId
from copyplugin.errors import TransferRejected, VenueUnavailable
from copyplugin.venues.ccxt.clients import Client, Row
from copyplugin.venues.ccxt.dialect import Movement
from copyplugin.venues.ccxt.keys import KnownAccount
from copyplugin.venues.ccxt.movements import Fate, Movements
from copyplugin.venues.ccxt.okx_account import PAGE, data
from copyplugin.venues.ccxt.okx_fills import one
from copyplugin.venues.ccxt.texts import decimal_of, plain, text_of

_WALLETS = {Wallet.SPOT: "6", Wallet.CONTRACT: "18"}
_WITHIN, _TO_SUB, _FROM_SUB = "0", "1", "2"
_FATES = {"success": Fate.DONE, "pending": Fate.PENDING, "failed": Fate.FAILED}


class OkxMoney:
    """The part of the dialect that moves money."""

    movements: Movements

    async def open_sub_account(
        self, client: Client, label: str, addresses: Sequence[str]
    ) -> KnownAccount:
        raise AssertionError("the capabilities say that no sub-accounts are opened here")

    async def move(self, client: Client, movement: Movement) -> None:
        terms = await _terms(client, movement)

        async def send(name: str) -> None:
            await client.tell(
                "private_post_asset_transfer",
                {**terms, "clientId": name},
                rejected=TransferRejected,
            )

        await self.movements.move(movement, send, lambda name: _fate(client, movement, name))

    async def was_moved(self, client: Client, movement: Movement) -> bool:
        return await self.movements.was_moved(movement, lambda name: _fate(client, movement, name))


async def _terms(client: Client, movement: Movement) -> Row:
    terms: Row = {
        "type": _kind(movement),
        "ccy": "USDT",
        "amt": plain(movement.money),
        "from": _WALLETS[movement.from_wallet],
        "to": _WALLETS[movement.to_wallet],
    }
    if not movement.is_within_account:
        sub = movement.taker if terms["type"] == _TO_SUB else movement.giver
        terms["subAcct"] = sub.address or await _name_of(client, sub.account)
    return terms


def _kind(movement: Movement) -> str:
    """Return the venue's kind of movement; raises `TransferRejected` between two sub-accounts.

    Such a movement has no name there, so that a lost answer could not be asked about.
    """
    if movement.is_within_account:
        return _WITHIN
    if movement.giver.owner is None:
        return _TO_SUB
    if movement.taker.owner is None:
        return _FROM_SUB
    sentence = "OKX names no movement between two sub-accounts: move it by the main account."
    raise TransferRejected("not_supported", sentence)


async def _name_of(client: Client, account: AccountId) -> str:
    """Return what the venue calls a sub-account of the client's."""
    params: Row = {"limit": PAGE}
    while True:
        rows = await data(client, "private_get_users_subaccount_list", params)
        for row in rows:
            if text_of(row, "uid") == account:
                return str(row["subAcct"])
        if len(rows) < PAGE:
            sentence = f"{account} is no sub-account of {client.account}"
            raise TransferRejected("unknown_account", sentence)
        params = {**params, "after": rows[-1]["ts"]}


async def _fate(client: Client, movement: Movement, name: str) -> Fate | None:
    params: Row = {"clientId": name, "type": _kind(movement)}
    row = await one(client, "private_get_asset_transfer_state", params)
    if row is None:
        return None
    if decimal_of(row, "amt") != movement.money:
        sentence = f"{movement.transfer_id} was made before, with {row['amt']} USDT"
        raise TransferRejected("transfer_id_reused", sentence)
    fate = _FATES.get(row["state"])
    if fate is None:
        raise VenueUnavailable(f"transfer {movement.transfer_id} is {row['state']!r}")
    return fate
