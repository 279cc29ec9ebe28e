"""The records of one account."""

from collections import deque
from collections.abc import Iterator
from typing import Protocol

import msgspec

from simexchange.core.events import Filled, LeverageSet, MarginAdjusted
from simexchange.core.types import PositionSide, Side
from simexchange.server.records.rows import (
    Amendment,
    CashEntry,
    ClosedProfit,
    FillKind,
    KeptFill,
    KeptOrder,
    KeptPosition,
    KeptTransfer,
    Origin,
)


class RecordLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows are kept of each kind and account; the oldest go first, open orders never."""

    orders: int = 10_000
    fills: int = 10_000
    entries: int = 20_000
    transfers: int = 10_000
    closed: int = 10_000
    changes: int = 1_000  # of orders, and of the margin of positions


class Watcher(Protocol):
    """Whoever wants to know at once what happens to an account."""

    def order_changed(self, order: KeptOrder) -> None: ...
    def filled(self, fill: KeptFill) -> None: ...
    def position_changed(self, symbol: str, side: PositionSide) -> None: ...
    def position_set(self, event: LeverageSet | MarginAdjusted) -> None: ...
    def wallet_changed(self) -> None: ...
    def command_done(self) -> None: ...


class AccountRecords:
    """What one account did, newest last; ``cash`` is its contract wallet with all margin."""

    def __init__(self, account: int, limits: RecordLimits, cash: int) -> None:
        self.account = account
        self.cash = cash
        self.orders: dict[tuple[Origin, int], KeptOrder] = {}
        self.by_order: dict[int, KeptOrder] = {}
        self.by_plan: dict[int, KeptOrder] = {}
        self.by_client_id: dict[str, KeptOrder] = {}
        self.fills: deque[KeptFill] = deque(maxlen=limits.fills)
        self.entries: deque[CashEntry] = deque(maxlen=limits.entries)
        self.transfers: deque[KeptTransfer] = deque(maxlen=limits.transfers)
        self.closed: deque[ClosedProfit] = deque(maxlen=limits.closed)
        self.amendments: deque[Amendment] = deque(maxlen=limits.changes)
        self.margins: deque[MarginAdjusted] = deque(maxlen=limits.changes)
        self.positions: dict[tuple[str, PositionSide], KeptPosition] = {}
        self.waiting_stops: dict[int, KeptOrder] = {}  # attached plans that wait, by plan id
        self.watchers: list[Watcher] = []
        self._closing: dict[int, ClosedProfit] = {}  # by the order that closes
        self._limits = limits

    # ------------------------------------------------------------------ questions

    def order(self, origin: Origin, number: int) -> KeptOrder | None:
        return self.orders.get((origin, number))

    def newest_orders(self) -> Iterator[KeptOrder]:
        return reversed(self.orders.values())

    def newest_open_orders(self) -> list[KeptOrder]:
        return [order for order in self.newest_orders() if order.is_open]

    # ------------------------------------------------------------------ keeping

    def keep_order(self, order: KeptOrder) -> None:
        self.orders[order.origin, order.number] = order
        if order.order_id is not None:
            self.by_order[order.order_id] = order
        if order.plan_id is not None:
            self.by_plan[order.plan_id] = order
        if order.client_order_id is not None:
            self.by_client_id[order.client_order_id] = order
        if len(self.orders) > self._limits.orders:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        oldest = next((order for order in self.orders.values() if not order.is_open), None)
        if oldest is None:
            return
        del self.orders[oldest.origin, oldest.number]
        self.by_order.pop(oldest.order_id or 0, None)
        self.by_plan.pop(oldest.plan_id or 0, None)
        self._closing.pop(oldest.order_id or 0, None)
        if self.by_client_id.get(oldest.client_order_id or "") is oldest:
            del self.by_client_id[oldest.client_order_id or ""]

    def position(self, symbol: str, side: PositionSide, at: int, sequence: int) -> KeptPosition:
        found = self.positions.get((symbol, side))
        if found is None:
            found = self.positions[symbol, side] = KeptPosition(
                symbol=symbol, position_side=side, created_at=at, updated_at=at, sequence=sequence
            )
        return found

    def note_profit(self, event: Filled, fill: KeptFill) -> None:
        """Book a fill's profit and fee to its position, and what it closed to its order.

        A fill that turns a position over pays its fee in two parts; the part for closing is
        rounded toward zero.
        """
        position = self.position(event.symbol, event.position_side, event.at, fill.sequence)
        held, closed = abs(position.contracts), event.closed_contracts
        close_fee = event.fee * closed // event.contracts
        open_fee = event.fee - close_fee
        position.cumulative += event.realized_pnl - event.fee
        if held == 0:
            position.current = 0
        position.current += event.realized_pnl - close_fee
        if closed:
            released = position.open_fee if closed == held else position.open_fee * closed // held
            position.open_fee -= released
            self._note_closed(event, fill, released, close_fee)
            if closed == held and event.contracts > closed:
                position.current = 0
        position.current -= open_fee
        position.open_fee += open_fee
        position.contracts = event.position_contracts
        position.updated_at = event.at
        position.sequence = fill.sequence

    def _note_closed(self, event: Filled, fill: KeptFill, open_fee: int, close_fee: int) -> None:
        closed = event.closed_contracts
        value = fill.value * closed // event.contracts
        row = self._closing.get(event.order_id)
        if row is None:
            row = self._closing[event.order_id] = ClosedProfit(
                sequence=fill.sequence,
                order=fill.order,
                symbol=event.symbol,
                side=Side(event.side),
                position_side=event.position_side,
                created_at=event.at,
                updated_at=event.at,
                leverage=event.leverage,
                kind=FillKind(fill.kind),
            )
            self.closed.append(row)
        row.contracts += closed
        row.exit += value
        row.entry += value + event.side * event.realized_pnl
        row.realized_pnl += event.realized_pnl
        row.open_fee += open_fee
        row.close_fee += close_fee
        row.fills += 1
        row.updated_at = event.at
