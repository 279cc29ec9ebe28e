"""New orders: the checks in their order, the money they hold, and what becomes of them."""

from simexchange.core.accounts import Account, take_forced
from simexchange.core.book import BookSide
from simexchange.core.commands import PlaceOrder
from simexchange.core.events import OrderAccepted
from simexchange.core.margin import available_balance, order_cost
from simexchange.core.markets import Market
from simexchange.core.matching import Matching
from simexchange.core.order_checks import (
    best_price,
    client_id_problem,
    nothing_to_reduce,
    order_rules_problem,
    price_problem,
    side_problem,
    size_problem,
    slippage_key,
    tier_problem,
    unknown,
    would_cross,
)
from simexchange.core.orders import Order, new_order
from simexchange.core.positions import Position
from simexchange.core.state import Refusal, State
from simexchange.core.trading import Trading
from simexchange.core.types import (
    RATE_SCALE,
    CancelReason,
    OrderKind,
    PositionSide,
    RejectReason,
    Side,
    TimeInForce,
)

_LIMIT = OrderKind.LIMIT
_MARKET = OrderKind.MARKET
_GTC = TimeInForce.GTC
_IOC = TimeInForce.IOC
_FOK = TimeInForce.FOK
_POST_ONLY = TimeInForce.POST_ONLY
_NO_LIQUIDITY = CancelReason.NO_LIQUIDITY
_BUY = Side.BUY
_NET = PositionSide.NET
_RESTING = (_GTC, _POST_ONLY)
_NEVER_RESTING = {
    TimeInForce.IOC: CancelReason.IMMEDIATE_OR_CANCEL,
    TimeInForce.FOK: CancelReason.FILL_OR_KILL,
}


class OrderEntry:
    """Accepts or refuses new orders.

    The checks, in order of precedence: account, instrument, forced rejection, form (price and
    contracts given as the kind demands), size limits, position side against position mode, client
    order id, number of open orders, price band, minimum notional, reduce-only, post-only,
    leverage against the tier of the exposure, money.
    """

    __slots__ = ("_matching", "_state", "_trading")

    def __init__(self, state: State, trading: Trading, matching: Matching) -> None:
        self._state = state
        self._trading = trading
        self._matching = matching

    def place(  # noqa: C901 - a branch for each check, none a call for an order without fault
        self, command: PlaceOrder, plan_id: int | None = None
    ) -> Refusal | None:
        """Place an order; returns the refusal that was also said as an event.

        First what can be checked without looking at book or money.
        """
        state = self._state
        price = command.price
        try:
            account = state.accounts[command.account]
            market = state.markets[command.symbol]
        except KeyError:
            account = state.accounts.get(command.account)
            refusal = unknown(command.account, command.symbol, account)
            return self._refuse(command, refusal, plan_id)
        if account.forced_rejects and take_forced(account, "order"):
            refusal = Refusal(RejectReason.FORCED, "a fault plan refuses this order")
        elif (price is None or price < 1) if command.kind is _LIMIT else price is not None:
            refusal = price_problem(command)
        elif not market.min_contracts <= command.contracts <= market.max_contracts:
            refusal = size_problem(command.kind, command.contracts, market)
        elif (command.position_side is _NET) is not account.is_one_way:
            refusal = side_problem(account)
        else:
            refusal = None
            if command.client_order_id is not None:
                refusal = client_id_problem(command.client_order_id, account, plan_id)
            if refusal is None and market.has_order_rules:
                refusal = order_rules_problem(command, account, market)
            if refusal is None:
                refusal = self._admit(command, account, market, plan_id)
                if refusal is None:
                    return None
        return self._refuse(command, refusal, plan_id)

    def _refuse(self, command: PlaceOrder, refusal: Refusal | None, plan_id: int | None) -> Refusal:
        assert refusal is not None
        self._state.refuse_order(
            command.account, command.symbol, command.client_order_id, refusal, plan_id
        )
        return refusal

    # ------------------------------------------------------------------ money and matching

    def _admit(  # noqa: C901, PLR0912 - one pass over an order; each pays for every call here
        self, command: PlaceOrder, account: Account, market: Market, plan_id: int | None
    ) -> Refusal | None:
        """Check position, book and money; accept the order and match it."""
        state = self._state
        contracts, price = command.contracts, command.price
        legs = account.net if account.is_one_way else account.legs[command.position_side]
        position = legs.get(command.symbol)
        if position is None:
            position = state.position(account, market, command.position_side)
        if command.side is _BUY:
            sign, makers, limit_key = 1, market.asks, price
            closable = -position.contracts
        else:
            sign, makers = -1, market.bids
            limit_key = -price if price is not None else None
            closable = position.contracts
        closing = command.reduce_only or command.close_on_trigger
        if position.leg and position.leg != sign:
            closing = True
        if closing:
            if closable <= 0:
                return nothing_to_reduce(position, sign)
            contracts = min(contracts, closable)
        if price is None:
            limit_key = slippage_key(market, sign)
        best = makers.top
        if best is None:
            best = makers.best()
        crosses = False
        if best is not None and (limit_key is None or best.key <= limit_key):
            if command.time_in_force is _POST_ONLY:
                return would_cross(price, best)
            crosses = True
        order = new_order(
            state.next_order_id, position, command, sign, contracts, closing, plan_id, state.log.at
        )
        if not closing:
            if crosses or price is None or command.time_in_force not in _RESTING:
                refusal = self._reserve(order, makers, limit_key, closable, crosses)
            elif closable > position.promised:
                refusal = self._hold_rest(order, position, contracts, price, closable)
            else:
                refusal = self._hold(order, position, contracts, price, price)
            if refusal is not None:
                return refusal
        elif command.close_on_trigger:
            self._trading.make_way(position, contracts)
        self.start(order, makers, limit_key, crosses)
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
        state = self._state
        order = new_order(
            state.next_order_id, position, command, sign, contracts, True, None, state.log.at
        )
        self.start(order, makers, limit * sign, crosses=True)
        return order

    def _reserve(
        self,
        order: Order,
        makers: BookSide,
        limit_key: int | None,
        closable: int,
        crosses: bool,  # noqa: FBT001 - positional because it is hot
    ) -> Refusal | None:
        """Hold the money for what ``order`` would open, or say why not.

        Of the contracts that can trade now, those that the position covers close it. Of those
        that will rest, the position covers what it has not promised to older orders.
        """
        contracts, price = order.contracts, order.price
        worst = price if price is not None else makers.reach(contracts, limit_key)[1]
        if worst is None:
            return None  # nothing to trade with: it will be cancelled and needs no money
        if closable > 0:
            promised = self._promise(order, makers, limit_key, closable, crosses=crosses)
            order.promised = promised
            contracts -= promised
            if contracts == 0:
                return None
        highest = worst if order.sign > 0 or not crosses else best_price(makers)
        return self._hold(order, order.position, contracts, highest, worst)

    def _hold_rest(
        self, order: Order, position: Position, contracts: int, price: int, closable: int
    ) -> Refusal | None:
        """Hold the money for an order that only rests and that its position covers in part."""
        promised = closable - position.promised
        if promised >= contracts:
            order.promised = contracts
            return None
        order.promised = promised
        return self._hold(order, position, contracts - promised, price, price)

    def _hold(
        self, order: Order, position: Position, contracts: int, price: int, worst: int
    ) -> Refusal | None:
        """Hold the cost of opening ``contracts`` at up to ``price``, or say that it is too much."""
        account, market, leverage = position.account, position.market, position.leverage
        notional = contracts * price * market.tick_value
        cap = position.tier_cap
        # Orders hold at least their value / leverage: without this much there is no need to look.
        if cap is not None and (
            notional + abs(position.cost) + account.hold * leverage >= cap
            and (refusal := tier_problem(position, order.sign, notional))
        ):
            return refusal
        # order_cost, written out for the order that is not behind the mark price
        cost = -(-notional // leverage) - (-notional * position.hold_rate // RATE_SCALE)
        mark = market.mark
        if mark is not None and (worst > mark if order.sign > 0 else worst < mark):
            cost = order_cost(
                order.sign, contracts, notional, worst, market, leverage, position.hold_rate
            )
        available = account.wallet - account.hold
        if account.cross_positions:
            available = available_balance(account)
        if cost > available:
            return Refusal(
                RejectReason.INSUFFICIENT_MARGIN,
                f"opening {contracts} contracts at up to {price} with leverage {leverage} needs "
                f"{cost} (initial margin, loss against the mark price, fee); available are "
                f"{available}",
            )
        order.hold = cost
        account.hold += cost
        return None

    def _promise(
        self,
        order: Order,
        makers: BookSide,
        limit_key: int | None,
        closable: int,
        *,
        crosses: bool,
    ) -> int:
        """Return how many contracts of ``order`` close its position and so need no money."""
        contracts = order.contracts
        command = order.command
        if command.kind is _MARKET or command.time_in_force not in _RESTING:
            return min(contracts, closable)
        now = makers.reach(contracts, limit_key)[0] if crosses else 0
        closes_now = min(closable, now)
        unpromised = closable - closes_now - order.position.promised
        if unpromised <= 0:
            return closes_now
        rest = contracts - now
        return closes_now + (min(unpromised, rest))

    def start(
        self,
        order: Order,
        makers: BookSide,
        limit_key: int | None,
        crosses: bool,  # noqa: FBT001 - positional because it is hot
    ) -> None:
        """Accept an order that passed its checks; match it, rest or cancel what is left."""
        state, position, command = self._state, order.position, order.command
        account, order_id, kind = position.account, order.order_id, command.kind
        state.next_order_id = order_id + 1
        if position.number == 0:
            state.adopt(position)
        state.orders[order_id] = order
        client_order_id = command.client_order_id
        if client_order_id is not None:
            account.client_ids[client_order_id] = order
        time_in_force = command.time_in_force
        state.log.events.append(
            OrderAccepted(
                order.created_at,
                order_id,
                account.number,
                command.symbol,
                command.side,
                position.side,
                kind,
                order.price,
                order.contracts,
                time_in_force,
                command.reduce_only or command.close_on_trigger,
                client_order_id,
                order.plan_id,
            )
        )
        if crosses and (
            time_in_force is not _FOK
            or makers.reach(order.contracts, limit_key)[0] == order.contracts
        ):
            self._matching.match(order, makers, limit_key)
        if order.remaining:
            if kind is _MARKET:
                self._trading.cancel(order, _NO_LIQUIDITY)
            elif time_in_force in _RESTING:
                self.rest(order)
            else:
                self._trading.cancel(order, _NEVER_RESTING[time_in_force])

    def rest(self, order: Order) -> None:
        """Put what remains of ``order`` into the book and into its account's registers."""
        position, price = order.position, order.price
        market = position.market
        assert price is not None
        (market.bids if order.sign > 0 else market.asks).append(order, price)
        position.account.open_orders[order.order_id] = order
        if order.closing or order.promised:
            self._trading.register_closer(order)
