"""Liquidation: step by step through the book, then at the bankruptcy price.

One step cancels the account's orders that stand in its way and sells, at the bankruptcy price or
better, what brings the position into the next lower margin tier, or all of it in the lowest. If
the book does not take that, the rest goes to the fund or to deleveraging. What is saved stays the
account's: in the isolated position's margin while it lives, else in the wallet. Liquidation ends
as soon as the position or account is no longer due.
"""

from collections.abc import Callable

from simexchange.core.accounts import Account
from simexchange.core.cross import (
    cross_equity,
    cross_liquidation_price,
    is_due,
    requirement_scaled,
    slack,
)
from simexchange.core.entry import OrderEntry
from simexchange.core.events import InsuranceFundMoved, LiquidationStarted, PositionLiquidated
from simexchange.core.margin import liquidation_price, maintenance_margin, tier_of
from simexchange.core.markets import Market
from simexchange.core.orders import Order
from simexchange.core.positions import Position
from simexchange.core.state import State
from simexchange.core.takeover import Takeover
from simexchange.core.trading import Trading
from simexchange.core.types import RATE_SCALE, AccountKind, CancelReason
from simexchange.core.watch import LiquidationWatch


class Liquidation:
    """Carries liquidations out."""

    __slots__ = ("_entry", "_state", "_takeover", "_trading", "_watch")

    def __init__(
        self, state: State, trading: Trading, entry: OrderEntry, watch: LiquidationWatch
    ) -> None:
        self._state = state
        self._trading = trading
        self._entry = entry
        self._watch = watch
        self._takeover = Takeover(state, trading, entry)

    def tick(self, market: Market, mark: int) -> None:
        """Liquidate all that ``mark`` makes due, let the fund sell, and look once more."""
        self._liquidate_due(market, mark)
        if self._takeover.unwind(market, mark):
            self._liquidate_due(market, mark)

    def cover_bad_trades(self) -> None:
        """Let the fund pay what cross accounts lost by trading, beyond all they have at the marks.

        To be asked before a mark changes: only trades since the last tick can have made an account
        insolvent at the present marks. Else those who are deleveraged against what such an account
        still holds would pay for trades that they had no part in. What has not been realized may
        come back, and is not paid.
        """
        for account in self._state.stale_accounts:
            missing = min(-account.wallet, -cross_equity(account))
            if missing > 0 and account.kind is not AccountKind.SYSTEM:
                self._trading.pay(account, missing, None, "shortfall")

    def _liquidate_due(self, market: Market, mark: int) -> None:
        """Liquidate isolated longs, then shorts, then cross accounts, until none is due."""
        while True:
            position = self._watch.due_position(market, mark)
            if position is not None:
                self._liquidate_isolated(position, mark)
                continue
            account = self._watch.due_account(market, mark)
            if account is None:
                break
            self._liquidate_cross(account)

    # ------------------------------------------------------------------ isolated and cross

    def _liquidate_isolated(self, position: Position, mark: int) -> None:
        account = position.account
        self._cancel_orders(account, position.market)
        self._step(position, mark, lambda: bankruptcy_value(position))

    def _liquidate_cross(self, account: Account) -> None:
        """Reduce the position that requires most, until the account is no longer due."""
        self._cancel_orders(account, None)
        while priced := [p for p in account.cross_positions.values() if p.market.mark is not None]:
            if not is_due(account, slack(account)):
                return
            position = max(priced, key=_required)
            mark = position.market.mark
            assert mark is not None
            self._step(position, mark, lambda p=position, m=mark: cross_bankruptcy_value(p, m))

    def _cancel_orders(self, account: Account, market: Market | None) -> None:
        for order in list(account.open_orders.values()):
            if market is None or order.market is market:
                self._trading.cancel(order, CancelReason.LIQUIDATION)

    # ------------------------------------------------------------------ one step

    def _step(self, position: Position, mark: int, value: Callable[[], int]) -> None:
        """Sell one tier of ``position``, or hand over all; ``value`` is what it goes for whole."""
        account, market = position.account, position.market
        before = abs(position.contracts)
        sign = 1 if position.contracts > 0 else -1
        cost, wallet, proceeds = position.cost, account.wallet, 0
        shown = position.margin_mode
        limit = _limit_price(position, value())
        self._say_started(position, mark, limit)
        wanted = contracts_above_tier(position, mark)
        order = self._entry.close_at_once(position, wanted, limit)
        sold = 0 if order is None else order.filled
        fee = 0
        if order is not None and sold:
            proceeds = order.filled_notional
            self._keep_margin(position, wallet)
            fee = self._charge(position, order, wallet, mark)
        taken_over = deleveraged = 0
        if sold < wanted:
            rest = value()
            proceeds += rest
            taken_over, deleveraged = self._takeover.finish(position, rest, mark)
        after = abs(position.contracts)
        assert after < before
        self._state.log.events.append(
            PositionLiquidated(
                self._state.log.at,
                account.number,
                market.symbol,
                position.side,
                before - after,
                mark,
                sold,
                taken_over,
                deleveraged,
                sign * proceeds - (cost - position.cost),
                fee,
                position.contracts * position.view_sign,
                abs(position.cost),
                position.margin,
                account.wallet,
                shown,
            )
        )

    def _keep_margin(self, position: Position, wallet_before: int) -> None:
        """Let an isolated position that lives on keep what the step released."""
        account = position.account
        released = account.wallet - wallet_before
        if position.is_cross:
            return
        if position.contracts:
            position.margin += released
            account.wallet -= released
            assert position.margin >= 0
        elif released < 0:
            # the fee of each fill rounds up, so a sale at the bankruptcy price may miss by units
            self._trading.pay(account, -released, position.market.symbol, "shortfall")

    def _charge(self, position: Position, order: Order, wallet_before: int, mark: int) -> int:
        """Take the liquidation fee on what was sold, as far as there is something left."""
        account, market = position.account, position.market
        fee = -(-order.filled_notional * market.instrument.liquidation_fee // RATE_SCALE)
        if fee == 0:
            return 0
        if position.is_cross:
            fee = max(0, min(fee, cross_equity(account)))
            account.wallet -= fee
        elif position.contracts:
            fee = max(0, min(fee, position.margin + min(0, position.unrealized_pnl(mark))))
            position.margin -= fee
        else:
            fee = max(0, min(fee, account.wallet - wallet_before))
            account.wallet -= fee
        fund = self._state.fund
        fund.wallet += fee
        if fee:
            self._state.log.events.append(
                InsuranceFundMoved(
                    self._state.log.at,
                    fee,
                    fund.wallet,
                    account.number,
                    market.symbol,
                    "liquidation_fee",
                )
            )
        return fee

    def _say_started(self, position: Position, mark: int, limit: int) -> None:
        market = position.market
        notional = abs(position.contracts) * mark * market.tick_value
        reported = (
            cross_liquidation_price(position) if position.is_cross else liquidation_price(position)
        )
        self._state.log.events.append(
            LiquidationStarted(
                self._state.log.at,
                position.account.number,
                market.symbol,
                position.side,
                position.contracts * position.view_sign,
                mark,
                reported,
                limit,
                maintenance_margin(market.tiers, notional),
                position.margin_mode,
            )
        )


def bankruptcy_value(position: Position) -> int:
    """Return what an isolated position is worth where its margin is used up exactly, in money."""
    if position.contracts > 0:
        return position.cost - position.margin
    return -position.cost + position.margin


def cross_bankruptcy_value(position: Position, mark: int) -> int:
    """Return what a cross position goes for when it is liquidated, in money.

    Its value at ``mark``, less (a short: plus) its share of the account's equity by maintenance
    requirement and closing fee, rounded down; the last position's share is all of it. After dYdX's
    bankruptcy price: a close at it never costs the fund a unit.
    """
    positions = position.account.cross_positions.values()
    equity = cross_equity(position.account)
    share = equity
    if len(positions) > 1:
        own = _required(position)
        total = sum(_required(other) for other in positions)
        share = equity * own // total
    value = abs(position.contracts) * mark * position.market.tick_value
    return value - share if position.contracts > 0 else value + share


def contracts_above_tier(position: Position, mark: int) -> int:
    """Return how many contracts must go to reach the next lower tier; all in the lowest.

    Rounded up to the instrument's step; all, too, when fewer would remain than an order must have.
    """
    market = position.market
    instrument = market.instrument
    contracts = abs(position.contracts)
    one = mark * market.tick_value
    tier = tier_of(market.tiers, contracts * one)
    above = contracts - max(0, tier.floor - 1) // one
    above = -(-above // instrument.contracts_step) * instrument.contracts_step
    return contracts if contracts - above < instrument.min_contracts else above


def _required(position: Position) -> int:
    return max(1, requirement_scaled(position, position.market.mark))


def _limit_price(position: Position, value: int) -> int:
    """Return the worst price in ticks at which selling for ``value`` also pays the taker fee."""
    quantity = abs(position.contracts) * position.market.tick_value
    rate = position.taker_fee.rate
    if position.contracts > 0:
        return max(1, -(-value * RATE_SCALE // (quantity * (RATE_SCALE - rate))))
    return max(1, value * RATE_SCALE // (quantity * (RATE_SCALE + rate)))
