"""New orders: the checks in their order, the money they hold, and what becomes of them."""

from typing import Final

from simexchange.core.accounts import take_forced
from simexchange.core.book import BookSide
from simexchange.core.commands import PlaceOrder
from simexchange.core.events import OrderAccepted
from simexchange.core.margin import hold_of
from simexchange.core.matching import Matching
from simexchange.core.order_checks import (
    RESTING,
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
    CancelReason,
    OrderKind,
    PositionSide,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

_LIMIT: Final = OrderKind.LIMIT
_MARKET: Final = OrderKind.MARKET
_GTC: Final = TimeInForce.GTC
_IOC: Final = TimeInForce.IOC
_FOK: Final = TimeInForce.FOK
_POST_ONLY: Final = TimeInForce.POST_ONLY
_NO_PREVENTION: Final = SelfTradePrevention.NONE
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

    def place(  # noqa: C901, PLR0911, PLR0912 - every way out spares who takes it a call
        self, command: PlaceOrder
    ) -> Refusal | None:
        """Place an order; returns the refusal that was also said as an event.

        What is refused, trades at once or has anything uncommon about it is for others: an order
        that only rests needs no other look.
        """
        try:
            market = self._state.markets[command.symbol]
            position = market.plain[command.account]
        except KeyError:
            return self.place_examined(command, None)
        price = command.price
        contracts = command.contracts
        if (
            command.position_side is not _NET
            or command.client_order_id is not None
            or command.expires_at is not None
            or contracts > market.plain_contracts
            or contracts < market.min_contracts
        ):
            return self.place_examined(command, None)
        if price is None:
            if command.kind is _MARKET:
                return self._take(command, position, None)
            return self.place_examined(command, None)
        if price < 1 or command.kind is _MARKET:
            return self.place_examined(command, None)
        time_in_force = command.time_in_force
        if (
            (time_in_force is not _GTC and time_in_force is not _POST_ONLY)
            or command.reduce_only
            or command.close_on_trigger
        ):
            return self._take(command, position, None)
        if command.side is _BUY:
            sign = 1
            side = market.bids
            best = market.asks.top or market.asks.best()
            if best is not None and best.price <= price:
                return self._take(command, position, None)
            closable = -position.contracts - position.promised
        else:
            sign = -1
            side = market.asks
            best = market.bids.top or market.bids.best()
            if best is not None and best.price >= price:
                return self._take(command, position, None)
            closable = position.contracts - position.promised
        if closable <= 0:
            promised = 0
        elif closable < contracts:
            promised = closable
        else:
            promised = contracts
        return self._rest_at_once(command, position, side, sign, price, promised)

    def _rest_at_once(  # noqa: C901 - two thirds of all orders pay for a call here
        self, command: PlaceOrder, position: Position, side: BookSide, sign: int, price: int,
        promised: int,
    ) -> Refusal | None:  # fmt: skip
        """Accept an order that rests at once, as ``_accept`` and ``rest`` would, in one call."""
        state = self._state
        account = position.account
        contracts = command.contracts
        opening = contracts - promised
        hold = 0
        if opening:
            market = position.market
            ticks = price * opening
            hold = ticks * position.hold_per_tick or hold_of(position, ticks)
            mark = market.mark
            if mark is not None and (behind := (price - mark) * sign) > 0:
                hold += opening * behind * market.tick_value
            held = account.hold + hold
            if held > account.wallet or position.tier_cap is not None or account.cross_positions:
                refusal = hold_problem(position, sign, opening, price, price)
                if refusal is not None:
                    return self._refuse(command, refusal, None)
            account.hold = held
        time_in_force = command.time_in_force
        is_plain = time_in_force is _GTC and command.self_trade_prevention is _NO_PREVENTION
        order = Order()  # whose class has no __init__: that would be a call more
        order.order_id = order_id = state.next_order_id
        state.next_order_id = order_id + 1
        order.position = position
        order.command = side.plain if is_plain else command
        order.sign = sign
        order.contracts = order.remaining = contracts
        order.closing = False
        order.plan_id = order.next = None
        order.created_at = order.updated_at = at = state.log.at
        order.filled = order.filled_ticks = order.fee = 0
        order.hold = hold
        order.promised = promised
        state.log.events.append(OrderAccepted(
            at, order_id, account.number, position.symbol, command.side, _NET, _LIMIT, price,
            contracts, time_in_force, False, None, None, False,
        ))  # fmt: skip
        order.level = level = side.levels.get(price) or side.new_level(price)
        order.price = level.price  # and so on: `BookSide.append`, written out
        order.prev = tail = level.tail
        if tail is None:
            level.head = order
            if not level.is_ranked:
                side.rank(level)
            if (top := side.top) is not None and level.key < top.key:
                side.top = level
        else:
            tail.next = order
        level.tail = order
        account.open_orders[order_id] = order
        if promised:  # `register_closer`, for who promises no more than there is
            position.closers[order_id] = order
            position.promised = position.promised + promised
        return None

    def place_examined(self, command: PlaceOrder, plan_id: int | None) -> Refusal | None:
        """Place an order, perhaps one that a plan order has fired, after a look at all of it."""
        found = self._examine(command, plan_id)
        if isinstance(found, Refusal):
            return self._refuse(command, found, plan_id)
        return self._take(command, found, plan_id)

    def _examine(  # noqa: C901 - one check after another
        self, command: PlaceOrder, plan_id: int | None
    ) -> Position | Refusal:
        """Check what can be checked without looking at book or money, in order of precedence.

        Return the position that the order is for; not yet adopted, for the first order there.
        """
        account = self._state.accounts.get(command.account)
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
        """Place an order that may trade at once, may not rest, only closes, or was examined."""
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
        if price is not None:
            limit_key = price * sign
        elif market.has_slippage:
            limit_key = slippage_key(market, sign)
        else:
            limit_key = None
        best = makers.top or makers.best()
        crosses = best is not None and (limit_key is None or best.key <= limit_key)
        if crosses and command.time_in_force is _POST_ONLY:
            return self._refuse(command, would_cross(price, best), plan_id)
        promised = opening = highest = 0
        worst = price or 0
        if closing:
            if command.close_on_trigger:
                self._trading.make_way(position, contracts)
        else:
            if price is None:
                worst = makers.reach(contracts, limit_key)[1]
            if worst:  # else nothing can trade: it is cancelled and needs no money
                if closable > 0:
                    promised = _promise(command, position, makers, limit_key, closable, crosses)
                opening = contracts - promised
                highest = worst if sign > 0 or not crosses or best is None else best.price
        order = self._accept(
            command, position, sign, price, contracts, promised, opening, highest, worst, plan_id
        )
        if order is None:
            refusal = hold_problem(position, sign, opening, highest, worst)
            return self._refuse(command, refusal, plan_id)
        order.closing = closing
        if position.number == 0:
            self._state.adopt(position)
        if command.client_order_id is not None:
            position.account.client_ids[command.client_order_id] = order
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
        order = self._accept(command, position, sign, limit, contracts, 0, 0, limit, limit, None)
        assert order is not None, "what opens nothing needs no money"
        order.closing = True
        self._run(order, makers, limit * sign, crosses=True)
        return order

    def _accept(  # noqa: PLR0913, PLR0917 - positional because it is hot
        self,
        command: PlaceOrder,
        position: Position,
        sign: int,
        price: int | None,
        contracts: int,
        promised: int,
        opening: int,
        highest: int,
        worst: int,
        plan_id: int | None,
    ) -> Order | None:
        """Make an order and say that it is accepted; None when it asks for too much.

        It holds the cost of ``opening`` contracts at up to ``highest``, the last of them at
        ``worst``; where that is refused, ``hold_problem`` knows why.
        """
        state = self._state
        account = position.account
        hold = 0
        if opening:
            market = position.market
            ticks = highest * opening
            # order_cost, written out
            hold = ticks * position.hold_per_tick or hold_of(position, ticks)
            mark = market.mark
            if mark is not None and (behind := (worst - mark) * sign) > 0:
                hold += opening * behind * market.tick_value
            held = account.hold + hold
            if (
                held > account.wallet or position.tier_cap is not None or account.cross_positions
            ) and hold_problem(position, sign, opening, highest, worst) is not None:
                return None
            account.hold = held
        order_id = state.next_order_id
        state.next_order_id = order_id + 1
        order = Order()  # whose class has no __init__: that would be a call more
        order.order_id = order_id
        order.position = position
        order.command = command
        order.sign = sign
        order.price = price
        order.contracts = order.remaining = contracts
        order.closing = False
        order.plan_id = plan_id
        order.created_at = order.updated_at = at = state.log.at
        order.filled = order.filled_ticks = order.fee = 0
        order.hold = hold
        order.promised = promised
        order.level = None
        state.log.events.append(OrderAccepted(
            at, order_id, account.number, position.symbol, command.side, position.side,
            command.kind, price, contracts, command.time_in_force,
            command.reduce_only or command.close_on_trigger, command.client_order_id, plan_id,
            command.close_on_trigger,
        ))  # fmt: skip
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
        account = order.position.account
        side.append(order, price)
        account.open_orders[order.order_id] = order
        if order.promised or order.closing:
            self._trading.register_closer(order)
        if account.wallet < account.hold and not account.cross_positions:
            self._trading.free_holds(account)  # it lost more than there is by what it has traded


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
