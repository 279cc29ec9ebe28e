"""Trading bots: leaders for a demo and takers that keep the book alive, all by seed.

A bot looks at the index, decides what exposure it wants, and sends orders that bring it there in
pieces. So its account shows what a person's does: opens, additions, partial closes, full closes
and changes of side, with market orders and with limit orders that may rest.
"""

from collections import deque
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from simexchange.core.commands import CancelOrder, Command, PlaceOrder
from simexchange.core.exchange import Exchange
from simexchange.core.instrument import Instrument
from simexchange.core.types import (
    MONEY_SCALE,
    RATE_SCALE,
    OrderKind,
    PositionMode,
    PositionSide,
    Side,
)
from simexchange.market.chance import PERCENT, Chance
from simexchange.market.synthetic import SyntheticIndex


class Style(StrEnum):
    MOMENTUM = "momentum"  # with the latest move
    MEAN_REVERSION = "mean_reversion"  # against it
    BREAKOUT = "breakout"  # out of the window's range, held until the other edge gives way
    FORESIGHT = "foresight"  # toward where the index will be a window later: the leader that wins
    NOISE = "noise"  # no opinion: small trades either way, back to flat in the long run


class TraderShape(msgspec.Struct, frozen=True, kw_only=True):
    """How one bot trades. Exposure is in percent of `position_limit` (notional, money).

    `window`: steps it looks back (foresight: ahead). `threshold`: a move over the window, as a
    rate, that counts as full conviction. `act_percent`: chance to act in a step. `clip_percent`:
    the most one order moves. `limit_percent`: share of limit orders; they rest at the touch until
    filled, or until the index is `give_up` (a rate) away.
    """

    style: Style
    symbols: tuple[str, ...]
    position_limit: int = 20_000 * MONEY_SCALE
    window: int = 12
    threshold: int = 40_000
    act_percent: int = 45
    clip_percent: int = 45
    limit_percent: int = 35
    give_up: int = 15_000

    def __post_init__(self) -> None:
        if not self.symbols or self.window < 1 or self.threshold < 1:
            raise ValueError("a trader needs a symbol, a window and a threshold above zero")


class Trader:
    """One bot on one account; it reads the exchange and answers with commands."""

    def __init__(
        self,
        exchange: Exchange,
        account: int,
        shape: TraderShape,
        *,
        seed: int,
        outlook: SyntheticIndex | None = None,
    ) -> None:
        """Set up a bot; `outlook` is the market's own walk again, for foresight alone."""
        assert (outlook is None) == (shape.style is not Style.FORESIGHT)
        self._outlook = outlook
        self.account = account
        self.shape = shape
        self._exchange = exchange
        self._chance = Chance(seed, f"trader {account} {shape.style}")
        self._seen = {symbol: deque[int](maxlen=shape.window) for symbol in shape.symbols}
        self._exposure = dict.fromkeys(shape.symbols, 0)

    def act(self, step: int, prices: Mapping[str, int]) -> list[Command]:
        """Return what it sends in this step, the index standing at `prices` (ticks)."""
        commands: list[Command] = []
        if self._outlook is not None:
            self._outlook.advance_to(step + 1 + self.shape.window)
        for place, symbol in enumerate(self.shape.symbols):
            seen = self._seen[symbol]
            key = step * len(self.shape.symbols) + place
            if seen:
                commands.extend(self._stale(symbol, prices[symbol]))
                if self._chance.happens(self.shape.act_percent, "act", key):
                    self._exposure[symbol] = self._wanted(symbol, prices[symbol], key)
                    commands.extend(self._toward(symbol, prices[symbol], key))
            seen.append(prices[symbol])
        return commands

    def _wanted(self, symbol: str, price: int, key: int) -> int:
        """Return the exposure it wants, from -100 to 100 percent of its limit."""
        seen = self._seen[symbol]
        outlook = self._outlook
        move = price - seen[0] if outlook is None else outlook.prices[symbol] - price
        conviction = move * RATE_SCALE * PERCENT // (price * self.shape.threshold)
        conviction = max(-PERCENT, min(PERCENT, conviction))
        match self.shape.style:
            case Style.MOMENTUM | Style.FORESIGHT:
                return conviction
            case Style.MEAN_REVERSION:
                return -conviction
            case Style.BREAKOUT:
                if price >= max(seen):
                    return PERCENT
                return -PERCENT if price <= min(seen) else self._exposure[symbol]
            case Style.NOISE:
                step_away = self._chance.between(-PERCENT, PERCENT, "opinion", key)
                return (self._exposure[symbol] + step_away) // 2

    def _stale(self, symbol: str, price: int) -> list[Command]:
        """Return cancels of its orders that the index has left behind."""
        return [
            CancelOrder(self.account, symbol, order.order_id)
            for order in self._exchange.open_orders(self.account, symbol)
            if order.price is not None
            and abs(order.price - price) * RATE_SCALE > price * self.shape.give_up
        ]

    def _toward(self, symbol: str, price: int, key: int) -> list[Command]:
        """Return the orders of one step toward the wanted exposure; one at most in one-way mode."""
        if self._exchange.open_orders(self.account, symbol):
            return []  # what it wants is on its way
        instrument = self._exchange.instrument(symbol)
        full = self.shape.position_limit // (price * instrument.tick_value)
        target = full * self._exposure[symbol] // PERCENT
        clip = max(
            instrument.min_contracts,
            full * self._chance.between(1, self.shape.clip_percent, "clip", key) // PERCENT,
        )
        mode = self._exchange.account(self.account).position_mode
        if mode is PositionMode.ONE_WAY:
            legs = [(PositionSide.NET, target)]
        else:
            legs = [(PositionSide.LONG, max(target, 0)), (PositionSide.SHORT, max(-target, 0))]
        moves = [self._move(instrument, leg, wanted, clip, key) for leg, wanted in legs]
        return [move for move in moves if move is not None]

    def _move(
        self, instrument: Instrument, leg: PositionSide, wanted: int, clip: int, key: int
    ) -> Command | None:
        """Return the order that brings a leg nearer to `wanted` contracts, or None if it is there.

        A close of nearly everything closes everything: a person leaves no dust.
        """
        held = self._exchange.position(self.account, instrument.symbol, leg).contracts
        gap = wanted - held
        if abs(gap) < max(instrument.min_contracts, clip // 4):
            return None
        side = Side.BUY if gap * (leg or 1) > 0 else Side.SELL
        contracts = min(abs(gap), clip)
        is_close = abs(wanted) < abs(held)
        if is_close and abs(held) <= contracts + clip // 2:
            contracts = abs(held)
        return self._order(instrument, side, leg, contracts, key)

    def _order(
        self, instrument: Instrument, side: Side, leg: PositionSide, contracts: int, key: int
    ) -> Command:
        symbol = instrument.symbol
        touch = (
            self._exchange.best_bid(symbol) if side is Side.BUY else self._exchange.best_ask(symbol)
        )
        if touch is not None and self._chance.happens(self.shape.limit_percent, "limit", key):
            return PlaceOrder(
                self.account,
                symbol,
                side,
                contracts,
                OrderKind.LIMIT,
                touch,
                position_side=leg,
            )
        return PlaceOrder(
            self.account, symbol, side, contracts, OrderKind.MARKET, position_side=leg
        )
