"""Changing and cancelling resting orders."""

from typing import Final

from simexchange.core.accounts import Account
from simexchange.core.book import BookSide, unlink
from simexchange.core.commands import AmendOrder, CancelAll, CancelOrder
from simexchange.core.entry import OrderEntry
from simexchange.core.margin import available_balance, order_cost
from simexchange.core.matching import Matching
from simexchange.core.order_checks import (
    band_problem,
    notional_problem,
    size_problem,
    tier_problem,
    unknown,
)
from simexchange.core.orders import Order
from simexchange.core.state import Refusal, State
from simexchange.core.trading import Trading
from simexchange.core.types import CancelReason, RejectReason, TimeInForce

_REQUESTED: Final = CancelReason.REQUESTED


class OrderChanges:
    """Amends and cancels.

    The checks of an amendment, in order of precedence: account, instrument, order, something to
    change, price, price band, size, minimum notional, leverage against the tier of the exposure,
    money.
    """

    __slots__ = ("_entry", "_matching", "_state", "_trading")

    def __init__(
        self, state: State, trading: Trading, matching: Matching, entry: OrderEntry
    ) -> None:
        self._state = state
        self._trading = trading
        self._matching = matching
        self._entry = entry

    def cancel(self, command: CancelOrder) -> None:
        try:
            order = self._state.accounts[command.account].open_orders[command.order_id or 0]
        except KeyError:
            order = self._named_otherwise(command)
        if order is not None and order.position.symbol == command.symbol:
            self._trading.cancel(order, _REQUESTED)
        else:
            self._refuse(command, self._missing(command, self._state.accounts.get(command.account)))

    def _named_otherwise(self, command: CancelOrder) -> Order | None:
        """Return the open order that a command names by its client id, if it does."""
        account = self._state.accounts.get(command.account)
        if account is None or command.client_order_id is None:
            return None
        return _by_client_id(account, command.client_order_id)

    def cancel_all(self, command: CancelAll) -> None:
        account = self._state.accounts.get(command.account)
        if account is None or (
            command.symbol is not None and command.symbol not in self._state.markets
        ):
            self._refuse(command, unknown(command.account, command.symbol or "", account))
            return
        for order in list(account.open_orders.values()):
            if command.symbol in (None, order.market.symbol):
                self._trading.cancel(order, CancelReason.REQUESTED)

    def amend(self, command: AmendOrder) -> None:
        account = self._state.accounts.get(command.account)
        order = None
        if account is not None:
            if command.order_id is not None:
                order = account.open_orders.get(command.order_id)
            elif command.client_order_id is not None:
                order = _by_client_id(account, command.client_order_id)
        if account is None or order is None or order.market.symbol != command.symbol:
            self._refuse(command, self._missing(command, account))
            return
        price = order.price if command.price is None else command.price
        contracts = order.contracts if command.contracts is None else command.contracts
        assert price is not None
        refusal = self._amend_problem(order, price, contracts)
        if refusal is not None:
            self._refuse(command, refusal)
        elif contracts <= order.filled:
            self._trading.cancel(order, CancelReason.FULLY_REDUCED)
        elif price == order.price and contracts < order.contracts:
            self._trading.shrink(order, contracts - order.filled, None)
        else:
            self._replace(command, order, price, contracts)

    def _amend_problem(self, order: Order, price: int, contracts: int) -> Refusal | None:
        if price == order.price and contracts == order.contracts:
            return Refusal(RejectReason.UNCHANGED, "the order already has this price and size")
        if price < 1:
            return Refusal(RejectReason.INVALID_PRICE, f"a price is at least 1 tick, not {price}")
        if price != order.price and (problem := band_problem(price, order.market)):
            return problem
        problem = size_problem(order.kind, contracts, order.market)
        if problem or contracts <= order.filled:
            return problem
        return notional_problem(order.command, contracts, price, order.market)

    def _replace(self, command: AmendOrder, order: Order, price: int, contracts: int) -> None:
        """Give ``order`` a new price or more contracts; it goes to the back of the queue."""
        position = order.position
        remaining = contracts - order.filled
        if order.closing:
            remaining = min(remaining, abs(position.contracts))
        makers = order.market.asks if order.sign > 0 else order.market.bids
        best = makers.best()
        crosses = best is not None and best.key <= price * order.sign
        promised = 0 if order.closing else _promise(order, remaining, price, makers, crosses)
        opening = 0 if order.closing else remaining - promised
        refusal = _tier_problem(order, opening, price)
        if refusal is not None:
            self._refuse(command, refusal)
            return
        hold = self._hold(order, opening, price)
        free = available_balance(order.account) + order.hold
        if hold > order.hold and hold > free:
            self._refuse(
                command,
                Refusal(
                    RejectReason.INSUFFICIENT_MARGIN,
                    f"the amended order needs {hold} for {opening} contracts at {price}; "
                    f"available are {free}",
                ),
            )
            return
        if crosses and order.time_in_force is TimeInForce.POST_ONLY:
            self._trading.cancel(order, CancelReason.POST_ONLY)
            return
        assert order.level is not None
        unlink(order, order.level)
        # while it matches it is a taker like any other, in no register
        del order.account.open_orders[order.order_id]
        if order.order_id in position.closers:
            self._trading.deregister_closer(order)
        order.account.hold += hold - order.hold
        order.hold = hold
        order.promised = promised
        order.price = price
        order.remaining = remaining
        order.contracts = order.filled + remaining
        order.updated_at = self._state.log.at
        self._trading.say_amended(order, kept_place=False, reason=None)
        if crosses:
            self._matching.match(order, makers, price * order.sign)
        if order.remaining:
            market = order.market
            self._entry.rest(order, market.bids if order.sign > 0 else market.asks)

    def _hold(self, order: Order, opening: int, price: int) -> int:
        if opening == 0:
            return 0
        market = order.market
        makers = market.asks if order.sign > 0 else market.bids
        best = makers.best()
        highest = price
        if order.sign < 0 and best is not None:
            highest = max(price, best.price)
        return order_cost(
            order.sign,
            opening,
            opening * highest * market.tick_value,
            price,
            market,
            order.position.leverage,
            order.position.hold_fee.rate,
        )

    def _missing(self, command: AmendOrder | CancelOrder, account: Account | None) -> Refusal:
        if account is None or command.symbol not in self._state.markets:
            return unknown(command.account, command.symbol, account)
        name = command.order_id if command.order_id is not None else command.client_order_id
        return Refusal(
            RejectReason.UNKNOWN_ORDER,
            f"account {command.account} has no open order {name!r} in {command.symbol}; it may "
            "have been filled or cancelled",
        )

    def _refuse(self, command: AmendOrder | CancelOrder | CancelAll, refusal: Refusal) -> None:
        self._state.refuse(
            command, refusal.reason, refusal.message, account=command.account, symbol=command.symbol
        )


def _by_client_id(account: Account, client_order_id: str) -> Order | None:
    known = account.client_ids.get(client_order_id)
    return account.open_orders.get(known.order_id) if isinstance(known, Order) else None


def _promise(
    order: Order,
    remaining: int,
    price: int,
    makers: BookSide,
    crosses: bool,  # noqa: FBT001
) -> int:
    """Return how many contracts of the amended order close its position, as if it were new."""
    position = order.position
    closable = -position.contracts * order.sign
    if closable <= 0:
        return 0
    now = makers.reach(remaining, price * order.sign)[0] if crosses else 0
    closes_now = min(closable, now)
    unpromised = closable - closes_now - (position.promised - order.promised)
    return closes_now + max(0, min(unpromised, remaining - now))


def _tier_problem(order: Order, opening: int, price: int) -> Refusal | None:
    """Check the tier as for a new order; what the order opens now is replaced, not added to."""
    market = order.market
    if opening == 0 or not market.has_tiers:
        return None
    assert order.price is not None
    opens_now = 0 if order.closing else (order.remaining - order.promised) * order.price
    return tier_problem(
        order.position, order.sign, (opening * price - opens_now) * market.tick_value
    )
