"""New orders: the checks in their order, the money they hold, and what becomes of them."""

from simexchange.core.accounts import Account, take_forced
from simexchange.core.book import BookSide
from simexchange.core.commands import PlaceOrder
from simexchange.core.events import OrderAccepted
from simexchange.core.fees import hold_rate
from simexchange.core.margin import available_balance, order_cost, tier_of
from simexchange.core.markets import Market
from simexchange.core.matching import Matching
from simexchange.core.orders import Order
from simexchange.core.positions import Position
from simexchange.core.state import Refusal, State
from simexchange.core.trading import Trading
from simexchange.core.types import (
    RATE_SCALE,
    CancelReason,
    OrderKind,
    PositionMode,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

_LIMIT = OrderKind.LIMIT
_MARKET = OrderKind.MARKET
_GTC = TimeInForce.GTC
_IOC = TimeInForce.IOC
_FOK = TimeInForce.FOK
_POST_ONLY = TimeInForce.POST_ONLY
_ONE_WAY = PositionMode.ONE_WAY
_NO_PREVENTION = SelfTradePrevention.NONE


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

    def place(self, command: PlaceOrder, plan_id: int | None = None) -> Refusal | None:
        """Place an order; returns the refusal that was also said as an event."""
        state = self._state
        account = state.accounts.get(command.account)
        market = state.markets.get(command.symbol)
        if account is None or market is None:
            refusal = unknown(command.account, command.symbol, account)
        else:
            refusal = self._form_problem(command, account, market, plan_id)
            if refusal is None:
                refusal = self._admit(command, account, market, plan_id)
        if refusal is not None:
            state.refuse_order(
                command.account, command.symbol, command.client_order_id, refusal, plan_id
            )
        return refusal

    # ------------------------------------------------------------------ checks

    def _form_problem(
        self, command: PlaceOrder, account: Account, market: Market, plan_id: int | None
    ) -> Refusal | None:
        """Check what can be checked without looking at book or money."""
        if account.forced_rejects and take_forced(account, "order"):
            return Refusal(RejectReason.FORCED, "a fault plan refuses this order")
        price = command.price
        if (command.kind is _LIMIT) is (price is None) or (price is not None and price < 1):
            return _price_problem(command)
        contracts = command.contracts
        if not market.min_contracts <= contracts <= market.max_contracts or (
            market.has_size_rules and size_problem(command.kind, contracts, market)
        ):
            return size_problem(command.kind, contracts, market)
        if (command.position_side == 0) is not (account.position_mode is _ONE_WAY):
            return side_problem(account)
        client_order_id = command.client_order_id
        if client_order_id is not None and client_order_id in account.client_ids:
            known = account.client_ids[client_order_id]
            if plan_id is None or known.plan_id != plan_id:
                return Refusal(
                    RejectReason.DUPLICATE_CLIENT_ORDER_ID,
                    f"client order id {client_order_id!r} was used before by this account",
                )
        return order_rules_problem(command, account, market) if market.has_order_rules else None

    # ------------------------------------------------------------------ money and matching

    def _admit(
        self, command: PlaceOrder, account: Account, market: Market, plan_id: int | None
    ) -> Refusal | None:
        """Check position, book and money; accept the order and match it."""
        state = self._state
        side = command.side
        sign = 1 if side > 0 else -1
        contracts = command.contracts
        position = account.legs[command.position_side].get(market.symbol)
        if position is None:
            position = state.position(account, market, command.position_side)
        held = position.contracts
        closable = abs(held) if held * sign < 0 else 0
        leg = position.side
        closing = command.reduce_only or leg not in (0, sign)
        if closing:
            if closable == 0:
                return _nothing_to_reduce(position, sign)
            contracts = min(contracts, closable)
        makers = market.book.asks if sign > 0 else market.book.bids
        limit_key = _limit_key(command, market, sign)
        best = makers.best()
        crosses = best is not None and (limit_key is None or best.key <= limit_key)
        if crosses and command.time_in_force is _POST_ONLY:
            assert best is not None
            return Refusal(
                RejectReason.POST_ONLY_WOULD_CROSS,
                f"a post-only order at {command.price} would trade at once at {best.price}",
            )
        order = Order(
            state.next_order_id,
            position,
            side,
            contracts,
            command.kind,
            command.price,
            command.time_in_force,
            command.reduce_only,
            command.client_order_id,
            command.self_trade_prevention,
            plan_id,
            state.log.at,
        )
        order.closing = closing
        if not closing:
            refusal = self._reserve(order, makers, limit_key, closable, crosses=crosses)
            if refusal is not None:
                return refusal
        self.start(order, makers, limit_key, crosses=crosses)
        return None

    def start(
        self, order: Order, makers: BookSide, limit_key: int | None, *, crosses: bool
    ) -> None:
        """Accept an order that passed its checks, and match it."""
        self._state.next_order_id += 1
        if order.position.number == 0:
            self._state.adopt(order.position)
        self._accept(order)
        self._run(order, makers, limit_key, crosses=crosses)

    def close_at_once(self, position: Position, contracts: int, limit: int) -> Order | None:
        """Close ``contracts`` of ``position`` for the exchange itself, at ``limit`` or better.

        What cannot trade at once is cancelled; None when nothing can trade at all.
        """
        sign = -1 if position.contracts > 0 else 1
        book = position.market.book
        makers = book.asks if sign > 0 else book.bids
        best = makers.best()
        if best is None or best.key > limit * sign:
            return None
        order = Order(
            self._state.next_order_id,
            position,
            Side(sign),
            contracts,
            _LIMIT,
            limit,
            _IOC,
            True,
            None,
            _NO_PREVENTION,
            None,
            self._state.log.at,
        )
        self.start(order, makers, limit * sign, crosses=True)
        return order

    def _reserve(
        self,
        order: Order,
        makers: BookSide,
        limit_key: int | None,
        closable: int,
        *,
        crosses: bool,
    ) -> Refusal | None:
        """Hold the money for what ``order`` would open, or say why not.

        Of the contracts that can trade now, those that the position covers close it. Of those
        that will rest, the position covers what it has not promised to older orders.
        """
        position, market, account = order.position, order.market, order.account
        contracts, price, sign = order.contracts, order.price, order.sign
        worst = price if price is not None else makers.reach(contracts, limit_key)[1]
        if worst is None:
            return None  # nothing to trade with: it will be cancelled and needs no money
        if closable:
            order.promised = self._promise(order, makers, limit_key, closable)
            contracts -= order.promised
            if contracts == 0:
                return None
        highest = worst if sign > 0 or not crosses else best_price(makers)
        leverage = position.leverage
        cost = order_cost(
            sign, contracts, highest, worst, market, leverage, hold_rate(account, market)
        )
        available = available_balance(account)
        if cost > available:
            return Refusal(
                RejectReason.INSUFFICIENT_MARGIN,
                f"opening {contracts} contracts at up to {highest} with leverage {leverage} needs "
                f"{cost} (initial margin, loss against the mark price, fee); available are "
                f"{available}",
            )
        if len(market.tiers) > 1:
            refusal = tier_problem(position, sign, contracts * highest * market.tick_value)
            if refusal is not None:
                return refusal
        order.hold = cost
        account.hold += cost
        return None

    def _promise(self, order: Order, makers: BookSide, limit_key: int | None, closable: int) -> int:
        """Return how many contracts of ``order`` close its position and so need no money."""
        if order.kind is _MARKET or order.time_in_force in (_IOC, _FOK):
            return min(order.contracts, closable)
        now, _ = makers.reach(order.contracts, limit_key)
        closes_now = min(now, closable)
        unpromised = max(0, closable - closes_now - order.position.promised)
        return closes_now + min(order.contracts - now, unpromised)

    def _accept(self, order: Order) -> None:
        state = self._state
        state.orders[order.order_id] = order
        account = order.account
        if order.client_order_id is not None:
            account.client_ids[order.client_order_id] = order
        state.log.events.append(
            OrderAccepted(
                state.log.at,
                order.order_id,
                account.number,
                order.market.symbol,
                order.side,
                order.position.side,
                order.kind,
                order.price,
                order.contracts,
                order.time_in_force,
                order.reduce_only,
                order.client_order_id,
                order.plan_id,
            )
        )

    def _run(self, order: Order, makers: BookSide, limit_key: int | None, *, crosses: bool) -> None:
        """Match an accepted order; rest what may rest, cancel what may not."""
        if crosses:
            if (
                order.time_in_force is _FOK
                and makers.reach(order.contracts, limit_key)[0] < order.contracts
            ):
                self._trading.cancel(order, CancelReason.FILL_OR_KILL)
                return
            self._matching.match(order, makers, limit_key)
        if order.remaining == 0:
            return
        if order.kind is _MARKET:
            self._trading.cancel(order, CancelReason.NO_LIQUIDITY)
        elif order.time_in_force is _IOC:
            self._trading.cancel(order, CancelReason.IMMEDIATE_OR_CANCEL)
        elif order.time_in_force is _FOK:
            self._trading.cancel(order, CancelReason.FILL_OR_KILL)
        else:
            self.rest(order)

    def rest(self, order: Order) -> None:
        """Put what remains of ``order`` into the book."""
        price = order.price
        assert price is not None
        own = order.market.book.bids if order.sign > 0 else order.market.book.asks
        own.append(order, price)
        self._trading.register(order)
        position = order.position
        if position.closers and (order.closing or order.promised):
            self._trading.recap(position)


def best_price(makers: BookSide) -> int:
    best = makers.best()
    assert best is not None
    return best.price


def unknown(number: int, symbol: str, account: Account | None) -> Refusal:
    if account is None:
        return Refusal(RejectReason.UNKNOWN_ACCOUNT, f"there is no account {number}")
    return Refusal(RejectReason.UNKNOWN_INSTRUMENT, f"there is no instrument {symbol!r}")


def size_problem(kind: OrderKind, contracts: int, market: Market) -> Refusal | None:
    instrument = market.instrument
    most = instrument.max_contracts
    if kind is _MARKET:
        most = min(most, instrument.max_market_contracts)
    if contracts < 1:
        return Refusal(
            RejectReason.INVALID_CONTRACTS,
            f"an order needs at least 1 contract, not {contracts}",
        )
    if contracts < instrument.min_contracts:
        return Refusal(
            RejectReason.BELOW_MINIMUM,
            f"{contracts} contracts are below the minimum of {instrument.min_contracts}",
        )
    if contracts > most:
        return Refusal(
            RejectReason.ABOVE_MAXIMUM,
            f"{contracts} contracts are above the maximum of {most} for a {kind} order",
        )
    if contracts % instrument.contracts_step:
        return Refusal(
            RejectReason.INVALID_CONTRACTS,
            f"{contracts} contracts are not a multiple of the step {instrument.contracts_step}",
        )
    return None


def side_problem(account: Account) -> Refusal:
    wanted = "NET" if account.position_mode is _ONE_WAY else "LONG or SHORT"
    return Refusal(
        RejectReason.POSITION_SIDE_MISMATCH,
        f"account {account.number} is in {account.position_mode} mode; position_side must be "
        f"{wanted}",
    )


def order_rules_problem(command: PlaceOrder, account: Account, market: Market) -> Refusal | None:
    """Check the optional filters: number of orders, price band, minimum notional."""
    instrument = market.instrument
    if len(account.open_orders) >= instrument.max_open_orders:
        return Refusal(
            RejectReason.TOO_MANY_ORDERS,
            f"account {account.number} has {len(account.open_orders)} open orders, the most "
            "allowed",
        )
    price = command.price
    if price is not None and (problem := band_problem(price, market)):
        return problem
    reference = market.mark if price is None else price
    if reference is None or command.reduce_only:
        return None
    notional = reference * command.contracts * market.tick_value
    if notional < instrument.min_notional:
        return Refusal(
            RejectReason.BELOW_MINIMUM_NOTIONAL,
            f"the order is worth {notional}, below the minimum of {instrument.min_notional}",
        )
    return None


def band_problem(price: int, market: Market) -> Refusal | None:
    """Check a limit price against the band around the mark price."""
    band, mark = market.instrument.price_band, market.mark
    if band is None or mark is None:
        return None
    lowest = -(-mark * (RATE_SCALE - band) // RATE_SCALE)
    highest = mark * (RATE_SCALE + band) // RATE_SCALE
    if lowest <= price <= highest:
        return None
    return Refusal(
        RejectReason.PRICE_OUTSIDE_BAND,
        f"price {price} is outside {lowest} to {highest} around the mark price {mark}",
    )


def tier_problem(position: Position, sign: int, notional: int) -> Refusal | None:
    """Check that the leverage is allowed for the position with all its opening orders."""
    exposure = notional
    if position.cost * sign > 0:
        exposure += abs(position.cost)
    for order in position.account.open_orders.values():
        if order.position is position and order.sign == sign and order.price is not None:
            opening = order.remaining - order.promised
            if not order.closing:
                exposure += opening * order.price * order.market.tick_value
    tier = tier_of(position.market.tiers, exposure)
    if position.leverage <= tier.max_leverage:
        return None
    return Refusal(
        RejectReason.EXCEEDS_TIER,
        f"position and orders would be worth {exposure}, where leverage is at most "
        f"{tier.max_leverage}; it is {position.leverage}",
    )


def _limit_key(command: PlaceOrder, market: Market, sign: int) -> int | None:
    """Return the book key beyond which the order must not trade; None: no bound."""
    if command.price is not None:
        return command.price * sign
    slippage, mark = market.instrument.market_slippage, market.mark
    if slippage is None or mark is None:
        return None
    if sign > 0:
        return mark * (RATE_SCALE + slippage) // RATE_SCALE
    return mark * (RATE_SCALE - slippage) // -RATE_SCALE


def _price_problem(command: PlaceOrder) -> Refusal:
    if command.kind is _LIMIT:
        return Refusal(
            RejectReason.INVALID_PRICE,
            f"a limit order needs a price of at least 1 tick, not {command.price}",
        )
    return Refusal(RejectReason.INVALID_PRICE, "a market order takes no price")


def _nothing_to_reduce(position: Position, sign: int) -> Refusal:
    verb = "buy" if sign > 0 else "sell"
    return Refusal(
        RejectReason.REDUCE_ONLY_REJECTED,
        f"there is nothing to close: the position holds {position.contracts} contracts and the "
        f"order would {verb}",
    )
