"""Notes of fills, funding payments and liquidations."""

from collections.abc import Callable
from typing import Any

from simexchange.core import events as e
from simexchange.core.types import (
    Liquidity,
    Side,
)
from simexchange.server.records.account import AccountRecords
from simexchange.server.records.kept import Kept
from simexchange.server.records.rows import (
    EntryKind,
    FillKind,
    KeptFill,
    OrderState,
)

_MAKER = Liquidity.MAKER


class FillNotes:
    """Keeps what was executed, and books what it changed."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def handlers(self) -> dict[type, Callable[[Any], None]]:
        return {
            e.Filled: self._filled,
            e.FundingPaid: self._funding_paid,
            e.LiquidationStarted: self._liquidation_started,
            e.PositionLiquidated: self._position_liquidated,
            e.BankruptcyTakeover: self._taken_over,
            e.Deleveraged: self._deleveraged,
            e.InsuranceFundMoved: self._fund_moved,
        }

    # ------------------------------------------------------------------ fills

    def _filled(self, event: e.Filled) -> None:
        records = self._kept.accounts.get(event.account)
        if records is None:
            return
        order = records.by_order.get(event.order_id)
        exchange, symbol = self._kept.exchange, event.symbol
        instrument = exchange.instrument(symbol)
        is_maker = event.liquidity is _MAKER
        is_forced = order is not None and order.is_forced
        fill = KeptFill(
            sequence=self._kept.next_sequence(),
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
            self._kept.changed(records, order)
        records.note_profit(event, fill)
        self._kept.book(
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
        terms, instrument = (
            self._kept.exchange.account(account),
            self._kept.exchange.instrument(symbol),
        )
        if is_maker:
            return instrument.maker_fee if terms.maker_fee is None else terms.maker_fee
        return instrument.taker_fee if terms.taker_fee is None else terms.taker_fee

    def _keep_fill(self, records: AccountRecords, fill: KeptFill) -> None:
        records.fills.append(fill)
        for watcher in records.watchers:
            watcher.filled(fill)
            watcher.position_changed(fill.symbol, fill.position_side)
            watcher.wallet_changed()
        self._kept.touched[records.account] = records

    # ------------------------------------------------------------------ funding, liquidation

    def _funding_paid(self, event: e.FundingPaid) -> None:
        records = self._kept.accounts.get(event.account)
        if records is None:
            return
        instrument = self._kept.exchange.instrument(event.symbol)
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
        self._kept.book(
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
        sequence = self._kept.next_sequence()
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
            mark=self._kept.exchange.mark_price(event.symbol),
            index=self._kept.exchange.index_price(event.symbol),
            order=None,
            order_price=None,
            order_contracts=contracts,
            order_filled=contracts,
        )

    def _liquidation_started(self, event: e.LiquidationStarted) -> None:
        self._kept.forced.add(event.account)

    def _position_liquidated(self, event: e.PositionLiquidated) -> None:
        records = self._kept.accounts.get(event.account)
        if records is None:
            return
        self._kept.doubtful[event.account] = event.symbol
        position = records.position(
            event.symbol, event.position_side, event.at, self._kept.next_sequence()
        )
        position.contracts = event.position_contracts
        position.updated_at = event.at
        for watcher in records.watchers:
            watcher.position_changed(event.symbol, event.position_side)
        self._kept.touched[records.account] = records

    def _taken_over(self, event: e.BankruptcyTakeover) -> None:
        self._closed_by_force(event, FillKind.TAKEOVER)

    def _deleveraged(self, event: e.Deleveraged) -> None:
        self._closed_by_force(event, FillKind.DELEVERAGING)
        self._kept.doubtful[event.against] = event.symbol

    def _closed_by_force(self, event: e.BankruptcyTakeover | e.Deleveraged, kind: FillKind) -> None:
        self._kept.doubtful[event.account] = event.symbol
        records = self._kept.accounts.get(event.account)
        if records is None:
            return
        tick_value = self._kept.exchange.instrument(event.symbol).tick_value
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
            self._kept.doubtful[event.account] = event.symbol or ""
