"""What the events of a run add up to: money, positions and orders, by sums and nothing else."""

from collections import defaultdict, deque
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from simexchange.core import events as e
from simexchange.core.accounts import INSURANCE_FUND
from simexchange.core.events import Event
from simexchange.core.types import PositionSide, Wallet

NET = PositionSide.NET
KEPT = 1_000
"""Ended orders that are remembered, to see that none is filled again."""


class Key(NamedTuple):
    """One position of one account."""

    account: int
    symbol: str
    position_side: PositionSide


class ShadowOrder(msgspec.Struct):
    """An order as its events tell it."""

    contracts: int
    filled: int = 0
    reduce_only: bool = False
    ended: bool = False


class Shadow:
    """`money` is spot, or contract wallet with isolated margins; `held` is signed (short below 0).

    Orders that ended are forgotten after a while, so that a long run needs no more memory.
    """

    def __init__(self, insurance_fund: int) -> None:
        self.brought_in = insurance_fund  # deposits less withdrawals
        self.money: defaultdict[tuple[int, Wallet], int] = defaultdict(int)
        self.money[INSURANCE_FUND, Wallet.CONTRACT] = insurance_fund
        self.held: defaultdict[Key, int] = defaultdict(int)
        self.cost: defaultdict[Key, int] = defaultdict(int)
        self.orders: dict[int, ShadowOrder] = {}
        self._ended: deque[int] = deque()
        self._touched: dict[str, None] = {}

    def take_touched(self) -> list[str]:
        """Return the instruments whose positions changed since this was asked last."""
        touched = list(self._touched)
        self._touched.clear()
        return touched

    def contracts_of(self, symbol: str) -> int:
        return sum(contracts for key, contracts in self.held.items() if key.symbol == symbol)

    def take(self, event: Event) -> None:
        """Add one event to the sums."""
        if isinstance(event, e.OrderAccepted | e.OrderAmended | e.OrderCancelled):
            self._take_order(event)
        elif isinstance(event, e.Filled | e.BankruptcyTakeover | e.Deleveraged):
            self._take_trade(event)
        else:
            self._take_money(event)

    def _take_order(self, event: e.OrderAccepted | e.OrderAmended | e.OrderCancelled) -> None:
        if isinstance(event, e.OrderAccepted):
            order = ShadowOrder(event.contracts, reduce_only=event.reduce_only)
            self.orders[event.order_id] = order
        elif isinstance(event, e.OrderAmended):
            self.orders[event.order_id].contracts = event.contracts
        else:
            self.orders[event.order_id].ended = True
            self._forget(event.order_id)

    def _take_money(self, event: Event) -> None:
        match event:
            case e.Deposited() | e.Withdrawn():
                money = event.money if isinstance(event, e.Deposited) else -event.money
                self.money[event.account, event.wallet] += money
                self.brought_in += money
            case e.Transferred(repeated=False):
                self.money[event.from_account, event.from_wallet] -= event.money
                self.money[event.to_account, event.to_wallet] += event.money
            case e.InsuranceFundMoved():
                self._earn(INSURANCE_FUND, event.money)
                if event.account is not None:
                    self._earn(event.account, -event.money)
            case e.FundingPaid():
                self._earn(event.account, -event.payment)
            case _:
                pass

    def _take_trade(self, event: e.Filled | e.BankruptcyTakeover | e.Deleveraged) -> None:
        self._touched[event.symbol] = None
        key = Key(event.account, event.symbol, event.position_side)
        self.held[key] += event.side * event.contracts
        self.cost[key] = event.entry_cost
        self._earn(event.account, event.realized_pnl)
        if isinstance(event, e.Filled):
            self._earn(event.account, -event.fee)
            order = self.orders[event.order_id]
            order.filled = event.order_filled
            if order.filled == order.contracts:
                order.ended = True
                self._forget(event.order_id)
        elif isinstance(event, e.BankruptcyTakeover):
            fund = Key(INSURANCE_FUND, event.symbol, NET)
            self.held[fund] -= event.side * event.contracts
            self.cost[fund] = event.fund_entry_cost
            self._earn(INSURANCE_FUND, event.fund_realized_pnl)
        else:
            self._earn(event.against, event.against_realized_pnl)
            # the bankrupt position is named by its liquidation, of which this is a part
            self.held[self._bankrupt(event)] -= event.side * event.contracts

    def _bankrupt(self, event: e.Deleveraged) -> Key:
        """Return the position that was closed against: the event names its account only."""
        for side in PositionSide:
            key = Key(event.against, event.symbol, side)
            if self.held[key] * event.side > 0:
                return key
        raise AssertionError(f"{event} closed against a position that nobody holds")

    def _earn(self, account: int, money: int) -> None:
        self.money[account, Wallet.CONTRACT] += money

    def _forget(self, order_id: int) -> None:
        self._ended.append(order_id)
        if len(self._ended) > KEPT:
            del self.orders[self._ended.popleft()]


def earnings(event: Event) -> Iterator[tuple[int, int]]:
    """Yield who earned how much by an event, below 0 where he lost; the fund's payments apart."""
    match event:
        case e.Filled():
            yield event.account, event.realized_pnl - event.fee
        case e.FundingPaid():
            yield event.account, -event.payment
        case e.BankruptcyTakeover():
            yield event.account, event.realized_pnl
        case e.Deleveraged():
            yield event.account, event.realized_pnl
            yield event.against, event.against_realized_pnl
        case e.PositionLiquidated():
            yield event.account, -event.liquidation_fee
        case _:
            pass
