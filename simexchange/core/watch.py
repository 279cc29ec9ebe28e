"""Finds what a mark price makes due for liquidation, at the cost of what it touches.

Isolated positions wait at their liquidation price. A cross account waits in bands: its slack is
shared out so that while no mark has moved further against it than the same number of ticks, its
slack is certainly positive; only when a mark leaves its band is the account computed exactly and
banded anew. Positions and accounts that trades have touched are brought up to date once, before
the next tick.
"""

from simexchange.core.accounts import Account
from simexchange.core.cross import is_due, priced_legs, slack, steepness
from simexchange.core.margin import liquidation_price
from simexchange.core.markets import Market
from simexchange.core.positions import Position
from simexchange.core.state import State
from simexchange.core.types import AccountKind


class LiquidationWatch:
    """Keeps the price-ordered indexes and asks them what is due."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def due_position(self, market: Market, mark: int) -> Position | None:
        """Take out the next isolated position that ``mark`` liquidates: longs, then shorts."""
        self.refresh(market)
        position = market.long_liquidations.pop_due(mark)
        if position is None:
            position = market.short_liquidations.pop_due(mark)
        if position is not None:
            position.indexed_in = None
        return position

    def due_account(self, market: Market, mark: int) -> Account | None:
        """Take out the next cross account that is to be liquidated at the marks."""
        self._refresh_accounts()
        for heap in (market.cross_falls, market.cross_rises):
            while (account := heap.pop_due(mark)) is not None:
                account.bands.remove(heap)
                if self._band(account):
                    return account
        return None

    def refresh(self, market: Market) -> None:
        """Compute the liquidation prices of positions that changed since the last tick."""
        longs, shorts = market.long_liquidations, market.short_liquidations
        for position in market.stale:
            position.is_stale = False
            position.version += 1
            if position.indexed_in is not None:
                position.indexed_in.live -= 1
                position.indexed_in = None
            contracts = position.contracts
            if not contracts:
                market.positions.pop(position.number, None)
                continue
            market.positions[position.number] = position
            price = liquidation_price(position)
            if price is not None:
                position.indexed_in = heap = longs if contracts > 0 else shorts
                heap.push(position, price)
        market.stale.clear()

    def first_mark(self, market: Market) -> None:
        """Let cross accounts that waited for this instrument's first mark price be banded."""
        for account in self._state.accounts.values():
            if any(p.market is market for p in account.cross_positions.values()):
                self._state.note_equity_moved(account)

    def _refresh_accounts(self) -> None:
        """Band accounts that changed; one that is due now gets a band it has left already."""
        stale = self._state.stale_accounts
        for account in stale:
            account.is_cross_stale = False
            if account.kind is not AccountKind.SYSTEM and self._band(account):
                for market, _ in priced_legs(account):
                    assert market.mark is not None
                    self._wait(account, market, falls=market.mark, rises=market.mark)
        stale.clear()

    def _band(self, account: Account) -> bool:
        """Compute the account's slack and bands; True when it is due, and then has none."""
        for heap in account.bands:
            heap.live -= 1
        account.bands.clear()
        account.version += 1
        slopes = [(market, steepness(legs)) for market, legs in priced_legs(account)]
        if not slopes:
            return False
        now = slack(account)
        if is_due(account, now):
            return True
        spare = now - max(slope for _, slope in slopes) - 1
        ticks = max(0, spare // sum(slope for _, slope in slopes))
        for market, _ in slopes:
            assert market.mark is not None
            self._wait(
                account, market, falls=market.mark - ticks - 1, rises=market.mark + ticks + 1
            )
        return False

    def _wait(self, account: Account, market: Market, *, falls: int, rises: int) -> None:
        market.cross_falls.push(account, falls)
        market.cross_rises.push(account, rises)
        account.bands += [market.cross_falls, market.cross_rises]
