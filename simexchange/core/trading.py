"""What a trade does to an account: position, margin, profit, fee, and the order's hold."""

from typing import Final

from simexchange.core.accounts import Account
from simexchange.core.book import unlink
from simexchange.core.events import Filled, InsuranceFundMoved, OrderAmended, OrderCancelled
from simexchange.core.fees import FeeRate
from simexchange.core.ledger import Ledger
from simexchange.core.margin import available_balance, initial_margin, resting_cost
from simexchange.core.orders import Order
from simexchange.core.positions import Position, cost_share
from simexchange.core.state import State
from simexchange.core.types import (
    AccountKind,
    CancelReason,
    Liquidity,
)

_MAKER: Final = Liquidity.MAKER


class Trading:
    """Books fills. Everything here keeps the ledger's sum at zero."""

    __slots__ = ("_ledger", "_log", "_short", "_state")

    def __init__(self, state: State) -> None:
        self._state = state
        self._ledger: Ledger = state.ledger
        self._log = state.log
        self._short: list[Account] = []  # whose wallet no longer covers what their orders hold

    def fill_opening(  # noqa: PLR0913, PLR0917 - every trade would pay for a call
        self, order: Order, rate: FeeRate, liquidity: Liquidity, trade_id: int, execution_id: int,
        contracts: int, price: int, ticks: int, notional: int,
    ) -> None:  # fmt: skip
        """Book one side of a trade that adds to its position, as ``settle`` would.

        ``ticks`` is price × contracts, and ``notional`` what they are worth. The book itself
        already knows. Such an order has promised nothing: there is nothing that it could close.
        """
        position = order.position
        account = position.account
        market = position.market
        command = order.command
        fee = ticks * rate.per_tick or rate.of(ticks)
        order.remaining = remaining = order.remaining - contracts
        order.filled = filled = order.filled + contracts
        order.filled_ticks = order.filled_ticks + ticks
        order.fee = order.fee + fee
        order.updated_at = at = self._log.at
        if hold := order.hold:  # `_release_part`, written out
            freed = hold * contracts // (remaining + contracts) if remaining else hold
            order.hold = hold - freed
            account.hold = account.hold - freed
        margin = 0
        if not position.is_cross:
            margin = ticks * position.margin_per_tick or -(-notional // position.leverage)
            position.margin = position.margin + margin
        if order.sign > 0:
            position.cost = cost = position.cost + notional
            position.contracts = held = position.contracts + contracts
            market.open_interest = market.open_interest + contracts
        else:
            cost = notional - position.cost
            position.cost = -cost
            position.contracts = held = position.contracts - contracts
        account.wallet = wallet = account.wallet - margin - fee
        self._ledger.fees = self._ledger.fees + fee
        if not position.is_stale:
            position.is_stale = True
            market.stale.append(position)
        if wallet < account.hold or position.is_cross or account.cross_positions:
            self._follow(position)
        self._log.events.append(Filled(
            at, execution_id, trade_id, order.order_id, command.client_order_id,
            account.number, position.symbol, command.side, position.side, contracts,
            price, liquidity, fee, 0, 0, held * position.view_sign, cost, position.margin, filled,
            order.contracts, position.leverage, position.margin_mode, account.wallet,
        ))  # fmt: skip
        if self._short:
            self.free_short()

    def fill_closing(  # noqa: C901, PLR0913, PLR0917 - as above
        self, order: Order, rate: FeeRate, liquidity: Liquidity, trade_id: int, execution_id: int,
        contracts: int, price: int, ticks: int, notional: int,
    ) -> None:  # fmt: skip
        """Book one side of a trade that closes what its position holds, and may turn it."""
        position = order.position
        account = position.account
        command = order.command
        fee = ticks * rate.per_tick or rate.of(ticks)
        order.remaining = order.remaining - contracts
        order.filled = filled = order.filled + contracts
        order.filled_ticks = order.filled_ticks + ticks
        order.fee = order.fee + fee
        order.updated_at = at = self._log.at
        if (promised := order.promised) >= contracts:  # _use_promise, for who only closes
            order.promised = promised - contracts
            if liquidity is _MAKER:
                position.promised = position.promised - contracts
                if promised == contracts:
                    del position.closers[order.order_id]
        elif promised or order.hold:
            self._use_promise(order, contracts)
        sign = order.sign
        size = -sign * position.contracts
        if contracts < size:  # `settle`, written out
            closed = contracts
            cost = position.cost
            share = cost * contracts // size if cost >= 0 else -(-cost * contracts // size)
            freed = position.margin * contracts // size
            position.cost = cost - share
            position.margin = position.margin - freed
            realized = notional - share if sign < 0 else -notional - share
            position.market.clearing = position.market.clearing - realized
            if sign < 0:
                position.market.open_interest = position.market.open_interest - contracts
        else:
            closed = size
            realized, freed = self._turn(position, sign, contracts, notional)
        position.contracts = held = position.contracts + sign * contracts
        account.wallet = wallet = account.wallet + realized + freed - fee
        self._ledger.fees = self._ledger.fees + fee
        if not position.is_stale:
            position.is_stale = True
            position.market.stale.append(position)
        if wallet < account.hold or position.is_cross or account.cross_positions:
            self._follow(position)
        self._log.events.append(Filled(
            at, execution_id, trade_id, order.order_id, command.client_order_id,
            account.number, position.symbol, command.side, position.side, contracts,
            price, liquidity, fee, realized, closed, held * position.view_sign,
            abs(position.cost), position.margin, filled, order.contracts, position.leverage,
            position.margin_mode, account.wallet,
        ))  # fmt: skip
        if self._short:
            self.free_short()
        if position.closing_orders or (position.promised and position.promised > -sign * held):
            self.recap(position)

    def settle(self, position: Position, sign: int, contracts: int, notional: int) -> int:
        """Move ``contracts`` worth ``notional`` into the position, free of fees.

        Return the realized PnL. What closes comes first, the rest opens. Opening moves initial
        margin (rounded up) from the wallet into an isolated position; closing takes its share of
        cost toward zero and its share of margin rounded down, the last close all that is left, and
        pays margin and profit into the wallet. Who calls lets ``free_short`` cancel orders, once it
        has said what happened.
        """
        account, market = position.account, position.market
        size = -sign * position.contracts  # that can be closed; below zero the position grows
        if size <= 0:
            margin = 0 if position.is_cross else initial_margin(notional, position.leverage)
            position.cost += sign * notional
            position.margin += margin
            market.open_interest += contracts if sign > 0 else 0
            realized, freed = 0, -margin
        elif contracts < size:
            share = cost_share(position.cost, size, contracts)
            freed = position.margin * contracts // size
            position.cost -= share
            position.margin -= freed
            realized = -sign * notional - share
            market.clearing -= realized
            market.open_interest -= contracts if sign < 0 else 0
        else:
            realized, freed = self._turn(position, sign, contracts, notional)
        position.contracts += sign * contracts
        account.wallet += realized + freed  # with margin and clearing it moves by nothing
        self._state.mark_stale(position)
        self._follow(position)
        return realized

    def _follow(self, position: Position) -> None:
        """Note what a move of contracts and of the wallet means for the account as a whole."""
        account = position.account
        if position.is_cross:
            self._note_cross(position)
        if account.cross_positions:
            self._state.note_equity_moved(account)
        elif account.wallet < account.hold:
            self._cover(position)

    def _turn(
        self, position: Position, sign: int, contracts: int, notional: int
    ) -> tuple[int, int]:
        """Close all of a position and open the other way with what is over.

        Return (realized PnL, margin that is released, negative where the new position takes more).
        """
        market = position.market
        size = abs(position.contracts)
        value = notional * size // contracts
        over = notional - value
        realized = -sign * value - position.cost
        margin = 0 if position.is_cross else initial_margin(over, position.leverage)
        freed = position.margin - margin
        position.cost = sign * over
        position.margin = margin
        market.clearing -= realized
        market.open_interest += contracts - size if sign > 0 else -size
        if position.plans:
            self._state.bereft.append(position)
            self._state.has_echo = True
        return realized, freed

    def settle_wallet(self, position: Position) -> None:
        """Make good the wallet of a position's account after money was taken from it."""
        account = position.account
        if account.wallet < account.hold and not account.cross_positions:
            self._cover(position)
            self.free_short()

    def cancel(self, order: Order, reason: CancelReason) -> None:
        """End an order that is not filled; nothing of it remains anywhere."""
        position = order.position
        account = position.account
        order_id = order.order_id
        level = order.level
        if level is not None:  # else it is a taker, in no register
            unlink(order, level)
            del account.open_orders[order_id]
        hold = order.hold
        if hold:
            account.hold = account.hold - hold
            order.hold = 0
        promised = order.promised
        if promised or order.closing:
            order.promised = 0
            if position.closers.pop(order_id, None) is not None:  # `deregister_closer`, written out
                position.promised = position.promised - promised
                if order.closing:
                    position.closing_orders = position.closing_orders - 1
        self._state.closed_orders.append(order)
        log = self._log
        command = order.command
        remaining = order.remaining
        order.remaining = 0
        order.updated_at = at = log.at
        log.events.append(OrderCancelled(
            at, order_id, command.client_order_id, account.number, position.symbol, command.side,
            order.filled, remaining, reason,
        ))  # fmt: skip

    def recap(self, position: Position) -> None:
        """Cut what rests to close a position down to what the position still holds.

        Each closing order is cut to the position's size, or cancelled when there is nothing left
        for it. A normal order whose contracts were promised to close, oldest first, holds money
        for those that now would open, or is cancelled when its account cannot.
        """
        held = position.contracts
        left = abs(held)
        for order in list(position.closers.values()):
            closes = order.sign * held < 0
            if order.closing:
                if not closes:
                    self.cancel(order, CancelReason.REDUCE_ONLY)
                elif order.remaining > abs(held):
                    self.shrink(order, abs(held), CancelReason.REDUCE_ONLY)
                continue
            promised = order.promised
            covered = left if closes else 0
            if promised <= covered:
                left -= promised
            else:
                left -= covered
                self._hold_for(order, promised - covered)

    def shrink(self, order: Order, remaining: int, reason: CancelReason | None) -> None:
        """Cut an order to ``remaining`` contracts; it keeps its place in the queue.

        What would have opened goes first, since what is left of the order closes first.
        """
        assert 0 < remaining < order.remaining
        if order.hold:
            opening = order.remaining - order.promised
            hold = -(-order.hold * max(0, remaining - order.promised) // opening)
            order.account.hold -= order.hold - hold
            order.hold = hold
        over = order.promised - remaining
        if over > 0:
            order.promised = remaining
            if order.order_id in order.position.closers:
                order.position.promised -= over
        order.contracts -= order.remaining - remaining
        order.remaining = remaining
        order.updated_at = self._log.at
        self.say_amended(order, kept_place=True, reason=reason)

    def say_amended(self, order: Order, *, kept_place: bool, reason: CancelReason | None) -> None:
        self._log.events.append(
            OrderAmended(
                self._log.at,
                order.order_id,
                order.client_order_id,
                order.account.number,
                order.market.symbol,
                order.price,
                order.contracts,
                order.filled,
                kept_place,
                reason,
            )
        )

    def register_closer(self, order: Order) -> None:
        """Enter a resting order that closes where its position will look for it."""
        position = order.position
        position.closers[order.order_id] = order
        promised = position.promised + order.promised
        position.promised = promised
        if order.closing:
            position.closing_orders += 1
        if position.closing_orders or promised > -order.sign * position.contracts:
            self.recap(position)

    def deregister_closer(self, order: Order) -> None:
        position = order.position
        del position.closers[order.order_id]
        position.promised -= order.promised
        if order.closing:
            position.closing_orders -= 1

    def _release_part(self, order: Order, contracts: int) -> None:
        """Give back the hold of ``contracts`` that just left ``order.remaining``.

        Contracts promised to close go first. What stays held is rounded up, so an order's hold
        is released to the last unit exactly when its last opening contract goes.
        """
        promised = order.promised
        held_before = order.remaining + contracts - promised
        held_after = order.remaining - (promised - contracts if promised > contracts else 0)
        kept = -(-order.hold * held_after // held_before)
        order.account.hold -= order.hold - kept
        order.hold = kept

    def _use_promise(self, order: Order, contracts: int) -> None:
        """Take ``contracts`` that just left the order from what it promised, then what it holds."""
        if order.hold:
            self._release_part(order, contracts)
        promised = order.promised
        if promised:
            used = min(contracts, promised)
            order.promised = promised - used
            position = order.position
            if order.order_id in position.closers:
                position.promised -= used
                if used == promised:
                    del position.closers[order.order_id]

    def _hold_for(self, order: Order, contracts: int) -> None:
        """Hold money for ``contracts`` that were promised to close and now would open."""
        position = order.position
        account = position.account
        cost = resting_cost(order, contracts, position.leverage)
        if cost > available_balance(account):
            self.cancel(order, CancelReason.INSUFFICIENT_MARGIN)
            return
        order.promised -= contracts
        position.promised -= contracts
        order.hold += cost
        account.hold += cost
        if order.promised == 0:
            del position.closers[order.order_id]

    def _note_cross(self, position: Position) -> None:
        account = position.account
        if position.contracts:
            if not account.cross_positions:
                account.cross_positions = {}  # no longer that which all share
            account.cross_positions[position.number] = position
        else:
            account.cross_positions.pop(position.number, None)

    def _cover(self, position: Position) -> None:
        """Make good a wallet that a fill left below its holds, with no cross profit behind it.

        First from the position's own margin, which also settles the units by which several fills
        round up more often than their one order did; what the wallet is below zero then, the
        insurance fund pays; what it lacks for its holds, ``free_short`` will find.
        """
        account = position.account
        if account.kind is AccountKind.SYSTEM:
            return
        moved = min(account.hold - account.wallet, position.margin)
        position.margin -= moved
        account.wallet += moved
        if account.wallet < 0:
            self.pay(account, -account.wallet, position.market.symbol, "shortfall")
        if account.wallet < account.hold:
            self._short.append(account)

    def make_way(self, position: Position, contracts: int) -> None:
        """Let the account's orders give way to a close-on-trigger order of ``contracts``.

        What else rests to close ``position`` is cut to what the order leaves of it, oldest first;
        then the newest orders go until one more may be open.
        """
        account = position.account
        left = abs(position.contracts) - contracts
        for order in list(position.closers.values()):
            if not order.closing:
                continue  # it holds money for what the position no longer covers, once it is filled
            if left == 0:
                self.cancel(order, CancelReason.CLOSE_ON_TRIGGER)
            elif order.remaining > left:
                self.shrink(order, left, CancelReason.CLOSE_ON_TRIGGER)
            left -= min(left, order.remaining)
        most = position.market.instrument.max_open_orders
        for order in reversed(list(account.open_orders.values())):
            if len(account.open_orders) < most:
                return
            self.cancel(order, CancelReason.CLOSE_ON_TRIGGER)

    def free_short(self) -> None:
        """Cancel orders of the accounts that a fill has left short, the filled one among them."""
        while self._short:
            self.free_holds(self._short.pop())

    def free_holds(self, account: Account) -> None:
        """Cancel opening orders, newest first, until the wallet covers what orders hold."""
        for order in reversed(list(account.open_orders.values())):
            if account.wallet >= account.hold:
                return
            if order.hold:
                self.cancel(order, CancelReason.INSUFFICIENT_MARGIN)

    def pay(self, account: Account, money: int, symbol: str | None, cause: str) -> None:
        """Let the insurance fund pay ``money`` into the account's contract wallet."""
        fund = self._state.fund
        account.wallet += money
        fund.wallet -= money
        self._log.events.append(
            InsuranceFundMoved(self._log.at, -money, fund.wallet, account.number, symbol, cause)
        )
