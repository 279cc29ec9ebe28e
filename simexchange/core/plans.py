"""Plan orders: orders that wait outside the book for a price, and hold no margin meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simexchange.core.types import TriggerBy

if TYPE_CHECKING:
    from simexchange.core.accounts import Account
    from simexchange.core.commands import PlacePlanOrder
    from simexchange.core.markets import Market
    from simexchange.core.positions import Position
    from simexchange.core.price_heap import PriceHeap


class Plan:
    """One plan order. ``terms`` is what was asked for; what may change stands beside it.

    ``direction`` is +1 when it waits for a rise, -1 for a fall. A trailing plan keeps the best
    price since it became active in ``extreme`` (None before).
    """

    __slots__ = (
        "account",
        "contracts",
        "direction",
        "extreme",
        "heap",
        "market",
        "number",
        "position",
        "price",
        "terms",
        "trigger_price",
        "version",
    )

    def __init__(
        self, number: int, terms: PlacePlanOrder, position: Position, direction: int
    ) -> None:
        self.number = number
        self.terms = terms
        self.position = position
        self.account: Account = position.account
        self.market: Market = position.market
        self.direction = direction
        self.contracts = terms.contracts
        self.trigger_price = terms.trigger_price
        self.price = terms.price
        self.extreme: int | None = None
        self.heap: PriceHeap[Plan] | None = None
        self.version = 0

    @property
    def plan_id(self) -> int:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.number in self.account.plans

    def digest_row(self) -> list[object]:
        return [self.number, self.contracts, self.trigger_price, self.price, self.extreme]


def observed_price(market: Market, trigger_by: TriggerBy) -> int | None:
    """Return the present price of the kind a plan order looks at; None while it is not known."""
    if trigger_by is TriggerBy.MARK:
        return market.mark
    if trigger_by is TriggerBy.INDEX:
        return market.index if market.protection is None else None
    return market.last
