"""Where a copied position's take profit and stop loss lie, and which ratios can work (P1).

With A the copy amount, pct the follower's ratio and q = contracts × contract size, a position is
closed where its profit or loss against the average entry price is A · pct: A · pct / q away from
it. A follow's limits on its own value (P5) are in `follow_limits`.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.liquidation import nearest_liquidation
from copyplugin.domain.money import Contracts, Money, Price, Ratio, product
from copyplugin.domain.plan_order import TriggerDirection

RATIO_STEP = Decimal("0.0001")
"""Ratios are shown and asked for in whole hundredths of a percent."""


class PlanKind(StrEnum):
    TAKE_PROFIT = "take_profit"
    STOP_LOSS = "stop_loss"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProtectedPosition:
    """What is open. `entry_cost` is Σ price × contracts × contract size of the open contracts."""

    position_side: PositionSide
    contracts: Contracts
    entry_cost: Money

    def __post_init__(self) -> None:
        assert self.contracts > 0
        assert self.entry_cost > 0


def direction_of(kind: PlanKind, side: PositionSide) -> TriggerDirection:
    """Return where the price has to go for the plan order to fire."""
    gains_when_rising = side is PositionSide.LONG
    wants_gain = kind is PlanKind.TAKE_PROFIT
    return TriggerDirection.RISES if gains_when_rising is wants_gain else TriggerDirection.FALLS


def exact_trigger(
    kind: PlanKind,
    position: ProtectedPosition,
    instrument: Instrument,
    *,
    copy_amount: Money,
    ratio: Ratio,
) -> Fraction:
    """Return the price at which the position has gained or lost copy amount × ratio; any sign."""
    base = position.contracts * Fraction(instrument.contract_size)
    distance = Fraction(copy_amount) * Fraction(ratio) / base
    rises = direction_of(kind, position.position_side) is TriggerDirection.RISES
    return Fraction(position.entry_cost) / base + (distance if rises else -distance)


def trigger_price(
    kind: PlanKind,
    position: ProtectedPosition,
    instrument: Instrument,
    *,
    copy_amount: Money,
    ratio: Ratio,
) -> Price | None:
    """Return the trigger on the price grid, rounded so that it never fires later than asked.

    What waits for a rise is rounded down, what waits for a fall up. None where no price above 0
    brings it about.
    """
    exact = exact_trigger(kind, position, instrument, copy_amount=copy_amount, ratio=ratio)
    if exact <= 0:
        return None
    ticks = exact / Fraction(instrument.tick_size)
    rises = direction_of(kind, position.position_side) is TriggerDirection.RISES
    whole = ticks // 1 if rises else -(-ticks // 1)
    return Price(product(whole, instrument.tick_size)) if whole else None


def is_through(direction: TriggerDirection, trigger: Price, price: Price) -> bool:
    """Return whether that price fires it."""
    return price >= trigger if direction is TriggerDirection.RISES else price <= trigger


def is_beyond_liquidation(
    side: PositionSide, trigger: Fraction | Price, liquidation: Fraction | Price
) -> bool:
    """Return whether the position would be liquidated before, or just where, its stop fires."""
    if side is PositionSide.LONG:
        return Fraction(trigger) <= Fraction(liquidation)
    return Fraction(trigger) >= Fraction(liquidation)


def greatest_stop_ratio(
    position: ProtectedPosition,
    instrument: Instrument,
    *,
    copy_amount: Money,
    liquidation: Price | None,
) -> Ratio:
    """Return the greatest stop-loss ratio that still fires before liquidation and above price 0.

    In steps of `RATIO_STEP`; 0 where none does. Without a liquidation price only 0 bounds it.
    """
    base = position.contracts * Fraction(instrument.contract_size)
    entry = Fraction(position.entry_cost) / base
    end = Fraction(0) if liquidation is None else Fraction(liquidation)
    room = entry - end if position.position_side is PositionSide.LONG else end - entry
    if position.position_side is PositionSide.SHORT and liquidation is None:
        room = entry  # a short has no floor: as much as a long has
    return _largest_below(room * base / Fraction(copy_amount))


def greatest_ratio_at_full_use(
    *, leverage: Ratio, maintenance_rate: Ratio, taker_fee: Ratio
) -> Ratio:
    """Return the greatest stop-loss ratio that works where the whole copy amount is margin.

    By model C (`domain.liquidation`) with margin = copy amount and no deduction such a short is
    liquidated at a loss of copy amount × (1 − leverage · r) / (1 + r), r being maintenance rate
    plus taker fee; a long a little later. A position with less margin of its own is liquidated
    sooner where its margin is isolated: that is told when it is open.
    """
    distance = nearest_liquidation(
        leverage=leverage, maintenance_rate=maintenance_rate, taker_fee=taker_fee
    )
    return _largest_below(distance * Fraction(leverage))


def maintenance_rate_of(instrument: Instrument) -> Ratio:
    """Return the venue's maintenance rate of its lowest tier, or half the least initial margin.

    The half is what venues ask for in their lowest tier where they do not say.
    """
    if instrument.maintenance_rate is not None:
        return instrument.maintenance_rate
    return Ratio(Decimal(1) / (2 * instrument.leverage_max))


def _largest_below(bound: Fraction) -> Ratio:
    steps = -(-bound // Fraction(RATIO_STEP)) - 1
    return Ratio(product(max(0, steps), RATIO_STEP))
