"""Accounts: two wallets, the money that orders hold, and the positions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simexchange.core.types import AccountKind, PositionMode, PositionSide

if TYPE_CHECKING:
    from simexchange.core.orders import Order
    from simexchange.core.plans import Plan
    from simexchange.core.positions import Position
    from simexchange.core.price_heap import PriceHeap

INSURANCE_FUND = 0
"""Number of the account that is the insurance fund; its contract wallet is the fund's money."""

NO_POSITIONS: dict[int, Position] = {}
"""Shared by all accounts that have none: whether there are any is asked all the time."""


class Account:
    """One account. ``wallet`` is the contract wallet without what isolated positions hold."""

    __slots__ = (
        "bands",
        "client_ids",
        "cross_positions",
        "forced_rejects",
        "hold",
        "is_cross_stale",
        "is_one_way",
        "is_plain",
        "kind",
        "label",
        "legs",
        "maker_fee",
        "number",
        "open_orders",
        "owner",
        "plans",
        "self_group",
        "spot",
        "taker_fee",
        "version",
        "wallet",
    )

    def __init__(
        self,
        number: int,
        owner: int | None,
        label: str,
        kind: AccountKind,
        position_mode: PositionMode,
    ) -> None:
        self.number = number
        self.owner = owner
        self.self_group = number if owner is None else owner
        self.label = label
        self.kind = kind
        self.spot = 0
        self.wallet = 0
        self.hold = 0
        self.maker_fee: int | None = None
        self.taker_fee: int | None = None
        # by position side and symbol: NET is index 0, LONG 1, SHORT -1, which is 2
        self.legs: tuple[dict[str, Position], dict[str, Position], dict[str, Position]] = (
            {},
            {},
            {},
        )
        self.open_orders: dict[int, Order] = {}
        self.plans: dict[int, Plan] = {}
        self.client_ids: dict[str, Order | Plan] = {}
        self.cross_positions = NO_POSITIONS  # open ones in cross mode, by number
        self.forced_rejects: dict[str, int] = {}
        self.set_mode(position_mode)
        self.is_cross_stale = False
        self.bands: list[PriceHeap[Account]] = []  # where its living entries wait
        self.version = 0  # of its entries in the cross band heaps

    def set_mode(self, mode: PositionMode) -> None:
        self.is_one_way = mode is PositionMode.ONE_WAY
        self.note_faults()

    def note_faults(self) -> None:
        """Be plain while an order in the net positions needs no look at the account.

        That is in one-way mode, as long as no fault plan ever asked for a rejection.
        """
        self.is_plain = self.is_one_way and not self.forced_rejects
        for position in self.legs[PositionSide.NET].values():
            self.note_plain(position)

    def note_plain(self, position: Position) -> None:
        """Enter a net position where orders find it at once, if this account is plain."""
        if self.is_plain:
            position.market.plain[self.number] = position
        else:
            position.market.plain.pop(self.number, None)


def position_mode(account: Account) -> PositionMode:
    return PositionMode.ONE_WAY if account.is_one_way else PositionMode.HEDGE


def open_positions(account: Account) -> list[Position]:
    """Return the positions with contracts, in order of creation."""
    positions = [p for leg in account.legs for p in leg.values() if p.contracts]
    return sorted(positions, key=lambda position: position.number)


def take_forced(account: Account, target: str) -> bool:
    """Use up one forced rejection of ``target``, if a fault plan left one."""
    left = account.forced_rejects.get(target, 0)
    if left:
        account.forced_rejects[target] = left - 1
    return left > 0
