"""Liquidation: positions whose margin is used up are taken over by the insurance fund."""

from simexchange.core.entry import OrderEntry
from simexchange.core.events import BankruptcyTakeover, LiquidationStarted, PositionLiquidated
from simexchange.core.liquidation_index import LiquidationHeap
from simexchange.core.margin import liquidation_price, maintenance_margin
from simexchange.core.markets import Market
from simexchange.core.positions import Position
from simexchange.core.state import State, margin_mode, view_sign
from simexchange.core.trading import Trading
from simexchange.core.types import RATE_SCALE, CancelReason, PositionSide, Side


class Liquidation:
    """Watches liquidation prices and carries liquidations out."""

    __slots__ = ("_entry", "_state", "_trading")

    def __init__(self, state: State, trading: Trading, entry: OrderEntry) -> None:
        self._state = state
        self._entry = entry
        self._trading = trading

    def tick(self, market: Market, mark: int) -> None:
        """Liquidate what ``mark`` has reached: longs nearest first, then shorts."""
        if market.stale:
            self.refresh(market)
        for heap in (market.long_liquidations, market.short_liquidations):
            while (position := heap.pop_due(mark)) is not None:
                self._liquidate(position, mark)
                self.refresh(market)
        self._unwind(market, mark)

    def refresh(self, market: Market) -> None:
        """Compute the liquidation prices of positions that changed since the last tick."""
        for position in market.stale:
            position.is_stale = False
            self._drop_entry(position)
            position.version += 1
            if position.contracts == 0:
                market.positions.pop(position.number, None)
                continue
            market.positions[position.number] = position
            price = liquidation_price(position)
            position.liquidation_price = price
            if price is not None:
                position.is_indexed = 1 if position.contracts > 0 else -1
                self._heap(position).push(position, price)
        market.stale.clear()

    def _unwind(self, market: Market, mark: int) -> None:
        """Let the insurance fund sell what it took over, as far as the book near mark allows."""
        fund = self._state.fund.legs[0].get(market.symbol)
        if fund is None or fund.contracts == 0:
            return
        slippage = self._state.config.fund_slippage
        if fund.contracts > 0:
            limit = -(-mark * (RATE_SCALE - slippage) // RATE_SCALE)
        else:
            limit = mark * (RATE_SCALE + slippage) // RATE_SCALE
        self._entry.close_at_once(fund, abs(fund.contracts), max(1, limit))

    def _drop_entry(self, position: Position) -> None:
        if position.is_indexed:
            self._heap(position).drop_one()
            position.is_indexed = 0
        position.liquidation_price = None

    def _heap(self, position: Position) -> LiquidationHeap:
        market = position.market
        return market.long_liquidations if position.is_indexed > 0 else market.short_liquidations

    def _liquidate(self, position: Position, mark: int) -> None:
        account, market = position.account, position.market
        contracts = position.contracts
        notional = abs(contracts) * mark * market.tick_value
        self._state.log.events.append(
            LiquidationStarted(
                self._state.log.at,
                account.number,
                market.symbol,
                position.side,
                contracts * view_sign(position),
                mark,
                position.liquidation_price,
                None,
                maintenance_margin(market.tiers, notional),
                margin_mode(position),
            )
        )
        for order in list(account.open_orders.values()):
            if order.position is position:
                self._trading.cancel(order, CancelReason.LIQUIDATION)
        realized = self._take_over(position)
        self._state.log.events.append(
            PositionLiquidated(
                self._state.log.at,
                account.number,
                market.symbol,
                position.side,
                abs(contracts),
                mark,
                0,
                abs(contracts),
                0,
                realized,
                0,
                0,
                0,
                position.margin,
                account.wallet,
                margin_mode(position),
            )
        )

    def _take_over(self, position: Position) -> int:
        """Let the insurance fund take all contracts where exactly the margin is lost."""
        state, account, market = self._state, position.account, position.market
        fund = state.position(state.fund, market, PositionSide.NET)
        state.adopt(fund)
        contracts = abs(position.contracts)
        sign = -1 if position.contracts > 0 else 1
        value = abs(position.cost) + sign * position.margin
        _, realized = self._trading.settle(position, sign, contracts, value, 0)
        _, fund_realized = self._trading.settle(fund, -sign, contracts, value, 0)
        state.log.events.append(
            BankruptcyTakeover(
                state.log.at,
                account.number,
                market.symbol,
                position.side,
                Side(sign),
                contracts,
                value,
                realized,
                0,
                0,
                position.margin,
                fund.contracts,
                abs(fund.cost),
                fund_realized,
                state.fund.wallet,
            )
        )
        return realized
