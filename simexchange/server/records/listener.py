"""Keeps the records of all accounts that people trade with; a listener of the simulation."""

from collections.abc import Callable
from typing import Any

from simexchange.core import events as e
from simexchange.core.exchange import Exchange
from simexchange.core.types import (
    AccountKind,
    CancelReason,
    Liquidity,
    OrderKind,
    PositionSide,
    RejectReason,
    Side,
    TimeInForce,
    Wallet,
)
from simexchange.server.records.account import AccountRecords, RecordLimits
from simexchange.server.records.rows import (
    CashEntry,
    EntryKind,
    FillKind,
    KeptFill,
    KeptOrder,
    KeptTransfer,
    OrderState,
    Origin,
    Trigger,
)

_MAKER = Liquidity.MAKER
NO_WORDS: tuple[int, dict[str, str]] = (-1, {})


class Records:
    """Listens to the exchange and keeps rows for questions, per account.

    Market makers are not kept unless ``track`` asks for it: they would fill the memory.
    """

    def __init__(self, exchange: Exchange, limits: RecordLimits | None = None) -> None:
        self._exchange = exchange
        self._limits = limits or RecordLimits()
        self._accounts: dict[int, AccountRecords] = {}
        self._sequence = 0
        self._next_words: tuple[int, dict[str, str]] = NO_WORDS
        self._doubtful: dict[int, str] = {}  # whose cash must be counted anew, and for which symbol
        self._touched: dict[int, AccountRecords] = {}
        self._forced: set[int] = set()  # accounts being liquidated by the present command
        for number in exchange.accounts:
            if exchange.account(number).kind is AccountKind.USER:
                self.track(number)
        self._handlers: dict[type, Callable[[Any], None]] = {
            e.Filled: self._filled,
            e.OrderAccepted: self._order_accepted,
            e.OrderCancelled: self._order_cancelled,
            e.OrderAmended: self._order_amended,
            e.PlanOrderAccepted: self._plan_accepted,
            e.PlanOrderAmended: self._plan_amended,
            e.PlanOrderTriggered: self._plan_triggered,
            e.PlanOrderCancelled: self._plan_cancelled,
            e.PlanOrderFailed: self._plan_failed,
            e.AccountOpened: self._account_opened,
            e.Deposited: self._deposited,
            e.Withdrawn: self._withdrawn,
            e.Transferred: self._transferred,
            e.FundingPaid: self._funding_paid,
            e.LiquidationStarted: self._liquidation_started,
            e.PositionLiquidated: self._position_liquidated,
            e.BankruptcyTakeover: self._taken_over,
            e.Deleveraged: self._deleveraged,
            e.InsuranceFundMoved: self._fund_moved,
            e.LeverageSet: self._position_set,
            e.MarginAdjusted: self._position_set,
        }

    # ------------------------------------------------------------------ questions

    def of(self, account: int) -> AccountRecords:
        """Return the records of an account, which are kept from now on if they were not."""
        return self._accounts.get(account) or self.track(account)

    def find_order(self, account: int, order_id: int) -> KeptOrder | None:
        """Return what is kept of an order; None for accounts that are not kept."""
        return self._known(account, order_id)[1]

    def track(self, account: int) -> AccountRecords:
        if account not in self._accounts:
            self._accounts[account] = AccountRecords(account, self._limits, self._cash(account))
        return self._accounts[account]

    def _cash(self, account: int) -> int:
        """Return the contract wallet with what isolated positions hold."""
        total = self._exchange.account(account).contract_balance
        for position in self._exchange.positions(account):
            if position.margin_mode == "isolated":
                total += position.margin
        return total

    def describe_next(self, account: int, words: dict[str, str]) -> None:
        """Keep ``words`` with the next order that ``account`` places; the caller takes it back."""
        self._next_words = (account, words)

    def _words_for(self, account: int) -> dict[str, str]:
        return self._next_words[1] if account == self._next_words[0] else {}

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    # ------------------------------------------------------------------ listening

    def listen(self, events: list[e.Event]) -> None:
        """Take note of the events of one command."""
        handlers = self._handlers
        for event in events:
            handler = handlers.get(event.__class__)
            if handler is not None:
                handler(event)
        if self._doubtful:
            self._count_anew()
        if self._touched:
            touched, self._touched = self._touched, {}
            for records in touched.values():
                for watcher in records.watchers:
                    watcher.command_done()
        if self._forced:
            self._forced.clear()

    def _changed(self, records: AccountRecords, order: KeptOrder) -> None:
        for watcher in records.watchers:
            watcher.order_changed(order)
            watcher.wallet_changed()
        self._touched[records.account] = records

    # ------------------------------------------------------------------ orders

    def _order_accepted(self, event: e.OrderAccepted) -> None:
        records = self._accounts.get(event.account)
        if records is None:
            return
        known = None if event.plan_id is None else records.by_plan.get(event.plan_id)
        if known is not None:
            known.order_id = event.order_id
            known.state = OrderState.NEW
            known.contracts = event.contracts
            known.updated_at = event.at
            records.by_order[event.order_id] = known
            self._changed(records, known)
            return
        order = KeptOrder(
            sequence=self.next_sequence(),
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
            last_price=self._exchange.last_price(event.symbol),
            words=self._words_for(event.account),
            is_forced=event.account in self._forced and event.reduce_only,
        )
        records.keep_order(order)
        self._changed(records, order)

    def keep_refused(self, order: KeptOrder) -> None:
        """Keep an order that the wire acknowledged and the exchange refused."""
        records = self.of(order.account)
        records.keep_order(order)
        self._changed(records, order)
        for watcher in records.watchers:
            watcher.command_done()
        self._touched.pop(order.account, None)

    def _order_cancelled(self, event: e.OrderCancelled) -> None:
        records, order = self._known(event.account, event.order_id)
        if records is None or order is None:
            return
        order.state = OrderState.CANCELLED
        order.cancel_reason = event.reason
        order.updated_at = event.at
        self._changed(records, order)

    def _order_amended(self, event: e.OrderAmended) -> None:
        records, order = self._known(event.account, event.order_id)
        if records is None or order is None:
            return
        order.price = event.price
        order.contracts = event.contracts
        order.updated_at = event.at
        self._changed(records, order)

    def _known(self, account: int, order_id: int) -> tuple[AccountRecords | None, KeptOrder | None]:
        records = self._accounts.get(account)
        return records, None if records is None else records.by_order.get(order_id)

    # ------------------------------------------------------------------ plan orders

    def _plan_accepted(self, event: e.PlanOrderAccepted) -> None:
        records = self._accounts.get(event.account)
        if records is None:
            return
        order = KeptOrder(
            sequence=self.next_sequence(),
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
            last_price=self._exchange.last_price(event.symbol),
            words=self._words_for(event.account),
            trigger=Trigger(
                price=event.trigger_price,
                by=event.trigger_by,
                direction=event.direction,
                callback_rate=event.callback_rate,
                close_position=event.close_position,
                attached=event.attached,
                group=event.group,
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
        self._changed(records, order)

    def _plan(self, account: int, plan_id: int) -> tuple[AccountRecords | None, KeptOrder | None]:
        records = self._accounts.get(account)
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

    # ------------------------------------------------------------------ fills

    def _filled(self, event: e.Filled) -> None:
        records = self._accounts.get(event.account)
        if records is None:
            return
        order = records.by_order.get(event.order_id)
        exchange, symbol = self._exchange, event.symbol
        instrument = exchange.instrument(symbol)
        is_maker = event.liquidity is _MAKER
        is_forced = order is not None and order.is_forced
        fill = KeptFill(
            sequence=self.next_sequence(),
            number=event.execution_id,
            kind=FillKind.LIQUIDATION if is_forced else FillKind.TRADE,
            at=event.at,
            account=event.account,
            symbol=symbol,
            side=event.side,
            position_side=event.position_side,
            contracts=event.contracts,
            price=event.price,
            value=instrument.notional(event.price, event.contracts),
            fee=event.fee,
            fee_rate=self._fee_rate(event.account, symbol, is_maker=is_maker),
            is_maker=is_maker,
            closed_contracts=event.closed_contracts,
            realized_pnl=event.realized_pnl,
            mark=exchange.mark_price(symbol),
            index=exchange.index_price(symbol),
            order=order,
            order_price=None if order is None else order.price,
            order_contracts=event.order_contracts,
            order_filled=event.order_filled,
        )
        if order is not None:
            whole = event.order_filled == event.order_contracts
            order.filled = event.order_filled
            order.contracts = event.order_contracts
            order.filled_ticks += event.price * event.contracts
            order.fee += event.fee
            order.realized_pnl += event.realized_pnl
            order.state = OrderState.FILLED if whole else OrderState.PARTIALLY_FILLED
            order.updated_at = event.at
            self._changed(records, order)
        records.note_profit(event, fill)
        self._book(
            records,
            EntryKind.TRADE,
            event.at,
            event.realized_pnl - event.fee,
            fill=fill,
            fee=event.fee,
            cash_flow=event.realized_pnl,
            position_contracts=event.position_contracts,
            symbol=symbol,
        )
        self._keep_fill(records, fill)

    def _fee_rate(self, account: int, symbol: str, *, is_maker: bool) -> int:
        terms, instrument = self._exchange.account(account), self._exchange.instrument(symbol)
        if is_maker:
            return instrument.maker_fee if terms.maker_fee is None else terms.maker_fee
        return instrument.taker_fee if terms.taker_fee is None else terms.taker_fee

    def _keep_fill(self, records: AccountRecords, fill: KeptFill) -> None:
        records.fills.append(fill)
        for watcher in records.watchers:
            watcher.filled(fill)
            watcher.position_changed(fill.symbol, fill.position_side)
            watcher.wallet_changed()
        self._touched[records.account] = records

    def _book(
        self, records: AccountRecords, kind: EntryKind, at: int, change: int, **facts: Any
    ) -> None:
        """Write a change of the wallet into the account's log."""
        records.cash += change
        records.entries.append(
            CashEntry(
                sequence=self.next_sequence(),
                kind=kind,
                at=at,
                change=change,
                balance=records.cash,
                **facts,
            )
        )

    # ------------------------------------------------------------------ funding, liquidation

    def _funding_paid(self, event: e.FundingPaid) -> None:
        records = self._accounts.get(event.account)
        if records is None:
            return
        instrument = self._exchange.instrument(event.symbol)
        held = abs(event.contracts)
        sign = event.contracts * (-1 if event.position_side < 0 and event.contracts > 0 else 1)
        fill = self._other_fill(
            event,
            FillKind.FUNDING,
            side=Side.BUY if sign > 0 else Side.SELL,
            contracts=held,
            price=event.mark,
            value=instrument.notional(event.mark, held),
            fee=event.payment,
            fee_rate=event.rate,
        )
        position = records.position(event.symbol, event.position_side, event.at, fill.sequence)
        position.current -= event.payment
        position.cumulative -= event.payment
        position.updated_at = event.at
        self._book(
            records,
            EntryKind.FUNDING,
            event.at,
            -event.payment,
            fill=fill,
            funding=event.payment,
            position_contracts=event.contracts,
            symbol=event.symbol,
        )
        self._keep_fill(records, fill)

    def _other_fill(  # noqa: PLR0913 - the facts of an execution
        self,
        event: e.FundingPaid | e.BankruptcyTakeover | e.Deleveraged,
        kind: FillKind,
        *,
        side: Side,
        contracts: int,
        price: int,
        value: int,
        fee: int = 0,
        fee_rate: int = 0,
        closed: int = 0,
        realized_pnl: int = 0,
    ) -> KeptFill:
        sequence = self.next_sequence()
        return KeptFill(
            sequence=sequence,
            number=sequence,
            kind=kind,
            at=event.at,
            account=event.account,
            symbol=event.symbol,
            side=side,
            position_side=event.position_side,
            contracts=contracts,
            price=price,
            value=value,
            fee=fee,
            fee_rate=fee_rate,
            is_maker=False,
            closed_contracts=closed,
            realized_pnl=realized_pnl,
            mark=self._exchange.mark_price(event.symbol),
            index=self._exchange.index_price(event.symbol),
            order=None,
            order_price=None,
            order_contracts=contracts,
            order_filled=contracts,
        )

    def _liquidation_started(self, event: e.LiquidationStarted) -> None:
        self._forced.add(event.account)

    def _position_liquidated(self, event: e.PositionLiquidated) -> None:
        records = self._accounts.get(event.account)
        if records is None:
            return
        self._doubtful[event.account] = event.symbol
        position = records.position(
            event.symbol, event.position_side, event.at, self.next_sequence()
        )
        position.contracts = event.position_contracts
        position.updated_at = event.at
        for watcher in records.watchers:
            watcher.position_changed(event.symbol, event.position_side)
        self._touched[records.account] = records

    def _taken_over(self, event: e.BankruptcyTakeover) -> None:
        self._closed_by_force(event, FillKind.TAKEOVER)

    def _deleveraged(self, event: e.Deleveraged) -> None:
        self._closed_by_force(event, FillKind.DELEVERAGING)
        self._doubtful[event.against] = event.symbol

    def _closed_by_force(self, event: e.BankruptcyTakeover | e.Deleveraged, kind: FillKind) -> None:
        self._doubtful[event.account] = event.symbol
        records = self._accounts.get(event.account)
        if records is None:
            return
        tick_value = self._exchange.instrument(event.symbol).tick_value
        fill = self._other_fill(
            event,
            kind,
            side=event.side,
            contracts=event.contracts,
            price=event.value // (event.contracts * tick_value),
            value=event.value,
            closed=event.contracts,
            realized_pnl=event.realized_pnl,
        )
        position = records.position(event.symbol, event.position_side, event.at, fill.sequence)
        position.current += event.realized_pnl
        position.cumulative += event.realized_pnl
        position.contracts = event.position_contracts
        position.updated_at = event.at
        self._keep_fill(records, fill)

    def _fund_moved(self, event: e.InsuranceFundMoved) -> None:
        if event.account is not None:
            self._doubtful[event.account] = event.symbol or ""

    def _count_anew(self) -> None:
        """Log what liquidations changed beside fills: what is there now less what was booked."""
        doubtful, self._doubtful = self._doubtful, {}
        for account, symbol in doubtful.items():
            records = self._accounts.get(account)
            if records is None:
                continue
            change = self._cash(account) - records.cash
            if change:
                now = self._exchange.now
                self._book(records, EntryKind.LIQUIDATION, now, change, symbol=symbol or None)
            for watcher in records.watchers:
                watcher.wallet_changed()
            self._touched[account] = records

    # ------------------------------------------------------------------ accounts and money

    def _account_opened(self, event: e.AccountOpened) -> None:
        if event.kind is AccountKind.USER:
            self.track(event.account)

    def _position_set(self, event: e.LeverageSet | e.MarginAdjusted) -> None:
        records = self._accounts.get(event.account)
        if records is None:
            return
        for watcher in records.watchers:
            watcher.position_changed(event.symbol, event.position_side)
            watcher.wallet_changed()
        self._touched[records.account] = records

    def _deposited(self, event: e.Deposited) -> None:
        self._moved(event.account, event.wallet, EntryKind.DEPOSIT, event.at, event.money, "")

    def _withdrawn(self, event: e.Withdrawn) -> None:
        self._moved(event.account, event.wallet, EntryKind.WITHDRAWAL, event.at, -event.money, "")

    def _transferred(self, event: e.Transferred) -> None:
        if event.repeated:
            return
        kept = KeptTransfer(
            sequence=self.next_sequence(),
            at=event.at,
            transfer_id=event.transfer_id,
            from_account=event.from_account,
            from_wallet=event.from_wallet,
            to_account=event.to_account,
            to_wallet=event.to_wallet,
            money=event.money,
        )
        for account in dict.fromkeys((event.from_account, event.to_account)):
            records = self._accounts.get(account)
            if records is not None:
                records.transfers.append(kept)
        transfer = (EntryKind.TRANSFER, event.at)
        reference = event.transfer_id
        self._moved(event.from_account, event.from_wallet, *transfer, -event.money, reference)
        self._moved(event.to_account, event.to_wallet, *transfer, event.money, reference)

    def _moved(
        self, account: int, wallet: Wallet, kind: EntryKind, at: int, change: int, reference: str
    ) -> None:
        records = self._accounts.get(account)
        if records is None:
            return
        if wallet is Wallet.CONTRACT:
            self._book(records, kind, at, change, reference=reference)
        for watcher in records.watchers:
            watcher.wallet_changed()
        self._touched[account] = records


def refused_order(  # noqa: PLR0913 - the facts of an order
    records: Records,
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
