# ruff: noqa: PLR0913 - a formula takes one argument for each of its symbols
"""The funding rate, and what each position pays or receives by it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from simexchange.rules.exact import (
    Number,
    ceil_to_step,
    decimal_from,
    exact,
    floor_to_step,
    not_negative,
    positive,
)
from simexchange.rules.position import ContractType, Position
from simexchange.rules.ruleset import FundingScaling, RuleSet, UnknownRule
from simexchange.rules.rulesets import BINANCE, DYDX, OURS
from simexchange.rules.side import PositionSide

HOURS_OF_RATES = 8  # interest is quoted for 8 hours everywhere


def funding_rate(
    *,
    premium_average: Number,
    interest_rate: Number | None = None,
    clamp: Number | None = None,
    cap: Number | None = None,
    floor: Number | None = None,
    interval_hours: Number | None = None,
    rules: RuleSet = OURS,
) -> Decimal:
    """Return the funding rate of one interval, as a ratio; above 0: longs pay shorts.

    - `FundingScaling.WHOLE_RATE` (ours, Binance since 2025-09-18): [P + clamp(I - P, ±c)] ÷ (8/N).
    - `FundingScaling.INTEREST` (Bybit, Binance before): P + clamp(I ÷ (8/N) - P, ±c).
    Then held between floor and cap. So a premium that is no further than c from the interest gives
    the interest.

    - `premium_average` P: a ratio, see the function of this name. `interest_rate` I and `clamp` c:
      ratios for 8 hours, from the rule set where not given. `cap`, `floor`: for the interval; the
      floor is -cap where not given.
    - `interval_hours` N: 8, 4, 1 …; from the rule set where not given.
    Exact. Source: Binance "Introduction to Funding Rates"; Bybit "Introduction to Funding Rate".
    """
    interest = _chosen(interest_rate, rules.interest_rate, rules, "the interest rate")
    width = _chosen(clamp, rules.funding_clamp, rules, "the clamp on the premium")
    if width < 0:
        raise ValueError(f"clamp must not be below zero, but is {width}")
    hours = _chosen(interval_hours, rules.funding_interval_hours, rules, "the funding interval")
    if hours <= 0:
        raise ValueError(f"interval hours must be above zero, not {hours}")
    part = hours / HOURS_OF_RATES
    scales_interest = rules.funding_scaling is FundingScaling.INTEREST
    premium = exact(premium_average, "premium average")
    due = interest * part if scales_interest else interest
    rate = premium + max(-width, min(width, due - premium))
    return decimal_from(_held(rate if scales_interest else rate * part, cap, floor))


def clamped_rate(*, rate: Number, cap: Number | None, floor: Number | None = None) -> Decimal:
    """Return the rate held between floor (-cap where not given) and cap; cap None: no limit."""
    return decimal_from(_held(exact(rate, "rate"), cap, floor))


def funding_rate_cap(
    *,
    initial_margin_rate: Number | None = None,
    maintenance_margin_rate: Number,
    multiple: Number | None = None,
    rules: RuleSet = BINANCE,
) -> Decimal:
    """Return the largest funding rate, as a ratio, from the margin rates; exact, at least 0.

    With an initial margin rate: multiple × (initial - maintenance), dYdX with 6, for 8 hours.
    Without: multiple × maintenance margin rate, Binance. The multiple from the rule set where not
    given. Source: dYdX v4, funding rate clamp; Binance "Introduction to Funding Rates".
    """
    times = _chosen(multiple, rules.funding_cap_multiple, rules, "the multiple of the funding cap")
    maintenance = not_negative(maintenance_margin_rate, "maintenance margin rate")
    if initial_margin_rate is None:
        return decimal_from(times * maintenance)
    room = not_negative(initial_margin_rate, "initial margin rate") - maintenance
    if room < 0:
        raise ValueError("the initial margin rate must not be below the maintenance margin rate")
    return decimal_from(times * room)


def funding_payment(
    *,
    side: PositionSide | str,
    quantity: Number,
    mark_price: Number,
    funding_rate: Number,
    contract_size: Number = 1,
    contract_type: ContractType | str = ContractType.LINEAR,
) -> Decimal:
    """Return what the position receives: below 0, it pays. In settle currency, exact.

    -s × notional at mark × rate: at a rate above 0 a long pays and a short receives. Without a mark
    price, venues and simulators take the middle of the book. Source: Binance, Bybit funding pages.
    """
    position = Position.of(side, quantity, mark_price, contract_size, contract_type)
    rate = exact(funding_rate, "funding rate")
    return decimal_from(-position.side.sign * position.entry_value * rate)


@dataclass(frozen=True, slots=True)
class FundingBatch:
    """One funding of all positions: received amounts by account (below 0: paid), and the residue.

    Σ payments + residue = 0 exactly. The residue is at least 0 and below one unit per account; it
    is booked to the rounding account of the exchange.
    """

    payments: Mapping[str, Decimal]
    residue: Decimal


def funding_batch(
    *,
    positions: Sequence[tuple[str, Number]],
    mark_price: Number,
    funding_rate: Number,
    unit: Number,
    contract_size: Number = 1,
) -> FundingBatch:
    """Return what every account of a linear instrument receives in one funding, and the residue.

    `positions`: (account, signed quantity), summing to 0, each account once. Rounded to `unit`:
    what is received down, what is paid up, so that the residue never falls to an account's favour.
    ValueError when longs and shorts do not balance or an account comes twice.
    """
    quantities = {account: exact(quantity, "quantity") for account, quantity in positions}
    if len(quantities) != len(positions):
        raise ValueError("an account may come once in a funding batch; add its positions first")
    if sum(quantities.values()) != 0:
        raise ValueError("longs and shorts of an instrument must balance before it can be funded")
    each = positive(mark_price, "mark price") * exact(funding_rate, "funding rate")
    each *= positive(contract_size, "contract size")
    payments = {account: floor_to_step(-q * each, unit) for account, q in quantities.items()}
    total = sum((Fraction(payment) for payment in payments.values()), Fraction(0))
    return FundingBatch(payments, decimal_from(-total))


def funding_epoch_rate(
    *,
    premium_samples: Sequence[Number],
    cap: Number | None,
    expected_samples: int | None = None,
    unit: Number | None = None,
) -> Decimal:
    """Return the rate of an epoch: the average of its premium samples, held between ±cap.

    Samples missing from `expected_samples` count as 0. The average is truncated toward 0 to `unit`,
    if given, before it is held. In the unit of the samples. No sample at all: rate 0. Source: dYdX
    v4, x/perpetuals MaybeProcessNewFundingTickEpoch.
    """
    count = max(len(premium_samples), expected_samples or 0)
    if count == 0:
        return Decimal(0)
    total = sum((exact(sample, "premium sample") for sample in premium_samples), Fraction(0))
    average = total / count
    if unit is not None:
        step = positive(unit, "unit")
        ceiled, floored = ceil_to_step(average, step), floor_to_step(average, step)
        average = Fraction(floored if average >= 0 else ceiled)
    return decimal_from(_held(average, cap, None))


def trimmed_samples(
    *, samples: Sequence[Number], removed_tail_ratio: Number
) -> tuple[Decimal, ...]:
    """Return the samples in rising order without their tails, to be averaged.

    floor(2 × ratio × n) samples go in all, half of them (rounded down) from the bottom, the rest
    from the top. The ratio is below 0.5. Source: dYdX v4, x/perpetuals premium samples.
    """
    ratio = not_negative(removed_tail_ratio, "removed tail ratio")
    if ratio >= Fraction(1, 2):
        raise ValueError("removed tail ratio must be below 0.5, or no sample would be left")
    ordered = sorted(exact(sample, "sample") for sample in samples)
    removed = 2 * ratio * len(ordered) // 1
    bottom = removed // 2
    return tuple(decimal_from(value) for value in ordered[bottom : len(ordered) - removed + bottom])


def dydx_funding_rate_cap(
    *, initial_margin_rate: Number, maintenance_margin_rate: Number
) -> Decimal:
    """Return 6 × (initial - maintenance margin rate): dYdX's cap for 8 hours, in their unit."""
    return funding_rate_cap(
        initial_margin_rate=initial_margin_rate,
        maintenance_margin_rate=maintenance_margin_rate,
        rules=DYDX,
    )


def _chosen(given: Number | None, ruled: Number | None, rules: RuleSet, what: str) -> Fraction:
    if given is not None:
        return exact(given, what)
    if ruled is None:
        raise UnknownRule(rules, what)
    return exact(ruled, what)


def _held(rate: Fraction, cap: Number | None, floor: Number | None) -> Fraction:
    if cap is not None:
        rate = min(rate, exact(cap, "cap"))
    if floor is None and cap is not None:
        floor = -exact(cap, "cap")
    if floor is not None:
        lowest = exact(floor, "floor")
        if cap is not None and lowest > exact(cap, "cap"):
            raise ValueError(f"floor {floor} must not be above cap {cap}")
        rate = max(rate, lowest)
    return rate
