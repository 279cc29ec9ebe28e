"""New orders: the checks in their order, the money they hold, and what becomes of them."""

from typing import Final

from simexchange.core.accounts import Account, take_forced
from simexchange.core.book import BookSide
from simexchange.core.commands import PlaceOrder
from simexchange.core.events import OrderAccepted
from simexchange.core.matching import Matching
from simexchange.core.order_checks import (
    RESTING,
    best_price,
    client_id_problem,
    expiry_problem,
    hold_problem,
    nothing_to_reduce,
    order_rules_problem,
    price_problem,
    side_problem,
    size_problem,
    slippage_key,
    unknown,
    would_cross,
)
from simexchange.core.orders import Order
from simexchange.core.positions import Position
from simexchange.core.state import Refusal, State
from simexchange.core.trading import Trading
from simexchange.core.types import (
    ALMOST_ONE,
    RATE_SCALE,
    CancelReason,
    OrderKind,
    PositionSide,
    RejectReason,
    Side,
    TimeInForce,
)

_LIMIT: Final = OrderKind.LIMIT
_MARKET: Final = OrderKind.MARKET
_GTC: Final = TimeInForce.GTC
_IOC: Final = TimeInForce.IOC
_FOK: Final = TimeInForce.FOK
_POST_ONLY: Final = TimeInForce.POST_ONLY
_NO_LIQUIDITY: Final = CancelReason.NO_LIQUIDITY
_BUY: Final = Side.BUY
_NET: Final = PositionSide.NET
_EXPIRY: Final = "order expiry"
_NEVER_RESTING = {
    TimeInForce.IOC: CancelReason.IMMEDIATE_OR_CANCEL,
    TimeInForce.FOK: CancelReason.FILL_OR_KILL,
}


class OrderEntry:
    """Accepts or refuses new orders.

    The checks, in order of precedence: account, instrument, forced rejection, form (price and
    contracts given as the kind demands), size limits, position side against position mode, client
    order id, expiry, number of open orders, price band, minimum notional, reduce-only, post-only,
    leverage against the tier of the exposure, money.
    """

    __slots__ = ("_matching", "_state", "_trading")

    def __init__(self, state: State, trading: Trading, matching: Matching) -> None:
        self._state = state
        self._trading = trading
        self._matching = matching
        state.timers.handle(_EXPIRY, self._on_expiry)

    def _on_expiry(self, thing: object) -> None:
        assert isinstance(thing, Order)
        if thing.remaining:
            self._trading.cancel(thing, CancelReason.EXPIRED)

    def place(  # noqa: C901 - a branch for each check, none a call for an order without fault
        self, command: PlaceOrder, plan_id: int | None
    ) -> Refusal | None:
        """Place an order; returns the refusal that was also said as an event."""
        account = self._state.accounts.get(command.account)
        position = None if account is None else account.net.get(command.symbol)
        price = command.price
        contracts = command.contracts
        if (
            account is None
            or position is None
            or command.position_side is not _NET
            or command.client_order_id is not None
            or command.expires_at is not None
            or account.forced_rejects
            or not account.is_one_way
            or (market := position.market).has_order_rules
            or not market.min_contracts <= contracts <= market.max_contracts
            or (command.kind is _LIMIT if price is None else price < 1 or command.kind is _MARKET)
        ):
            found = self._examine(command, account, plan_id)
            if isinstance(found, Refusal):
                return self._refuse(command, found, plan_id)
            position = found
            market = position.market
        if (
            price is None
            or (command.time_in_force is not _GTC and command.time_in_force is not _POST_ONLY)
            or command.reduce_only
            or command.close_on_trigger
            or command.expires_at is not None
        ):
            return self._take(command, position, plan_id)
        if command.side is _BUY:
            best = market.asks.top or market.asks.best()
            if position.leg < 0 or (best is not None and best.price <= price):
                return self._take(command, position, plan_id)
            sign = 1
            side = market.bids
            promised = -position.contracts - position.promised
        else:
            best = market.bids.top or market.bids.best()
            if position.leg > 0 or (best is not None and best.price >= price):
                return self._take(command, position, plan_id)
            sign = -1
            side = market.asks
            promised = position.contracts - position.promised
        if promised < 0:
            promised = 0
        elif promised > contracts:
            promised = contracts
        hold = 0
        if promised < contracts:
            opening = contracts - promised
            hold = self._hold(position, sign, opening, price, price)
            if hold < 0:
                refusal = hold_problem(position, sign, opening, price, price)
                return self._refuse(command, refusal, plan_id)
        self._accept(command, position, sign, contracts, hold, promised, side, plan_id)
        return None

    def _examine(  # noqa: C901 - one check after another
        self, command: PlaceOrder, account: Account | None, plan_id: int | None
    ) -> Position | Refusal:
        """Check what can be checked without looking at book or money, in order of precedence.

        Return the position that the order is for; not yet adopted, for the first order there.
        """
        market = self._state.markets.get(command.symbol)
        if account is None or market is None:
            return unknown(command.account, command.symbol, account)
        price = command.price
        if account.forced_rejects and take_forced(account, "order"):
            return Refusal(RejectReason.FORCED, "a fault plan refuses this order")
        if (price is None or price < 1) if command.kind is _LIMIT else price is not None:
            return price_problem(command)
        problem = None
        if not market.min_contracts <= command.contracts <= market.max_contracts:
            problem = size_problem(command.kind, command.contracts, market)
        elif (command.position_side is _NET) is not account.is_one_way:
            problem = side_problem(account)
        elif command.client_order_id is not None:
            problem = client_id_problem(command.client_order_id, account, plan_id)
        if problem is None and command.expires_at is not None:
            problem = expiry_problem(command, self._state.log.at)
        if problem is None and market.has_order_rules:
            problem = order_rules_problem(command, account, market)
        if problem is not None:
            return problem
        return self._state.position(account, market, command.position_side)

    def _refuse(self, command: PlaceOrder, refusal: Refusal | None, plan_id: int | None) -> Refusal:
        assert refusal is not None, "what was refused has a reason"
        self._state.refuse_order(
            command.account, command.symbol, command.client_order_id, refusal, plan_id
        )
        return refusal

    # ------------------------------------------------------------------ money and matching

    def _take(  # noqa: C901, PLR0912 - one pass over an order; each pays for every call here
        self, command: PlaceOrder, position: Position, plan_id: int | None
    ) -> Refusal | None:
        """Place an order that may trade at once, may not rest, or only closes."""
        market = position.market
        contracts = command.contracts
        price = command.price
        if command.side is _BUY:
            sign = 1
            makers = market.asks
            closable = -position.contracts
        else:
            sign = -1
            makers = market.bids
            closable = position.contracts
        closing = command.reduce_only or command.close_on_trigger
        if position.leg and position.leg != sign:
            closing = True
        if closing:
            if closable <= 0:
                return self._refuse(command, nothing_to_reduce(position, sign), plan_id)
            contracts = min(contracts, closable)
        limit_key = slippage_key(market, sign) if price is None else price * sign
        best = makers.top or makers.best()
        crosses = best is not None and (limit_key is None or best.key <= limit_key)
        if crosses and command.time_in_force is _POST_ONLY:
            return self._refuse(command, would_cross(price, best), plan_id)
        promised = hold = 0
        if closing:
            if command.close_on_trigger:
                self._trading.make_way(position, contracts)
        else:
            worst = price if price is not None else makers.reach(contracts, limit_key)[1]
            if worst is not None:  # else nothing can trade: it is cancelled and needs no money
                if closable > 0:
                    promised = _promise(command, position, makers, limit_key, closable, crosses)
                if promised < contracts:
                    highest = worst if sign > 0 or not crosses else best_price(makers)
                    opening = contracts - promised
                    hold = self._hold(position, sign, opening, highest, worst)
                    if hold < 0:
                        refusal = hold_problem(position, sign, opening, highest, worst)
                        return self._refuse(command, refusal, plan_id)
        order = self._accept(command, position, sign, contracts, hold, promised, None, plan_id)
        order.closing = closing
        self._run(order, makers, limit_key, crosses)
        return None

    def close_at_once(self, position: Position, contracts: int, limit: int) -> Order | None:
        """Close ``contracts`` of ``position`` for the exchange itself, at ``limit`` or better.

        What cannot trade at once is cancelled; None when nothing can trade at all.
        """
        sign = -1 if position.contracts > 0 else 1
        makers = position.market.asks if sign > 0 else position.market.bids
        best = makers.best()
        if best is None or best.key > limit * sign:
            return None
        command = PlaceOrder(
            account=position.account.number,
            symbol=position.market.symbol,
            side=Side(sign),
            contracts=contracts,
            kind=_LIMIT,
            price=limit,
            time_in_force=_IOC,
            reduce_only=True,
            position_side=position.side,
        )
        order = self._accept(command, position, sign, contracts, 0, 0, None, None)
        order.closing = True
        self._run(order, makers, limit * sign, crosses=True)
        return order

    def _hold(self, position: Position, sign: int, contracts: int, price: int, worst: int) -> int:
        """Hold and return the cost of opening ``contracts`` at up to ``price``.

        -1 when that is too much, or ``hold_problem`` finds something else; nothing is held then.
        """
        account = position.account
        market = position.market
        leverage = position.leverage
        notional = contracts * price * market.tick_value
        # order_cost, written out
        cost = (notional * position.hold_rate + ALMOST_ONE) // RATE_SCALE - -notional // leverage
        mark = market.mark
        if mark is not None and (behind := (worst - mark) * sign) > 0:
            cost += contracts * behind * market.tick_value
        hold = account.hold + cost
        if (
            hold > account.wallet or position.tier_cap is not None or account.cross_positions
        ) and hold_problem(position, sign, contracts, price, worst) is not None:
            return -1
        account.hold = hold
        return cost

    def _accept(  # noqa: PLR0913, PLR0917 - positional because it is hot
        self,
        command: PlaceOrder,
        position: Position,
        sign: int,
        contracts: int,
        hold: int,
        promised: int,
        book_side: BookSide | None,
        plan_id: int | None,
    ) -> Order:
        """Make an order, give it its place among all orders, and say that it is accepted.

        Where ``book_side`` is given it rests there at once.
        """
        state = self._state
        account = position.account
        log = state.log
        at = log.at
        order_id = state.next_order_id
        state.next_order_id = order_id + 1
        order = Order()  # whose class has no __init__: that would be a call more
        order.order_id = order_id
        order.position = position
        order.command = command
        order.client_order_id = client_order_id = command.client_order_id
        order.side = side = command.side
        order.sign = sign
        order.price = price = command.price
        order.contracts = contracts
        order.remaining = contracts
        order.closing = False
        order.plan_id = plan_id
        order.created_at = at
        order.updated_at = at
        order.filled = 0
        order.filled_notional = 0
        order.fee = 0
        order.hold = hold
        order.promised = promised
        order.level = None
        state.orders[order_id] = order
        if position.number == 0:
            state.adopt(position)
        if client_order_id is not None:
            account.client_ids[client_order_id] = order
        log.events.append(OrderAccepted(
            at, order_id, account.number, position.symbol, side, position.side,
            command.kind, price, contracts, command.time_in_force,
            command.reduce_only or command.close_on_trigger, client_order_id, plan_id,
        ))  # fmt: skip
        if book_side is not None:
            assert price is not None
            book_side.append(order, price)
            account.open_orders[order_id] = order
            if promised:
                self._trading.register_closer(order)
        return order

    def _run(
        self,
        order: Order,
        makers: BookSide,
        limit_key: int | None,
        crosses: bool,  # noqa: FBT001 - positional because it is hot
    ) -> None:
        """Match an accepted order; rest or cancel what is left."""
        command = order.command
        time_in_force = command.time_in_force
        if crosses and (
            time_in_force is not _FOK or self._matching.can_fill(order, makers, limit_key)
        ):
            self._matching.match(order, makers, limit_key)
        if order.remaining:
            if command.kind is _MARKET:
                self._trading.cancel(order, _NO_LIQUIDITY)
            elif time_in_force in RESTING:
                market = order.position.market
                self.rest(order, market.bids if order.sign > 0 else market.asks)
                if command.expires_at is not None:
                    self._state.timers.set(command.expires_at, _EXPIRY, order)
            else:
                self._trading.cancel(order, _NEVER_RESTING[time_in_force])

    def rest(self, order: Order, side: BookSide) -> None:
        """Put what remains of ``order`` into the book and into its account's registers."""
        price = order.price
        assert price is not None
        side.append(order, price)
        order.position.account.open_orders[order.order_id] = order
        if order.promised or order.closing:
            self._trading.register_closer(order)


def _promise(
    command: PlaceOrder,
    position: Position,
    makers: BookSide,
    limit_key: int | None,
    closable: int,
    crosses: bool,  # noqa: FBT001
) -> int:
    """Return how many contracts of an order close its position and so need no money.

    Of the contracts that can trade now, those that the position covers close it. Of those that
    will rest, the position covers what it has not promised to older orders.
    """
    contracts = command.contracts
    if command.kind is _MARKET or command.time_in_force not in RESTING:
        return min(contracts, closable)
    now = makers.reach(contracts, limit_key)[0] if crosses else 0
    closes_now = min(closable, now)
    unpromised = closable - closes_now - position.promised
    if unpromised <= 0:
        return closes_now
    return closes_now + min(unpromised, contracts - now)
