"""Notes of orders and plan orders."""

from collections.abc import Callable
from typing import Any

from simexchange.core import events as e
from simexchange.core.types import (
    CancelReason,
    OrderKind,
    PositionSide,
    RejectReason,
    Side,
    TimeInForce,
)
from simexchange.server.records.account import AccountRecords
from simexchange.server.records.kept import Kept
from simexchange.server.records.rows import (
    Amendment,
    KeptOrder,
    OrderState,
    Origin,
    Trigger,
)


class OrderNotes:
    """Keeps one row for each order, from acceptance to its end."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def handlers(self) -> dict[type, Callable[[Any], None]]:
        return {
            e.OrderAccepted: self._order_accepted,
            e.OrderCancelled: self._order_cancelled,
            e.OrderAmended: self._order_amended,
            e.PlanOrderAccepted: self._plan_accepted,
            e.PlanOrderAmended: self._plan_amended,
            e.PlanOrderTriggered: self._plan_triggered,
            e.PlanOrderCancelled: self._plan_cancelled,
            e.PlanOrderFailed: self._plan_failed,
        }

    # ------------------------------------------------------------------ orders

    def _order_accepted(self, event: e.OrderAccepted) -> None:
        records = self._kept.accounts.get(event.account)
        if records is None:
            return
        known = None if event.plan_id is None else records.by_plan.get(event.plan_id)
        if known is not None:
            known.order_id = event.order_id
            known.state = OrderState.NEW
            known.contracts = event.contracts
            known.updated_at = event.at
            records.by_order[event.order_id] = known
            self._kept.changed(records, known)
            return
        is_forced = event.account in self._kept.forced and event.reduce_only
        order = KeptOrder(
            sequence=self._kept.next_sequence(),
            origin=Origin.ORDER,
            number=event.order_id,
            order_id=event.order_id,
            plan_id=None,
            account=event.account,
            symbol=event.symbol,
            side=event.side,
            position_side=event.position_side,
            kind=event.kind,
            price=event.price,
            contracts=event.contracts,
            time_in_force=event.time_in_force,
            reduce_only=event.reduce_only,
            client_order_id=event.client_order_id,
            created_at=event.at,
            updated_at=event.at,
            last_price=self._kept.exchange.last_price(event.symbol),
            words={} if is_forced else self._kept.words_for(event.account),
            is_forced=is_forced,
        )
        records.keep_order(order)
        self._kept.changed(records, order)

    def _order_cancelled(self, event: e.OrderCancelled) -> None:
        records, order = self._kept.known(event.account, event.order_id)
        if records is None or order is None:
            return
        order.state = OrderState.CANCELLED
        order.cancel_reason = event.reason
        order.updated_at = event.at
        self._kept.changed(records, order)

    def _order_amended(self, event: e.OrderAmended) -> None:
        records, order = self._kept.known(event.account, event.order_id)
        if records is None or order is None:
            return
        order.amended += 1
        records.amendments.append(
            Amendment(
                number=self._kept.next_sequence(),
                order=order,
                at=event.at,
                price_before=order.price or 0,
                price=event.price or 0,
                contracts_before=order.contracts,
                contracts=event.contracts,
                count=order.amended,
            )
        )
        order.price = event.price
        order.contracts = event.contracts
        order.updated_at = event.at
        self._kept.changed(records, order)

    # ------------------------------------------------------------------ plan orders

    def _plan_accepted(self, event: e.PlanOrderAccepted) -> None:
        records = self._kept.accounts.get(event.account)
        if records is None:
            return
        order = KeptOrder(
            sequence=self._kept.next_sequence(),
            origin=Origin.PLAN,
            number=event.plan_id,
            order_id=None,
            plan_id=event.plan_id,
            account=event.account,
            symbol=event.symbol,
            side=event.side,
            position_side=event.position_side,
            kind=event.kind,
            price=event.price,
            contracts=event.contracts,
            time_in_force=(TimeInForce.IOC if event.kind is OrderKind.MARKET else TimeInForce.GTC),
            reduce_only=event.reduce_only or event.close_position or event.attached,
            client_order_id=event.client_order_id,
            created_at=event.at,
            updated_at=event.at,
            state=OrderState.UNTRIGGERED,
            last_price=self._kept.exchange.last_price(event.symbol),
            words=self._kept.words_for(event.account),
            trigger=Trigger(
                price=event.trigger_price,
                by=event.trigger_by,
                direction=event.direction,
                callback_rate=event.callback_rate,
                close_position=event.close_position,
                attached=event.attached,
                group=event.group,
                price_protect=event.price_protect,
            ),
        )
        records.keep_order(order)
        self._plan_changed(records, order)

    def _plan_changed(self, records: AccountRecords, order: KeptOrder) -> None:
        if order.trigger is not None and order.trigger.attached and order.plan_id is not None:
            if order.state is OrderState.UNTRIGGERED:
                records.waiting_stops[order.plan_id] = order
            else:
                records.waiting_stops.pop(order.plan_id, None)
            for watcher in records.watchers:
                watcher.position_changed(order.symbol, order.position_side)
        self._kept.changed(records, order)

    def _plan(self, account: int, plan_id: int) -> tuple[AccountRecords | None, KeptOrder | None]:
        records = self._kept.accounts.get(account)
        return records, None if records is None else records.by_plan.get(plan_id)

    def _plan_amended(self, event: e.PlanOrderAmended) -> None:
        records, order = self._plan(event.account, event.plan_id)
        if records is None or order is None or order.trigger is None:
            return
        order.trigger.price = event.trigger_price
        order.price = event.price
        order.contracts = event.contracts
        order.updated_at = event.at
        self._plan_changed(records, order)

    def _plan_triggered(self, event: e.PlanOrderTriggered) -> None:
        records, order = self._plan(event.account, event.plan_id)
        if records is not None and order is not None:
            order.state = OrderState.TRIGGERED
            order.updated_at = event.at
            self._plan_changed(records, order)

    def _plan_cancelled(self, event: e.PlanOrderCancelled) -> None:
        records, order = self._plan(event.account, event.plan_id)
        if records is not None and order is not None:
            order.state = OrderState.DEACTIVATED
            order.cancel_reason = event.reason
            order.updated_at = event.at
            self._plan_changed(records, order)

    def _plan_failed(self, event: e.PlanOrderFailed) -> None:
        records, order = self._plan(event.account, event.plan_id)
        if records is not None and order is not None:
            order.state = OrderState.REJECTED
            order.reject_reason = event.reason
            order.updated_at = event.at
            self._plan_changed(records, order)


def refused_order(  # noqa: PLR0913 - the facts of an order
    records: Kept,
    *,
    account: int,
    symbol: str,
    side: Side,
    position_side: PositionSide,
    price: int | None,
    contracts: int,
    time_in_force: TimeInForce,
    client_order_id: str | None,
    at: int,
    reason: RejectReason,
    cancel_reason: CancelReason,
) -> KeptOrder:
    """Return the record of an order that ended in the moment it was acknowledged."""
    sequence = records.next_sequence()
    return KeptOrder(
        sequence=sequence,
        origin=Origin.REFUSED,
        number=sequence,
        order_id=None,
        plan_id=None,
        account=account,
        symbol=symbol,
        side=side,
        position_side=position_side,
        kind=OrderKind.LIMIT if price is not None else OrderKind.MARKET,
        price=price,
        contracts=contracts,
        time_in_force=time_in_force,
        reduce_only=False,
        client_order_id=client_order_id,
        created_at=at,
        updated_at=at,
        state=OrderState.CANCELLED,
        cancel_reason=cancel_reason,
        reject_reason=reason,
    )
