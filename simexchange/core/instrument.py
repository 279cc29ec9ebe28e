"""What is traded: one linear perpetual contract, its grid of prices and sizes, its risk rules."""

import itertools
from decimal import Decimal

import msgspec

from simexchange.core.types import HOUR_US, MONEY_SCALE, RATE_SCALE


class MarginTier(msgspec.Struct, frozen=True, gc=False):
    """One notional bracket. ``deduction`` makes maintenance margin continuous at ``floor``.

    ``floor`` and ``deduction`` are money; ``maintenance_rate`` is in rate units.
    """

    floor: int
    maintenance_rate: int
    max_leverage: int
    deduction: int = 0


class FundingRules(msgspec.Struct, frozen=True, gc=False):
    """How the funding rate is computed. Rates are for the base interval of eight hours."""

    interval_us: int = 8 * HOUR_US
    interest_rate: int = 10_000  # 0.01 % per eight hours
    clamp: int = 50_000  # 0.05 %: the most that interest may differ from the premium
    cap: int = 2_000_000  # 2 %: bound of the rate of one interval
    impact_notional: int = 10_000 * MONEY_SCALE
    sample_us: int = 5_000_000


class Instrument(msgspec.Struct, frozen=True, kw_only=True):
    """One perpetual contract, settled in ``settle``.

    ``contract_size`` is the base quantity of one contract (S). Notional, in money units, is
    ``price × contracts × tick_value``, exactly; an instrument whose tick value is not a whole
    number of money units is refused by ``problem`` rather than rounded.
    """

    symbol: str
    base: str
    quote: str = "USDT"
    settle: str = "USDT"
    tick_size: Decimal
    contract_size: Decimal
    min_contracts: int = 1
    max_contracts: int = 10**12
    max_market_contracts: int = 10**12
    contracts_step: int = 1
    min_notional: int = 0
    max_leverage: int = 125
    default_leverage: int = 10
    tiers: tuple[MarginTier, ...] = (
        MarginTier(floor=0, maintenance_rate=400_000, max_leverage=125),
    )
    maker_fee: int = 20_000
    taker_fee: int = 50_000
    liquidation_fee: int = 0
    price_band: int | None = None  # rate: how far a limit price may stand from mark, either way
    market_slippage: int | None = None  # rate: how far from mark a market order may trade
    trigger_protect: int = 5_000_000  # rate: how far last may be from mark for protected plans
    max_open_orders: int = 10**9  # of one account
    max_open_plans: int = 10**9
    funding: FundingRules | None = None  # None: no funding is exchanged
    mark_window_us: int = 30_000_000  # moving average of mid - index in the mark price
    index_stale_us: int | None = None  # age from which an index price counts no more; None: never
    mark_protection: int = 1_000_000  # rate: how far the mark may go while the index is lost

    @property
    def tick_value(self) -> int:
        """Money units that one contract gains when the price rises by one tick."""
        value = self.tick_size * self.contract_size * MONEY_SCALE
        assert value == int(value), "an instrument that does not pass `problem` was listed"
        return int(value)

    def price_to_ticks(self, price: Decimal) -> int:
        """Return ``price`` in ticks; ValueError when it is off the tick."""
        ticks = price // self.tick_size
        if ticks * self.tick_size != price:
            below = ticks * self.tick_size
            message = (
                f"{self.symbol}: price {price} is not a multiple of the tick {self.tick_size}; "
                f"use {below} or {below + self.tick_size}"
            )
            raise ValueError(message)
        return int(ticks)

    def ticks_to_price(self, ticks: int) -> Decimal:
        return self.tick_size * ticks

    def contracts_from_base(self, quantity: Decimal) -> int:
        """Return the contracts that hold ``quantity`` of the base; ValueError when not whole."""
        contracts = quantity // self.contract_size
        if contracts * self.contract_size != quantity:
            message = (
                f"{self.symbol}: {quantity} {self.base} is not a whole number of contracts of "
                f"{self.contract_size} {self.base}"
            )
            raise ValueError(message)
        return int(contracts)

    def base_from_contracts(self, contracts: int) -> Decimal:
        return self.contract_size * contracts

    def notional(self, price: int, contracts: int) -> int:
        """Return the exact value in money of ``contracts`` at ``price`` ticks."""
        return price * contracts * self.tick_value

    def problem(self) -> str | None:
        """Return a sentence that says what to change before this can be listed, or None."""
        return (
            _grid_problem(self)
            or _limits_problem(self)
            or _index_problem(self)
            or _funding_problem(self)
            or _tiers_problem(self)
        )


def _grid_problem(instrument: Instrument) -> str | None:
    name = instrument.symbol or "an instrument without a symbol"
    if not instrument.symbol:
        return "an instrument needs a symbol"
    if instrument.tick_size <= 0 or instrument.contract_size <= 0:
        return f"{name}: tick size and contract size must be positive"
    value = instrument.tick_size * instrument.contract_size * MONEY_SCALE
    if value < 1 or value != int(value):
        return (
            f"{name}: one tick of one contract is worth {value} units of 10⁻⁸ {instrument.settle}, "
            "which is not a whole number; choose a larger tick size or contract size"
        )
    return None


def _limits_problem(instrument: Instrument) -> str | None:
    name = instrument.symbol
    if not 1 <= instrument.min_contracts <= instrument.max_contracts:
        return f"{name}: 1 ≤ min_contracts ≤ max_contracts does not hold"
    if instrument.contracts_step < 1:
        return f"{name}: contracts_step must be at least 1"
    if not 1 <= instrument.default_leverage <= instrument.max_leverage:
        return f"{name}: 1 ≤ default_leverage ≤ max_leverage does not hold"
    if abs(instrument.maker_fee) >= RATE_SCALE or abs(instrument.taker_fee) >= RATE_SCALE:
        return f"{name}: a fee rate must be below 100 %"
    if instrument.maker_fee + instrument.taker_fee < 0:
        return f"{name}: the maker's rebate is larger than the taker's fee"
    return None


def _index_problem(instrument: Instrument) -> str | None:
    if not 0 <= instrument.mark_protection < RATE_SCALE:
        return f"{instrument.symbol}: mark_protection must be from 0 to below 100 %"
    if instrument.trigger_protect < 0:
        return f"{instrument.symbol}: trigger_protect must not be negative"
    if instrument.index_stale_us is not None and instrument.index_stale_us < 1:
        return f"{instrument.symbol}: index_stale_us must be at least 1 microsecond, or None"
    return None


def _funding_problem(instrument: Instrument) -> str | None:
    funding = instrument.funding
    if funding is None or funding.impact_notional >= instrument.tick_value:
        return None
    return (
        f"{instrument.symbol}: the impact notional of funding is {funding.impact_notional}, less "
        f"than one tick of one contract ({instrument.tick_value}); raise it"
    )


def _tiers_problem(instrument: Instrument) -> str | None:
    name, tiers = instrument.symbol, instrument.tiers
    if not tiers or tiers[0].floor != 0 or tiers[0].deduction != 0:
        return f"{name}: the first margin tier must start at notional 0 with deduction 0"
    for lower, upper in itertools.pairwise(tiers):
        if upper.floor <= lower.floor or upper.maintenance_rate < lower.maintenance_rate:
            return f"{name}: margin tiers must rise in floor and maintenance rate"
        step = upper.floor * (upper.maintenance_rate - lower.maintenance_rate)
        if (upper.deduction - lower.deduction) * RATE_SCALE != step:
            expected = lower.deduction + Decimal(step) / RATE_SCALE
            return (
                f"{name}: the deduction of the tier from {upper.floor} must be {expected}, or "
                "maintenance margin jumps there"
            )
    for tier in tiers:
        if tier.max_leverage < 1 or tier.maintenance_rate * tier.max_leverage >= RATE_SCALE:
            return (
                f"{name}: in the tier from {tier.floor} a new position would be liquidated at "
                "once; 1 / max_leverage must exceed the maintenance rate"
            )
    return None
