"""Leverage, margin mode, position mode, and margin added to or taken from a position."""

from simexchange.core.accounts import Account, open_positions, position_mode
from simexchange.core.commands import AdjustMargin, SetLeverage, SetMarginMode, SetPositionMode
from simexchange.core.events import LeverageSet, MarginAdjusted, MarginModeSet, PositionModeSet
from simexchange.core.margin import (
    available_balance,
    initial_margin,
    liquidation_price,
    requirement,
    resting_cost,
    tier_of,
)
from simexchange.core.markets import Market
from simexchange.core.order_checks import unknown
from simexchange.core.orders import Order
from simexchange.core.positions import Position
from simexchange.core.state import Refusal, State
from simexchange.core.types import (
    PositionSide,
    RejectReason,
)

_SIDES = (PositionSide.NET, PositionSide.LONG, PositionSide.SHORT)


class Settings:
    """Changes how an account trades an instrument."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    # ------------------------------------------------------------------ leverage

    def set_leverage(self, command: SetLeverage) -> None:
        """Set leverage for what is opened from now on; open orders hold by it at once.

        The margin of an open isolated position stays as it is: raising leverage lets it be taken
        out, and lowering is refused. Refusals in order: account or instrument, position side,
        range, unchanged, tier of position and orders, lowering, money for the orders.
        """
        found = self._find(command, command.account, command.symbol)
        if found is None:
            return
        account, market = found
        sides: tuple[PositionSide, ...]
        if account.is_one_way:
            sides = (PositionSide.NET,)
        elif command.position_side is PositionSide.NET:
            sides = (PositionSide.LONG, PositionSide.SHORT)
        else:
            sides = (command.position_side,)
        positions = [self._state.position(account, market, side) for side in sides]
        refusal = self._leverage_problem(command, account, market, positions)
        if refusal is not None:
            self._refuse(command, command.account, command.symbol, refusal)
            return
        for position in positions:
            account.hold += self._extra_hold(position, command.leverage)
            for order in _orders_of(position):
                order.hold = _hold(order, command.leverage)
            position.set_leverage(command.leverage)
            self._state.adopt(position)
            self._state.mark_stale(position)
            self._state.log.events.append(
                LeverageSet(
                    self._state.log.at,
                    account.number,
                    market.symbol,
                    position.side,
                    command.leverage,
                    position.margin,
                )
            )

    def _leverage_problem(
        self, command: SetLeverage, account: Account, market: Market, positions: list[Position]
    ) -> Refusal | None:
        leverage = command.leverage
        if account.is_one_way and command.position_side is not PositionSide.NET:
            return Refusal(
                RejectReason.POSITION_SIDE_MISMATCH,
                f"account {account.number} is in one-way mode; position_side must be NET",
            )
        most = market.instrument.max_leverage
        if not 1 <= leverage <= most:
            return Refusal(
                RejectReason.LEVERAGE_OUT_OF_RANGE,
                f"leverage must be 1 to {most}, not {leverage}",
            )
        if all(position.leverage == leverage for position in positions):
            return Refusal(RejectReason.UNCHANGED, f"leverage is {leverage} already")
        return next(
            (
                problem
                for position in positions
                if (problem := self._leverage_position_problem(position, leverage))
            ),
            None,
        ) or self._leverage_money_problem(account, positions, leverage)

    def _leverage_position_problem(self, position: Position, leverage: int) -> Refusal | None:
        exposure = abs(position.cost) + max(
            _opening_value(position, sign=1), _opening_value(position, sign=-1)
        )
        tier = tier_of(position.market.tiers, exposure)
        if leverage > tier.max_leverage:
            return Refusal(
                RejectReason.EXCEEDS_TIER,
                f"position and orders are worth {exposure}, where leverage is at most "
                f"{tier.max_leverage}",
            )
        if position.contracts and leverage < position.leverage and not position.is_cross:
            return Refusal(
                RejectReason.LEVERAGE_NOT_LOWERED,
                "the leverage of an open isolated position cannot be lowered from "
                f"{position.leverage} to {leverage}; add margin instead",
            )
        return None

    def _leverage_money_problem(
        self, account: Account, positions: list[Position], leverage: int
    ) -> Refusal | None:
        extra = 0
        for position in positions:
            extra += self._extra_hold(position, leverage)
            if position.is_cross:
                cost = abs(position.cost)
                extra += initial_margin(cost, leverage) - initial_margin(cost, position.leverage)
        free = available_balance(account)
        if extra > 0 and extra > free:
            return Refusal(
                RejectReason.INSUFFICIENT_MARGIN,
                f"with leverage {leverage} positions and orders need {extra} more; available are "
                f"{free}",
            )
        return None

    def _extra_hold(self, position: Position, leverage: int) -> int:
        return sum(_hold(order, leverage) - order.hold for order in _orders_of(position))

    # ------------------------------------------------------------------ modes

    def set_position_mode(self, command: SetPositionMode) -> None:
        account = self._state.accounts.get(command.account)
        if account is None:
            message = f"there is no account {command.account}"
            self._refuse(
                command, command.account, None, Refusal(RejectReason.UNKNOWN_ACCOUNT, message)
            )
            return
        refusal = _busy(account, None)
        if command.mode is position_mode(account):
            refusal = Refusal(
                RejectReason.UNCHANGED, f"the account is in {command.mode} mode already"
            )
        if refusal is not None:
            self._refuse(command, command.account, None, refusal)
            return
        account.set_mode(command.mode)
        self._state.log.events.append(
            PositionModeSet(self._state.log.at, account.number, command.mode)
        )

    def set_margin_mode(self, command: SetMarginMode) -> None:
        found = self._find(command, command.account, command.symbol)
        if found is None:
            return
        account, market = found
        positions = [self._state.position(account, market, side) for side in _SIDES]
        refusal = _busy(account, market)
        if positions[0].margin_mode is command.mode:
            refusal = Refusal(
                RejectReason.UNCHANGED, f"{market.symbol} is in {command.mode} mode already"
            )
        if refusal is not None:
            self._refuse(command, command.account, command.symbol, refusal)
            return
        for position in positions:
            position.set_margin_mode(command.mode)
            self._state.adopt(position)
        self._state.log.events.append(
            MarginModeSet(self._state.log.at, account.number, market.symbol, command.mode)
        )

    # ------------------------------------------------------------------ margin

    def adjust_margin(self, command: AdjustMargin) -> None:
        """Move money between the contract wallet and an isolated position.

        Adding takes at most the available balance. Taking out leaves at least the initial margin
        at the mark price with unrealized loss covered, and never liquidates:
        ``min(margin − maintenance margin − closing fee, margin + profit − mark value / leverage)``
        where profit counts against that, not for it (after Binance's limit for reducing margin).
        """
        found = self._find(command, command.account, command.symbol)
        if found is None:
            return
        account, market = found
        position = account.legs[command.position_side].get(market.symbol)
        refusal = self._margin_problem(command, account, market, position)
        if refusal is not None or position is None:
            assert refusal is not None
            self._refuse(command, command.account, command.symbol, refusal)
            return
        account.wallet -= command.money
        position.margin += command.money
        self._state.ledger.net += command.money - command.money
        self._state.mark_stale(position)
        self._state.note_equity_moved(account)
        self._state.log.events.append(
            MarginAdjusted(
                self._state.log.at,
                account.number,
                market.symbol,
                position.side,
                command.money,
                position.margin,
                account.wallet,
            )
        )

    def _margin_problem(
        self, command: AdjustMargin, account: Account, market: Market, position: Position | None
    ) -> Refusal | None:
        money = command.money
        if money == 0:
            return Refusal(RejectReason.INVALID_AMOUNT, "the amount must not be 0")
        if position is None or position.contracts == 0:
            return Refusal(
                RejectReason.NO_POSITION, f"there is no open position in {market.symbol}"
            )
        if position.is_cross:
            return Refusal(
                RejectReason.NOT_ISOLATED,
                f"{market.symbol} is in cross mode, where all money backs all positions",
            )
        if money > 0:
            most = max(0, available_balance(account))
            if money <= most:
                return None
            return Refusal(RejectReason.MARGIN_LIMIT, f"at most {most} can be added, not {money}")
        return _removal_problem(position, -money)

    # ------------------------------------------------------------------ help

    def _find(self, command: object, number: int, symbol: str) -> tuple[Account, Market] | None:
        account = self._state.accounts.get(number)
        market = self._state.markets.get(symbol)
        if account is not None and market is not None:
            return account, market
        self._refuse(command, number, symbol, unknown(number, symbol, account))
        return None

    def _refuse(self, command: object, account: int, symbol: str | None, refusal: Refusal) -> None:
        self._state.refuse(command, refusal.reason, refusal.message, account=account, symbol=symbol)


def removable_margin(position: Position, mark: int) -> int:
    """Return the money that can be taken out of an isolated position at ``mark``, ≥ 0."""
    profit = min(0, position.unrealized_pnl(mark))
    notional = abs(position.contracts) * mark * position.market.tick_value
    above_initial = position.margin + profit - initial_margin(notional, position.leverage)
    above_maintenance = position.margin + profit - requirement(position, mark) - 1
    return max(0, min(above_initial, above_maintenance))


def _removal_problem(position: Position, money: int) -> Refusal | None:
    mark = position.market.mark
    if mark is None:
        return Refusal(RejectReason.NO_PRICE, f"{position.market.symbol} has no mark price yet")
    most = removable_margin(position, mark)
    if _is_due_without(position, money, mark):
        return Refusal(
            RejectReason.WOULD_LIQUIDATE,
            f"without {money} the position would be liquidated at the mark price {mark}; at most "
            f"{most} can be taken out",
        )
    if money > most:
        return Refusal(RejectReason.MARGIN_LIMIT, f"at most {most} can be taken out, not {money}")
    return None


def _is_due_without(position: Position, money: int, mark: int) -> bool:
    """Say whether an isolated position would be liquidated at ``mark`` with ``money`` less."""
    position.margin -= money
    price = liquidation_price(position)
    position.margin += money
    if price is None:
        return False
    return mark <= price if position.contracts > 0 else mark >= price


def _busy(account: Account, market: Market | None) -> Refusal | None:
    """Say what stands against switching a mode: open orders first, then open positions."""
    orders = [o for o in account.open_orders.values() if market is None or o.market is market]
    plans = [p for p in account.plans.values() if market is None or p.market is market]
    if orders or plans:
        return Refusal(
            RejectReason.OPEN_ORDERS,
            f"{len(orders)} orders and {len(plans)} plan orders are open; cancel them first",
        )
    for position in open_positions(account):
        if market is None or position.market is market:
            shown = position.contracts * position.view_sign
            return Refusal(
                RejectReason.OPEN_POSITION,
                f"{shown} contracts of {position.market.symbol} are open; close them first",
            )
    return None


def _orders_of(position: Position) -> list[Order]:
    return [o for o in position.account.open_orders.values() if o.position is position and o.hold]


def _hold(order: Order, leverage: int) -> int:
    assert order.price is not None
    return resting_cost(order, order.remaining - order.promised, leverage)


def _opening_value(position: Position, *, sign: int) -> int:
    total = 0
    for order in _orders_of(position):
        if order.sign == sign:
            assert order.price is not None
            opening = order.remaining - order.promised
            total += opening * order.price * order.market.tick_value
    return total
