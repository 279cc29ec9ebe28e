"""What happened, kept for questions: executions, orders, plans, transfers, funding and candles.

The exchange itself holds only what is alive; a history is a listener beside it. Everything here
is bounded by ``HistoryLimits``: the oldest goes first.
"""

from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Any, TypeVar

import msgspec

from simexchange.core.events import (
    BankruptcyTakeover,
    Deleveraged,
    Event,
    Filled,
    FundingPaid,
    MarkPriceSet,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    PlanOrderAccepted,
    PlanOrderAmended,
    PlanOrderCancelled,
    PlanOrderFailed,
    PlanOrderTriggered,
    PositionLiquidated,
    Transferred,
)
from simexchange.core.types import SECOND_US, CancelReason, Liquidity, OrderStatus
from simexchange.plan_history import PlanHistory

MINUTE_US = 60 * SECOND_US

_K = TypeVar("_K")
_V = TypeVar("_V")


class HistoryLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept: per account, and candles per symbol and interval."""

    executions: int = 10_000
    orders: int = 10_000  # plan orders as many again
    transfers: int = 10_000
    funding: int = 10_000
    liquidations: int = 10_000
    candles: int = 10_000
    trades: int = 10_000  # public trades per symbol
    candle_intervals_us: tuple[int, ...] = (MINUTE_US, 60 * MINUTE_US)


class OrderRecord(msgspec.Struct):
    """An order as its events told it; ``cancel_reason`` None unless it was cancelled."""

    accepted: OrderAccepted
    price: int | None
    contracts: int
    filled: int = 0
    filled_notional_ticks: int = 0  # Σ price × contracts
    fee: int = 0
    status: OrderStatus = OrderStatus.NEW
    cancel_reason: CancelReason | None = None
    updated_at: int = 0


class Candle(msgspec.Struct):
    """Prices in ticks of the trades from ``start_at`` until the next candle's start."""

    start_at: int
    open: int
    high: int
    low: int
    close: int
    contracts: int


LiquidationEvent = PositionLiquidated | BankruptcyTakeover | Deleveraged


class History:
    """Recent events by account and by symbol."""

    def __init__(self, limits: HistoryLimits | None = None) -> None:
        self.limits = limits or HistoryLimits()
        self.plans = PlanHistory(self.limits.orders)
        self._executions: dict[int, deque[Filled]] = {}
        self._orders: dict[int, dict[int, OrderRecord]] = {}
        self._transfers: dict[int, deque[Transferred]] = {}
        self._funding: dict[int, deque[FundingPaid]] = {}
        self._liquidations: dict[int, deque[LiquidationEvent]] = {}
        self._trades: dict[str, deque[Filled]] = {}
        self._candles: dict[tuple[str, int], deque[Candle]] = {}
        self._marks: dict[tuple[str, int], deque[Candle]] = {}
        self._notes: dict[type, Callable[[Any], None]] = {
            Filled: self._note_fill,
            OrderAccepted: self._note_order,
            OrderCancelled: self._note_change,
            OrderAmended: self._note_change,
            PlanOrderAccepted: self.plans.note_accepted,
            PlanOrderAmended: self.plans.note_change,
            PlanOrderTriggered: self.plans.note_change,
            PlanOrderFailed: self.plans.note_change,
            PlanOrderCancelled: self.plans.note_change,
            MarkPriceSet: self._note_mark,
            Transferred: self._note_transfer,
            FundingPaid: self._note_funding,
            PositionLiquidated: self._note_liquidation,
            BankruptcyTakeover: self._note_liquidation,
            Deleveraged: self._note_liquidation,
        }

    # ------------------------------------------------------------------ questions

    def executions(self, account: int, after: int = 0, limit: int = 1_000) -> list[Filled]:
        """Return fills of ``account`` with an execution id above ``after``, oldest first."""
        fills = self._executions.get(account, ())
        newer: list[Filled] = []
        for fill in reversed(fills):
            if fill.execution_id <= after:
                break
            newer.append(fill)
        newer.reverse()
        return newer[:limit]

    def first_kept_execution(self, account: int) -> int | None:
        """Return the oldest execution id still kept; asking below it may miss fills."""
        fills = self._executions.get(account)
        return fills[0].execution_id if fills else None

    def order(self, account: int, order_id: int) -> OrderRecord | None:
        return self._orders.get(account, {}).get(order_id)

    def orders(self, account: int, limit: int = 1_000) -> list[OrderRecord]:
        """Return the latest orders of ``account``, newest first."""
        return list(islice(reversed(self._orders.get(account, {}).values()), limit))

    def transfers(self, account: int, limit: int = 1_000) -> list[Transferred]:
        """Return the latest transfers from or to ``account``, newest first."""
        return list(islice(reversed(self._transfers.get(account, ())), limit))

    def funding(self, account: int, limit: int = 1_000) -> list[FundingPaid]:
        """Return the latest funding payments of ``account``, newest first."""
        return list(islice(reversed(self._funding.get(account, ())), limit))

    def liquidations(self, account: int, limit: int = 1_000) -> list[LiquidationEvent]:
        """Return the latest liquidations, takeovers and deleveragings, newest first."""
        return list(islice(reversed(self._liquidations.get(account, ())), limit))

    def trades(self, symbol: str, limit: int = 100) -> list[Filled]:
        """Return the latest public trades, newest first, each as its taker's fill."""
        return list(islice(reversed(self._trades.get(symbol, ())), limit))

    def candles(self, symbol: str, interval_us: int, limit: int = 1_000) -> list[Candle]:
        """Return the latest candles of trades, oldest first."""
        return _latest(self._candles.get((symbol, interval_us)), limit)

    def mark_candles(self, symbol: str, interval_us: int, limit: int = 1_000) -> list[Candle]:
        """Return the latest candles of the mark price, oldest first; their contracts are 0."""
        return _latest(self._marks.get((symbol, interval_us)), limit)

    # ------------------------------------------------------------------ listening

    def listen(self, events: list[Event]) -> None:
        """Take note of the events of one command."""
        for event in events:
            note = self._notes.get(type(event))
            if note is not None:
                note(event)

    def _note_fill(self, fill: Filled) -> None:
        _keep(self._executions, fill.account, fill, self.limits.executions)
        record = self.order(fill.account, fill.order_id)
        if record is not None:
            record.filled = fill.order_filled
            record.contracts = fill.order_contracts
            record.filled_notional_ticks += fill.price * fill.contracts
            record.fee += fill.fee
            record.updated_at = fill.at
            is_whole = fill.order_filled == fill.order_contracts
            record.status = OrderStatus.FILLED if is_whole else OrderStatus.PARTIALLY_FILLED
        if fill.liquidity is Liquidity.TAKER:
            _keep(self._trades, fill.symbol, fill, self.limits.trades)
            self._note_price(self._candles, fill.symbol, fill.at, fill.price, fill.contracts)

    def _note_order(self, accepted: OrderAccepted) -> None:
        orders = self._orders.setdefault(accepted.account, {})
        orders[accepted.order_id] = OrderRecord(
            accepted=accepted,
            price=accepted.price,
            contracts=accepted.contracts,
            updated_at=accepted.at,
        )
        if len(orders) > self.limits.orders:
            del orders[next(iter(orders))]

    def _note_change(self, event: OrderCancelled | OrderAmended) -> None:
        record = self.order(event.account, event.order_id)
        if record is None:
            return
        record.updated_at = event.at
        if isinstance(event, OrderAmended):
            record.price = event.price
            record.contracts = event.contracts
        else:
            record.status = OrderStatus.CANCELLED
            record.cancel_reason = event.reason

    def _note_mark(self, event: MarkPriceSet) -> None:
        self._note_price(self._marks, event.symbol, event.at, event.mark, 0)

    def _note_funding(self, event: FundingPaid) -> None:
        _keep(self._funding, event.account, event, self.limits.funding)

    def _note_liquidation(self, event: LiquidationEvent) -> None:
        _keep(self._liquidations, event.account, event, self.limits.liquidations)

    def _note_transfer(self, event: Transferred) -> None:
        if event.repeated:
            return
        _keep(self._transfers, event.from_account, event, self.limits.transfers)
        if event.to_account != event.from_account:
            _keep(self._transfers, event.to_account, event, self.limits.transfers)

    def _note_price(
        self,
        series: dict[tuple[str, int], deque[Candle]],
        symbol: str,
        at: int,
        price: int,
        contracts: int,
    ) -> None:
        for interval_us in self.limits.candle_intervals_us:
            start_at = at - at % interval_us
            candles = series.get((symbol, interval_us))
            if candles is None:
                candles = series[symbol, interval_us] = deque(maxlen=self.limits.candles)
            if not candles or candles[-1].start_at != start_at:
                candles.append(Candle(start_at, price, price, price, price, contracts))
                continue
            candle = candles[-1]
            candle.high = max(candle.high, price)
            candle.low = min(candle.low, price)
            candle.close = price
            candle.contracts += contracts


def _keep(rows: dict[_K, deque[_V]], key: _K, row: _V, limit: int) -> None:
    kept = rows.get(key)
    if kept is None:
        kept = rows[key] = deque(maxlen=limit)
    kept.append(row)


def _latest(candles: deque[Candle] | None, limit: int) -> list[Candle]:
    if not candles:
        return []
    return list(candles)[-limit:]
