"""Everything the exchange knows; the parts that change it share one of these."""

from itertools import chain
from typing import NamedTuple

from simexchange.core.accounts import INSURANCE_FUND, Account
from simexchange.core.commands import Transfer
from simexchange.core.config import ExchangeConfig
from simexchange.core.events import CommandRejected, OrderRejected
from simexchange.core.fees import set_rates
from simexchange.core.ledger import Ledger
from simexchange.core.log import EventLog
from simexchange.core.markets import Market
from simexchange.core.orders import Order
from simexchange.core.positions import Position
from simexchange.core.timers import Timers
from simexchange.core.types import (
    AccountKind,
    MarginMode,
    PositionMode,
    PositionSide,
    RejectReason,
)

NET = PositionSide.NET


class Refusal(NamedTuple):
    """Why not, and a sentence with the numbers."""

    reason: RejectReason
    message: str


class State:
    """The exchange's memory. Dicts are in order of insertion; nothing iterates over a set."""

    __slots__ = (
        "accounts",
        "bereft",
        "closed_before",
        "closed_orders",
        "config",
        "fund",
        "has_echo",
        "last_execution_id",
        "ledger",
        "log",
        "markets",
        "next_account",
        "next_order_id",
        "next_plan_id",
        "next_position",
        "next_sequence",
        "next_trade_id",
        "positions",
        "stale_accounts",
        "timers",
        "traded",
        "transfers",
    )

    def __init__(self, config: ExchangeConfig) -> None:
        self.config = config
        self.log = EventLog()
        self.ledger = Ledger()
        self.accounts: dict[int, Account] = {}
        self.markets: dict[str, Market] = {}
        self.positions: list[Position] = []  # all that were ever adopted, by number
        self.closed_orders: list[Order] = []  # that ended lately, the newest last
        self.closed_before: list[Order] = []  # and those before them
        self.stale_accounts: list[Account] = []  # whose cross bands are not up to date
        self.transfers: dict[str, Transfer] = {}
        self.bereft: list[Position] = []  # gone or turned round, with plan orders attached
        self.traded: list[Market] = []  # with plan orders on the last price, in this command
        self.has_echo = False  # something is bereft or traded, or to be checked
        self.timers = Timers()
        self.next_account = 1
        self.next_order_id = 1
        self.next_plan_id = 1
        self.last_execution_id = 0  # the latest one given out
        self.next_trade_id = 1
        self.next_position = 1
        self.next_sequence = 1  # breaks ties in heaps
        self.fund = Account(
            INSURANCE_FUND, None, "insurance fund", AccountKind.SYSTEM, PositionMode.ONE_WAY
        )
        self.accounts[INSURANCE_FUND] = self.fund
        self.fund.maker_fee = self.fund.taker_fee = 0
        self.fund.wallet = config.insurance_fund
        self.ledger.outside = -config.insurance_fund

    def position(self, account: Account, market: Market, side: PositionSide) -> Position:
        """Return the position, or a new one that counts only once it is adopted."""
        position = account.legs[side].get(market.symbol)
        if position is None:
            position = Position(account, market, side, market.instrument.default_leverage)
            if account.kind is AccountKind.SYSTEM:
                position.set_margin_mode(MarginMode.CROSS)
            set_rates(position)
        return position

    def adopt(self, position: Position) -> None:
        """Let a new position take its place; it is numbered in the order of adoption."""
        if position.number == 0:
            position.number = self.next_position
            self.next_position += 1
            self.positions.append(position)
            account = position.account
            account.legs[position.side][position.market.symbol] = position
            if position.side is NET:
                account.note_plain(position)

    def mark_stale(self, position: Position) -> None:
        """Let the liquidation price be computed anew before the next tick."""
        if not position.is_stale:
            position.is_stale = True
            position.market.stale.append(position)

    def note_equity_moved(self, account: Account) -> None:
        """Let the cross bands of ``account`` be computed anew before the next tick."""
        if account.cross_positions and not account.is_cross_stale:
            account.is_cross_stale = True
            self.stale_accounts.append(account)

    def forget_closed(self) -> None:
        """Forget the older half of the ended orders that are kept once the newer half is full."""
        if 2 * len(self.closed_orders) >= self.config.closed_orders_kept:
            self.closed_before = self.closed_orders
            self.closed_orders = []

    def order(self, order_id: int, account: int | None) -> Order | None:
        """Return an order that is open, or one of the latest that ended; see ``Reads.order``."""
        if account is not None:
            return self.accounts[account].open_orders.get(order_id) or self._closed_order(order_id)
        closed = self._closed_order(order_id)  # before all accounts there are
        if closed is not None:
            return closed
        opened = (each.open_orders.get(order_id) for each in self.accounts.values())
        return next((order for order in opened if order is not None), None)

    def _closed_order(self, order_id: int) -> Order | None:
        closed = chain(reversed(self.closed_orders), reversed(self.closed_before))
        return next((order for order in closed if order.order_id == order_id), None)

    def refuse(
        self,
        command: object,
        reason: RejectReason,
        message: str,
        *,
        account: int | None = None,
        symbol: str | None = None,
    ) -> None:
        """Say that a command was refused."""
        self.log.events.append(
            CommandRejected(self.log.at, type(command).__name__, account, symbol, reason, message)
        )

    def refuse_order(
        self,
        account: int,
        symbol: str,
        client_order_id: str | None,
        refusal: Refusal,
        plan_id: int | None = None,
    ) -> None:
        self.log.events.append(
            OrderRejected(
                self.log.at,
                account,
                symbol,
                client_order_id,
                refusal.reason,
                refusal.message,
                plan_id,
            )
        )
