"""dYdX's margin in whole quantums: integers in, integers out, requirements rounded up.

A base quantum is 10^atomic_resolution of the base asset, a quote quantum 10^-6 of the quote asset;
ppm are parts per million.
"""

from fractions import Fraction
from typing import NamedTuple

from simexchange.rules.exact import Number, exact, not_negative, positive

QUOTE_RESOLUTION = -6
MILLION = 1_000_000


def quote_quantums(
    *, base_quantums: int, price: Number, exponent: int = 0, atomic_resolution: int
) -> Fraction:
    """Return the signed notional in quote quantums, exact.

    base quantums × price × 10^(exponent + atomic resolution + 6).
    Source: dYdX v4, x/perpetuals/lib.
    """
    scale = Fraction(10) ** (exponent + atomic_resolution - QUOTE_RESOLUTION)
    return base_quantums * positive(price, "price") * scale


class MarginRequirement(NamedTuple):
    """Initial and maintenance margin, in quote quantums."""

    initial: int
    maintenance: int


def margin_requirement(
    *,
    notional: Number,
    initial_margin_ppm: Number,
    maintenance_fraction_ppm: Number,
) -> MarginRequirement:
    """Return both margins of a notional (its sign is dropped), each rounded up to a quote quantum.

    Initial = |notional| × initial ppm; maintenance = initial (already rounded) × fraction ppm.
    Source: dYdX v4, x/perpetuals/lib GetMarginRequirementsInQuoteQuantums.
    """
    value = abs(exact(notional, "notional"))
    initial = _up(value * not_negative(initial_margin_ppm, "initial margin ppm") / MILLION)
    fraction = not_negative(maintenance_fraction_ppm, "maintenance fraction ppm")
    return MarginRequirement(initial, _up(initial * fraction / MILLION))


def open_interest_margin_ppm(
    *,
    base_initial_margin_ppm: Number,
    open_interest_notional: Number,
    lower_cap: Number,
    upper_cap: Number,
) -> int:
    """Return the initial margin fraction that grows with open interest, in ppm, truncated.

    The base fraction up to the lower cap, 1,000,000 ppm from the upper cap on, a straight line in
    between; notional and caps in quote quantums. An upper cap of 0: no scaling.
    Source: dYdX v4, x/perpetuals/types LiquidityTier.GetAdjustedInitialMarginPpm.
    """
    base = not_negative(base_initial_margin_ppm, "base initial margin ppm")
    if base > MILLION:
        raise ValueError(f"base initial margin ppm must not be above 1,000,000, but is {base}")
    lower, upper = not_negative(lower_cap, "lower cap"), not_negative(upper_cap, "upper cap")
    value = not_negative(open_interest_notional, "open interest notional")
    if upper == 0 or value <= lower:
        return int(base)
    if lower > upper:
        raise ValueError("the lower cap of open interest must not be above the upper cap")
    if value >= upper:
        return MILLION
    return int(base + (MILLION - base) * (value - lower) / (upper - lower))


def open_interest_scaled_margin(
    *,
    notional: Number,
    base_initial_margin_ppm: Number,
    open_interest_notional: Number,
    lower_cap: Number,
    upper_cap: Number,
) -> int:
    """Return the initial margin at the fraction of `open_interest_margin_ppm`, rounded up."""
    fraction = open_interest_margin_ppm(
        base_initial_margin_ppm=base_initial_margin_ppm,
        open_interest_notional=open_interest_notional,
        lower_cap=lower_cap,
        upper_cap=upper_cap,
    )
    return _up(abs(exact(notional, "notional")) * fraction / MILLION)


def _up(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
