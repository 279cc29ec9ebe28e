"""Where a position would be liquidated, where the venue does not tell (P6).

With q = contracts × contract size and s = +1 for a long and −1 for a short, a position has the
equity margin + s · (P − entry) · q − fee at price P. It is liquidated where that meets the
maintenance margin. The shapes below differ in what the fee and the maintenance margin are taken of.
"""

from dataclasses import dataclass
from fractions import Fraction

from copyplugin.domain.fill import PositionSide
from copyplugin.domain.instrument import Instrument
from copyplugin.domain.money import Contracts, Money, Price, Ratio, product


@dataclass(frozen=True, kw_only=True, slots=True)
class IsolatedPosition:
    """A position with its own margin. `entry_cost` is Σ price × contracts × contract size."""

    position_side: PositionSide
    contracts: Contracts
    entry_cost: Money
    initial_margin: Money

    def __post_init__(self) -> None:
        assert self.contracts > 0
        assert self.entry_cost > 0


def estimated_liquidation_price(
    position: IsolatedPosition,
    instrument: Instrument,
    *,
    maintenance_rate: Ratio,
    maintenance_deduction: Money,
) -> Price | None:
    """Return the mark price at which the position is liquidated, or None if there is none above 0.

    Long: (entry cost − margin − deduction) / (q · (1 − rate − fee)); short: (entry cost + margin +
    deduction) / (q · (1 + rate + fee)). Maintenance margin and the taker fee are taken of the
    notional at that price (model C). Rounded to the tick toward the entry: never shown safer than
    it is.
    """
    sign = _sign(position.position_side)
    base = position.contracts * Fraction(instrument.contract_size)
    cushion = Fraction(position.initial_margin) + Fraction(maintenance_deduction)
    rate = Fraction(maintenance_rate) + Fraction(instrument.taker_fee)
    exact = (Fraction(position.entry_cost) - sign * cushion) / (base * (1 - sign * rate))
    return _toward_entry(exact, position.position_side, instrument)


def nearest_liquidation(*, leverage: Ratio, maintenance_rate: Ratio, taker_fee: Ratio) -> Fraction:
    """Return how far from its entry a position is liquidated, as a part of the entry price.

    By model C, margin = notional / leverage and no deduction. Of a long and a short the nearer,
    which is the short: (1 − leverage · r) / (leverage · (1 + r)), r = maintenance rate + taker fee.
    """
    rate = Fraction(maintenance_rate) + Fraction(taker_fee)
    return (1 - Fraction(leverage) * rate) / (Fraction(leverage) * (1 + rate))


def seed_liquidation_price(
    position: IsolatedPosition,
    instrument: Instrument,
    *,
    maintenance_margin: Money,
    fee_rate: Ratio,
) -> Fraction:
    """Return the price by the formula operators know from their old back office, its sign mended.

    Printed there for a long: [Hp·Vol·S·(1+R) − (IM−MM)]/(Vol·S); for a short:
    [Hp·Vol·S·(1+R) + (IM−MM)]/(Vol·S).
    Both take a fixed maintenance margin and the fee of the entry notional. A fee always brings the
    liquidation nearer to the entry, so the short needs (1−R): as printed it tells the short that he
    has 2·R·Hp more room than he has. Exact and not rounded: it is shown beside our figure, to
    explain the difference.
    """
    sign = _sign(position.position_side)
    base = position.contracts * Fraction(instrument.contract_size)
    room = Fraction(position.initial_margin) - Fraction(maintenance_margin)
    entry_with_fee = Fraction(position.entry_cost) * (1 + sign * Fraction(fee_rate))
    return (entry_with_fee - sign * room) / base


def _sign(side: PositionSide) -> int:
    return 1 if side is PositionSide.LONG else -1


def _toward_entry(exact: Fraction, side: PositionSide, instrument: Instrument) -> Price | None:
    if exact <= 0:
        return None
    ticks = exact / Fraction(instrument.tick_size)
    whole = -(-ticks // 1) if side is PositionSide.LONG else ticks // 1
    price = Price(product(whole, instrument.tick_size))
    return price if price > 0 else None
