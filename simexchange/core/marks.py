"""Index and mark prices, and the tick that follows when one changes."""

from simexchange.core.commands import AdvanceTime, SetIndex, SetIndexSources, SetMark
from simexchange.core.events import MarkPriceSet
from simexchange.core.liquidation import Liquidation
from simexchange.core.markets import Market
from simexchange.core.plan_firing import PlanFiring
from simexchange.core.prices import index_from, median_of_three
from simexchange.core.state import State
from simexchange.core.types import RATE_SCALE, RejectReason, TriggerBy
from simexchange.core.watch import LiquidationWatch


class Marks:
    """Sets prices. Each new price is a tick: plan orders it reaches fire, then liquidation."""

    __slots__ = ("_firing", "_liquidation", "_state", "_watch")

    def __init__(
        self,
        state: State,
        watch: LiquidationWatch,
        liquidation: Liquidation,
        firing: PlanFiring,
    ) -> None:
        self._state = state
        self._watch = watch
        self._liquidation = liquidation
        self._firing = firing

    def set_index(self, command: SetIndex) -> None:
        market = self._market(command, command.symbol, command.price)
        if market is not None:
            self._change_index(market, command.price)

    def set_index_sources(self, command: SetIndexSources) -> None:
        weights = command.weights or (1,) * len(command.prices)
        market = self._market(command, command.symbol, min(command.prices, default=0))
        if market is None:
            return
        if len(weights) != len(command.prices) or min(weights) < 0 or sum(weights) == 0:
            message = (
                f"{len(command.prices)} prices need as many weights, none negative, not all zero"
            )
            self._state.refuse(
                command, RejectReason.INVALID_REQUEST, message, symbol=command.symbol
            )
            return
        self._change_index(market, index_from(command.prices, weights))

    def set_mark(self, command: SetMark) -> None:
        """Hold the mark price by hand, or give it back to the formula."""
        market = self._market(command, command.symbol, command.price)
        if market is not None:
            market.manual_mark = command.price
            self.tick(market)

    def advance_time(self, _: AdvanceTime) -> None:
        for market in self._state.markets.values():
            self.tick(market)

    def tick(self, market: Market) -> None:
        """Compute the mark price, say it when it moved, and do what it reached."""
        mark = market.manual_mark
        if mark is None:
            mark = self._formula(market)
        if mark is None:
            return
        if mark != market.mark:
            is_first = market.mark is None
            market.mark = mark
            if is_first:
                self._watch.first_mark(market)
            self._state.log.events.append(
                MarkPriceSet(self._state.log.at, market.symbol, mark, market.index, market.last)
            )
            if market.has_plans:
                self._firing.fire(market, TriggerBy.MARK, mark)
        self._liquidation.tick(market, mark)

    def _change_index(self, market: Market, price: int) -> None:
        market.index = price
        if market.has_plans:
            self._firing.fire(market, TriggerBy.INDEX, price)
        self.tick(market)

    def _formula(self, market: Market) -> int | None:
        """Return the median of index with funding due, index with basis, and the last price.

        Price 1 is ``index × (1 + rate × time to funding / interval)``, price 2 ``index + moving
        average of (bid + ask) / 2 − index``, both rounded down. Without trades or a two-sided book
        the index stands in. After Binance and Bybit.
        """
        index = market.index
        if index is None:
            return None
        at = self._state.log.at
        bid, ask = market.bids.best(), market.asks.best()
        if bid is not None and ask is not None:
            market.basis.add(at, bid.price + ask.price - 2 * index)
        with_basis = max(1, index + market.basis.value())
        clock = market.funding
        with_funding = index
        if clock is not None and clock.last_rate:
            left = max(0, clock.next_at - at)
            scale = RATE_SCALE * clock.interval_us
            with_funding = max(1, index * (scale + clock.last_rate * left) // scale)
        last = index if market.last is None else market.last
        return median_of_three(with_funding, with_basis, last)

    def _market(
        self, command: SetIndex | SetIndexSources | SetMark, symbol: str, price: int | None
    ) -> Market | None:
        market = self._state.markets.get(symbol)
        if market is None:
            message = f"there is no instrument {symbol!r}"
            self._state.refuse(command, RejectReason.UNKNOWN_INSTRUMENT, message, symbol=symbol)
            return None
        if price is not None and price < 1:
            message = f"a price is at least 1 tick, not {price}"
            self._state.refuse(command, RejectReason.INVALID_PRICE, message, symbol=symbol)
            return None
        return market
