"""Plan orders: orders that wait outside the book."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simexchange.core.markets import Market


class Plan:
    """One plan order."""

    __slots__ = ("market", "plan_id")

    def __init__(self, plan_id: int, market: Market) -> None:
        self.plan_id = plan_id
        self.market = market

    def digest_row(self) -> list[object]:
        return [self.plan_id]
