"""The figures of a leader's record (S1 to S10): pure functions over closed and open trades.

Sums of money are exact. Ratios are fractions and are rounded when they are shown, not before. None
stands for 'no trades yet', which is not the same as zero.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.money import ZERO_MONEY, Contracts, Money, Ratio, money_ceil, product, total

WIN_RATE_WINDOW = timedelta(days=14)
FREQUENCY_WINDOW = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trade:
    """One round trip of a leader. `profit` is realised, net of fees and funding (0 while open)."""

    opened_at: datetime
    closed_at: datetime | None
    profit: Money
    margin: Money  # Σ over its opens, as `margin_of_open` gives it
    value: Money = ZERO_MONEY  # Σ over its opens of price × contracts × size
    liquidated: bool = False  # a liquidation ended or cut it

    def __post_init__(self) -> None:
        assert self.closed_at is None or self.opened_at <= self.closed_at


@dataclass(frozen=True, kw_only=True, slots=True)
class TradeFigures:
    """Sums over a leader's own trades since he began to lead."""

    total_profit: Money  # S3
    total_margin: Money
    trades_closed: int
    trades_won: int
    trades_closed_14_days: int
    trades_won_14_days: int
    trades_opened: int  # S5, the open ones included
    trade_frequency: int  # S8

    @property
    def accumulated_yield(self) -> Fraction | None:
        """Return S1: Σ realised profit / Σ margin of closed trades."""
        return ratio_of(self.total_profit, self.total_margin)

    @property
    def win_rate(self) -> Fraction | None:
        """Return S4."""
        return ratio_of(self.trades_won, self.trades_closed)

    @property
    def win_rate_14_days(self) -> Fraction | None:
        """Return S2."""
        return ratio_of(self.trades_won_14_days, self.trades_closed_14_days)


def trade_figures(trades: Iterable[Trade], *, now: datetime) -> TradeFigures:
    """Return the sums of S1 to S5 and S8; a window's edge belongs to it."""
    trades = list(trades)
    closed = [trade for trade in trades if trade.closed_at is not None]
    recent = [trade for trade in closed if _within(trade.closed_at, now, WIN_RATE_WINDOW)]
    return TradeFigures(
        total_profit=Money(total(*(trade.profit for trade in closed))),
        total_margin=Money(total(*(trade.margin for trade in closed))),
        trades_closed=len(closed),
        trades_won=sum(trade.profit > 0 for trade in closed),
        trades_closed_14_days=len(recent),
        trades_won_14_days=sum(trade.profit > 0 for trade in recent),
        trades_opened=len(trades),
        trade_frequency=sum(
            _within(trade.opened_at, now, FREQUENCY_WINDOW)
            + _within(trade.closed_at, now, FREQUENCY_WINDOW)
            for trade in trades
        ),
    )


def margin_of_open(value: Money, leverage: Ratio) -> Money:
    """Return the initial margin of one open: its value / leverage, rounded up to the last unit."""
    assert value >= 0
    return money_ceil(Fraction(value) / Fraction(leverage))


def profit_ratio(
    position_side: PositionSide,
    *,
    opened_value: Money,
    opened_contracts: Contracts,
    closed_value: Money,
    closed_contracts: Contracts,
    leverage: Ratio,
) -> Fraction:
    """Return S10: (exit − entry) / entry × leverage, the other way round for a short.

    Values are Σ price × contracts × contract size, so their quotient is free of the size.
    """
    assert opened_contracts > 0
    assert closed_contracts > 0
    entry = Fraction(opened_value) / opened_contracts
    leave = Fraction(closed_value) / closed_contracts
    gain = leave - entry if position_side is PositionSide.LONG else entry - leave
    return gain / entry * Fraction(leverage)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limitation:
    """S9: the smallest and the largest amount a new follow may have."""

    minimum: Money
    maximum: Money


def limitation(
    *, minimum: Money, maximum: Money, total_allowed: Money | None, placed: Money
) -> Limitation | None:
    """Return minimum ~ min(what is left of the total, maximum of one follower); None: nothing fits.

    `placed` is the sum of the copy amounts that count against the total now.
    """
    left = maximum if total_allowed is None else Money(total(total_allowed, -placed))
    most = min(left, maximum)
    return Limitation(minimum=minimum, maximum=most) if most >= minimum else None


def ratio_of(part: Decimal | int, whole: Decimal | int) -> Fraction | None:
    """Return part / whole, or None where the whole is zero."""
    return Fraction(part) / Fraction(whole) if whole else None


def shown(value: Fraction | Decimal, places: int) -> Decimal:
    """Round for a page: to that many decimals, halves away from zero."""
    units = Fraction(value) * 10**places
    rounded = (abs(units) + Fraction(1, 2)) // 1
    return product(rounded if units >= 0 else -rounded, Decimal(1).scaleb(-places))


def percent(value: Fraction, places: int = 2) -> Decimal:
    """Return the ratio as a percentage for a page."""
    return shown(value * 100, places)


NO_FIGURES = TradeFigures(
    total_profit=ZERO_MONEY,
    total_margin=ZERO_MONEY,
    trades_closed=0,
    trades_won=0,
    trades_closed_14_days=0,
    trades_won_14_days=0,
    trades_opened=0,
    trade_frequency=0,
)


def _within(at: datetime | None, now: datetime, window: timedelta) -> bool:
    return at is not None and now - window <= at <= now
