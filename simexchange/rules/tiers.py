"""Margin tiers: the larger a position, the more of it must stay covered.

Source of the rule: Binance, "Leverage and Margin of USDⓈ-M Futures" (maintenance amount), and
Bybit, "Maintenance Margin" (each slice of the notional at its own rate); the two are the same rule.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Self, cast

from simexchange.rules.exact import (
    Number,
    decimal_from,
    exact,
    not_negative,
    positive,
    ratio_below_one,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginTier:
    """One bracket of notional: above `floor`, up to and including `cap`.

    Notional in settle currency; `cap` None: no upper end. `maintenance_amount` is what makes the
    maintenance margin continuous where two tiers meet (Binance: cum).
    """

    floor: Decimal
    cap: Decimal | None
    maintenance_margin_rate: Decimal
    maximum_leverage: Decimal
    maintenance_amount: Decimal


def next_maintenance_amount(
    *,
    floor: Number,
    maintenance_margin_rate: Number,
    previous_maintenance_margin_rate: Number,
    previous_maintenance_amount: Number = 0,
) -> Decimal:
    """Return the maintenance amount of a tier from the tier below it, in settle currency, exact.

    floor × (rate - rate below) + amount below. Source: Binance, "Leverage and Margin of USDⓈ-M
    Futures" and the COIN-M page of the same name.
    """
    step = ratio_below_one(maintenance_margin_rate, "maintenance margin rate") - ratio_below_one(
        previous_maintenance_margin_rate, "maintenance margin rate of the tier below"
    )
    amount = not_negative(floor, "floor") * step
    return decimal_from(amount + exact(previous_maintenance_amount, "maintenance amount below"))


def maintenance_amounts(tiers: Sequence[tuple[Number, Number]]) -> tuple[Decimal, ...]:
    """Return the maintenance amount of each tier, given (floor, maintenance margin rate) rising.

    The first is 0; each next one by `next_maintenance_amount`. Exact. ValueError when the floors do
    not rise from 0.
    """
    floors = [exact(floor, "floor") for floor, _ in tiers]
    if floors and floors[0] != 0:
        raise ValueError(f"the first tier must start at notional 0, not {tiers[0][0]}")
    for before, (floor, _) in zip(floors, tiers[1:], strict=False):
        if exact(floor) <= before:
            raise ValueError(f"the floors of tiers must rise; {floor} comes after {before}")
    amounts: list[Decimal] = []
    for index, (floor, rate) in enumerate(tiers):
        amounts.append(
            next_maintenance_amount(
                floor=floor,
                maintenance_margin_rate=rate,
                previous_maintenance_margin_rate=tiers[index - 1][1],
                previous_maintenance_amount=amounts[-1],
            )
            if index
            else Decimal(0)
        )
    return tuple(amounts)


@dataclass(frozen=True, slots=True)
class TierTable:
    """The margin tiers of one instrument, from notional 0 upwards.

    Checked when made: contiguous, first floor 0, rates rise, leverage does not, 1 ÷ maximum
    leverage above the maintenance margin rate, maintenance margin continuous at every edge.
    """

    tiers: tuple[MarginTier, ...]
    _floors: tuple[Fraction, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.tiers:
            raise ValueError("a tier table needs at least one tier")
        if self.tiers[0].floor != 0 or self.tiers[0].maintenance_amount != 0:
            raise ValueError("the first tier must start at notional 0 with maintenance amount 0")
        for tier in self.tiers:
            _check_tier(tier)
        for below, above in zip(self.tiers, self.tiers[1:], strict=False):
            _check_edge(below, above)
        object.__setattr__(self, "_floors", tuple(Fraction(tier.floor) for tier in self.tiers))

    @classmethod
    def from_rates(cls, rows: Sequence[tuple[Number, Number, Number]]) -> Self:
        """Return the table of (floor, maintenance margin rate, maximum leverage) rows, rising.

        The last tier has no cap; the maintenance amounts follow from the rates.
        """
        if not rows:
            raise ValueError("a tier table needs at least one tier")
        amounts = maintenance_amounts([(floor, rate) for floor, rate, _ in rows])
        floors = [decimal_from(exact(floor, "floor")) for floor, _, _ in rows]
        caps: list[Decimal | None] = [*floors[1:], None]
        return cls(
            tuple(
                MarginTier(
                    floor=floor,
                    cap=cap,
                    maintenance_margin_rate=decimal_from(exact(rate, "maintenance margin rate")),
                    maximum_leverage=decimal_from(exact(leverage, "maximum leverage")),
                    maintenance_amount=amount,
                )
                for floor, cap, (_, rate, leverage), amount in zip(
                    floors, caps, rows, amounts, strict=True
                )
            )
        )

    @classmethod
    def flat(cls, maintenance_margin_rate: Number, maximum_leverage: Number) -> Self:
        """Return the table with one tier for every notional."""
        return cls.from_rates([(0, maintenance_margin_rate, maximum_leverage)])

    @property
    def maximum_notional(self) -> Decimal | None:
        """Return the largest notional an order may lead to; None: no limit."""
        return self.tiers[-1].cap

    def index_of(self, notional: Number) -> int:
        """Return the index of the tier that holds this notional.

        A notional on an edge belongs to the tier below it. Above the last cap the last tier goes
        on: a position can grow past the cap by price alone, and must still be margined.
        """
        value = not_negative(notional, "notional")
        return max(bisect_left(self._floors, value) - 1, 0)

    def tier_of(self, notional: Number) -> MarginTier:
        """Return the tier that holds this notional; see `index_of` for edges."""
        return self.tiers[self.index_of(notional)]

    def maintenance_margin(self, notional: Number) -> Decimal:
        """Return notional × rate - maintenance amount of its tier, in settle currency, exact."""
        tier = self.tier_of(notional)
        margin = exact(notional) * Fraction(tier.maintenance_margin_rate)
        return decimal_from(margin - Fraction(tier.maintenance_amount))

    def maintenance_margin_by_slices(self, notional: Number) -> Decimal:
        """Return the sum over tiers of the notional inside each × its own rate (Bybit's wording).

        Always equal to `maintenance_margin`; exact.
        """
        value = not_negative(notional, "notional")
        total = Fraction(0)
        for index, tier in enumerate(self.tiers[: self.index_of(notional) + 1]):
            last = index + 1 == len(self.tiers)
            cap = value if last else min(value, Fraction(self.tiers[index + 1].floor))
            total += (cap - Fraction(tier.floor)) * Fraction(tier.maintenance_margin_rate)
        return decimal_from(total)

    def maximum_leverage(self, notional: Number) -> Decimal:
        """Return the greatest leverage with which this notional may be opened."""
        return self.tier_of(notional).maximum_leverage


def tier_table_from_brackets(brackets: Sequence[Mapping[str, object]]) -> TierTable:
    """Return the table of one symbol as ccxt writes leverage tiers.

    A bracket has minNotional, maxNotional, maintenanceMarginRate and maxLeverage, and, where the
    venue gives it, `info.cum` (the maintenance amount); without it the amount follows from the
    rates. Numbers may be JSON floats: their shortest decimal text is taken, which is what the file
    says. ValueError with a sentence when a field is missing or the table is not one.
    """
    rows = [_row(bracket) for bracket in brackets]
    chained = maintenance_amounts([(floor, rate) for floor, _, rate, _, _ in rows])
    return TierTable(
        tuple(
            MarginTier(
                floor=floor,
                cap=cap,
                maintenance_margin_rate=rate,
                maximum_leverage=leverage,
                maintenance_amount=chain if printed is None else printed,
            )
            for (floor, cap, rate, leverage, printed), chain in zip(rows, chained, strict=True)
        )
    )


def tier_tables_from_brackets(
    tables: Mapping[str, Sequence[Mapping[str, object]]],
) -> dict[str, TierTable]:
    """Return symbol → table for a whole file of brackets; ValueError names the symbol at fault."""
    parsed: dict[str, TierTable] = {}
    for symbol, brackets in tables.items():
        try:
            parsed[symbol] = tier_table_from_brackets(brackets)
        except ValueError as error:
            raise ValueError(f"{symbol}: {error}") from error
    return parsed


def _check_tier(tier: MarginTier) -> None:
    if tier.cap is not None and tier.cap <= tier.floor:
        raise ValueError(f"a tier must end above its floor: {tier.floor} to {tier.cap}")
    rate = ratio_below_one(tier.maintenance_margin_rate, "maintenance margin rate")
    leverage = positive(tier.maximum_leverage, "maximum leverage")
    if 1 / leverage <= rate:
        raise ValueError(
            f"the tier from {tier.floor} allows leverage {tier.maximum_leverage}, so that initial "
            f"margin would not exceed maintenance margin at rate {tier.maintenance_margin_rate}"
        )


def _check_edge(below: MarginTier, above: MarginTier) -> None:
    if below.cap != above.floor:
        raise ValueError(
            f"tiers must be contiguous, but one ends at {below.cap} and the next starts at "
            f"{above.floor}"
        )
    if above.maintenance_margin_rate < below.maintenance_margin_rate:
        raise ValueError(f"the maintenance margin rate falls at notional {above.floor}")
    if above.maximum_leverage > below.maximum_leverage:
        raise ValueError(f"the maximum leverage rises at notional {above.floor}")
    jump = Fraction(above.floor) * (
        Fraction(above.maintenance_margin_rate) - Fraction(below.maintenance_margin_rate)
    ) - (Fraction(above.maintenance_amount) - Fraction(below.maintenance_amount))
    if jump != 0:
        raise ValueError(
            f"maintenance margin jumps by {float(jump):.6g} at notional {above.floor}: its amount "
            "does not follow from the rates"
        )


def _row(
    bracket: Mapping[str, object],
) -> tuple[Decimal, Decimal | None, Decimal, Decimal, Decimal | None]:
    info = bracket.get("info")
    cum = cast("Mapping[str, object]", info).get("cum") if isinstance(info, Mapping) else None
    cap = bracket.get("maxNotional")
    return (
        _field(bracket, "minNotional"),
        None if cap is None else _field(bracket, "maxNotional"),
        _field(bracket, "maintenanceMarginRate"),
        _field(bracket, "maxLeverage"),
        None if cum is None else _as_decimal(cum, "info.cum"),
    )


def _field(bracket: Mapping[str, object], name: str) -> Decimal:
    if bracket.get(name) is None:
        raise ValueError(f"a bracket has no {name}")
    return _as_decimal(bracket[name], name)


def _as_decimal(value: object, name: str) -> Decimal:
    # repr of a JSON float is its shortest decimal text, hence the digits that stood in the file.
    return decimal_from(exact(repr(value) if isinstance(value, float) else str(value), name))
