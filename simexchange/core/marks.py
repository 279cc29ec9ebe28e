"""Index and mark prices, and the tick that follows when one changes."""

from typing import Final

from simexchange.core.commands import AdvanceTime, SetIndex, SetIndexSources, SetMark
from simexchange.core.events import IndexLost, IndexRestored, MarkPriceSet
from simexchange.core.liquidation import Liquidation
from simexchange.core.markets import Market
from simexchange.core.plan_firing import PlanFiring
from simexchange.core.prices import index_from, median_of_three
from simexchange.core.state import State
from simexchange.core.types import RATE_SCALE, RejectReason, TriggerBy
from simexchange.core.watch import LiquidationWatch

_MARK: Final = TriggerBy.MARK
_INDEX: Final = TriggerBy.INDEX
_AGE: Final = "index age"


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
        state.timers.handle(_AGE, self._on_age)

    def set_index(self, command: SetIndex) -> None:
        market = self._market(command, command.symbol, command.price)
        if market is not None:
            self._change_index(market, command.price, self._state.log.at)

    def set_index_sources(self, command: SetIndexSources) -> None:
        """Average the usable sources; without any the index is lost (see ``_lose_index``)."""
        prices = command.prices
        market = self._market(command, command.symbol, min(prices, default=None))
        if market is None:
            return
        weights = (1,) * len(prices) if command.weights is None else command.weights
        ages = (0,) * len(prices) if command.ages_us is None else command.ages_us
        stale_us = market.instrument.index_stale_us
        problem = _sources_problem(prices, weights, ages)
        usable = [
            source
            for source in zip(prices, weights, ages, strict=False)
            if stale_us is None or source[2] <= stale_us
        ]
        if problem is None and not usable and market.mark is None:
            problem = f"no source of {market.symbol} is usable, and it has no mark price to protect"
        if problem is not None:
            reason = RejectReason.INVALID_REQUEST
            self._state.refuse(command, reason, problem, symbol=command.symbol)
        elif usable:
            kept, weighed, since = zip(*usable, strict=True)
            self._change_index(market, index_from(kept, weighed), self._state.log.at - min(since))
        else:
            self._lose_index(market)
            self.tick(market)

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
        self._note_age(market)
        mark = market.manual_mark
        if mark is None:
            mark = _protected(market) if market.protection else self._formula(market)
        if mark is None:
            return
        if self._state.stale_accounts:
            self._liquidation.cover_bad_trades()
        if mark != market.mark:
            is_first = market.mark is None
            market.mark = mark
            if is_first:
                self._watch.first_mark(market)
            self._state.log.events.append(
                MarkPriceSet(self._state.log.at, market.symbol, mark, market.index, market.last)
            )
            if market.has_plans:
                self._firing.fire(market, _MARK, mark)
        self._liquidation.tick(market, mark)

    def _change_index(self, market: Market, price: int, since: int) -> None:
        market.index, market.index_at = price, since
        stale_us = market.instrument.index_stale_us
        if stale_us is not None:
            self._state.timers.set(since + stale_us + 1, _AGE, market)
        if market.protection is not None:
            market.protection = None
            self._state.log.events.append(IndexRestored(self._state.log.at, market.symbol, price))
        if market.has_plans:
            self._firing.fire(market, _INDEX, price)
        self.tick(market)

    def _on_age(self, thing: object) -> None:
        assert isinstance(thing, Market)
        if thing.protection is None and self._is_stale(thing):
            self.tick(thing)

    def _note_age(self, market: Market) -> None:
        """Lose an index that nobody has renewed for as long as the instrument allows."""
        if market.mark is not None and self._is_stale(market):
            self._lose_index(market)

    def _is_stale(self, market: Market) -> bool:
        stale_us = market.instrument.index_stale_us
        return (
            stale_us is not None
            and market.index is not None
            and self._state.log.at - market.index_at > stale_us
        )

    def _lose_index(self, market: Market) -> None:
        """Let the mark follow the last price, no further than the protection from where it is.

        The index keeps its last value for those who ask; it counts for nothing until it is set
        again: not for the mark, nor for the premium, nor for plan orders that wait for it.
        """
        mark, rate = market.mark, market.instrument.mark_protection
        assert mark is not None
        if market.protection is not None:
            return
        lowest = max(1, -(-mark * (RATE_SCALE - rate) // RATE_SCALE))
        highest = mark * (RATE_SCALE + rate) // RATE_SCALE
        market.protection = lowest, highest
        self._state.log.events.append(
            IndexLost(self._state.log.at, market.symbol, mark, lowest, highest)
        )

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
        with_basis = max(1, index + market.basis.value(at))
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


def _sources_problem(
    prices: tuple[int, ...], weights: tuple[int, ...], ages_us: tuple[int, ...]
) -> str | None:
    count = len(prices)
    if len(weights) != count or len(ages_us) != count:
        return f"{count} prices need as many weights and ages"
    if count and (min(weights) < 0 or sum(weights) == 0):
        return "no weight is negative, and not all are zero"
    return "no age is negative" if count and min(ages_us) < 0 else None


def _protected(market: Market) -> int:
    """Return the last price within the protection; the mark stays where nobody ever traded."""
    assert market.protection is not None
    assert market.mark is not None
    lowest, highest = market.protection
    last = market.mark if market.last is None else market.last
    return max(lowest, min(highest, last))
