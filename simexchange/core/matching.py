"""Price-time matching of one incoming order against the other side of the book."""

from typing import Final

from simexchange.core.book import BookSide
from simexchange.core.events import SelfTradePrevented
from simexchange.core.margin import available_balance, resting_cost
from simexchange.core.markets import Market
from simexchange.core.orders import Order
from simexchange.core.positions import Position
from simexchange.core.state import State
from simexchange.core.trading import Trading
from simexchange.core.types import RATE_SCALE, CancelReason, Liquidity, SelfTradePrevention

_MAKER: Final = Liquidity.MAKER
_TAKER: Final = Liquidity.TAKER
_NO_PREVENTION: Final = SelfTradePrevention.NONE


class Matching:
    """Meets takers with makers, best price first, oldest first within a price."""

    __slots__ = ("_state", "_trading")

    def __init__(self, state: State, trading: Trading) -> None:
        self._state = state
        self._trading = trading

    # every trade would pay for a call
    def match(self, taker: Order, makers: BookSide, limit_key: int | None) -> None:  # noqa: C901, PLR0912
        """Trade ``taker`` until it is filled, cancelled, or no maker is within ``limit_key``."""
        state, trading = self._state, self._trading
        taker_position = taker.position
        market = taker_position.market
        prevents = taker.command.self_trade_prevention is not _NO_PREVENTION
        contracts = taker.remaining
        while contracts:
            level = makers.top or makers.best()
            if level is None or (limit_key is not None and level.key > limit_key):
                return
            maker = level.head  # looked up for each trade: a fill may cancel others of its account
            assert maker is not None
            position = maker.position
            if prevents and position.account.self_group == taker.account.self_group:
                self._prevent(taker, maker)
                contracts = taker.remaining
                continue
            if contracts >= maker.remaining:
                contracts = maker.remaining
                level.head = after = maker.next  # `unlink`, written out for the first of a queue
                if after is not None:
                    after.prev = None
                    maker.next = None
                else:
                    level.tail = None
                    makers.top = None
                maker.level = None
                del position.account.open_orders[maker.order_id]
                if maker.closing:
                    trading.deregister_closer(maker)
                state.closed_orders.append(maker)
            market.last = price = level.price
            if market.watches_last:
                self._note_price(market, price)
            trade_id, execution = state.next_trade_id, state.last_execution_id + 1
            state.next_trade_id, state.last_execution_id = trade_id + 1, execution + 1
            ticks = price * contracts
            notional = ticks * market.tick_value
            rate = position.maker_fee
            if maker.sign * position.contracts >= 0:
                trading.fill_opening(
                    maker, rate, _MAKER, trade_id, execution, contracts, price, ticks, notional
                )
            else:
                trading.fill_closing(
                    maker, rate, _MAKER, trade_id, execution, contracts, price, ticks, notional
                )
            rate = taker_position.taker_fee
            if taker.sign * taker_position.contracts >= 0:
                trading.fill_opening(
                    taker, rate, _TAKER, trade_id, execution + 1, contracts, price, ticks, notional
                )
            else:
                trading.fill_closing(
                    taker, rate, _TAKER, trade_id, execution + 1, contracts, price, ticks, notional
                )
            contracts = taker.remaining
        if taker.filled == taker.contracts:  # else it was cancelled
            state.closed_orders.append(taker)

    def can_fill(self, taker: Order, makers: BookSide, limit_key: int | None) -> bool:
        """Say whether ``taker`` would trade whole now: what a fill-or-kill order asks.

        Own orders that it would meet do not count, or end it before; nor does what rests to close
        a position beyond what that position holds, nor what its account could no longer pay for
        after it has closed at a loss.
        """
        wanted = taker.remaining
        if makers.reach(wanted, limit_key)[0] < wanted:
            return False
        mode = _mode(taker)
        closable: dict[int, int] = {}
        lost: dict[int, int] = {}
        for level in makers.levels_from_best():
            if limit_key is not None and level.key > limit_key:
                return False
            maker = level.head
            while maker is not None:
                if mode is _NO_PREVENTION or maker.account.self_group != taker.account.self_group:
                    wanted -= _certain(maker, closable, lost)
                    if wanted <= 0:
                        return True
                elif mode is not SelfTradePrevention.MAKER:
                    return False
                maker = maker.next
        return False

    def _note_price(self, market: Market, price: int) -> None:
        """Keep the price for the plan orders that wait for it until the command is done.

        Of a way up or down only where it began and how far it has come: all else lies between.
        """
        seen = market.seen
        if not seen:
            self._state.traded.append(market)
            self._state.has_echo = True
        if len(seen) > 1 and (price - seen[-1]) * (seen[-1] - seen[-2]) >= 0:
            seen[-1] = price
        elif not seen or price != seen[-1]:
            seen.append(price)

    def _prevent(self, taker: Order, maker: Order) -> None:
        """Keep two orders of one owner from trading, as the taker's mode says."""
        mode = _mode(taker)
        trading = self._trading
        contracts = min(taker.remaining, maker.remaining)
        self._state.log.events.append(
            SelfTradePrevented(
                self._state.log.at,
                taker.market.symbol,
                taker.order_id,
                maker.order_id,
                taker.account.number,
                maker.account.number,
                contracts,
            )
        )
        if mode is SelfTradePrevention.DECREMENT:
            for order in (maker, taker):
                if order.remaining == contracts:
                    trading.cancel(order, CancelReason.SELF_TRADE)
                else:
                    trading.shrink(order, order.remaining - contracts, CancelReason.SELF_TRADE)
            return
        if mode is not SelfTradePrevention.TAKER:
            trading.cancel(maker, CancelReason.SELF_TRADE)
        if mode is not SelfTradePrevention.MAKER:
            trading.cancel(taker, CancelReason.SELF_TRADE)


def _mode(taker: Order) -> SelfTradePrevention:
    """Return the mode in which ``taker`` meets orders of its owner."""
    mode = taker.self_trade_prevention
    if taker.command.close_on_trigger and mode is not _NO_PREVENTION:
        return SelfTradePrevention.MAKER
    return mode


def _certain(maker: Order, closable: dict[int, int], lost: dict[int, int]) -> int:
    """Return the contracts that ``maker`` can trade after those before it have traded.

    ``closable`` keeps what is left of each position that resting orders would close: every order
    against it takes from it, whichever of them it was promised to. ``lost`` keeps what each account
    may have lost by that; who then has less than its orders hold loses orders. What was promised
    to close and would open by then counts where the account could hold money for all such.
    """
    account = maker.account
    gone = lost.get(account.number, 0)
    if gone and maker.hold and account.wallet - gone < account.hold:
        return 0
    closes = maker.remaining if maker.closing else maker.promised
    position = maker.position
    if closes == 0 and position.contracts * maker.sign >= 0:
        return maker.remaining
    left = closable.get(position.number, abs(position.contracts))
    closed = min(left, maker.remaining)
    closable[position.number] = left - closed
    lost[account.number] = gone + _loss(maker, closed)
    opens = max(0, closes - left)
    if opens and not maker.closing and _can_hold_promised(position, gone):
        opens = 0
    return maker.remaining - opens


def _can_hold_promised(position: Position, lost: int) -> bool:
    """Say whether its account could pay for all that rests to close ``position``, were it gone.

    Each order would then hold money for what it promised, the oldest first, whether the taker
    would meet it or not; what has traded till then may have cost ``lost``.
    """
    account = position.account
    resting = [order for order in position.closers.values() if not order.closing]
    needed = sum(resting_cost(order, order.promised, position.leverage) for order in resting)
    rounding = 2 * len(account.open_orders)
    return needed + lost + rounding <= available_balance(account)


def _loss(maker: Order, closed: int) -> int:
    """Return what its account may lose, fee included, where ``maker`` closes at its price.

    Below zero it gains at least so much: the margin that is released, and its profit.
    """
    position, price = maker.position, maker.price
    assert price is not None
    market = position.market
    notional = closed * price * market.tick_value
    size = max(1, abs(position.contracts))
    kept = (abs(position.cost) * maker.sign + position.margin) * closed // size
    fee = max(0, -(-notional * position.maker_fee.rate // RATE_SCALE))
    loss = notional * maker.sign - kept
    if position.is_cross and market.mark is not None:
        # what backs new orders falls by this, too, where profit not yet realized has offset loss
        loss = max(loss, closed * (price - market.mark) * maker.sign * market.tick_value)
    return loss + fee + 2  # 2: what fills and shares round
