"""A host exchange: it tells of its leaders by signed messages, and lets nobody ask about them."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from copyplugin.domain.account import AccountBalance, VenuePosition
from copyplugin.domain.fill import LeaderFill
from copyplugin.domain.identifiers import AccountId, VenueFillId
from copyplugin.host.feed import HostFeed, Receipt
from copyplugin.host.signature import sign
from copyplugin.ports import Clock, Subscription
from copyplugin.venues.simulated import SimulatedVenue

SECRET = "a secret of the host and the plugin, only for tests"


class WithoutLeaders(SimulatedVenue):
    """The exchange as a venue that knows followers only: who asks about a leader is wrong."""

    leaders: Collection[AccountId] = ()

    async def knows_account(self, account: AccountId) -> bool:
        return account not in self.leaders and await super().knows_account(account)

    async def balance(self, account: AccountId) -> AccountBalance:
        assert account not in self.leaders
        return await super().balance(account)

    async def positions(self, account: AccountId) -> Sequence[VenuePosition]:
        assert account not in self.leaders
        return await super().positions(account)

    async def leader_fills(
        self, account: AccountId, after: VenueFillId | None
    ) -> Sequence[LeaderFill]:
        assert account not in self.leaders
        return await super().leader_fills(account, after)

    async def subscribe(self, accounts, on_fill) -> Subscription:
        assert not set(accounts) & set(self.leaders)
        return await super().subscribe(accounts, on_fill)


class Host:
    """Makes messages out of what the exchange knows of one account."""

    def __init__(self, inside: SimulatedVenue, account: int) -> None:
        self._inside = inside
        self.account = AccountId(str(account))
        self.number = 1
        self._last: VenueFillId | None = None

    async def message(self) -> dict[str, Any]:
        """Return what has happened since the message before; the next call goes on from there."""
        fills = list(await self._inside.leader_fills(self.account, self._last))
        if self.number == 1:
            self._last, fills = (fills[-1].venue_fill_id if fills else None), []
        balance = await self._inside.balance(self.account)
        made = {
            "account": self.account,
            "number": self.number,
            "fills": [_fill(each) for each in fills],
            "state": {
                "wallet": str(balance.contract_wallet),
                "available": str(balance.contract_available),
                "equity": str(balance.equity),
                "positions": [
                    _position(each) for each in await self._inside.positions(self.account)
                ],
            },
        }
        if fills:
            self._last = fills[-1].venue_fill_id
        self.number += 1
        return made


def send(feed: HostFeed, clock: Clock, message: dict[str, Any]) -> Receipt:
    """Hand a message in, signed as the host would."""
    body, timestamp, signature = signed(clock, message)
    return feed.receive(body, timestamp=timestamp, signature=signature)


def signed(clock: Clock, message: dict[str, Any]) -> tuple[bytes, str, str]:
    body = json.dumps(message).encode()
    timestamp = str(int(clock.now().timestamp() * 1000))
    return body, timestamp, sign(SECRET, timestamp, body)


def _fill(fill: LeaderFill) -> dict[str, Any]:
    return {
        "fill_id": fill.venue_fill_id,
        "order_id": fill.order_id,
        "symbol": fill.symbol,
        "side": fill.side,
        "position_side": fill.position_side,
        "contracts": fill.contracts,
        "price": str(fill.price),
        "fee": str(fill.fee),
        "realized_pnl": str(fill.realized_pnl),
        "liquidity": fill.liquidity,
        "at": fill.at.isoformat(),
        "leverage": str(fill.leverage),
        "margin_mode": fill.margin_mode,
        "cause": fill.cause,
        "contracts_closed": fill.contracts_closed,
        "order_contracts": fill.order_contracts,
        "available_after": None if fill.available_after is None else str(fill.available_after),
    }


def _position(held: VenuePosition) -> dict[str, Any]:
    return {
        "symbol": held.symbol,
        "position_side": held.position_side,
        "contracts": held.contracts,
        "entry_cost": str(held.entry_cost),
        "average_entry_price": str(held.average_entry_price),
        "unrealized_pnl": str(held.unrealized_pnl),
        "margin": str(held.margin),
        "leverage": str(held.leverage),
        "margin_mode": held.margin_mode,
        "liquidation_price": (
            None if held.liquidation_price is None else str(held.liquidation_price)
        ),
    }
