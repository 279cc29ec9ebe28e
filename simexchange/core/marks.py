"""Index and mark prices, and the tick that follows when one changes."""

from simexchange.core.commands import AdvanceTime, SetIndex, SetMark
from simexchange.core.events import MarkPriceSet
from simexchange.core.liquidation import Liquidation
from simexchange.core.markets import Market
from simexchange.core.state import State
from simexchange.core.types import RejectReason
from simexchange.core.watch import LiquidationWatch


class Marks:
    """Sets prices. Each new mark price is a tick: positions that reached their price go."""

    __slots__ = ("_liquidation", "_state", "_watch")

    def __init__(self, state: State, watch: LiquidationWatch, liquidation: Liquidation) -> None:
        self._state = state
        self._watch = watch
        self._liquidation = liquidation

    def set_index(self, command: SetIndex) -> None:
        market = self._market(command, command.symbol, command.price)
        if market is not None:
            market.index = command.price
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
        """Compute the mark price, say it when it moved, and liquidate what it reached."""
        mark = market.manual_mark if market.manual_mark is not None else market.index
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
        self._liquidation.tick(market, mark)

    def _market(self, command: SetIndex | SetMark, symbol: str, price: int | None) -> Market | None:
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
