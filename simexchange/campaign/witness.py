"""A second account of a run, kept from its events alone, and the invariants that it must keep.

The numbers are those of `INVARIANTS`. What the exchange checks of itself after every command
(`simexchange.core.invariants`) is checked here once more from outside, where events tell it; what
only events can tell is checked only here. A broken invariant is an AssertionError that begins with
its number.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from simexchange.campaign.shadow import Key, Shadow, ShadowOrder, earnings
from simexchange.core import events as e
from simexchange.core.accounts import INSURANCE_FUND
from simexchange.core.commands import Command
from simexchange.core.events import Event
from simexchange.core.exchange import Exchange
from simexchange.core.types import (
    RATE_SCALE,
    CancelReason,
    Liquidity,
    MarginMode,
    PositionSide,
    Wallet,
)
from simexchange.core.views import PositionView

INVARIANTS = {
    1: "all money that came in is somewhere: equities, fees and rounding",
    2: "longs and shorts of an instrument are equal",
    3: "a funding exchange sums to zero with its residue booked",
    4: "no wallet is below zero, and only who lost is paid by the insurance fund",
    5: "who holds no position neither pays nor receives for another's loss",
    6: "deleveraging goes down the ranks, at one price, and closes no more than is held",
    7: "the book is never crossed, and a taker's prices only get worse",
    8: "an order is filled, open or cancelled to the last contract, and never again after its end",
    9: "a position is the sum of its fills, and its entry price stays when it is reduced",
    10: "a drained exchange holds nothing back",
    11: "a reduce-only order never opens and never turns a position round",
    12: "the reported liquidation price is where equity meets the requirement",
    13: "a liquidation closes what was held and no more, and only of who was due",
    14: "transfers conserve, and one account never pays for another without one",
    15: "the same seed and commands give the same bytes",
}
"""What each number says. 10 is the drain (`drain.py`), 15 the hashes (`hashes.py`)."""

LOOK_EVERY = 20
"""Commands between two looks at everything that can be asked of the exchange."""


def held_that(number: int, condition: object, *facts: object) -> None:
    """Assert an invariant by its number; `facts` stand in the message."""
    assert condition, f"invariant {number} ({INVARIANTS[number]}): {facts}"


class Witness:
    """Sees every command's events, in order, and asks the exchange now and then."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._shadow = Shadow(exchange.config.insurance_fund)
        self._countdown = LOOK_EVERY
        self._payments: defaultdict[str, list[int]] = defaultdict(list)
        self._lost: Counter[int] = Counter()
        self._worst: dict[int, int] = {}  # latest price of each taker of the present command
        self._started: dict[Key, int] = {}
        self._ranks: dict[tuple[int, str], e.Deleveraged] = {}
        self._trades: dict[int, int] = {}  # contracts of a trade's first side
        self._laws: dict[type, Callable[[Any], None]] = {
            e.Filled: self._filled,
            e.OrderCancelled: self._cancelled,
            e.FundingPaid: self._paid,
            e.FundingSettled: self._settled,
            e.LiquidationStarted: self._liquidation_started,
            e.PositionLiquidated: self._liquidated,
            e.BankruptcyTakeover: self._taken_over,
            e.Deleveraged: self._deleveraged,
            e.InsuranceFundMoved: self._fund_moved,
            e.Transferred: self._transferred,
        }

    def see(self, command: Command, events: list[Event]) -> None:
        """Take the events of one command, already carried out."""
        self._worst.clear()
        self._ranks.clear()
        for event in events:  # first, since a fund pays for a fill before it is said
            for account, money in earnings(event):
                self._lost[account] -= min(0, money)
        for event in events:
            law = self._laws.get(type(event))
            if law is not None:
                law(event)
            self._shadow.take(event)
        for symbol in self._shadow.take_touched():
            total = self._shadow.contracts_of(symbol)
            held_that(2, total == 0, symbol, total)
        held_that(7, not self._trades, "trades with one side", self._trades)
        self._countdown -= 1
        if self._countdown == 0:
            self._countdown = LOOK_EVERY
            self.look()

    # ------------------------------------------------------------------ trades

    def _filled(self, event: e.Filled) -> None:
        shadow, order = self._shadow, self._shadow.orders.get(event.order_id)
        held_that(8, order is not None, "a fill of an order nobody placed", event)
        assert order is not None
        held_that(8, not order.ended, "filled after its end", event)
        held_that(8, event.order_filled == order.filled + event.contracts, event)
        held_that(8, event.order_filled <= event.order_contracts == order.contracts, event)
        key = Key(event.account, event.symbol, event.position_side)
        before, after = shadow.held[key], shadow.held[key] + event.side * event.contracts
        held_that(9, abs(after) == abs(event.position_contracts), before, event)
        if order.reduce_only:
            held_that(11, abs(after) < abs(before) and before * after >= 0, before, event)
        if before * after > 0 and abs(after) < abs(before):
            # cost per contract: equal but for the unit by which a share is rounded
            drift = shadow.cost[key] * abs(after) - event.entry_cost * abs(before)
            held_that(9, abs(drift) <= abs(before), before, shadow.cost[key], event)
        self._note_trade(event)

    def _note_trade(self, event: e.Filled) -> None:
        first = self._trades.pop(event.trade_id, None)
        if first is None:
            self._trades[event.trade_id] = event.side * event.contracts
        else:
            held_that(7, first + event.side * event.contracts == 0, first, event)
        if event.liquidity is Liquidity.TAKER:
            worst = self._worst.get(event.order_id, event.price)
            held_that(7, (event.price - worst) * event.side >= 0, worst, event)
            self._worst[event.order_id] = event.price

    def _cancelled(self, event: e.OrderCancelled) -> None:
        order = self._shadow.orders.get(event.order_id)
        held_that(8, order is not None and not order.ended, order, event)
        assert order is not None
        held_that(8, event.filled + event.remaining == order.contracts, order, event)
        if event.reason is CancelReason.FILL_OR_KILL:
            held_that(8, event.filled == 0, "killed after a part was filled", event)

    # ------------------------------------------------------------------ funding and the fund

    def _paid(self, event: e.FundingPaid) -> None:
        key = Key(event.account, event.symbol, event.position_side)
        held_that(5, event.contracts == self._shadow.held[key] != 0, self._shadow.held[key], event)
        self._payments[event.symbol].append(event.payment)

    def _settled(self, event: e.FundingSettled) -> None:
        payments = self._payments.pop(event.symbol, [])
        held_that(3, sum(payments) == event.residue, payments, event)
        held_that(3, 0 <= event.residue <= len(payments), payments, event)
        held_that(3, not (event.skipped and payments), payments, event)

    def _fund_moved(self, event: e.InsuranceFundMoved) -> None:
        if event.account is None or event.money >= 0:
            return
        lost = self._lost[event.account]
        held_that(4, -event.money <= lost, "paid more than was ever lost", lost, event)
        self._lost[event.account] += event.money

    def _transferred(self, event: e.Transferred) -> None:
        held_that(14, event.money > 0 and event.from_balance >= 0 <= event.to_balance, event)

    # ------------------------------------------------------------------ liquidation

    def _liquidation_started(self, event: e.LiquidationStarted) -> None:
        key = Key(event.account, event.symbol, event.position_side)
        self._started[key] = held = self._shadow.held[key]
        held_that(13, held != 0, event)
        price = event.liquidation_price
        if event.margin_mode is MarginMode.ISOLATED:
            held_that(13, price is not None, event)
            assert price is not None
            held_that(13, (event.mark - price) * (1 if held > 0 else -1) <= 0, "not due", event)

    def _liquidated(self, event: e.PositionLiquidated) -> None:
        key = Key(event.account, event.symbol, event.position_side)
        started, left = self._started.pop(key), self._shadow.held[key]
        parts = event.through_book + event.taken_over + event.deleveraged
        held_that(13, parts == event.contracts == abs(started) - abs(left), started, left, event)
        held_that(13, started * left >= 0, "turned round", started, left, event)

    def _taken_over(self, event: e.BankruptcyTakeover) -> None:
        key = Key(event.account, event.symbol, event.position_side)
        held_that(13, self._shadow.held[key] * event.side < 0, event)
        held_that(13, event.contracts <= abs(self._shadow.held[key]), event)

    def _deleveraged(self, event: e.Deleveraged) -> None:
        held = self._shadow.held[Key(event.account, event.symbol, event.position_side)]
        held_that(5, held * event.side < 0, "who has no such position", held, event)
        held_that(6, event.contracts <= abs(held), held, event)
        line = event.against, event.symbol
        before = self._ranks.get(line)
        if before is not None and event.rank:
            held_that(6, event.rank == before.rank + 1, before, event)
            # one price for all, but for the unit by which each value is rounded
            drift = event.value * before.contracts - before.value * event.contracts
            held_that(6, abs(drift) <= event.contracts + before.contracts, before, event)
        else:
            held_that(6, event.rank == 0, event)
        self._ranks[line] = event

    # ------------------------------------------------------------------ what may be asked

    def look(self) -> None:
        """Compare everything that can be asked with what the events said."""
        exchange, shadow = self._exchange, self._shadow
        total = exchange.ledger.fees + exchange.ledger.rounding
        for number in exchange.accounts:
            views = exchange.positions(number)
            self._look_at_account(number, views)
            total += exchange.equity(number) + exchange.account(number).spot_balance
            for view in views:
                self._look_at_position(view)
        held_that(1, total == shadow.brought_in, total, shadow.brought_in)
        for instrument in exchange.instruments:
            bid, ask = exchange.best_bid(instrument.symbol), exchange.best_ask(instrument.symbol)
            held_that(7, bid is None or ask is None or bid < ask, instrument.symbol, bid, ask)
        self._look_at_orders()

    def _look_at_account(self, number: int, views: list[PositionView]) -> None:
        exchange, shadow = self._exchange, self._shadow
        account = exchange.account(number)
        profit = sum(view.unrealized_pnl for view in views)
        expected = shadow.money[number, Wallet.CONTRACT] + profit
        equity, spot = exchange.equity(number), shadow.money[number, Wallet.SPOT]
        held_that(9 if views else 5, equity == expected, number, equity, expected)
        held_that(14, account.spot_balance == spot >= 0, number, account.spot_balance, spot)
        is_cross = any(view.margin_mode is MarginMode.CROSS for view in views)
        if number != INSURANCE_FUND and not is_cross:
            held_that(4, account.contract_balance >= 0, number, account.contract_balance)
        held = {key: n for key, n in shadow.held.items() if n and key.account == number}
        asked = {
            Key(number, view.symbol, view.position_side): (
                -view.contracts if view.position_side is PositionSide.SHORT else view.contracts
            )
            for view in views
        }
        held_that(9, held == asked, held, asked)

    def _look_at_position(self, view: PositionView) -> None:
        """Check that mark and reported price agree with equity and requirement, both ways."""
        exchange, price = self._exchange, view.liquidation_price
        mark = exchange.mark_price(view.symbol)
        if view.margin_mode is MarginMode.CROSS or price is None or mark is None:
            return
        instrument = exchange.instrument(view.symbol)
        account = exchange.account(view.account)
        rate = instrument.taker_fee if account.taker_fee is None else account.taker_fee
        notional = instrument.notional(mark, abs(view.contracts))
        fee = -(-notional * max(0, rate) // RATE_SCALE)
        spare = view.margin + view.unrealized_pnl - view.maintenance_margin - fee
        short = view.position_side is PositionSide.SHORT or view.contracts < 0
        room = (price - mark) if short else (mark - price)
        if room > 0:
            held_that(12, spare > -2, "safe by the price only", mark, spare, view)  # noqa: PLR2004 - two roundings up
        elif room < 0:
            held_that(12, spare <= 0, "due by the price only", mark, spare, view)

    def _look_at_orders(self) -> None:
        exchange = self._exchange
        resting = {
            view.order_id: ShadowOrder(view.contracts, view.filled, reduce_only=view.reduce_only)
            for number in exchange.accounts
            for view in exchange.open_orders(number)
        }
        known = {number: order for number, order in self._shadow.orders.items() if not order.ended}
        held_that(8, resting == known, resting, known)
