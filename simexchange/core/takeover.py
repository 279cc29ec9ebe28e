"""What becomes of contracts that a liquidation could not sell: the fund, or other traders.

They change hands at the bankruptcy value, at which the account loses exactly what it has left.
The insurance fund takes them while it can pay for the loss at the mark price; otherwise opposite
positions are closed against them, those with the highest profit and leverage first.
"""

from simexchange.core.cross import cross_equity
from simexchange.core.deleveraging import queue
from simexchange.core.entry import OrderEntry
from simexchange.core.events import BankruptcyTakeover, Deleveraged
from simexchange.core.markets import Market
from simexchange.core.positions import Position, cost_share
from simexchange.core.state import State
from simexchange.core.trading import Trading
from simexchange.core.types import RATE_SCALE, CancelReason, PositionSide, Side


class Takeover:
    """Moves bankrupt contracts to the fund, or to those on the other side of them."""

    __slots__ = ("_entry", "_state", "_trading")

    def __init__(self, state: State, trading: Trading, entry: OrderEntry) -> None:
        self._state = state
        self._trading = trading
        self._entry = entry

    def finish(self, position: Position, value: int, mark: int) -> tuple[int, int]:
        """Close the whole position at ``value``; return contracts (taken over, deleveraged)."""
        contracts = abs(position.contracts)
        if self._fund_can_take(position, value, mark):
            self._take_over(position, value)
            return contracts, 0
        deleveraged = self._deleverage(position, value)
        rest = abs(position.contracts)
        if rest:
            # only the fund itself is left on the other side
            self._take_over(position, value - value * deleveraged // contracts)
        return rest, deleveraged

    def unwind(self, market: Market, mark: int) -> bool:
        """Let the fund sell what it took over where the book near the mark allows; say if so."""
        fund = self._state.fund.legs[PositionSide.NET].get(market.symbol)
        if fund is None or fund.contracts == 0:
            return False
        slippage = self._state.config.fund_slippage
        if fund.contracts > 0:
            limit = -(-mark * (RATE_SCALE - slippage) // RATE_SCALE)
        else:
            limit = mark * (RATE_SCALE + slippage) // RATE_SCALE
        return self._entry.close_at_once(fund, abs(fund.contracts), max(1, limit)) is not None

    def _fund_can_take(self, position: Position, value: int, mark: int) -> bool:
        contracts = position.contracts
        worth = contracts * mark * position.market.tick_value
        gain = worth - value if contracts > 0 else worth + value
        return gain >= 0 or cross_equity(self._state.fund) + gain >= 0

    def _take_over(self, position: Position, value: int) -> None:
        state, account, market = self._state, position.account, position.market
        fund = state.position(state.fund, market, PositionSide.NET)
        state.adopt(fund)
        contracts = abs(position.contracts)
        sign = -1 if position.contracts > 0 else 1
        fund_realized = self._settle(fund, -sign, contracts, value)
        realized = self._settle(position, sign, contracts, value)
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

    def _deleverage(self, position: Position, value: int) -> int:
        """Close opposite positions in the order of their rank; return the contracts closed.

        Those that could not bear the price with what backs them are passed over.
        """
        sign = -1 if position.contracts > 0 else 1
        total = left = abs(position.contracts)
        paid = rank = 0
        for other in queue(position.market, sign):
            if left == 0:
                break
            contracts = min(left, abs(other.contracts))
            upto = value * (total - left + contracts) // total
            if not _can_bear(other, contracts, upto - paid):
                continue
            left -= contracts
            part, paid = upto - paid, upto
            self._cancel_orders(other)
            realized = self._settle(other, -sign, contracts, part)
            lost = self._settle(position, sign, contracts, part)
            self._say_deleveraged(
                other, Side(-sign), contracts, part, realized, rank, position, lost
            )
            rank += 1
        return total - left

    def _settle(self, position: Position, sign: int, contracts: int, value: int) -> int:
        """Move contracts into a position without a fee; return the realized PnL."""
        realized = self._trading.settle(position, sign, contracts, value)
        self._trading.free_short()
        return realized

    def _cancel_orders(self, position: Position) -> None:
        for order in list(position.account.open_orders.values()):
            if order.position is position:
                self._trading.cancel(order, CancelReason.DELEVERAGED)

    def _say_deleveraged(  # noqa: PLR0913, PLR0917 - the facts of one event
        self,
        position: Position,
        side: Side,
        contracts: int,
        value: int,
        realized: int,
        rank: int,
        against: Position,
        lost: int,
    ) -> None:
        state = self._state
        state.last_execution_id += 1
        state.log.events.append(
            Deleveraged(
                state.log.at,
                position.account.number,
                position.market.symbol,
                position.side,
                side,
                contracts,
                value,
                realized,
                position.contracts * position.view_sign,
                abs(position.cost),
                position.margin,
                position.account.wallet,
                rank,
                state.last_execution_id,
                against.account.number,
                lost,
            )
        )


def _can_bear(position: Position, contracts: int, value: int) -> bool:
    """Say whether what backs a position covers the loss of closing ``contracts`` for ``value``.

    For an isolated position that is the margin which the close releases, for a cross position the
    equity of its account at the marks. After dYdX, which passes over those whose bankruptcy price
    lies before the price.
    """
    held, size = position.contracts, abs(position.contracts)
    received = value if held > 0 else -value
    if not position.is_cross:
        realized = received - cost_share(position.cost, size, contracts)
        return realized + position.margin * contracts // size >= 0
    mark = position.market.mark
    assert mark is not None
    worth = (contracts if held > 0 else -contracts) * mark * position.market.tick_value
    return cross_equity(position.account) + received - worth >= 0
